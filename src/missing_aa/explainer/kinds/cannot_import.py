"""A name that a module does not have: `cannot import name 'X' from 'y'`."""

import re
from dataclasses import replace
from functools import partial

from missing_aa.explainer.advice import RESCUE_IF, advise, may_hold_tensors, moved
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.errors import DOTTED, IMPORT, LOOKUP, NAME, Error, find_words
from missing_aa.explainer.kinds import cannot_get_attribute
from missing_aa.explainer.kinds.device import TO_CPU
from missing_aa.explainer.seen import Seen
from missing_aa.provenance import class_record

OF_CODE = (
    ": as a rule an older one than the installed, which took the name away or moved it; but a "
    "newer one, if the code is newer than what is installed"
)
WORDS = r"cannot\s+import\s+name"


def read(before: str, words: str, after: str) -> Error | None:
    names = re.match(
        rf"\s*'?({NAME})'?(?:\s+from\s+(?:partially\s+initialized\s+module\s+)?'?({DOTTED}))?",
        after,
    )
    return Error(IMPORT, names[1], names[2] or "") if names else None


find = partial(find_words, WORDS, read)


def other(error: Error, seen: Seen) -> Answer | None:
    """The answer where no checkpoint from another timm is behind it; None if one can be."""
    if error.name == "torch._C" and error.class_.startswith("_cuda_"):
        return _without_cuda(error, seen)
    of_torch = error.class_.startswith("_rebuild_")
    if of_torch or seen.unpickles:  # pickle's own words where it is written in Python
        module = "torch._utils" if of_torch and "." not in error.name else error.name
        found = cannot_get_attribute.other(Error(LOOKUP, error.class_, module), seen)
        return found and replace(found, error=str(error))
    last = len(class_record.releases()) - 1
    homes = [
        path for path, known in class_record.named([error.class_]).items() if last in known.releases
    ]
    known = moved(f"{error.name}.{error.class_}")
    where = f"in the newest recorded release of timm it is {homes[0]}. " if homes else ""
    lines = "\n".join(one.code for one in (*seen.frames[-1:], seen.failed) if one)
    reads = re.search(rf"\bimport\b|\b{error.class_}\b", lines)
    of_code = bool(reads or seen.imports(error.name))
    cut_off = bool(seen.frames and error.said and not of_code)  # pickle says it in the same words
    file = (
        "No file has a part in it." * (not seen.loads)
        if of_code
        else "If it came while a file was loaded, another version wrote the file."
    )
    when = "" if homes or known else OF_CODE
    return advise(
        error,
        f"code imports or reads `{error.class_}` from {error.name or 'a module'}, and the version "
        f"that is installed does not have it there. {f'{known.what} ' if known else ''}{file}",
        f"{where}Change the import, or install the version that this code was written for{when}.",
        *["If a file was loaded: install the version that wrote it."] * cut_off,
        *[RESCUE_IF] * (cut_off and may_hold_tensors(error.name.partition(".")[0], seen)),
    )


def _without_cuda(error: Error, seen: Seen) -> Answer:
    """The answer where a torch that was built without CUDA is asked for a graphics card."""
    back = "_cuda_deserialize" in seen.text  # torch's, which gives a tensor back to its card
    what = (
        f"`{error.class_}` is of torch's code for graphics cards of NVIDIA's. As a rule the torch "
        "that runs was built without it, and something asks for such a card."
    )
    if back:
        what += " Here it is the file: its tensors were saved on a card, and go back to one."
    elif seen.loads:
        what += " It may be the file that is loaded, if its tensors were saved on a card."
    return advise(
        error,
        f"{what} Nothing says that a file is damaged.",
        *[TO_CPU] * (back or seen.loads),
        *["Let the code use the processor: device 'cpu', and no .cuda()."] * (not back),
        "If there is such a card: install a torch that was built for CUDA.",
        known_by="the name in the message",
    )


def nearest(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    return None
