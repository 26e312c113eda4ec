"""How much a file may ask for before it is turned down; every limit can be raised by its switch."""

import math
import os
import time
from dataclasses import dataclass, replace

from missing_aa.errors import LimitReached


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


SWITCHES = {
    "pickle_bytes": "--max-pickle",
    "opcodes": "--max-opcodes",
    "names": "--max-names",
    "objects": "--max-objects",
    "depth": "--max-depth",
    "tensor_bytes": "--max-bytes",
    "seconds": "--max-seconds",
}
TOO_LONG = (
    "it took longer than the {:g} seconds granted; raise the limit with " + SWITCHES["seconds"]
)


@dataclass(frozen=True)
class Limits:
    """What one file may cost.

    `pickle_bytes`: length of the pickle program (of a bare pickle: of the file that is read).
    `opcodes`: its steps. `names`: how many different ones it asks for. `objects`, `depth`: how many
    objects are walked, how deep they nest.
    `tensor_bytes`: elements × itemsize of all tensors; None stands for eight times the file, and at
    least 1 GiB. `seconds`: wall clock. `ends`: when they are over, by `time.monotonic`.
    """

    pickle_bytes: int = 256 * 1024**2
    opcodes: int = 10_000_000
    names: int = 100_000
    objects: int = 2_000_000
    depth: int = 1_000
    tensor_bytes: int | None = None
    seconds: float = 600.0
    ends: float = math.inf

    def started(self) -> "Limits":
        """These limits with the clock running, from now on unless it is running already."""
        if self.ends < math.inf:
            return self
        return replace(self, ends=time.monotonic() + self.seconds)

    def for_file(self, size: int) -> "Limits":
        """These limits for a file of that many bytes."""
        if self.tensor_bytes is not None:
            return self
        return replace(self, tensor_bytes=max(1024**3, 8 * size))

    def check(self, limit: str, asked: float, what: str) -> None:
        """Raise LimitReached, naming the switch, if more is asked for or the time is over."""
        if time.monotonic() > self.ends:
            raise LimitReached(TOO_LONG.format(self.seconds))
        granted = getattr(self, limit)
        if asked > granted:
            raise LimitReached(
                f"{what} is {asked:,}, more than the {granted:,} granted; if you trust the file, "
                f"raise the limit with {SWITCHES[limit]}"
            )


DEFAULT = Limits()
