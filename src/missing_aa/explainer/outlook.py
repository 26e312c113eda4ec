"""What the releases of timm make of a checkpoint, as far as the atlas measured files like it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import groupby

from helpers.checkpoints.printable import clean, clean_all
from helpers.explain.answers import said, ways_lines
from helpers.explain.errors import of_cell
from helpers.explain.ledger import Ledger
from helpers.explain.ways import Way
from helpers.matrix.cells import DIFFERENT, NO_MODEL, OK, Outcome
from helpers.matrix.cells import ERROR as RAISED
from helpers.ranges import in_words

CHANGED = "another output"
WORDS = {
    OK: "the writer's output",
    DIFFERENT: CHANGED,
    NO_MODEL: "has no such model",
}
MOST = 6
"""Fates that are told to a person."""

FORMS = {
    "whole": "The file as it is",
    "state_dict": "Its state_dict, loaded strictly",
    "rescued": "Its rescued weights, through the reader's own filter",
}


@dataclass(frozen=True)
class Stretch:
    """What consecutive readers make of the file in a format."""

    readers: str
    result: str


@dataclass(frozen=True)
class Fate:
    """What becomes of a model's files by these writers."""

    models: str
    writers: str
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True)
class Outlook:
    """What each measured release makes of a file.

    `kind` is one of answers.KINDS. `formats` has, for each format, what became of those that were
    measured in its place. `here` is the same for the timm that is installed.
    """

    kind: str
    file: str
    holds: str
    formats: dict[str, tuple[Fate, ...]] = field(default_factory=dict)
    here: str = ""
    ways: tuple[Way, ...] = ()
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict:
        """Plain values for JSON; docs/reference/explain.md has the schema."""
        return clean_all(asdict(self))

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """The outlook for a person."""
        yield clean(f"{self.file}: {self.holds}", 1000)
        for form, found in self.formats.items():
            yield ""
            yield f"{FORMS[form]}:"
            for fate in found[:MOST]:
                yield f"  {fate.models}, written by {fate.writers}, is read by"
                wide = max(len(stretch.readers) for stretch in fate.stretches)
                for stretch in fate.stretches:
                    yield clean(f"    {stretch.readers:<{wide}}  {stretch.result}", 400)
            if len(found) > MOST:
                yield f"  and {len(found) - MOST} other fates; --json has them all"
        if self.here:
            yield ""
            yield from said("Here", self.here)
        yield from ways_lines(self.ways)
        for note in self.notes:
            yield ""
            yield from said("Note", note)


def fates(form: str, files: Iterable[tuple[str, int]], ledger: Ledger) -> tuple[Fate, ...]:
    """What becomes of these files, (model, writer), in a format; together what has one fate."""
    alike = defaultdict(list)
    for model, writer in files:
        met = [
            ledger.outcome(model, form, writer, reader) for reader in range(len(ledger.releases))
        ]
        alike[tuple(map(words, met))].append((model, writer, met))
    return tuple(
        _fate(those, results, ledger.releases)
        for results, those in sorted(alike.items(), key=lambda item: -len(item[1]))
    )


def _fate(those: list[tuple], results: tuple[str, ...], releases: list[str]) -> Fate:
    found, start = [], 0
    for result, group in groupby(results):
        end = start + len(list(group))
        if result == CHANGED:
            off = [met[at].difference for *_, met in those for at in range(start, end)]
            result += f", up to {max(off):.1%} off" if all(off) else ", of another shape"
        found.append(Stretch(in_words(range(start, end), releases), result))
        start = end
    models = ", ".join(dict.fromkeys(model for model, *_ in those))
    writers = in_words({writer for _, writer, _ in those}, releases)
    return Fate(models, writers, tuple(found))


def words(outcome: Outcome | None) -> str:
    """What a reader met, in words."""
    if outcome is None:
        return "not measured"
    if outcome.result == RAISED:
        return f"{of_cell(outcome.error, outcome.text)} ({outcome.where})"
    return WORDS.get(outcome.result) or f"its process {outcome.result}"
