"""How long a lesson takes, by the rule of docs/teaching/index.md: `python -m tools.lesson_minutes`.

Prints each lesson's sum; with numbers behind it (`00 11`) those alone. With `--runs build/lessons`
it takes the run times from there, executed by `python -m helpers run`, and writes them and the
minutes into docs/teaching and the lessons.
"""

import argparse
import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOTEBOOKS = {path.name[:2]: path for path in sorted(ROOT.glob("notebooks/[0-9][0-9]_*.ipynb"))}

WORDS, LINES = 200, 10
"""Words of prose that a learner reads in a minute; lines of code."""
FOLDED = {"setup", "check", "solution"}
"""Tags of cells that nobody has to read."""
ROUNDED = 5
"""A lesson's minutes are rounded up to a multiple of these; a section's to a whole one."""
PICTURE = re.compile(r"\bshow\(|\bcontrols\.\w+\(|!\[")


@dataclass
class Section:
    """What stands below one heading; `run` in seconds, `exercises` in minutes by number."""

    name: str
    core: bool = True
    words: int = 0
    lines: int = 0
    pictures: int = 0
    predictions: int = 0
    run: int = 0
    exercises: dict[int, int] = field(default_factory=dict)

    def minutes(self, without: tuple[int, ...] = ()) -> float:
        """By the rule, without some exercises; not rounded."""
        exercises = sum(took for number, took in self.exercises.items() if number not in without)
        read = self.words / WORDS + self.lines / LINES + self.pictures + self.predictions
        return read + self.run / 60 + exercises


def whole(minutes: float, step: int = 1) -> int:
    """Rounded up to a multiple of `step`."""
    return step * math.ceil(round(minutes / step, 6))


def lesson_minutes(sections: list[Section]) -> int:
    """What stands at the top of a lesson: its core, rounded up."""
    return whole(sum(section.minutes() for section in sections if section.core), ROUNDED)


def page(number: str) -> Path:
    return ROOT / "docs" / "teaching" / f"lesson_{number}.md"


def timetable(number: str) -> dict[str, list[str]]:
    """Section -> minutes, exercises, run, what happens: the table of the teacher's page."""
    text = page(number).read_text(encoding="utf-8").split("\n## Time\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name: rest for name, *rest in rows}


def reckon(number: str) -> list[Section]:
    """The sections of a lesson, the opening first, with what its teacher's page says of them."""
    sections = [section for section, _ in walk(NOTEBOOKS[number])]
    for section in sections:
        _, exercises, run, _ = timetable(number).get(section.name, ["", "", "0 s", ""])
        section.run = int(run.removesuffix(" s"))
        pairs = re.findall(r"(\d): (\d+)", exercises)
        section.exercises = {int(exercise): int(took) for exercise, took in pairs}
    return sections


def walk(path: Path) -> list[tuple[Section, float]]:
    """The sections of a notebook as it is read, and the seconds that each ran, if it was run."""
    found = [[Section("Opening"), 0.0]]
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            opening, *pieces = re.split(r"^## ", source, flags=re.M)
            _read(found[-1][0], opening)
            for piece in pieces:
                title, _, text = piece.partition("\n")
                name, further, _ = title.partition(" · further")
                found.append([Section(name, not further), 0.0])
                _read(found[-1][0], text)
        else:
            if not FOLDED & set(cell["metadata"].get("tags", [])):
                _look(found[-1][0], source)
            found[-1][1] += cell["metadata"].get("papermill", {}).get("duration") or 0
    return [(section, seconds) for section, seconds in found]


def _read(section: Section, text: str) -> None:
    prose = text.partition("### Exercise ")[0]  # the task belongs to the exercise's minutes
    section.words += len(prose.split())
    section.predictions += prose.count("**Predict")
    section.pictures += len(PICTURE.findall(prose))


def _look(section: Section, source: str) -> None:
    if "check." in source and "..." in source:  # the stub of an exercise
        return
    section.lines += sum(bool(line.strip()) for line in source.splitlines())
    section.pictures += len(PICTURE.findall(source))


def write(number: str, runs: Path) -> None:
    """Takes a lesson's run times over, and puts its minutes where they are written."""
    seconds = {section.name: took for section, took in walk(runs / NOTEBOOKS[number].name)}
    _table(number, {name: f"{math.ceil(took)} s" for name, took in seconds.items()}, {})
    sections = reckon(number)
    plus = {section.name: "" if section.core else "+" for section in sections}
    _table(number, {}, {s.name: f"{plus[s.name]}{whole(s.minutes())}" for s in sections})
    minutes = lesson_minutes(sections)
    text = NOTEBOOKS[number].read_text(encoding="utf-8")
    text = re.sub(r"\*About \d+ minutes\.", f"*About {minutes} minutes.", text, count=1)
    text = re.sub(r'"minutes": \d+', f'"minutes": {minutes}', text)
    NOTEBOOKS[number].write_text(text, encoding="utf-8")


def _table(number: str, run: dict[str, str], minutes: dict[str, str]) -> None:
    text = page(number).read_text(encoding="utf-8")
    for name, (before, exercises, ran, what) in timetable(number).items():
        old = f"| {name} | {before} | {exercises} | {ran} | {what} |"
        kept = [name, minutes.get(name, before), exercises, run.get(name, ran), what]
        text = text.replace(old, f"| {' | '.join(kept)} |")
    page(number).write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("numbers", nargs="*", metavar="NN")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="executed lessons; writes")
    args = parser.parse_args()
    numbers, runs = args.numbers or list(NOTEBOOKS), args.runs
    for number in numbers:
        if number not in NOTEBOOKS:
            parser.error(f"there is no lesson {number!r}; there are {', '.join(NOTEBOOKS)}")
        if not page(number).is_file():
            parser.error(f"{page(number)} is missing: a page for teachers, in the form of others")
        if runs and not (runs / NOTEBOOKS[number].name).is_file():
            parser.error(f"lesson {number} is not in {runs}: python -m helpers run {number}")
    for number in numbers:
        if runs:
            write(number, runs)
        core = [section for section in reckon(number) if section.core]
        words, lines, pictures, predictions, run = (
            sum(getattr(section, name) for section in core)
            for name in ("words", "lines", "pictures", "predictions", "run")
        )
        exercises = sum(sum(section.exercises.values()) for section in core)
        print(
            f"{number}: {words} words, {lines} lines, {pictures} pictures, {predictions} "
            f"predictions, {run} s of runs, {exercises} min of exercises: "
            f"{sum(section.minutes() for section in core):.1f}, about {lesson_minutes(core)}"
        )


if __name__ == "__main__":
    main()
