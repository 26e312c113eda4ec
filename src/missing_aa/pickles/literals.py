"""The opcodes of a pickle that put a number, a text or a constant on the stack."""

import codecs
import math
import re
import struct
import sys

from missing_aa.pickles import texts
from missing_aa.pickles.machine import (
    BYTE,
    DOUBLE,
    INT,
    LONG,
    SHORT,
    UINT,
    Broken,
    Machine,
)
from missing_aa.pickles.program import Global, Object, Persistent

DIFFERS = "a number, a text or a call is written in a way that only some readers take"
"""C's reader refuses what Python's own goes on with, or older ones do: joblib uses the latter."""
DIGITS = re.compile(rb"\s*[+-]?[\d_]+\s*")


def number_line(m: Machine) -> bytes:
    """A number as text; C ends it at a NUL."""
    return m.line().partition(b"\0")[0]


def whole_number(m: Machine, line: bytes, base: int) -> int:
    if len(line) > sys.int_info.default_max_str_digits and DIGITS.fullmatch(line):
        m.doubt(DIFFERS)  # older ones than 3.11 take any number of digits
        return 0
    return int(line, base)


def _int_line(m: Machine) -> None:
    line = m.line()
    if line[:1] == b"\0":  # C reads a number of no digits as none
        m.push(0)
        return
    line = line.partition(b"\0")[0]
    if line in (b"00", b"01"):
        m.push(line == b"01")
    else:  # as C reads it: what begins with a zero is octal
        m.push(whole_number(m, line, 8 if re.fullmatch(rb"\s*[+-]?0\d+", line) else 0))


def _long_line(m: Machine) -> None:
    m.push(whole_number(m, number_line(m).removesuffix(b"L"), 0))


def _float_line(m: Machine) -> None:
    line = number_line(m)
    value = float(line)
    too_large = math.isinf(value) and b"n" not in line.lower()
    if line != line.strip() or b"_" in line or too_large:
        m.doubt(DIFFERS)
    m.push(value)


def _readonly(m: Machine) -> None:
    if not isinstance(m.stack[-1], bytes | Global | Object | Persistent):
        raise Broken("a view is asked of what has no bytes")


def _string_line(m: Machine) -> None:
    whole = m.line()
    line = whole.strip()
    if line != whole:  # Python 2 went on with blanks around it
        m.doubt(DIFFERS)
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in b"\"'":
        raise Broken("a string has no quotes")
    m.push(texts.of_python_2(m, codecs.escape_decode(line[1:-1])[0]))


def _byte_string(form: struct.Struct):
    return lambda m: m.push(texts.of_python_2(m, m.take(m.number(form))))


def _sized(form: struct.Struct, convert):
    def step(m: Machine) -> None:
        m.push(convert(m.take(m.number(form))))

    return step


def _whole(raw: bytes) -> int:
    return int.from_bytes(raw, "little", signed=True)


def _plain(form: struct.Struct):
    return lambda m: m.stack.append(m.number(form))


def _byte(m: Machine) -> None:
    m.stack.append(m.data[m.at])
    m.at += 1


def _constant(value):
    return lambda m: m.stack.append(value)


LITERALS = {
    b"N": _constant(None),
    b"\x88": _constant(True),
    b"\x89": _constant(False),
    b"I": _int_line,
    b"J": _plain(INT),
    b"K": _byte,
    b"M": _plain(SHORT),
    b"L": _long_line,
    b"\x8a": _sized(BYTE, _whole),
    b"\x8b": _sized(INT, _whole),
    b"F": _float_line,
    b"G": _plain(DOUBLE),
    b"S": _string_line,
    b"U": _byte_string(BYTE),
    b"T": _byte_string(INT),
    b"V": texts.line,
    b"X": texts.sized(UINT),
    b"\x8c": texts.sized(BYTE),
    b"\x8d": texts.sized(LONG),
    b"C": _sized(BYTE, bytes),
    b"B": _sized(UINT, bytes),
    b"\x8e": _sized(LONG, bytes),
    b"\x96": _sized(LONG, bytes),
    b"\x98": _readonly,
}
