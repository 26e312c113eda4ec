"""What the frames of a library's own loader prove, where its file is of another kind or version."""

import re

from missing_aa.explainer.advice import (
    BY_FRAMES,
    FOR_A_FILE,
    RESCUE_IF,
    advise,
    installed_as,
    library,
)
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.errors import NEAR, OTHER, Error
from missing_aa.explainer.known_loaders import (
    OWN_FILES,
    READERS_OF_PICKLES,
    WHOLE_LOADERS,
    WholeLoader,
)
from missing_aa.explainer.remedies import ADVICE, Way
from missing_aa.explainer.seen import TRACEBACK, Seen, package_of
from missing_aa.explainer.traceback import Frame, frames, innermost, said

_PERSISTENT = re.compile(
    r"(?m)^.{0,100}persistent\s+id\s+instruction\s+was\s+encountered"
    r"(?:,?\s+but\s+no\s+persistent_load\s+function\s+was\s+specified)?"
)
_PLAIN = re.compile(r"\b(?:_?c?[pP]ickle|pkl|cloudpickle|dill)\.loads?\(|\bUnpickler\(")
_WHAT = "agent|checkpoint|ckpt|estimator|learner|model|pipeline|policy|pretrained|state|weights"
_LOADER = re.compile(rf"_?(?:load|restore)(?:_\w*(?:{_WHAT})\w*)?|from_(?:pretrained|checkpoint)")
_SPOKEN = re.compile(r"(?m)^[ \t]*((?:\w+\.)*(\w*(?:Error|Exception)))\b[ \t]*(?::[ \t]*(.*))?$")
_OF_CODE = {"AssertionError", "IndexError", "TypeError", "UnboundLocalError"}
"""Errors that code meets when what it works on is not what it was written for."""
_TORCH_FILE = re.compile(r"\btorch\.load\(|torch/serialization\.py|\.(?:pth?|ckpt)\b")


def whole_loader(seen: Seen) -> WholeLoader | None:
    """The library's loader of whole objects in which the error was raised, if it is a known one."""
    failed = seen.failed
    if not failed:
        return None
    return next(
        (
            one
            for one in WHOLE_LOADERS
            if failed.path.endswith(f"/{one.file}") and failed.function == one.function
        ),
        None,
    )


def of_state(error: Error, loader: WholeLoader) -> Answer:
    """The answer where a loader of whole objects got a dictionary out of the file."""
    return advise(
        error,
        f"{loader.function} reads what {loader.writer} writes, a whole object, and this file holds "
        f"a dictionary. {loader.state}; so do other programs that save weights. It is another kind "
        "of file, and no version is the cause.",
        *loader.ways,
        known_by=f"{BY_FRAMES}, and the source of {loader.file.partition('/')[0]}",
    )


def plain_pickle(text: str) -> Answer | None:
    """The answer where a library opens a file of torch's with plain pickle."""
    words = _PERSISTENT.search(said(text))
    if not words:
        return None
    failed = innermost(_own(text))
    package = package_of(failed.path) if failed and _PLAIN.search(failed.code) else ""
    if not package or package in READERS_OF_PICKLES:
        return None
    name = installed_as(package)
    return advise(
        Error(OTHER, name=" ".join(words[0].split())),
        f"code of {package} opens this file with plain pickle, and it is no plain pickle: it "
        "refers to data beside it (persistent ids), as what torch.save writes does. It is not "
        "damaged, as far as this says, and no version is the cause.",
        f"Likely: give it to {name} under a name that {name} reads with torch.load. In many "
        "libraries the ending decides, .pth for torch's and .pkl for plain pickles; the lines "
        "above the one that fails show what it asks of the name.\ncp model.pkl model.pth",
        f"Or convert it: read it with torch.load, and write with pickle.dump what {name} wants. "
        "The project that the file comes from may have a script for that.",
        "If torch.load does not read it either: it is the data.pkl out of an archive that was "
        "unpacked. Take the archive itself.",
        known_by=BY_FRAMES,
    )


def failed_inside(text: str) -> Answer | None:
    """The answer where nothing is known of an error but that a library's own loader raised it."""
    own = _own(text)
    package, last = _loader_of(own)
    spoken = list(_SPOKEN.finditer(said(text)))
    if not package or not last or not spoken:
        return None
    kind, message = spoken[-1][2], (spoken[-1][3] or "").strip()
    if kind not in _OF_CODE and (message or kind != "Exception"):
        return None
    name, known = installed_as(package), OWN_FILES.get(package)
    line = last.code.strip().partition("\n")[0]
    at = f"at the line `{line[:NEAR]}` " if line else ""
    why = "Beyond its own words, why" if message else "Why"
    where = f"; {known.metadata}" if known else "; the file or its page may name them"
    return advise(
        Error(OTHER, name=spoken[-1][0].strip()[:NEAR]),
        f"{library(package)}'s own loader failed, {at}({_short(last.path)}): what it "
        f"read is not what that code was written for. {why} is not known from the text. Commonly "
        f"another version of {name} wrote the file; or another Python, where the file keeps "
        "functions by value, as cloudpickle does. Else the file is damaged, or of another kind, or "
        "the call gives something that does not fit it.",
        f"Read it with the versions that wrote it{where}.",
        Way(ADVICE, f"Where those are not known: upgrade {name}.", (f"pip install -U {name}",)),
        *[known.instead] * bool(known) if known else (),
        *[RESCUE_IF, FOR_A_FILE] * bool(_TORCH_FILE.search(text)),
        known_by=BY_FRAMES,
    )


def _own(text: str) -> list[Frame]:
    """The frames of the last traceback."""
    return frames(text[max(0, text.rfind(TRACEBACK)) :])


def _loader_of(found: list[Frame]) -> tuple[str, Frame | None]:
    """The package whose loader is at work to the end, torch's frames left out, and its last frame.

    Nothing of timm's, of which more is known, and nothing that imports were busy with.
    """
    ours = [frame for frame in found if not frame.is_torch]
    package = package_of(ours[-1].path) if ours else ""
    if package in ("", "timm", *READERS_OF_PICKLES):
        return "", None
    for frame in reversed(ours):
        if package_of(frame.path) != package:
            break
        if _LOADER.fullmatch(frame.function.rpartition(".")[2]):
            return package, ours[-1]
    return "", None


def _short(path: str) -> str:
    """A path from its package on."""
    return re.split(r"(?:site|dist)-packages/", path)[-1]
