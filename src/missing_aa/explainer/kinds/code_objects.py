"""Functions kept in a pickle as Python's code, which another Python cannot make again."""

import re
from functools import partial

from missing_aa.explainer.advice import advise
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.errors import CODE, Error, find_words
from missing_aa.explainer.remedies import ADVICE, Way
from missing_aa.explainer.seen import Seen
from missing_aa.explainer.traceback import loads

WORDS = (
    r"an\s*integer\s*is\s*required\s*\(got\s*type\s*bytes\)"
    r"|\bcode\(\)\s*(?:takes\s*at\s*(?:most|least)|argument)\s*\d+[^\n]{0,60}"
    r"|\bunknown\s*opcode\b|\bbad\s*marshal\s*data[^\n]{0,30}"
    r"|\bcode\s*expected\s*at\s*(?:most|least)\s*\d+\s*arguments[^\n]{0,30}"
)
PICKLERS = r"\b(?:cloudpickle|dill|pickle|joblib)\b"


OTHERS = {"unknown": "SystemError", "bad": "ValueError"}
"""First word -> the error that says so; the others are TypeErrors."""


def read(before: str, words: str, after: str) -> Error:
    said = " ".join(words.split())
    return Error(CODE, name=f"{OTHERS.get(said.partition(' ')[0], 'TypeError')}: {said}")


find = partial(find_words, WORDS, read)


def other(error: Error, seen: Seen) -> Answer:
    # A pickler's own file may stand in a traceback of its import as well.
    loading = any(loads(frame.code) for frame in seen.frames)
    sure = loading and bool(re.search(PICKLERS, seen.text))
    what = (
        "the file holds functions as Python's own code objects, as cloudpickle, dill and Keras "
        "(for a Lambda layer) write them. What such an object is made of differs between minor "
        "versions of Python, and how it is written between versions of dill and cloudpickle: "
        "another of one of them wrote the file."
    )
    if not sure:
        what = (
            f"if it came while a file was loaded: {what} If it came from an import: that package "
            "or its compiled .pyc is of another Python, and no checkpoint has a part in it."
        )
    return advise(
        error,
        what,
        "If the frames name dill or cloudpickle, try a newer one first.",
        "Else read it with the minor version of Python that wrote it (3.7 and 3.8 are two), and "
        "save there what is needed without functions: the weights, and settings as plain values. "
        "Which version that is, the message does not say.",
        Way(
            ADVICE,
            "If it is a file of torch's that holds weights: take them out. Nothing of the code in "
            "it is made or run.",
            ("missing-aa rescue model.pt model.safetensors --even-if-dangerous",),
        ),
        known_by="the words of the error, and the frames" if sure else "the words of the error",
    )


def nearest(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    return None
