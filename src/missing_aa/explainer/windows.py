"""Which writers and readers meet an error, and in which later reader the same files work again."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from helpers.explain.errors import of_cell
from helpers.explain.ledger import Case, Ledger
from helpers.matrix.cells import ERROR as RAISED
from helpers.matrix.cells import OK
from helpers.matrix.survival import Share
from helpers.ranges import in_words


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
    readers, models, cells = defaultdict(set), defaultdict(set), Counter()
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
        str(of_cell(outcome.error, outcome.text))
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
