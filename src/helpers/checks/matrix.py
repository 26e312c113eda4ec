"""Checks of lesson 07: the newest reader of a whole pickle, and what one would notice."""

from collections.abc import Callable, Sequence

from helpers.checks.verdict import exercise, given
from helpers.matrix.cells import (
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

Answer = Callable[[list[Cell], Sequence[str], str, str], str | None]


def _read(*readers: str, model: str = "net", writer: str = WRITER, form: str = "whole") -> list:
    """A row of cells, the newest reader first: fine for these readers, an error for the others."""
    outcomes = {reader: FINE if reader in readers else LOUD for reader in reversed(RELEASES)}
    return [Cell(model, writer, reader, form, outcome) for reader, outcome in outcomes.items()]


NOT_THERE = Cell("net", WRITER, None, None, Outcome(NOT_WRITTEN, text="no such model"))
EARLY, LATE = _read(*RELEASES[:3]), _read(*RELEASES[:5])
AGAIN = _read("0.9.12", "1.0.3", "1.0.12")

# Cells, the right answer for `net` from WRITER, and what to say to any other.
NEWEST = [
    (EARLY, "1.0.9", "the cells come in any order; it is `releases` that is in order of age"),
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
        if not any(cell.reader == found and cell.outcome == FINE for cell in cells):
            return f"it gave {found}, where the outcome is an error"
        if found != right:
            return hint
    for cells in (_read(), [NOT_THERE]):
        if (found := answer(list(cells), list(RELEASES), "net", WRITER)) is not None:
            return f"where no release reads it, None is right; it gave {found!r}"
    return None


HEARD = [
    (FINE, "fine", "the writer's output came out"),
    (LOUD, "loud", "an error on forward stops the program"),
    (Outcome(ERROR, error="RuntimeError", text="…", where="load"), "loud", "so does one on load"),
    (Outcome(DIFFERENT, difference=0.47), "silent", "another output came, and no error"),
    (Outcome(DIFFERENT, difference=1.2e-3), "silent", "a small deviation is still another output"),
    (
        Outcome(DIFFERENT, text="shape (1, 10) instead of (1, 1000)"),
        "silent",
        "an output of another shape has no `difference`, and no error either",
    ),
    (Outcome(NO_MODEL), "loud", "there `create_model` refuses, though `error` is None"),
    (Outcome(DIED), "loud", "a process that dies is noticed, though `error` is None"),
    (Outcome(HUNG), "loud", "one that hangs is noticed, though `error` is None"),
]


@exercise
def noticed(answer: Callable[[Cell], str]) -> str | None:
    """A function from a cell to "fine", "loud" or "silent": what its user would notice."""
    for outcome, right, hint in HEARD:
        found = given(answer(Cell("net", WRITER, "1.0.31", "state_dict", outcome)))
        if found not in ("fine", "loud", "silent"):
            return f'{found!r} is none of "fine", "loud" and "silent"'
        if found != right:
            return f"{outcome.result!r} is not {found}: {hint}"
    return None
