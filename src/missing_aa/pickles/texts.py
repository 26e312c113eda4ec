"""The opcodes that push a text; what texts take in memory is counted."""

import contextlib
import re
import struct
from collections.abc import Callable

from missing_aa.pickles.machine import Machine, Short

WIDEST, WIDE = re.compile(rb"[\xf0-\xff]"), re.compile(rb"[\xc4-\xff]")
"""Bytes of letters for which Python keeps a text in four bytes a letter, or in two."""


def sized(form: struct.Struct) -> Callable[[Machine], None]:
    """The step for a text with its length before it."""
    unpack, size = form.unpack_from, form.size

    def step(m: Machine) -> None:
        (length,) = unpack(m.data, m.at)
        begin = m.at = m.at + size
        end = begin + length
        if end > len(m.data):
            raise Short("it asks for more bytes than there are")
        m.at = end
        raw = m.data[begin:end]
        m.stack.append(raw.decode("ascii") if raw.isascii() else _wide(m, raw))

    return step


def line(m: Machine) -> None:
    """The step for a text that ends with its line."""
    raw = m.line()
    if b"\\" in raw:
        _count(m, 4 * len(raw))
    m.push(raw.decode("raw-unicode-escape"))


def of_python_2(m: Machine, raw: bytes) -> str | bytes:
    """What Python 2 called str: text where it is ASCII, or UTF-8 and read by torch; else bytes.

    With those a load fails unless it is told an encoding; they may be an array's.
    """
    if raw.isascii():
        return raw.decode("ascii")
    if m.as_torch:
        with contextlib.suppress(UnicodeDecodeError):
            return _wide(m, raw, "strict")
    return raw


def _wide(m: Machine, raw: bytes, surrogates: str = "surrogatepass") -> str:
    """A text of more than ASCII: one letter can make all of it four times as long."""
    _count(m, len(raw) * (4 if WIDEST.search(raw) else 2 if WIDE.search(raw) else 1))
    return raw.decode("utf-8", surrogates)


def _count(m: Machine, letters: int) -> None:
    m.letters += letters
    m.limits.check("pickle_bytes", m.letters, "the length of its texts in memory")
