"""Checks of lesson 07: the newest reader of a whole pickle, and what a filter silences."""

from collections.abc import Callable, Sequence

from helpers.checks.verdict import exercise, given
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

RELEASES = ("0.9.12", "1.0.3", "1.0.9", "1.0.11", "1.0.12", "1.0.31")
WRITER = "1.0.3"
FINE, LOUD = Outcome(OK), Outcome(ERROR, error="AttributeError", text="…", where="forward")
DIFFERS = Outcome(DIFFERENT, difference=0.47)

Answer = Callable[[list[Cell], Sequence[str], str, str], str | None]


def _read(*readers: str, model: str = "net", writer: str = WRITER, form: str = "whole") -> list:
    """A row of cells, the newest reader first: fine for these readers, an error for the others."""
    outcomes = {reader: FINE if reader in readers else LOUD for reader in reversed(RELEASES)}
    return [Cell(model, writer, reader, form, outcome) for reader, outcome in outcomes.items()]


NOT_THERE = Cell("net", WRITER, None, None, Outcome(NOT_WRITTEN, text="no such model"))
EARLY, LATE = _read(*RELEASES[:3]), _read(*RELEASES[:5])
AGAIN = _read("0.9.12", "1.0.3", "1.0.12")

SILENT = [cell for cell in EARLY if cell.reader != "1.0.31"]
SILENT.append(Cell("net", WRITER, "1.0.31", "whole", DIFFERS))

# Cells, the right answer for `net` from WRITER, and what to say to any other.
NEWEST = [
    (EARLY, "1.0.9", "the cells come in any order; it is `releases` that is in order of age"),
    (SILENT, "1.0.9", "one that reads the file and computes something else does not count"),
    (
        LATE,
        "1.0.12",
        'as text "1.0.9" is larger than "1.0.12"; `releases` is in order of age',
    ),
    (
        AGAIN,
        "1.0.12",
        "a file that fails in one release can be read again by a later one; this one is",
    ),
    (
        [*_read(*RELEASES, model="other"), *EARLY],
        "1.0.9",
        "it was asked for one model, and answers with what another one can",
    ),
    (
        [*_read(*RELEASES, writer="1.0.12"), *EARLY],
        "1.0.9",
        "it was asked for the files of one writer, and answers for another's",
    ),
    (
        [*(cell for form in FORMATS[1:] for cell in _read(*RELEASES, form=form)), *EARLY],
        "1.0.9",
        "that release reads the weights; the whole pickle is another format",
    ),
]


@exercise
def newest_reader(answer: Answer) -> str | None:
    """A function from cells, releases, a model and a writer to the newest release that reads it."""
    for cells, right, hint in NEWEST:
        found = given(answer(list(cells), list(RELEASES), "net", WRITER))
        if found not in RELEASES:
            return f"{found!r} is no release of these"
        met = {cell.outcome.result for cell in cells if cell.reader == found}
        if OK not in met:
            what = "another output" if DIFFERENT in met else "an error"
            return f"it gave {found}, where the outcome is {what}"
        if found != right:
            return hint
    for cells in (_read(), [NOT_THERE]):
        if (found := answer(list(cells), list(RELEASES), "net", WRITER)) is not None:
            return f"where no release reads it, None is right; it gave {found!r}"
    return None


RESHAPED = Outcome(DIFFERENT, text="shape (1, 10) instead of (1, 1000)")
FORMS = ("state_dict", "rescued")

# For each pair: what the plain state_dict met, what the rescued weights met; whether the way of
# loading silenced it, and what to say to any other answer.
PAIRS = {
    "1.0.7": (LOUD, DIFFERS, True, "an error became another output"),
    "1.0.8": (LOUD, RESHAPED, True, "an output of another shape has no `difference`"),
    "1.0.9": (LOUD, FINE, False, "the rescued weights are fine there"),
    "1.0.10": (DIFFERS, DIFFERS, False, "nothing was loud there"),
    "1.0.11": (LOUD, LOUD, False, "it stays loud there"),
    "1.0.12": (FINE, DIFFERS, False, "the plain state_dict was fine there, not loud"),
    "1.0.13": (DIFFERS, LOUD, False, "that is the other way round"),
    "1.0.15": (Outcome(NO_MODEL), DIFFERS, True, "`create_model` refuses: loud, without `error`"),
    "1.0.16": (Outcome(DIED), DIFFERS, True, "a process that dies is loud, without `error`"),
    "1.0.17": (Outcome(HUNG), DIFFERS, True, "one that hangs is loud, without `error`"),
}


@exercise
def silenced(answer: Callable[[list[Cell]], set]) -> str | None:
    """A function from cells to the triples of model, writer and reader that the filter silenced."""
    cells, right = [NOT_THERE], set()
    for reader, (*outcomes, counts, _) in PAIRS.items():
        # Each pair for two models: the second meets nothing but errors, whatever its way.
        for form, outcome in zip(FORMS, outcomes, strict=True):
            cells.append(Cell("net", WRITER, reader, form, outcome))
            cells.append(Cell("other", WRITER, reader, form, LOUD))
        cells.append(Cell("net", WRITER, reader, "whole", FINE))
        if counts:
            right.add(("net", WRITER, reader))
    # The rescued weights first: cells come in any order.
    found = given(answer(cells[::-1]))
    if not isinstance(found, set):
        return f"a set is asked for, and this is a {type(found).__name__}"
    if wrong := [one for one in found if not isinstance(one, tuple) or len(one) != 3]:
        return f"{wrong[0]!r} is no triple of model, writer and reader"
    for reader, (*outcomes, _, hint) in PAIRS.items():
        one = ("net", WRITER, reader)
        if (one in found) != (one in right):
            plain, rescued = (outcome.result for outcome in outcomes)
            verb = "is missing" if one in right else "is too much"
            return f"state_dict {plain!r}, rescued {rescued!r} {verb}: {hint}"
    if extra := found - right:
        return f"{min(extra)} is too much: the cells of another model or format got in"
    return None
