"""A TorchScript program that the torch in use cannot read: `Unknown type name`, `builtin op`.

The program was written by torch.jit.save, and the names in it are those of its writer's torch.
"""

import re
from collections.abc import Iterator

from missing_aa.explainer.advice import advise
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.errors import MOST_HITS, NEAR, TORCHSCRIPT, Error, Hit
from missing_aa.explainer.remedies import ADVICE, Way
from missing_aa.explainer.seen import Seen

_WORDS = re.compile(
    r"Unknown\s*type\s*name\s*'?(?P<type>[\w.]{1,200})"
    r"|Unknown\s*builtin\s*op:?\s*'?(?P<op>\w{1,100}::\w{1,100})"
    r"|Serialized\s*File\s*'?code/__torch__/"
)
_SERIALIZED = re.compile(r"Serialized\s*File\s*'?(code/__torch__/[\w./]{0,200})")
_OWN = ("aten", "prim", "prims", "quantized", "mkldnn", "cuda", "_caffe2")
"""Namespaces of operators that torch brings itself."""


def find(text: str) -> Iterator[Hit]:
    """One for each message; where it says of which file of the program, that goes with it."""
    end = 0
    for found in list(_WORDS.finditer(text))[-MOST_HITS:]:
        if found.start() < end:
            continue
        where = _SERIALIZED.search(text, found.start(), found.end() + NEAR)
        end = where.end() if where else found.end()
        words = f"Unknown type name '{found['type']}'" if found["type"] else ""
        words = f"Unknown builtin op: {found['op']}" if found["op"] else words
        file = f"Serialized File '{where[1]}'" if where else ""
        name = f"RuntimeError: {': '.join(part for part in (words, file) if part)}"
        yield Hit(found.start(), end, Error(TORCHSCRIPT, found["type"] or found["op"] or "", name))


def other(error: Error, seen: Seen) -> Answer:
    """The answer; that it came from a file is certain where the message names a file inside one."""
    sure = "Serialized" in error.name or "jit.load" in seen.text
    space, _, op = error.class_.partition("::")
    library = space if op and space not in _OWN else ""
    if error.class_.startswith("__torch__.torch.classes."):
        library = error.class_.split(".")[3]
    if library:
        return advise(
            error,
            f"{IF[sure]} a TorchScript program asks for {error.class_}, which torch does not bring "
            f"itself: a library that has to be imported first does ({library}), or a newer version "
            "of it.",
            f"Import the library that brings {library} before torch.jit.load, in the version that "
            "the file was written with.",
            EXPORT,
            known_by="the words of the error",
        )
    named = f", such as {error.class_}" if error.class_ else ""
    return advise(
        error,
        f"{IF[sure]} the file is a TorchScript program (torch.jit.save), and it uses what the "
        f"torch that reads it does not know{named}: that torch is older than the one that wrote "
        "the file. The file is not damaged, and it is no pickle of a model.",
        Way(
            ADVICE,
            "Read it with a newer torch, not older than the one that wrote it.",
            ("pip install --upgrade torch",),
        ),
        EXPORT,
        known_by="the words of the error",
    )


IF = {
    True: "",
    False: "if it came while a file was read with torch.jit.load, and not from a script that was "
    "just compiled:",
}
EXPORT = "Or export the model anew (torch.jit.save) under the torch that is to read it."


def nearest(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    return None
