"""Write safetensors straight from the source's bytes, piece by piece: no tensor is kept in memory.

The format: eight bytes that hold the header's length, the header as JSON, the tensors' bytes one
after the other. Elements of the widest types come first, so that each tensor lies aligned.
"""

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedRandom, BufferedReader, FileIO
from itertools import groupby

from missing_aa.containers.safetensors_header import DTYPES, LONG_NAMES, MOST_BYTES
from missing_aa.contents.views import View
from missing_aa.disk import CHANGED
from missing_aa.errors import CheckpointError, LimitReached, Malformed, Refused
from missing_aa.pickles.storages import itemsize
from missing_aa.rescuer.gather import gather

CODES = {dtype: code for code, dtype in DTYPES.items()}
"""The format's name of each type, by torch's."""

READ = 2**18
"""What is read and written in one go: small enough to stay in a core's own cache."""


def header(tensors: dict[str, View], metadata: dict[str, str]) -> tuple[bytes, list[View]]:
    """The file's beginning, and the tensors in the order of their bytes.

    Raises Refused for a name that the format cannot hold, CheckpointError for such a type,
    LimitReached where the names are too long for it.
    """
    order = sorted(tensors, key=lambda name: -itemsize(tensors[name].dtype))  # stable
    text = bytearray(f'{{"__metadata__":{_json(metadata)}'.encode())
    end = 0
    for name in order:
        tensor, start = tensors[name], end
        end += tensor.nbytes
        described = {
            "dtype": _code(name, tensor),
            "shape": tensor.shape,
            "data_offsets": (start, end),
        }
        text += f",{_json(name)}:{_json(described)}".encode()
        if len(text) > MOST_BYTES:
            raise LimitReached(LONG_NAMES)
    text += b"}"
    text += b" " * (-len(text) % 8)
    if len(text) > MOST_BYTES:
        raise LimitReached(LONG_NAMES)
    return struct.pack("<Q", len(text)) + text, [tensors[name] for name in order]


_json = json.JSONEncoder(separators=(",", ":")).encode


def _code(name: str, tensor: View) -> str:
    if name == "__metadata__" or any("\ud800" <= letter <= "\udfff" for letter in name):
        raise Refused(f"no safetensors file can hold a tensor named {ascii(name)}")
    if tensor.dtype not in CODES:
        raise CheckpointError(f"safetensors has no type for {ascii(name)} ({tensor.dtype})")
    return CODES[tensor.dtype]


@dataclass(frozen=True)
class Source:
    """The file that tensors lie in, and the one beside it for what had to be unpacked."""

    file: BufferedReader
    beside: BufferedRandom | None = None

    def of(self, view: View) -> BufferedReader | BufferedRandom:
        if not view.span.beside:
            return self.file
        assert self.beside  # it was made when the view's bytes were unpacked
        return self.beside


def write(
    out: FileIO,
    source: Source,
    beginning: bytes,
    tensors: list[View],
    wrote: Callable[[int], object],
) -> None:
    """Write the file, unbuffered; `wrote` gets the bytes of every piece."""
    buffer = memoryview(bytearray(READ))
    _put(out, memoryview(beginning))
    for start, views in _runs(tensors):
        out.seek(len(beginning) + start)
        for view in views:
            file = source.of(view)
            for piece in _read(file, view, buffer) if view.contiguous else gather(file, view):
                _put(out, piece)
                wrote(len(piece))


def _runs(tensors: list[View]) -> list[tuple[int, list[View]]]:
    """Tensors of one width and where the first begins, the most bytes first.

    What is read first should lie in the source in a row. Counters lie scattered between weights:
    once a system has fetched them one by one, it fetches what is between them in short runs.
    """
    runs, start = [], 0
    for _, group in groupby(tensors, key=lambda view: itemsize(view.dtype)):
        views = list(group)
        nbytes = sum(view.nbytes for view in views)
        runs.append((nbytes, start, views))
        start += nbytes
    runs.sort(key=lambda run: -run[0])
    return [(start, views) for _, start, views in runs]


def _put(out: FileIO, piece: memoryview) -> None:
    while piece:
        piece = piece[out.write(piece) :]


def _read(
    source: BufferedReader | BufferedRandom, view: View, buffer: memoryview
) -> Iterator[memoryview]:
    start, end = view.extent
    source.seek(start)
    while start < end:
        got = source.readinto(buffer[: end - start])
        if not got:
            raise Malformed(CHANGED)
        yield buffer[:got]
        start += got
