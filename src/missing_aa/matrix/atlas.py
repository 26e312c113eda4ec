"""The atlas: a full run of the matrix, kept small enough to travel in the package.

    python -m tools.encode_atlas RESULTS

makes atlas.txt from a file of results. Its form is text that git can compare:

    head {…}                          with what it was made
    releases 0.4.12 0.5.4 …           counted from 0 in all that follows
    error ["load", "KeyError", "…"]   where it came, its class and its text; counted from 0
    model resnet18
     - 0,3 ["the release has no such model"]      releases that did not write it, and why
     whole 4-9,2 4-9:ok 10-12:e0 2:d0.47          format, writers, then readers with what they met

A letter stands for what a reader met: `ok` the same output, `d` another (with how much it is off,
where it has the same shape), `e` an error by its number, `n` no such model, `x` its process died,
`h` it hung. Writers stand together where all readers met the same.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from missing_aa.matrix.cells import (
    DIED,
    DIFFERENT,
    ERROR,
    FORMATS,
    HUNG,
    NO_MODEL,
    NOT_WRITTEN,
    OK,
    Cell,
    Outcome,
)
from missing_aa.text import decode, encode

TARGET = Path(__file__).with_name("atlas.txt")
PLAIN = {"ok": OK, "n": NO_MODEL, "x": DIED, "h": HUNG}
LETTERS = {result: letter for letter, result in PLAIN.items()}


class Atlas:
    """The releases, oldest first; with what it was made; and the cells.

    `cells` are plain Cells, of which those that a release did not write have no reader.
    """

    def __init__(self, head: dict, releases: list[str], cells: list[Cell]):
        self.head = head
        self.releases = releases
        self.cells = cells

    @property
    def models(self) -> list[str]:
        return list(dict.fromkeys(cell.model for cell in self.cells))


@cache
def load() -> Atlas:
    """The atlas that this package carries."""
    return decode_atlas(files("missing_aa.matrix").joinpath("atlas.txt").read_text("utf-8"))


def encode_atlas(atlas: Atlas) -> str:
    """The atlas as text."""
    number = {release: at for at, release in enumerate(atlas.releases)}
    errors: dict[str, int] = {}
    models: dict = defaultdict(lambda: defaultdict(lambda: defaultdict(dict)))
    silent: dict = defaultdict(lambda: defaultdict(list))
    for cell in atlas.cells:
        if cell.reader is None:
            silent[cell.model][cell.outcome.text].append(number[cell.writer])
        else:
            code = _code(cell.outcome, errors)
            models[cell.model][cell.format][number[cell.writer]][number[cell.reader]] = code
    last = len(atlas.releases) - 1
    lines = []
    for model in sorted({*models, *silent}):
        lines.append(f"model {model}")
        for reason, writers in sorted(silent[model].items(), key=lambda item: item[1]):
            lines.append(f" - {encode(writers, last)} {json.dumps([reason], ensure_ascii=False)}")
        for form in FORMATS:
            lines += _rows(form, models[model][form], last)
    head = ["head " + json.dumps(atlas.head), "releases " + " ".join(atlas.releases)]
    return "\n".join([*head, *(f"error {text}" for text in errors), *lines]) + "\n"


def _rows(form: str, by_writer: dict[int, dict[int, str]], last: int) -> Iterator[str]:
    same = defaultdict(list)
    for writer, met in sorted(by_writer.items()):
        readers = defaultdict(list)
        for reader, code in sorted(met.items()):
            readers[code].append(reader)
        same[" ".join(f"{encode(those, last)}:{code}" for code, those in readers.items())].append(
            writer
        )
    for row, writers in same.items():
        yield f" {form} {encode(writers, last)} {row}"


def _code(outcome: Outcome, errors: dict[str, int]) -> str:
    if outcome.result == DIFFERENT:
        return "d" if outcome.difference is None else f"d{outcome.difference:g}"
    if outcome.result != ERROR:
        return LETTERS[outcome.result]
    text = json.dumps([outcome.where, outcome.error, outcome.text], ensure_ascii=False)
    return f"e{errors.setdefault(text, len(errors))}"


def decode_atlas(text: str) -> Atlas:
    """The other way round."""
    head, releases, rows = decode_rows(text)
    cells = [
        Cell(row.model, writer, reader, row.format, outcome)
        for row in rows
        for writer in row.writers
        for reader, outcome in row.met.items()
    ]
    return Atlas(head, releases, cells)


@dataclass(frozen=True)
class Row:
    """What writers of a model, who all met the same in a format, met: an outcome for each reader.

    Writers that did not write the model have no format, and None for a reader.
    """

    model: str
    format: str | None
    writers: tuple[str, ...]
    met: dict[str | None, Outcome]


def decode_rows(text: str) -> tuple[dict, list[str], list[Row]]:
    """The head, the releases, and the atlas as it stands there, which is read much faster."""
    head, releases, errors, rows, model = {}, [], [], [], ""
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if not line.startswith(" "):
            if word == "head":
                head = json.loads(rest)
            elif word == "releases":
                releases = rest.split()
            elif word == "error":
                where, error, message = json.loads(rest)
                errors.append(Outcome(ERROR, error=error, text=message, where=where))
            else:
                model = rest
            continue
        numbers, _, rest = rest.partition(" ")
        writers = _releases(numbers, releases)
        if word == "-":
            reason = Outcome(NOT_WRITTEN, text=json.loads(rest)[0])
            rows.append(Row(model, None, writers, {None: reason}))
            continue
        met: dict[str | None, Outcome] = {}
        for readers, code in (part.split(":") for part in rest.split(" ")):
            met |= dict.fromkeys(_releases(readers, releases), _outcome(code, errors))
        rows.append(Row(model, word, writers, met))
    return head, releases, rows


def _releases(numbers: str, releases: list[str]) -> tuple[str, ...]:
    return tuple(releases[number] for number in sorted(decode(numbers, len(releases) - 1)))


def _outcome(code: str, errors: list[Outcome]) -> Outcome:
    if code in PLAIN:
        return Outcome(PLAIN[code])
    if code.startswith("e"):
        return errors[int(code[1:])]
    return Outcome(DIFFERENT, difference=float(code[1:]) if code[1:] else None)


def from_cells(head: dict, cells: Iterable[Cell]) -> Atlas:
    """An atlas of measured cells."""
    from missing_aa.releases import KNOWN

    cells = list(cells)
    seen = {name for cell in cells for name in (cell.writer, cell.reader) if name}
    return Atlas(head, [release for release in KNOWN if release in seen], cells)
