"""The atlas, sorted by the errors that are in it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from helpers.explain.errors import Error, of_cell
from helpers.matrix.atlas import Row, decode_rows
from helpers.matrix.cells import DIFFERENT, OK, Outcome
from helpers.matrix.cells import ERROR as RAISED
from helpers.matrix.survival import Share


@dataclass(frozen=True)
class Case:
    """One file that meets an error: what `writer` wrote of a model in a format, and the readers.

    Releases are counted from 0, oldest first. `where` is "load" or "forward", as in a cell.
    """

    model: str
    format: str
    writer: int
    readers: frozenset[int]
    where: str


class Ledger:
    """`releases`, oldest first; `errors`, each with the files that meet it; `models`."""

    def __init__(self, text: str):
        self.head, self.releases, rows = decode_rows(text)
        self.newest = len(self.releases) - 1
        self._age = {release: number for number, release in enumerate(self.releases)}
        self._rows: dict[tuple, Row] = {}
        self.models: dict[str, list[int]] = defaultdict(list)
        """Model -> the releases that wrote it."""
        self.errors: dict[Error, list[Case]] = defaultdict(list)
        read = cache(of_cell)
        for row in rows:
            if row.format:
                self._add(row, read)
        for written in self.models.values():
            written.sort()

    def _add(self, row: Row, read) -> None:
        writers = [self._age[release] for release in row.writers]
        self._rows.update(dict.fromkeys(((row.model, row.format, at) for at in writers), row))
        if row.format == "whole":
            self.models[row.model] += writers
        met = defaultdict(set)
        for reader, outcome in row.met.items():
            if outcome.result == RAISED:
                met[read(outcome.error, outcome.text), outcome.where].add(self._age[reader])
        for (error, where), readers in met.items():
            self.errors[error] += [
                Case(row.model, row.format, writer, frozenset(readers), where) for writer in writers
            ]

    def outcome(self, model: str, format: str, writer: int, reader: int) -> Outcome | None:
        """What a reader met; None for what was not measured."""
        row = self._rows.get((model, format, writer))
        return row and row.met.get(self.releases[reader])

    def share(self, format: str, asked: Iterable[tuple[str, int, int]]) -> Share:
        """How many of these give the writer's output: (model, writer, reader)."""
        works = [self.works(model, format, writer, reader) for model, writer, reader in asked]
        return Share(sum(works), len(works))

    def works(self, model: str, format: str, writer: int, reader: int) -> bool:
        """Whether a reader gives the writer's output."""
        met = self.outcome(model, format, writer, reader)
        return met is not None and met.result == OK

    def silent(self, format: str, asked: Iterable[tuple[str, int, int]]) -> dict[str, float | None]:
        """Models that run and give another output -> by how much at most, if that can be said."""
        found: dict[str, float | None] = {}
        for model, writer, reader in asked:
            met = self.outcome(model, format, writer, reader)
            if met and met.result == DIFFERENT:
                found[model] = max(found.get(model) or 0, met.difference or 0) or None
        return found


@cache
def load() -> Ledger:
    """The ledger of the atlas that this package carries."""
    return Ledger(files("helpers.matrix").joinpath("atlas.txt").read_text("utf-8"))
