"""Torch's own restricted reader over one pickle, with nothing but stand-ins to build from.

`torch.load(weights_only=True)` runs this very reader. Here it is handed the bytes that were judged,
instead of a file to open again, and a table of its own, instead of the classes and functions that
torch calls safe. Only for a worker process: the table is swapped for the whole process.
"""

import io
import warnings
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from pickle import BINPERSID

from torch import _weights_only_unpickler as restricted
from torch._utils import IMPORT_MAPPING, NAME_MAPPING

from missing_aa.contents.standins import Kind, Span, Standin, table
from missing_aa.errors import CheckpointError, Malformed


def read_with_torch(
    program: bytes,
    asked: Iterable[tuple[str, str]],
    locate: Callable[..., Span],
    with_sources: bool,
) -> object:
    """Build what the pickle describes.

    `asked` holds each module and name that it asks for, as they stand in it; `locate` gives the
    span of a storage from its dtype, and its key, location and number of elements as the pickle
    has them (a legacy one adds a view of it). `with_sources` says
    that classes may come with their source, as before torch 1.6. Raises Malformed.
    """
    with _only(table(_as_torch_maps(module, name) for module, name in asked)):
        try:
            with warnings.catch_warnings(action="ignore"):
                return _Reader(program, locate, with_sources).load()
        except (CheckpointError, MemoryError):
            raise
        except Exception as error:  # the reader leaks whatever its steps raise
            raise Malformed(_explain(error)) from error


def _as_torch_maps(module: str, name: str) -> str:
    if (module, name) in NAME_MAPPING:
        return ".".join(NAME_MAPPING[module, name])
    return f"{IMPORT_MAPPING.get(module, module)}.{name}"


@contextmanager
def _only(allowed: dict[str, object]):
    """Let the reader know these names and no other, not even those that torch calls safe."""
    kept = restricted._get_allowed_globals, restricted._get_user_allowed_globals
    restricted._get_allowed_globals = lambda: allowed
    restricted._get_user_allowed_globals = dict
    try:
        yield
    finally:
        restricted._get_allowed_globals, restricted._get_user_allowed_globals = kept


class _Reader(restricted.Unpickler):
    def __init__(self, program: bytes, locate: Callable[..., Span], with_sources: bool):
        file = io.BytesIO(program)
        super().__init__(file, encoding="utf-8")
        self._locate = locate
        if with_sources:
            self._take, self.read = file.read, self._read
            self.stack: list = []

    def _read(self, size: int) -> bytes:
        """Read on; a class that comes with its source, as before torch 1.6, may pass.

        The reader lets only storages come from outside the pickle, and refuses such a class by the
        first word of its description: here that word is put before it.
        """
        taken = self._take(size)
        if taken == BINPERSID and self.stack:
            top = self.stack[-1]
            if type(top) is tuple and len(top) == 4 and top[0] == "module":
                self.stack[-1] = ("storage", *top)
        return taken

    def persistent_load(self, described: tuple) -> object:
        if type(described) is not tuple or len(described) < 5:
            raise Malformed("it asks for something outside the pickle that is no storage")
        _, kind, *rest = described
        if kind == "module":
            return rest[0]
        if isinstance(kind, Kind):
            return self._locate(kind.dtype, *rest)
        if isinstance(kind, type) and issubclass(kind, Standin):
            return kind()  # a type that no tensor here can have; the tensor is turned down by name
        raise Malformed("the type of a storage in it is not one of torch's")

    def _check_set_item_target(self, opcode: str) -> None:
        if not isinstance(self.stack[-1], Standin):  # of a class that is a dictionary
            super()._check_set_item_target(opcode)

    def _check_append_target(self, target: object) -> None:
        if not isinstance(target, Standin):  # of a class that is a list
            super()._check_append_target(target)


def _explain(error: Exception) -> str:
    text = str(error)
    if text.startswith("Unsupported operand"):
        return (
            "it was saved with a pickle protocol that torch's restricted reader does not take "
            "(torch.save writes protocol 2); ask for it again, saved without pickle_protocol"
        )
    what = f"{type(error).__name__}: {text}".split("\n")[0][:200]
    return f"torch's restricted reader cannot follow it ({what}); it is damaged, or no checkpoint"
