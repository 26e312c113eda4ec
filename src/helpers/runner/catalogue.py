"""Which lessons there are, what they need, and which parameters they take."""

import ast
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import helpers
from helpers.runner import kit_folder
from missing_aa.errors import Problem, UsageProblem
from missing_aa.releases import warm

ANEW = 1.6
"""So many times the memory where kernels are not forked: lesson 04 took 3,300 MB against 2,135."""
UNMEASURED_MB = 3000
"""The peak memory of a lesson whose notebook does not say: a few kernels with torch in each."""

SHAPES = ("[0-9][0-9]_*.ipynb", "ten_minutes.ipynb")
"""The names of lessons' notebooks: the numbered ones, and the one that stands alone."""


@dataclass(frozen=True)
class Lesson:
    """One notebook: where it is, how many cells, its peak memory, its parameters' defaults."""

    path: Path
    cells: int
    memory_mb: int
    defaults: dict[str, object]

    @property
    def name(self) -> str:
        return self.path.stem

    def answers_to(self, word: str) -> bool:
        """Whether a person means this lesson by its number, its full name or its path."""
        number = self.name[:2]
        both = word.isdecimal() and number.isdecimal()
        named = self.name in (word, Path(word).stem if word.endswith(".ipynb") else word)
        return named or (both and int(word) == int(number))


def root() -> Path:
    """The project's folder: upwards from here, where this package's source lies, or the kit's.

    Raises Problem if there are no lessons in any of them.
    """
    here = Path.cwd()
    source = Path(helpers.__file__).resolve().parents[2]
    for folder in filter(None, (here, *here.parents, source, kit_folder.kit_folder())):
        if _notebooks(folder):
            return folder
    raise Problem("there are no lessons here; run it inside the project's folder")


def lessons(folder: Path) -> list[Lesson]:
    """The lessons of a project's folder, in order."""
    return [_read(path) for path in _notebooks(folder)]


def choose(among: list[Lesson], words: Iterable[str]) -> list[Lesson]:
    """The lessons that a person's words name, in order; all without words.

    A part of a name is enough where one lesson alone has it. Raises UsageProblem for a word that
    names none, or several.
    """
    words = list(words)
    named = [_named(among, word) for word in words]
    return [lesson for lesson in among if not words or lesson in named]


def _named(among: list[Lesson], word: str) -> Lesson:
    for lesson in among:
        if lesson.answers_to(word):
            return lesson
    part = "" if word.isdecimal() else word.lower()
    found = [lesson for lesson in among if part and part in lesson.name]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(lesson.name for lesson in found or among)
    what = f"{word!r} fits several lessons:" if found else f"there is no lesson {word!r}; there are"
    raise UsageProblem(f"{what} {listed}")


def fit_parameters(
    chosen: list[Lesson], given: Iterable[tuple[str, str]]
) -> dict[str, dict[str, object]]:
    """Lesson name -> its parameters, each with the type of its default.

    A lesson passes a name over that it lacks. Raises UsageProblem for a name that all of them
    lack, and for a value that does not fit.
    """
    fitted = {lesson.name: {} for lesson in chosen}
    for name, text in given:
        takers = [lesson for lesson in chosen if name in lesson.defaults]
        if not takers:
            valid = sorted({name for lesson in chosen for name in lesson.defaults})
            raise UsageProblem(
                f"no chosen lesson takes {name!r}; they take {', '.join(valid) or 'none'}"
            )
        for lesson in takers:
            fitted[lesson.name][name] = _convert(name, text, lesson.defaults[name])
    return fitted


def _convert(name: str, text: str, default: object) -> object:
    """The text as a value of the default's type."""
    kind = type(default)
    try:
        return {"true": True, "false": False}[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError):
        kinds = {bool: "true or false", int: "a whole number", float: "a number"}
        raise UsageProblem(f"{name} takes {kinds[kind]}, such as {default}, not {text!r}") from None


def _notebooks(folder: Path) -> list[Path]:
    paths = [path for shape in SHAPES for path in sorted(folder.glob(f"notebooks/{shape}"))]
    return [path for path in paths if _is_ours(path)]


def _is_ours(path: Path) -> bool:
    """Whether a notebook's metadata say that it is a lesson of this course, not a stranger's."""
    try:
        return '"missing_aa":' in path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def _read(path: Path) -> Lesson:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        memory = notebook["metadata"].get("missing_aa", {}).get("memory_mb", UNMEASURED_MB)
        if not warm.wanted():
            memory = int(memory * ANEW)
        cells = notebook["cells"]
        return Lesson(path, len(cells), memory, _defaults(cells))
    except (OSError, ValueError, KeyError) as error:
        raise Problem(f"{path} cannot be read as a notebook: {error}") from error


def _defaults(cells: list[dict]) -> dict[str, object]:
    """The names that the cell tagged `parameters` assigns, with their values."""
    for cell in cells:
        if "parameters" in cell["metadata"].get("tags", []):
            body = ast.parse("".join(cell["source"])).body
            assigned = [line for line in body if isinstance(line, ast.Assign)]
            return {line.targets[0].id: ast.literal_eval(line.value) for line in assigned}
    return {}
