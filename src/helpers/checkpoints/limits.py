"""How much a file may ask for before it is turned down; every limit can be raised by its switch."""

from dataclasses import dataclass

from helpers.checkpoints.errors import LimitReached

SWITCHES = {
    "pickle_bytes": "--max-pickle",
    "opcodes": "--max-opcodes",
    "objects": "--max-objects",
    "depth": "--max-depth",
    "tensor_bytes": "--max-bytes",
    "seconds": "--max-seconds",
}


@dataclass(frozen=True)
class Limits:
    """What one file may cost.

    `pickle_bytes`: length of the pickle program (of a bare pickle: of the file that is read).
    `opcodes`: its steps. `objects`, `depth`: how many objects are walked, how deep they nest.
    `tensor_bytes`: elements × itemsize of all tensors. `seconds`: wall clock of a rescue.
    """

    pickle_bytes: int = 256 * 1024**2
    opcodes: int = 10_000_000
    objects: int = 10_000_000
    depth: int = 1_000
    tensor_bytes: int = 64 * 1024**3
    seconds: float = 600.0

    def check(self, limit: str, asked: float, what: str) -> None:
        """Raise LimitReached, naming the switch, if more than the limit is asked for."""
        granted = getattr(self, limit)
        if asked > granted:
            raise LimitReached(
                f"{what} is {asked:,}, more than the {granted:,} granted; if you trust the file, "
                f"raise the limit with {SWITCHES[limit]}"
            )


DEFAULT = Limits()
