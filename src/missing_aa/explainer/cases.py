"""The atlas, sorted by the errors that are in it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from missing_aa.explainer.errors import Error
from missing_aa.matrix.atlas import Row, decode_rows
from missing_aa.matrix.cells import DIFFERENT, OK, Outcome
from missing_aa.matrix.cells import ERROR as RAISED
from missing_aa.matrix.summary import Share
from missing_aa.text import in_words


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
    """`releases`, oldest first; `errors`, each with the files that meet it; `models`.

    `read` gives the error of a cell, by its class and text.
    """

    def __init__(self, text: str, read: Callable[[str | None, str | None], Error]):
        self.head, self.releases, rows = decode_rows(text)
        self.newest = len(self.releases) - 1
        self._age = {release: number for number, release in enumerate(self.releases)}
        self._rows: dict[tuple, Row] = {}
        self.models: dict[str, list[int]] = defaultdict(list)
        """Model -> the releases that wrote it."""
        self.errors: dict[Error, list[Case]] = defaultdict(list)
        self.read = cache(read)
        for row in rows:
            if row.format:
                self._add(row, row.format)
        for written in self.models.values():
            written.sort()

    def _add(self, row: Row, format: str) -> None:
        writers = [self._age[release] for release in row.writers]
        self._rows.update(dict.fromkeys(((row.model, format, at) for at in writers), row))
        if format == "whole":
            self.models[row.model] += writers
        met: dict[tuple[Error, str], set[int]] = defaultdict(set)
        for reader, outcome in row.met.items():
            if reader and outcome.result == RAISED:
                met[self.read(outcome.error, outcome.text), outcome.where or ""].add(
                    self._age[reader]
                )
        for (error, where), readers in met.items():
            self.errors[error] += [
                Case(row.model, format, writer, frozenset(readers), where) for writer in writers
            ]

    def outcome(self, model: str, format: str, writer: int, reader: int) -> Outcome | None:
        """What a reader met; None for what was not measured."""
        row = self._rows.get((model, format, writer))
        return row.met.get(self.releases[reader]) if row else None

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


def is_upgrade(cases: Iterable[Case]) -> bool:
    """Whether it is newer code that fails on older files, rather than the other way round."""
    newer = sum(
        1 if reader > case.writer else -1
        for case in cases
        for reader in case.readers
        if reader != case.writer
    )
    return newer >= 0


@dataclass(frozen=True)
class Window:
    """Writers whose files meet the error in the same readers; releases as among those measured."""

    writers: str
    readers: str
    cells: int
    models: int


@dataclass(frozen=True)
class Again:
    """How the same files fare in readers later than those that fail.

    `release` is the first in which any of them gives the writer's output, None if there is none;
    `share` of them do there, and `newest_share` in the newest release. `instead` is the error that
    most of the others meet in `release`.
    """

    release: str | None
    share: Share | None
    newest: str
    newest_share: Share
    instead: str


def windows(cases: Iterable[Case], releases: Sequence[str]) -> list[Window]:
    """The windows, those with most cells first."""
    readers: dict[int, set[int]] = defaultdict(set)
    models: dict[int, set[str]] = defaultdict(set)
    cells: Counter[int] = Counter()
    for case in cases:
        readers[case.writer] |= case.readers
        models[case.writer].add(case.model)
        cells[case.writer] += len(case.readers)
    alike = defaultdict(list)
    for writer in sorted(readers):
        alike[frozenset(readers[writer])].append(writer)
    found = [
        Window(
            in_words(writers, releases),
            in_words(those, releases),
            sum(cells[writer] for writer in writers),
            len(set().union(*(models[writer] for writer in writers))),
        )
        for those, writers in alike.items()
    ]
    return sorted(found, key=lambda window: -window.cells)


def again(cases: list[Case], ledger: Ledger) -> Again:
    """What later readers make of the files of these cases."""
    met = {
        (case, reader): ledger.outcome(case.model, case.format, case.writer, reader)
        for case in cases
        for reader in range(max(case.readers) + 1, ledger.newest + 1)
    }
    works = Counter(
        reader for (_, reader), outcome in met.items() if outcome and outcome.result == OK
    )
    first = min(works, default=None)
    others = Counter(
        str(ledger.read(outcome.error, outcome.text))
        for (_, reader), outcome in met.items()
        if reader == first and outcome and outcome.result == RAISED
    )
    return Again(
        None if first is None else ledger.releases[first],
        None if first is None else Share(works[first], len(cases)),
        ledger.releases[ledger.newest],
        Share(works[ledger.newest], len(cases)),
        others.most_common(1)[0][0] if others else "",
    )
