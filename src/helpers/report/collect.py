"""Which exercises of saved notebooks are solved, by the records that the checks left in them.

Only the standard library is needed, and nothing in a notebook is run. The records are claims: a
notebook is a text file, and whoever has it can edit it.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from missing_aa.errors import LimitReached, Malformed, Problem
from missing_aa.scanner.walk import Walk
from missing_aa.text import clean

SOLVED, WRONG, OPEN, ABSENT = "solved", "wrong", "open", "absent"
BEST_FIRST = (SOLVED, WRONG, OPEN)
LARGEST = 200_000_000
"""Bytes; an executed lesson has two million."""

CHECK = re.compile(r"^check\.(\w+)\(", re.MULTILINE)
LESSON = re.compile(r"^# (\d\d) · (.+)$", re.MULTILINE)
HEADING = re.compile(r"^### Exercise (\d+): (.+)$", re.MULTILINE)
NOT_YET = "not yet: "


class Foreign(Problem):
    """A notebook, but no lesson of this course."""


@dataclass
class Exercise:
    """One exercise: the name of its check, what stands in its heading, how far the learner is."""

    name: str
    title: str
    status: str = OPEN
    hint: str = ""


@dataclass
class Sheet:
    """One saved lesson; `number` and `title` are from its first heading."""

    path: str
    number: str
    title: str
    exercises: list[Exercise]
    remark: str = ""

    @property
    def solved(self) -> int:
        return sum(one.status == SOLVED for one in self.exercises)

    @property
    def complete(self) -> bool:
        return 0 < len(self.exercises) == self.solved


@dataclass
class Report:
    """What a collection of notebooks says; `passed_over` holds a path, why, and an exit code."""

    sheets: list[Sheet] = field(default_factory=list)
    passed_over: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 if every exercise is solved, 1 if not; more for a file that cannot be read."""
        unsolved = not self.sheets or not all(sheet.complete for sheet in self.sheets)
        return max([int(unsolved), *(code for _, _, code in self.passed_over)])


def collect(paths: Sequence[str], lessons: Sequence[Path] = ()) -> Report:
    """Read every notebook at and below some paths; `lessons` are the course's own, to compare with.

    Raises UsageProblem for a path that is not there.
    """
    own = {}
    for lesson in lessons:
        with suppress(Problem):  # one that is broken here is no reason to turn a learner's down
            sheet = read_sheet(lesson)
            own[sheet.number] = sheet
    walk = Walk()
    report = Report()
    given = {os.path.normpath(path) for path in paths}
    for path, _ in sorted(walk.files(paths)):
        name = os.path.basename(path)
        if path not in given and (not name.endswith(".ipynb") or name.startswith(".")):
            continue
        try:
            report.sheets.append(_compared(own, read_sheet(path)))
        except Problem as problem:
            code = 0 if isinstance(problem, Foreign) else problem.exit_code
            report.passed_over.append((path, str(problem), code))
    report.passed_over += [(path, reason, 1) for path, reason in walk.unreadable]
    return report


def _compared(own: dict[str, Sheet], sheet: Sheet) -> Sheet:
    """The same sheet, with what the course's own lesson of this number has and it has not."""
    lesson = own.get(sheet.number)
    names = [one.name for one in sheet.exercises]
    moved = sorted(
        number for number, other in own.items() if {one.name for one in other.exercises} & {*names}
    )
    if lesson and moved and sheet.number not in moved:
        sheet.remark = f"from before a lesson was split: its exercises are in {', '.join(moved)}"
    elif lesson:
        missing = [one for one in lesson.exercises if one.name not in names]
        sheet.exercises += [Exercise(one.name, one.title, ABSENT) for one in missing]
        if {one.name for one in lesson.exercises} != set(names):
            sheet.remark = "not the exercises of the lesson here: from another version?"
    elif own:
        sheet.remark = "the course here has no lesson of this number: from another version?"
    if not sheet.exercises:
        sheet.remark = "there is no exercise in it"
    return sheet


def read_sheet(path: str | Path) -> Sheet:
    """What one notebook says. Raises Foreign, Malformed, LimitReached, or Problem if unreadable."""
    cells = _cells(path)
    headings = (LESSON.search(_text(cell)) for cell in cells if cell.get("cell_type") == "markdown")
    first = next((found for found in headings if found), None)
    exercises = _exercises(cells)
    if not first:
        raise Foreign("not a lesson of this course")
    return Sheet(str(path), first[1], clean(first[2].strip()), exercises)


def _cells(path: str | Path) -> list[dict]:
    """The cells of a notebook of ours."""
    try:
        if os.path.getsize(path) > LARGEST:
            raise LimitReached(f"larger than {LARGEST / 1e6:.0f} MB: clear what it shows, and save")
        notebook = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Problem(f"cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise Malformed(
            "not a notebook, or cut short: save it again and hand it in again"
        ) from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise Malformed("JSON, but not a notebook of format 4")
    if not isinstance(_dict(notebook.get("metadata")).get("missing_aa"), dict):
        raise Foreign("not a lesson of this course")
    return [cell for cell in notebook["cells"] if isinstance(cell, dict)]


def _exercises(cells: list[dict]) -> list[Exercise]:
    """Every exercise that is checked in some cell, in order."""
    found: dict[str, Exercise] = {}
    heading = ""
    for cell in cells:
        if cell.get("cell_type") != "code":
            for number, title in HEADING.findall(_text(cell)):
                heading = clean(f"{number}: {title.strip()}")
            continue
        records = list(_records(cell))
        names = CHECK.findall(_text(cell)) or [name for name, _, _ in records]
        for name in names:
            found.setdefault(name, Exercise(name, heading))
        if not _is_solution(cell):
            for name, status, hint in records or _stopped(cell, names):
                _note(found.setdefault(name, Exercise(name, heading)), status, hint)
    return list(found.values())


def _note(exercise: Exercise, status: str, hint: str) -> None:
    """Of several cells the best counts: who has solved it may go on trying."""
    if BEST_FIRST.index(status) <= BEST_FIRST.index(exercise.status):
        exercise.status, exercise.hint = status, hint


def _records(cell: dict) -> Iterator[tuple[str, str, str]]:
    """Name, status and hint from the last record of each check in a cell's outputs."""
    last = {}
    for output in _dicts(cell.get("outputs")):
        record = _dict(_dict(output.get("metadata")).get("missing_aa"))
        name, status = record.get("exercise"), record.get("status")
        if isinstance(name, str) and status in BEST_FIRST:
            text = _joined(_dict(output.get("data")).get("text/plain"))
            hint = clean(text.partition(NOT_YET)[2], 1000) if status == WRONG else ""
            last[clean(name)] = (clean(name), status, hint)
    yield from last.values()


def _stopped(cell: dict, names: list[str]) -> Iterator[tuple[str, str, str]]:
    """What an error says of the checks that it kept from running."""
    for output in _dicts(cell.get("outputs")):
        if output.get("output_type") == "error":
            error = f"{_joined(output.get('ename'))}: {_joined(output.get('evalue'))}"
            yield from (
                (name, WRONG, clean(f"the cell ended with {error}", 1000)) for name in names
            )


def _is_solution(cell: dict) -> bool:
    tags = _dict(cell.get("metadata")).get("tags")
    return isinstance(tags, list) and "solution" in tags


def _text(cell: dict) -> str:
    return _joined(cell.get("source"))


def _joined(value: object) -> str:
    """A text of a notebook: in one string, or in a list of lines."""
    lines = value if isinstance(value, list) else [value]
    return "".join(line for line in lines if isinstance(line, str))


def _dict(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
