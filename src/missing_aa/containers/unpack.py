"""A pickle that joblib compressed: known by its first bytes, and unpacked within a limit."""

import zlib
from collections.abc import Iterator
from importlib import import_module
from typing import BinaryIO

from missing_aa.errors import Malformed
from missing_aa.limits import Limits

PIECE = 2**20
MODULES = {
    b"\x1f\x8b": "gzip",
    b"BZ": "bz2",
    b"\x5d\x00": "lzma",
    b"\xfd7zXZ\x00": "lzma",
}
"""What a compressed file begins with, and which module of Python's opens it."""
ZLIB = b"\x78"
BROKEN = "what joblib compressed is damaged or cut short; fetch the file again"


def damaged() -> tuple[type[Exception], ...]:
    """What the modules raise for a damaged file."""
    from lzma import LZMAError

    return OSError, EOFError, zlib.error, LZMAError


def is_packed_pickle(file: BinaryIO) -> bool:
    """Whether unpacking it gives the beginning of a pickle of protocol 2 or later."""
    try:
        begins = next(_pieces(file, size=2), b"")
    except damaged():
        return False
    return begins[:1] == b"\x80" and begins[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")


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
    head = file.read(8)
    file.seek(0)
    for mark, module in MODULES.items():
        if head.startswith(mark):
            with import_module(module).open(file) as unpacked:
                while piece := unpacked.read(size):
                    yield piece
            return
    if head.startswith(ZLIB):
        reader = zlib.decompressobj()
        while not reader.eof:
            taken = reader.unconsumed_tail or file.read(PIECE)
            if not taken:
                raise EOFError
            yield reader.decompress(taken, size)
