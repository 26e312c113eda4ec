"""Random pickle programs, and what C's unpickler and Python's own make of each; names do nothing.

    python pickle_programs.py COUNT SEED     prints where missing_aa's machine differs, as JSON

A process of its own: C allocates whatever a program asks for, so its memory is bounded.
"""

import collections
import datetime
import decimal
import functools
import io
import json
import pickle
import pickletools
import random
import resource
import sys

from missing_aa.pickles.follow import follow_pickle

MEMORY = 2 * 2**30
FRAME = "frame"
"""Frames on which readers differ are refused on purpose; the message has this word."""


class Inert:
    """What every name leads to: it can be called and filled, and does nothing."""

    def __new__(cls, *_, **__):
        return object.__new__(cls)

    def __init__(self, *_, **__): ...

    def __call__(self, *_, **__):
        return Inert()

    def __setstate__(self, state): ...

    def append(self, item): ...

    def extend(self, items): ...

    def add(self, item): ...

    def __setitem__(self, key, value): ...


class Reader:
    """A file that is no buffer: C reads it by frames and lines."""

    def __init__(self, data: bytes):
        file = io.BytesIO(data)
        self.read, self.readline = file.read, file.readline


def followed(data: bytes, opened, reader) -> tuple[set, Exception | None]:
    """The names that an unpickler asks for, and how it ends."""
    asked = set()

    class Unpickler(reader):
        def find_class(self, module, name):
            asked.add((module, name))
            return Inert

        def persistent_load(self, _):
            return Inert()

    try:
        Unpickler(opened(data)).load()
    except (Exception, RecursionError) as error:
        return asked, error
    return asked, None


READERS = (
    (io.BytesIO, pickle.Unpickler),
    (Reader, pickle.Unpickler),
    (io.BytesIO, pickle._Unpickler),
)
"""C's, from what is a buffer and what is none, and Python's own, of which joblib's is made."""

HEAVY = """
    GLOBAL MARK EMPTY_TUPLE REDUCE BUILD STACK_GLOBAL SHORT_BINUNICODE MEMOIZE BINGET BINPUT GET PUT
    EMPTY_DICT EMPTY_LIST EMPTY_SET TUPLE TUPLE1 DICT LIST FROZENSET NEWOBJ NEWOBJ_EX OBJ INST
    SETITEM SETITEMS APPEND APPENDS ADDITEMS NONE INT LONG FLOAT UNICODE STRING BINPERSID PERSID
    POP DUP POP_MARK EXT1 NEXT_BUFFER READONLY_BUFFER BYTEARRAY8
"""
LINES = {
    "stringnl": [b"'ab'", b'"x"', b"ab", b"'a\\n'", b"''", b"'\\x41'", b" 'a' "],
    "stringnl_noescape": [b"k", b"1", b"", b"a b"],
    "stringnl_noescape_pair": [b"os\nsystem", b"m\nn.o", b"a.b\nC", b"\n", b" m\nn\r", b"\xff\nn"],
    "unicodestringnl": [b"ab", b"\\u0041", b"m", b"\\ud800", b"\\uZZ"],
    "floatnl": [b"1.5", b"nan", b"1e3", b"1_0.0", b" 1", b"1\0", b"inf", b"x", b"\0", b"0x1p3"],
}
NUMBERS = [b"1", b"00", b"01", b"010", b"0x10", b" 5", b"5L", b"-3", b"1_0", b"5\0", b"", b"1L "]
NUMBERS += [
    b"9" * 20,
    b"0" * 4301,
    b"-1",
    b"+1",
    b"\0",
    b"5\0L",
    b"01\0",
    b"0o7",
    b"5LL",
    b"0",
    b"2",
]
LINES |= {"decimalnl_short": NUMBERS, "decimalnl_long": NUMBERS}
SIZES = {"1": 1, "4": 4, "8": 8}


def argument(opcode, chance: random.Random) -> bytes:
    """Bytes for an opcode's argument: mostly sound, small, and sometimes not."""
    if opcode.arg is None:
        return b""
    name = opcode.arg.name
    if name in LINES:
        return chance.choice(LINES[name]) + b"\n"
    if name.startswith(("uint", "int")):
        return chance.randint(0, 6).to_bytes(int(name[-1]), "little")
    if name == "float8":
        return bytes(8)
    size = chance.randint(0, 4)
    held = (
        b"m"
        if chance.random() < 0.4
        else bytes(chance.choice(b"abm\xff\xed\xa0") for _ in range(size))
    )
    return len(held).to_bytes(SIZES.get(name[-1], 1), "little") + held


def program(chance: random.Random) -> bytes:
    """A program of up to 14 opcodes, often with a name asked for at its end."""
    parts = [b"\x80" + bytes([chance.randint(0, 5)])] if chance.random() < 0.8 else []
    heavy = [opcode for opcode in pickletools.opcodes if opcode.name in HEAVY.split()]
    for _ in range(chance.randint(1, 14)):
        opcode = chance.choice(heavy if chance.random() < 0.85 else pickletools.opcodes)
        if opcode.name != "STOP":
            parts.append(opcode.code.encode("latin-1") + argument(opcode, chance))
    parts += [b"clast\nname\n"] if chance.random() < 0.5 else []
    return b"".join([*parts, b"."])


def sound() -> list[bytes]:
    """Programs that pickle itself writes, in every protocol."""
    shared = {1: (2, 3.5, None, True), "k": [b"q", "é", bytearray(b"z"), frozenset({1, 2}), {3}]}
    things = [
        [shared, shared, 2**70, -5, float("nan")],
        collections.OrderedDict(a=1),
        functools.partial(print, 1, end=2),
        datetime.date(2020, 1, 1),
        decimal.Decimal("1.5"),
        collections.Counter("abc"),
    ]
    return [pickle.dumps(thing, protocol) for thing in things for protocol in range(6)]


def damaged(seeds: list[bytes], chance: random.Random) -> bytes:
    """A sound program with a few bytes changed, added, taken out or brought from another."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) or 1)
        other = chance.choice(seeds)
        place = chance.randrange(len(other))
        data[at : at + chance.choice((0, 1, 1, 3))] = chance.choice(
            (b"", bytes([chance.randrange(256)]), other[place : place + chance.randint(1, 20)])
        )
    return bytes(data)


def disagreements(count: int, seed: int) -> dict:
    """Programs of which one asks for a name that we do not see, or which it ends and we do not."""
    chance, seeds, found, ended = random.Random(seed), sound(), [], 0
    for number in range(count):
        data = damaged(seeds, chance) if number % 2 else program(chance)
        ours = follow_pickle(data)
        if FRAME in f"{ours.error} {ours.fault}":
            continue
        problem = str(ours.error or "")  # a fault is refused, and its names are seen all the same
        seen = set(ours.globals)
        for opened, reader in READERS:
            asked, error = followed(data, opened, reader)
            ended += error is None
            if asked - seen or (error is None and problem):
                found.append(
                    [repr(data), reader.__module__, sorted(asked - seen), problem, repr(error)]
                )
    return {"ended": ended, "found": found}


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    print(json.dumps(disagreements(int(sys.argv[1]), int(sys.argv[2]))))
