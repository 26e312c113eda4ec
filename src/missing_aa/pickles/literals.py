"""The opcodes of a pickle that push a plain value: a number, a text, bytes, a constant.

Each is a step that is done to the machine of `pickles`.
"""

import codecs
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helpers.checkpoints.pickles import Machine


class Broken(Exception):
    """The program cannot go on; the text says why."""


BYTE = struct.Struct("<B")
SHORT = struct.Struct("<H")
INT = struct.Struct("<i")
UINT = struct.Struct("<I")
LONG = struct.Struct("<Q")
DOUBLE = struct.Struct(">d")


def text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


def _int_line(m: "Machine") -> None:
    line = m.line()
    m.push(line == b"01" if line in (b"00", b"01") else int(line, 0))


def _long_line(m: "Machine") -> None:
    m.push(int(m.line().strip().rstrip(b"L"), 0))


def _string_line(m: "Machine") -> None:
    line = m.line().strip()
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in b"\"'":
        raise Broken("a string has no quotes")
    m.push(_byte_string(codecs.escape_decode(line[1:-1])[0]))


def _byte_string(raw: bytes):
    """What Python 2 called str: text where it is ASCII, else bytes."""
    return raw.decode() if raw.isascii() else raw


def _sized(form: struct.Struct, convert):
    def step(m: "Machine") -> None:
        m.push(convert(m.take(m.number(form))))

    return step


def _whole(raw: bytes) -> int:
    return int.from_bytes(raw, "little", signed=True)


def _plain(form: struct.Struct):
    return lambda m: m.stack.append(m.number(form))


def _constant(value):
    return lambda m: m.stack.append(value)


LITERALS = {
    b"N": _constant(None),
    b"\x88": _constant(True),
    b"\x89": _constant(False),
    b"I": _int_line,
    b"J": _plain(INT),
    b"K": _plain(BYTE),
    b"M": _plain(SHORT),
    b"L": _long_line,
    b"\x8a": _sized(BYTE, _whole),
    b"\x8b": _sized(INT, _whole),
    b"F": lambda m: m.push(float(m.line())),
    b"G": _plain(DOUBLE),
    b"S": _string_line,
    b"U": _sized(BYTE, _byte_string),
    b"T": _sized(INT, _byte_string),
    b"V": lambda m: m.push(m.line().decode("raw-unicode-escape")),
    b"X": _sized(UINT, text),
    b"\x8c": _sized(BYTE, text),
    b"\x8d": _sized(LONG, text),
    b"C": _sized(BYTE, bytes),
    b"B": _sized(UINT, bytes),
    b"\x8e": _sized(LONG, bytes),
    b"\x96": _sized(LONG, bytes),
}
