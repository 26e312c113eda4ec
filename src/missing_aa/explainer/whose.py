"""Whose class or module an error is about, and the answers where it is not timm's."""

import re

from missing_aa.explainer.answers import OTHER, Answer
from missing_aa.explainer.errors import ATTRIBUTE, LOOKUP, MODULE, Error
from missing_aa.explainer.known_breaks import DISTRIBUTIONS, MODULES, TORCH_ATTRIBUTES
from missing_aa.explainer.remedies import ADVICE, Way
from missing_aa.explainer.traceback import Frame

RESCUE = Way(
    ADVICE,
    "Take the weights out, without that code, and load them into a model that the installed "
    "version makes.",
    ("missing-aa rescue model.pt model.safetensors",),
)
FOR_A_FILE = Way(
    ADVICE,
    "What the file itself will miss where, without loading it:",
    ("missing-aa check model.pt",),
)
LINE = "the line of source that the traceback shows"
NAMES = "the dotted name in the message"
TABLE = "torch's source (a table of its own breaks)"


def package_of(path: str) -> str:
    """The package that a file on an import path belongs to; "" for a script or project."""
    found = re.search(r"(?:site|dist)-packages/([A-Za-z_]\w*)[/.]", path)
    return found[1] if found else ""


def failed_in(frames: tuple[Frame, ...]) -> Frame | None:
    """The frame that reads the attribute: the last but torch's own `__getattr__`."""
    return next(
        (one for one in reversed(frames) if not one.path.endswith("torch/nn/modules/module.py")),
        None,
    )


def another_version(error: Error, frames: tuple[Frame, ...]) -> Answer | None:
    """The answer where the text shows another library than timm, whose version differs."""
    found = {ATTRIBUTE: _attribute, LOOKUP: _lookup, MODULE: _module}.get(error.kind)
    return found(error, frames) if found else None


def _attribute(error: Error, frames: tuple[Frame, ...]) -> Answer | None:
    failed = failed_in(frames)
    package = package_of(failed.path) if failed else ""
    if error.class_ == "module" and error.name.startswith("_rebuild_"):
        return _lookup(Error(LOOKUP, error.name, "torch._utils"), frames)
    key = f"{error.class_}.{error.name}"
    if key in TORCH_ATTRIBUTES and (not failed or failed.is_torch):
        return _of_torch(error, TORCH_ATTRIBUTES[key], alone=not failed)
    if package in ("", "timm") or not re.search(rf"\bself\.{error.name}\b", failed.code):
        return None
    return _answer(
        error,
        f"{package}'s own code reads `self.{error.name}`, and the object has none: if it came "
        f"whole out of a file, another version of {package} (or a fork of it) wrote it.",
        LINE,
        RESCUE,
        f"Or install the version of {package} that wrote the file.",
        FOR_A_FILE,
    )


def _of_torch(error: Error, default: str, alone: bool) -> Answer:
    what = (
        f"torch's own {error.class_} reads `{error.name}`, which an older torch did not set: the "
        "object was pickled whole by it. Neither your code nor the weights are to blame."
    )
    if alone:
        what = f"if this {error.class_} is torch's, and not another library's: {what}"
    mend = Way(
        ADVICE,
        f"Or set what torch's constructor sets today on every {error.class_} of the model:",
        (
            f"[setattr(m, {error.name!r}, {default}) for m in model.modules()"
            f" if type(m) is torch.nn.{error.class_}]",
        ),
    )
    return _answer(error, what, TABLE, RESCUE, mend)


def _lookup(error: Error, frames: tuple[Frame, ...]) -> Answer | None:
    package = error.name.partition(".")[0]
    if package == "timm" or error.name.startswith("__m"):
        return None
    return _answer(
        error,
        f"the file holds an object of {error.name}.{error.class_}, and the {package} that is "
        f"there has that module without that name: another version of {package} wrote the file, "
        "or a fork of it, or the class was renamed.",
        NAMES,
        f"Install the version of {package} that wrote the file; where that is not known, try a "
        "newer one first, and for a file that is older than the installed one, an older one.",
        RESCUE,
        FOR_A_FILE,
    )


def _module(error: Error, frames: tuple[Frame, ...]) -> Answer | None:
    package, _, rest = error.name.partition(".")
    if package == "timm" or not rest:
        return None
    known = next((text for name, text in MODULES.items() if error.name.startswith(name)), "")
    install = f"pip install --upgrade {DISTRIBUTIONS.get(package, package)}"
    return _answer(
        error,
        f"{package} itself was found and has no module {error.name}: what is read or imported "
        f"wants another version of {package}, or a folder of your own has its name. {known}",
        TABLE.replace("torch's source", "published releases") if known else NAMES,
        Way(ADVICE, "A newer one, if the file or the code is newer:", (install,))
        if known
        else f"Install the version of {package} that wrote the file.",
        RESCUE,
    )


def _answer(error: Error, what: str, known_by: str, *advice: Way | str) -> Answer:
    ways = tuple(one if isinstance(one, Way) else Way(ADVICE, one) for one in advice)
    return Answer(OTHER, str(error), what.strip(), ways=ways, known_by=known_by)
