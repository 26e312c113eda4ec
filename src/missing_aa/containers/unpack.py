"""A pickle that joblib compressed: known by its first bytes, and unpacked within a limit."""

import contextlib
import zlib
from collections.abc import Iterator
from importlib import import_module
from typing import BinaryIO

from missing_aa.errors import Malformed
from missing_aa.limits import Limits

PIECE = 2**20
FIRST_PIECE = 2**12
MODULES = {
    b"\x1f\x8b": "gzip",
    b"BZ": "bz2",
    b"\x5d\x00": "lzma",
    b"\xfd7zXZ\x00": "lzma",
}
"""What a compressed file begins with, and which module of Python's opens it."""
ZLIB = b"\x78"
OF_OLD, OF_OLD_END = b"ZF", 21
"""What joblib before 0.10 began with, and where what zlib packed begins; a space may be before."""
BROKEN = "what joblib compressed is damaged or cut short; fetch the file again"


def damaged() -> tuple[type[Exception], ...]:
    """What the modules raise for a damaged file."""
    from lzma import LZMAError

    return OSError, EOFError, zlib.error, LZMAError


def unpacked_head(file: BinaryIO, size: int) -> bytes:
    """Up to so many bytes of what unpacking it gives; none where it is not packed."""
    begins = b""
    with contextlib.suppress(*damaged()):
        for piece in _pieces(file, FIRST_PIECE):  # small: it may break off
            begins += piece
            if len(begins) >= size:
                break
    return begins[:size]


def unpack(file: BinaryIO, limits: Limits) -> bytes:
    """All of it. Raises Malformed, LimitReached."""
    unpacked = bytearray()
    try:
        for piece in _pieces(file):
            unpacked += piece
            limits.check("pickle_bytes", len(unpacked), "the length of what is unpacked, in bytes,")
    except damaged() as error:
        raise Malformed(BROKEN) from error
    return bytes(unpacked)


def _pieces(file: BinaryIO, size: int = PIECE) -> Iterator[bytes]:
    file.seek(0)
    head = file.read(OF_OLD_END + 1)
    file.seek(0)
    for mark, module in MODULES.items():
        if head.startswith(mark):
            with import_module(module).open(file) as unpacked:
                while piece := unpacked.read1(size):
                    yield piece
            return
    if head.startswith((ZLIB, OF_OLD)):
        if head.startswith(OF_OLD):
            file.seek(OF_OLD_END + head.endswith(b" "))
        reader = zlib.decompressobj()
        while not reader.eof:
            taken = reader.unconsumed_tail or file.read(PIECE)
            if not taken:
                raise EOFError
            yield reader.decompress(taken, size)
