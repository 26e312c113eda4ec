"""Answer what an error text or a checkpoint means, from the atlas."""

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from missing_aa.errors import UsageProblem
from missing_aa.explainer import kinds
from missing_aa.explainer.advice import FOR_A_FILE, RESCUE, may_hold_tensors
from missing_aa.explainer.answers import (
    ATLAS,
    NO_MORE,
    NO_PICKLE,
    THE_REST,
    Answer,
    from_cases,
    general,
)
from missing_aa.explainer.cases import Case, Ledger, is_upgrade
from missing_aa.explainer.errors import ATTRIBUTE, STATE_DICT, WEIGHTS_ONLY, Error
from missing_aa.explainer.kinds import (
    library_loaders,
    loaded_in_part,
    other_texts,
    rebuilt,
    unexpected_argument,
)
from missing_aa.explainer.known_libraries import FIRST
from missing_aa.explainer.known_texts import PICKLES
from missing_aa.explainer.ledger import load
from missing_aa.explainer.pasted import plain
from missing_aa.explainer.remedies import ADVICE, Way, everyone
from missing_aa.explainer.seen import seen as seen_around
from missing_aa.explainer.seen import seen_in
from missing_aa.explainer.traceback import frames

if TYPE_CHECKING:
    from missing_aa.explainer.checkpoint import Outlook

EMPTY = "there is no text: paste the error, or the traceback with it"
ALONE = (
    "read from the error alone, and many libraries have classes of such names. This is the answer "
    "if the class is timm's and timm's own code reads it, which the full traceback shows; if it is "
    "another library's, none of this holds, and if your code reads it, the checkpoint is not to "
    "blame: install a timm that has it, or change that code."
)


PROGRAM = Way(
    ADVICE,
    "Look what kind of file it is: torch.jit.load reads TorchScript programs and nothing else.",
    ("missing-aa inspect model.pt",),
)


def explain(what: str | os.PathLike) -> "Answer | Outlook":
    """What an error text means, or, for a path, what releases of timm make of that checkpoint."""
    if isinstance(what, os.PathLike):
        from missing_aa.explainer.checkpoint import explain_file  # with all of `check`

        return explain_file(what)
    return explain_text(what)


def explain_text(text: str) -> Answer:
    """What an error means: its last line, or the whole traceback, however it was pasted.

    Raises UsageProblem for a text without content.
    """
    pasted = plain(text)
    if not pasted.strip():
        raise UsageProblem(EMPTY)
    ledger = load()
    hit = kinds.last(pasted)
    if hit and hit.error.name.startswith("__torch__"):  # TorchScript's own namespace
        hit = None
    shapes = hit.error.shapes if hit else ()
    if (hit is None or _is_bare(hit.error)) and (found := loaded_in_part.answer(pasted, shapes)):
        return found
    if hit is None:
        return (
            other_texts.by_words(pasted, ledger)
            or library_loaders.plain_pickle(pasted)
            or other_texts.by_pattern(pasted)
            or _by_frames(pasted)
            or _unknown("", pasted, ledger)
        )
    seen, kind = seen_around(pasted, hit), kinds.KINDS[hit.error.kind]
    if first := other_texts.by_pattern(seen.text + pasted[hit.start :], FIRST):
        return first
    cases = find(hit.error, ledger) if hit.error.kind != WEIGHTS_ONLY else []
    measured = hit.error.kind == STATE_DICT and cases
    if not measured and (other := kind.other(hit.error, seen)):
        return other
    if not cases:
        return (
            kind.nearest(hit.error, seen, ledger)
            or other_texts.by_pattern(pasted)
            or _by_frames(pasted)
            or _unknown(str(hit.error), pasted, ledger)
        )
    notes = (ALONE,) if hit.error.kind == ATTRIBUTE and not seen.timm_files else ()
    what = kinds.changed(hit.error, is_upgrade(cases), seen.timm_files)
    return from_cases(ATLAS, hit.error, cases, ledger, what, notes)


def _by_frames(text: str) -> Answer | None:
    """What the frames alone prove of an error of which nothing else is known."""
    return (
        rebuilt.by_frames(text)
        or unexpected_argument.answer(text)
        or library_loaders.failed_inside(text)
    )


def _is_bare(error: Error) -> bool:
    """Whether an error is read from parts of a message that names no model and no names."""
    return error.kind == STATE_DICT and not (error.class_ or error.missing or error.unexpected)


def _unknown(error: str, text: str, ledger: Ledger) -> Answer:
    """The answer where nothing is known; ways for a file only where one like it was read.

    timm's only where the text names it; for those it is enough that a model runs.
    """
    found = frames(text)
    code = [frame.code for frame in found] or [text]
    if any("torch.jit.load" in one for one in code):
        return general(error, (PROGRAM,))
    seen, read = seen_in(text), re.search(PICKLES, text)
    if seen.says_timm and (read or seen.of_modules):
        return general(error, everyone(ledger))
    if read and may_hold_tensors("", seen):
        return general(error, (RESCUE, FOR_A_FILE))
    if len(found) > 1:
        return general(error, (), NO_MORE)
    return general(error, (), THE_REST if read else NO_PICKLE)


def index() -> Iterator[tuple[Error, Answer]]:
    """Every error of the atlas with its answer, those with most cells first."""
    ledger = load()
    by_cells = sorted(
        ledger.errors.items(), key=lambda item: -sum(len(case.readers) for case in item[1])
    )
    for error, cases in by_cells:
        what = kinds.changed(error, is_upgrade(cases))
        yield error, from_cases(ATLAS, error, cases, ledger, what)


def find(error: Error, ledger: Ledger) -> list[Case]:
    """The cases of the atlas that meet an error; of a state_dict, by its class and first names."""
    if error.kind != STATE_DICT:
        return ledger.errors.get(error, [])
    return [
        case for known, cases in ledger.errors.items() if _is_like(error, known) for case in cases
    ]


def _is_like(error: Error, known: Error) -> bool:
    """Whether a mismatch begins as the atlas's does, which keeps its first names alone.

    Where the record ends behind the unexpected names, a longer text may have shapes besides.
    """
    if known.kind != STATE_DICT or known.class_ != error.class_:
        return False
    pairs: list[tuple[tuple, tuple]] = [
        (known.missing, error.missing),
        (known.unexpected, error.unexpected),
    ]
    both = bool(known.missing and known.unexpected)
    if known.shapes or not both:
        pairs.append((known.shapes, error.shapes))
    return all(
        bool(ours) == bool(theirs) and theirs[: len(ours)] == ours[: len(theirs)]
        for ours, theirs in pairs
    )
