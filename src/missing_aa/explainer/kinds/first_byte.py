"""A file that begins as no pickle does: `invalid load key, 'v'`, or `Unsupported operand 118`."""

import re
from functools import partial
from pickletools import code2op  # type: ignore[attr-defined]

from missing_aa.explainer.advice import advise
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.errors import FIRST_BYTE, Error, find_words
from missing_aa.explainer.known_files import FIRST_BYTES, WHOLE_FILE_AGAIN
from missing_aa.explainer.seen import Seen

WORDS = (
    r"invalid\s*load\s*key|unsupported\s*operand"
    r"|dispatch\[key(?:\[0\])?\]\(self\)[\s\S]{0,300}?\bKeyError"
)


def read(before: str, words: str, after: str) -> Error | None:
    """The first byte, as C's pickle names it, or by its number, as other readers do."""
    in_python = words.startswith("dispatch")
    if in_python or words.lower().startswith("unsupported"):
        number = re.match(r"[:\s]*(?:(\d{1,3})\b|'([v<])')", after)  # Python 2 has characters
        if not number or not (in_python or number[1]):
            return None
        key = number[2] or chr(int(number[1]))
        if in_python and key not in ("v", "<"):  # others may be a byte of joblib's arrays
            return None
        shown = f"KeyError: {number[1] or repr(key)}"
        shown = shown if in_python else f"UnpicklingError: Unsupported operand {number[1]}"
    else:
        found = re.match(r"\s*,\s*'(\\x[0-9a-f]{2}|[^'\s])'", after)
        key = found[1] if found else ""
        key = chr(int(key[2:], 16)) if len(key) == 4 else key
        shown = f"UnpicklingError: invalid load key, {key!r}."
    if not key or key in code2op:  # what a pickle can have, and torch's reader does not take
        return None
    return Error(FIRST_BYTE, key, shown)


find = partial(find_words, WORDS, read)


def other(error: Error, seen: Seen) -> Answer | None:
    if error.class_ not in FIRST_BYTES:
        return None
    what, ways = FIRST_BYTES[error.class_]
    return advise(
        error,
        f"the file begins, as it seems, with {error.class_!r}, as no pickle does. {what} Else: a "
        "file that is damaged, or of another kind.",
        *ways,
        f"Or, if it is not that: f{WHOLE_FILE_AGAIN[1:]}",
        known_by="the byte that the message names",
    )


def nearest(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    return None
