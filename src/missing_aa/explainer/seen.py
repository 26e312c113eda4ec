"""What stands around an error: the frames of its traceback, and whose they are."""

import re
from dataclasses import dataclass

from missing_aa.explainer.errors import Hit
from missing_aa.explainer.traceback import Frame, frames, imports_timm, innermost

TRACEBACK = "Traceback (most recent call last)"


@dataclass(frozen=True)
class Seen:
    """The frames of the error's own traceback; those of timm's; whether code of one's own imports.

    `loads` says that a pickle was being loaded.
    """

    frames: tuple[Frame, ...]
    failed: Frame | None
    imports: bool

    @property
    def timm_files(self) -> tuple[str, ...]:
        return tuple(frame.path for frame in self.frames if frame.is_timm)

    @property
    def loads(self) -> bool:
        return any(frame.loads for frame in self.frames)


def seen(text: str, hit: Hit) -> Seen:
    """What a plain text shows of the error in it."""
    before = text[: hit.start]
    own = before[max(0, before.rfind(TRACEBACK)) :]
    found = frames(own)
    failed = innermost(found)
    line = failed.imports if failed else imports_timm(own)
    return Seen(tuple(found), failed, line)


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
