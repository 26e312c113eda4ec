"""A file that begins as no pickle does: `invalid load key, 'v'`, or `Unsupported operand 118`."""

import re
from functools import partial

from missing_aa.explainer.advice import advise
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.errors import FIRST_BYTE, Error, find_words
from missing_aa.explainer.known_breaks import FETCH_AGAIN, FIRST_BYTES
from missing_aa.explainer.remedies import ADVICE, Way
from missing_aa.explainer.seen import Seen

WORDS = r"invalid\s*load\s*key|unsupported\s*operand"


def read(before: str, words: str, after: str) -> Error | None:
    """The first byte, as Python's pickle names it, or by its number, as torch's own reader does."""
    if words.lower().startswith("unsupported"):
        number = re.match(r"\s*(\d{1,3})\b", after)
        key = chr(int(number[1])) if number else ""
        shown = f"Unsupported operand {number[1]}" if number else ""
    else:
        found = re.match(r"\s*,\s*'(\\x[0-9a-f]{2}|[^'\s])'", after)
        key = found[1] if found else ""
        key = chr(int(key[2:], 16)) if len(key) == 4 else key
        shown = f"invalid load key, {key!r}."
    return Error(FIRST_BYTE, key, f"UnpicklingError: {shown}") if key in FIRST_BYTES else None


find = partial(find_words, WORDS, read)


def other(error: Error, seen: Seen) -> Answer:
    what, ways = FIRST_BYTES[error.class_]
    return advise(
        error,
        f"the file begins, as it seems, with {error.class_!r}, as no pickle does. {what} Else: a "
        "file that is damaged, or of another kind.",
        *(Way(ADVICE, text, commands) for text, commands in ways),
        f"Or, if it is not that: f{FETCH_AGAIN[1:]}",
        known_by="the byte that the message names",
    )


def nearest(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    return None
