"""Make the tensors of a rescued file in this process, from the bytes the worker pointed out."""

import os
from typing import TYPE_CHECKING, BinaryIO

from helpers.checkpoints.errors import Malformed

if TYPE_CHECKING:
    import torch

CHANGED = "the file changed while it was read; keep it still and try again"


def stamp(file: BinaryIO) -> list[int]:
    """What tells an open file from another one, and from itself after a change."""
    status = os.fstat(file.fileno())
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns]


def fill(file: BinaryIO, tensors: dict[str, dict]) -> "dict[str, torch.Tensor]":
    """The tensors, in memory of their own; those that share a storage in the file share it here."""
    import torch

    buffers, made = {}, {}
    for name, view in tensors.items():
        span, dtype = view["span"], getattr(torch, view["dtype"])
        if 0 in view["shape"]:
            made[name] = torch.empty_strided(view["shape"], view["strides"], dtype=dtype)
            continue
        where = (span["start"], span["nbytes"])
        if where not in buffers:
            buffers[where] = _read(file, *where)
        flat = torch.frombuffer(buffers[where], dtype=dtype, count=span["nbytes"] // dtype.itemsize)
        made[name] = flat.as_strided(view["shape"], view["strides"], view["offset"])
    return made


def _read(file: BinaryIO, start: int, nbytes: int) -> bytearray:
    buffer = bytearray(nbytes)
    file.seek(start)
    if file.readinto(buffer) != nbytes:
        raise Malformed(CHANGED)
    return buffer
