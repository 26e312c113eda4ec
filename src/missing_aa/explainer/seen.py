"""What stands around an error: the frames of its traceback, and whose they are."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from missing_aa.explainer.errors import Hit
from missing_aa.explainer.traceback import Frame, frames, imports, innermost, loads

_ESTIMATOR = re.compile(
    r"unpickle\s+estimator\s+(\w{1,100})\s+from\s+version\s+(\d[\w.]{0,20}?)\s+when\s+using\s+version"
)

_ANOTHER = re.compile(r"(?m)^[ \t]*[\w.]*(?:Error|Exception)\s*:")
_OF_TORCH = re.compile(r"(?i)torch|\.pth?\b|\.ckpt\b|\bnn\.|safetensors")
_MISFIT = re.compile(
    r"(?i)do(?:es)? not match exactly|(?:missing|unexpected) keys? in source state_?dict"
    r"|unexpected keys?\b"
)
_BEFORE_2_6 = re.compile(
    r"Weights\s+only\s+load\s+failed(?:(?!In\s+PyTorch\s+2\.6)[\s\S]){0,400}?Re-running\s+'?torch\.load"
    r"|Unsupported\s+class\s"
)
"""How a torch of before 2.6 refuses a file: without the sentence on its new default."""
_WEIGHTS_ONLY = re.compile(r"\bload\(.*\bweights_only\s*=\s*True\b")


class Estimator(NamedTuple):
    """A class of scikit-learn's, and the version that wrote its object, as a warning says it."""

    class_: str
    version: str


LINE_ASKS = "the line that loads it says weights_only=True"
BEFORE_2_6 = (
    "these are the words of a torch of before 2.6, which does that only where it is told to "
    "(weights_only=True, or TORCH_FORCE_WEIGHTS_ONLY_LOAD in the environment)"
)
TRACEBACK = "Traceback (most recent call last)"


@dataclass(frozen=True)
class Seen:
    """The text up to an error, from the beginning of its own traceback; the frames in it.

    `failed` is the innermost frame that is not torch's. Of the whole text: `says_timm`, whether it
    names timm anywhere, `says_torch`, whether anything that is torch's, `says_misfit`, whether it
    warns of weights that did not match a model, `says_safe_globals`, whether it names torch's list
    of classes that a load of weights alone may make, `asks_weights_only`, by what it shows that the
    caller asked torch for weights alone ("" if it does not show that), and the `estimators` of
    which scikit-learn warned.
    """

    text: str = ""
    frames: tuple[Frame, ...] = ()
    failed: Frame | None = None
    says_timm: bool = False
    says_torch: bool = False
    says_misfit: bool = False
    says_safe_globals: bool = False
    asks_weights_only: str = ""
    estimators: tuple[Estimator, ...] = ()

    @property
    def timm_files(self) -> tuple[str, ...]:
        return tuple(frame.path for frame in self.frames if frame.is_timm)

    @property
    def of_modules(self) -> bool:
        """Whether torch's own code of modules is at work, and so an object of one."""
        return any("/torch/nn/" in f"/{frame.path}" for frame in self.frames)

    @property
    def loads(self) -> bool:
        """Whether a file was being loaded."""
        if not self.frames:
            return loads(self.text)
        return any(frame.loads for frame in self.frames)

    @property
    def unpickles(self) -> bool:
        """Whether the error came out of the work on a pickle itself."""
        return bool(self.frames) and self.frames[-1].unpickles

    def imports(self, package: str) -> bool:
        """Whether the line that failed, or a text without frames, imports a package."""
        return imports(self.failed.code if self.failed else self.text, package)


def seen(text: str, hit: Hit) -> Seen:
    """What a plain text shows of the error in it."""
    before, behind = text[: hit.start], text[hit.end :]
    own = before[max(0, before.rfind(TRACEBACK)) :]
    if TRACEBACK in behind and not frames(own) and not _ANOTHER.search(behind):
        own = behind  # the error was pasted above its traceback
    return _seen(own, text)


def seen_in(text: str) -> Seen:
    """What a plain text shows in which no error was read."""
    return _seen(text, text)


def _seen(own: str, text: str) -> Seen:
    found = frames(own)
    estimators = tuple(Estimator(*one) for one in _ESTIMATOR.findall(text))
    says_timm = bool(re.search(r"\btimm\b", text))
    says_torch = says_timm or bool(_OF_TORCH.search(text))
    misfit = bool(_MISFIT.search(text))
    return Seen(
        own,
        tuple(found),
        innermost(found),
        says_timm,
        says_torch,
        misfit,
        "add_safe_globals" in text,
        _asks_weights_only(text, found),
        estimators,
    )


def _asks_weights_only(text: str, found: list[Frame]) -> str:
    if any(_WEIGHTS_ONLY.search(line) for one in found for line in one.code.splitlines()):
        return LINE_ASKS
    return BEFORE_2_6 if _BEFORE_2_6.search(text) else ""


def package_of(path: str) -> str:
    """The package that a file on an import path belongs to; "" for a script or project."""
    found = re.search(r"(?:site|dist)-packages/([A-Za-z_]\w*)[/.]", path)
    return found[1] if found else ""


def failed_in(frames: tuple[Frame, ...], attribute: str) -> Frame | None:
    """The frame that reads the attribute; those that only pass the question on are left out."""
    for one in reversed(frames):
        passes_on = one.path.endswith("torch/nn/modules/module.py") or "__getattr" in one.code
        if not passes_on or reads(one, attribute):
            return one
    return None


def reads(frame: Frame, attribute: str) -> bool:
    """Whether the line of a frame reads an attribute of its own object."""
    return bool(re.search(rf"\bself\.{re.escape(attribute)}\b", frame.code))


def mentions(frame: Frame, attribute: str) -> bool:
    """Whether the line of a frame has that name; without it, another line is the reader."""
    return bool(re.search(rf"\b{re.escape(attribute)}\b", frame.code))
