"""What the measured cells say in sum: how often a format survives, and what changes in silence."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from missing_aa.matrix.cells import DIFFERENT, OK, Cell, Outcome


@dataclass(frozen=True)
class Share:
    """Of how many cells how many are `ok`: the reader's output is the writer's."""

    ok: int
    cells: int

    def __float__(self) -> float:
        return self.ok / self.cells if self.cells else float("nan")

    def __str__(self) -> str:
        return f"{self.ok:,} of {self.cells:,} ({float(self):.1%})"


def share(cells: Iterable[Cell]) -> Share:
    """The share of `ok` among cells."""
    results = [cell.outcome.result for cell in cells]
    return Share(results.count(OK), len(results))


def upgrades(cells: Iterable[Cell], releases: Sequence[str]) -> list[Cell]:
    """The cells whose reader is newer than the writer; `releases` are in order of age."""
    age = {release: number for number, release in enumerate(releases)}
    return [cell for cell in cells if cell.reader and age[cell.reader] > age[cell.writer]]


def by_format(cells: Iterable[Cell]) -> dict[str, Share]:
    """Format -> the share that survives."""
    return _grouped(cells, lambda cell: cell.format)


def by_pair(cells: Iterable[Cell], form: str) -> dict[tuple[str, str], Share]:
    """(writer, reader) -> the share of models that survive in this format."""
    return _grouped(
        (cell for cell in cells if cell.format == form), lambda cell: (cell.writer, cell.reader)
    )


def by_years(cells: Iterable[Cell], form: str) -> dict[int, Share]:
    """Whole years between the publications of writer and reader -> the share that survives."""
    from missing_aa.releases import KNOWN, published

    day = {release: published(release) for release in KNOWN}

    def years(cell: Cell) -> int:
        assert cell.reader  # `_grouped` asks for no other
        return abs(day[cell.reader] - day[cell.writer]).days // 365

    return dict(sorted(_grouped((c for c in cells if c.format == form), years).items()))


def _grouped(cells: Iterable[Cell], key) -> dict:
    groups = defaultdict(list)
    for cell in cells:
        if cell.reader:
            groups[key(cell)].append(cell)
    return {value: share(those) for value, those in groups.items()}


@dataclass(frozen=True)
class Silent:
    """A model whose weights load without an error and give another output.

    Between `before` and `since`, neighbours among the measured releases, what the weights of
    `writers` give changes for a format. `difference` is the largest deviation met from there on,
    relative to the writer's largest value; None where the output has another shape.
    """

    model: str
    format: str
    writers: tuple[str, ...]
    before: str
    since: str
    difference: float | None


def _largest(differences: Iterable[float | None]) -> float | None:
    """None where one of them is."""
    met = list(differences)
    known = [each for each in met if each is not None]
    return max(known) if len(known) == len(met) else None


def silent_changes(cells: Iterable[Cell], releases: Sequence[str]) -> list[Silent]:
    """Every change in silence for a newer reader, by model; of weights, not of whole pickles."""
    rows: dict[tuple, dict[str | None, Outcome]] = defaultdict(dict)
    for cell in upgrades(cells, releases):
        if cell.format != "whole":
            rows[cell.model, cell.format, cell.writer][cell.reader] = cell.outcome
    found = defaultdict(list)
    for (model, form, writer), outcomes in rows.items():
        changed = [r for r in releases if r in outcomes and outcomes[r].result == DIFFERENT]
        if not changed:
            continue
        since = releases.index(changed[0])
        worst = _largest(outcomes[reader].difference for reader in changed)
        found[model, form, releases[since - 1], releases[since]].append((writer, worst))
    return [
        Silent(
            model,
            form,
            tuple(sorted((writer for writer, _ in those), key=releases.index)),
            before,
            since,
            _largest(worst for _, worst in those),
        )
        for (model, form, before, since), those in sorted(found.items())
    ]
