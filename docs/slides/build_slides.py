"""Build the slides: `python docs/slides/build_slides.py [--output build/slides]`, or `make slides`.

deck.toml says which cells of which lessons stand on which slide, in the order of the half-day plan;
what they show is what `make run` got. Beside them lie the six questions, to be printed.
Nothing asks another host for anything.
"""

import argparse
import re
import shutil
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter
from nbconvert.filters import markdown2html
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook, new_output
from teacher_notes import TEACHING, hints, read_plan
from traitlets.config import Config

from helpers.runner import catalogue
from helpers.runner.freshness import refresh
from helpers.runner.page import SETTINGS, TRACEBACK
from missing_aa.errors import Problem

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WIDTH, HEIGHT = 1280, 720
REVEAL = ("dist/reveal.js", "dist/reveal.css", "plugin/notes/notes.js", "LICENSE")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
SECTION = re.compile(r"^## (.+?)(?: · further)?$", re.MULTILINE)
EXERCISE = re.compile(r"^### (Exercise \d: .+)$", re.MULTILINE)
PROMISE = re.compile(r' --match "[^"\n]*"')  # what an error's text has to be: too long for a slide

OUTPUT_ONLY = "output-only"

LAYOUT = Config(
    {
        "TagRemovePreprocessor": {"enabled": True, "remove_input_tags": [OUTPUT_ONLY]},
        "SlidesExporter": {
            "template_name": "template",
            "extra_template_basedirs": [str(HERE)],
            "reveal_url_prefix": "reveal",
            "reveal_theme": "course",
            "reveal_number": "c/t",
            "reveal_transition": "none",
            "reveal_width": str(WIDTH),
            "reveal_height": str(HEIGHT),
        },
    }
)


class Lesson:
    """A lesson: its number and title, its cells by id, and the section that each belongs to."""

    def __init__(self, path: Path):
        self.number = path.name[:2]
        self.cells: dict[str, NotebookNode] = {}
        self.section: dict[str, str] = {}  # the one that a cell begins in
        self.exercises: dict[str, str] = {}  # its heading -> its section
        section = ""
        notebook = nbformat.read(path, 4)
        _print_tracebacks(notebook)
        notebook, _ = CoalesceStreamsPreprocessor().preprocess(notebook, {})
        self.title = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
        for cell in notebook.cells:
            self.cells[cell.id] = cell
            self.section[cell.id] = section
            if cell.cell_type == "markdown":
                section = ([section] + SECTION.findall(cell.source))[-1]
                self.exercises |= dict.fromkeys(EXERCISE.findall(cell.source), section)

    def find(self, words: str) -> NotebookNode:
        """The cell of this id, or the only one with these words. Raises Problem for any other."""
        if words in self.cells:
            return self.cells[words]
        found = [cell for cell in self.cells.values() if words in cell.source]
        if len(found) != 1:
            how_many = f"{len(found)} cells" if found else "no cell"
            raise Problem(f"deck.toml: lesson {self.number} has {how_many} with {words!r}")
        return found[0]

    def section_of(self, item: dict) -> str:
        """The section in which what the deck wants of a cell begins: a cell may end one and begin
        the next."""
        cell = self.find(item["cell"])
        above = cell.source
        if cell.cell_type == "markdown" and (wanted := item.get("paragraphs")):
            above = cell.source.partition(wanted[0])[0]
        headings = SECTION.findall(above) if cell.cell_type == "markdown" else []
        return ([self.section[cell.id]] + headings)[-1]


def _print_tracebacks(notebook: NotebookNode) -> None:
    """Make an error that was to come a printed text: on a slide nothing is below a click."""
    for cell in notebook.cells:
        for number, output in enumerate(cell.get("outputs", [])):
            if 'class="traceback"' in output.get("data", {}).get("text/html", ""):
                text = output.data["text/plain"] + "\n"
                cell.outputs[number] = new_output("stream", name="stdout", text=text)


def read_deck(path: Path = HERE / "deck.toml") -> list[dict]:
    return tomllib.loads(path.read_text(encoding="utf-8"))["slide"]


def assemble(deck: list[dict], lessons: dict[str, Lesson], plan: dict) -> NotebookNode:
    """All slides as a notebook with slideshow metadata.

    Raises Problem for a cell, a paragraph or a line that is not there.
    """
    cells, row = [], ""
    for slide in deck:
        lesson = lessons[slide["lesson"]] if "lesson" in slide else None
        items = slide.get("cells", [])
        section, title, text = placed(slide, lesson)
        if (minutes := plan.get((slide.get("lesson"), title))) and "exercise" in slide:
            text += f"\n\n{re.search(r'[0-9]+ minutes', minutes)[0]}. In the notebook: *{title}*"
        level = "##" if section else "#"  # the large ones open a lesson, or say that a break begins
        keys = (slide.get("at"), (slide.get("lesson"), title), (slide.get("lesson"), section))
        said = next((plan[key] for key in keys if key in plan), "")
        row = said or row  # a slide without a row of its own belongs to the last
        picked = [_pick(lesson, item) for item in items]
        place = [row.split("**")[1] if "**" in row else "", lesson.title if lesson else ""]
        to = max((cell.get("execution_count") or 0 for cell in picked), default=0)
        if to and "at" not in slide and "on the slides" not in row.lower():
            place.append(f"run to [{to}]")
        head = f'{level} {title}\n\n<p class="place">{" · ".join(filter(None, place))}</p>'
        cells.append(_as("slide", new_markdown_cell(f"{head}\n\n{text}")))
        for item, cell in zip(items, picked, strict=True):
            cells.append(_as("fragment" if item.get("step") else "-", cell))
        if said:
            asked = hints(lesson.number, lesson.exercises, section, title) if lesson else []
            cells.append(_as("notes", new_markdown_cell("\n\n".join([said, *asked]))))
    return new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})


def placed(slide: dict, lesson: Lesson | None) -> tuple[str, str, str]:
    """Section, title and text of a slide. Raises Problem for an exercise that is not there."""
    section, text = slide.get("section", ""), slide.get("text", "")
    if "exercise" in slide:
        start = f"Exercise {slide['exercise']}: "
        title = next((name for name in lesson.exercises if name.startswith(start)), None)
        if title is None:
            raise Problem(f"deck.toml: lesson {lesson.number} has no {start[:-2]}")
        return lesson.exercises[title], title, text
    if lesson and "section" not in slide:
        section = lesson.section_of(slide["cells"][-1])
    return section, slide.get("title", section), text


def _as(kind: str, cell: NotebookNode) -> NotebookNode:
    cell.id = new_markdown_cell().id  # one cell may stand on two slides
    tags = [OUTPUT_ONLY] if cell.get("source") == "" else []
    cell.metadata = {"slideshow": {"slide_type": kind}, "tags": tags}
    return cell


def _pick(lesson: Lesson, item: dict) -> NotebookNode:
    """A copy of a cell with what the deck wants of it."""
    cell = nbformat.from_dict(lesson.find(item["cell"]))
    where = f"deck.toml: cell {cell.id} of lesson {lesson.number}"
    if cell.cell_type == "markdown":
        cell.source = _paragraphs(cell.source, item.get("paragraphs"), where)
        return cell
    for output in cell.outputs:
        if broken := re.search(r"^NOT OK.+", output.get("text", ""), re.MULTILINE):
            raise Problem(
                f"lesson {lesson.number} was run on a machine that is not ready "
                f"({' '.join(broken[0].split())}): mend that, then "
                f"python -m helpers run {lesson.number}"
            )
    show = item.get("show", "both")
    cell.source = PROMISE.sub("", cell.source)
    if show == "code":
        cell.outputs = []
    if "code" in item:
        cell.source = _kept(cell.source, item["code"], "# …", where)
    if show == "output":
        cell.source = ""
    for output in cell.outputs:
        if output.output_type == "stream" and "keep" in item:
            output.text = _kept(output.text, item["keep"], "…", where)
    return cell


def _paragraphs(text: str, wanted: list[str] | None, where: str) -> str:
    """The paragraphs and list items that begin with these words; all but headings if None."""
    blocks = re.split(r"\n{2,}|\n(?=- |\d\. )", text)
    if wanted is None:
        wanted = [block for block in blocks if not block.startswith("#")]
    chosen = []
    for begin in wanted:
        found = [block for block in blocks if block.startswith(begin)]
        if not found:
            raise Problem(f"{where} has no paragraph that begins with {begin!r}")
        chosen.append("\n".join(found))
    return "\n\n".join(chosen)


def _kept(text: str, patterns: list[str], mark: str, where: str) -> str:
    """The lines in which a pattern is found, in order, with a mark wherever some were left out.

    Of a line that a pattern with a group is found in, the group is kept.
    """
    kept, used = [], set()
    for line in text.rstrip().splitlines():
        found = [match for p in patterns if (match := re.search(p, ANSI.sub("", line)))]
        used |= {match.re.pattern for match in found}
        if found:
            kept.append(f"{found[0][1]} {mark}" if found[0].re.groups else line)
        elif line.strip() and kept[-1:] != [mark]:
            kept.append(mark)
    if unused := set(patterns) - used:
        raise Problem(f"{where} has no line with {unused.pop()!r}")
    return "\n".join(kept)


def write(notebook: NotebookNode, folder: Path) -> None:
    """The deck as index.html, with reveal.js from the package that ships it."""
    source = Path(find_spec("sphinx_revealjs").origin).parent / "_static" / "revealjs"
    shutil.rmtree(folder, ignore_errors=True)
    for name in REVEAL:
        (folder / "reveal" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, folder / "reveal" / name)
    theme = folder / "reveal" / "dist" / "theme"
    theme.mkdir()
    styles = [style.read_text(encoding="utf-8") for style in (HERE / "course.css", TRACEBACK)]
    (theme / "course.css").write_text("\n".join(styles), encoding="utf-8")
    settings = Config(SETTINGS)
    settings.merge(LAYOUT)
    resources = {"metadata": {"name": "The Missing aa"}}
    html, _ = SlidesExporter(config=settings).from_notebook_node(notebook, resources)
    (folder / "index.html").write_text(html, encoding="utf-8")


def write_form(folder: Path) -> None:
    """The six questions on a sheet of paper."""
    body = markdown2html((TEACHING / "questions_form.md").read_text(encoding="utf-8"))
    style = (HERE / "paper.css").read_text(encoding="utf-8")
    head = f'<meta charset="utf-8"><title>Six questions</title><style>{style}</style>'
    page = f'<!DOCTYPE html><html lang="en"><head>{head}</head><body>{body}</body></html>'
    (folder / "questions.html").write_text(page, encoding="utf-8")


def main() -> int:
    """Build the deck, after running the lessons that it needs; returns the exit code."""
    parser = argparse.ArgumentParser(description="Build the slides of the half-day plan.")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "slides")
    parser.add_argument("--lessons", type=Path, default=ROOT / "build" / "lessons")
    args = parser.parse_args()
    deck = read_deck()
    numbers = {slide["lesson"] for slide in deck if "lesson" in slide}
    wanted = [lesson for lesson in catalogue.lessons(ROOT) if lesson.name[:2] in numbers]
    if code := refresh(wanted, args.lessons.resolve()):
        return code
    paths = [path for path in args.lessons.glob("*.ipynb") if path.name[:2] in numbers]
    lessons = {path.name[:2]: Lesson(path) for path in paths}
    try:
        write(assemble(deck, lessons, read_plan()), args.output)
        write_form(args.output)
    except Problem as problem:
        print(f"slides: {problem}", file=sys.stderr)
        return problem.exit_code
    print(f"Slides: {args.output / 'index.html'}; to print: {args.output / 'questions.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
