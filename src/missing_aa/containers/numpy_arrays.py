"""Arrays as numpy.save and numpy.savez write them: one of objects is a pickle behind a header.

From numpy/lib/_format_impl.py, `_read_array_header` and `read_array`.
"""

import ast
import re
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, cast

from missing_aa.containers.unpack import damaged
from missing_aa.errors import LimitReached, Malformed
from missing_aa.limits import Limits
from missing_aa.pickles.follow import follow_pickle
from missing_aa.pickles.program import Program

if TYPE_CHECKING:
    from zipfile import ZipFile

MAGIC = b"\x93NUMPY"
SUFFIX = ".npy"
LENGTHS = {1: struct.Struct("<H"), 2: struct.Struct("<I"), 3: struct.Struct("<I")}
"""How a header's length is written, by the format's version."""
MOST_HEADER = 2**16
MOST_ARRAYS = 100_000
PLAIN = re.compile(r"[<>|=]?[biufcSUVmM]\d{1,9}(\[\w{1,20}\])?")
"""The types, as numpy writes them, in which there are no objects."""
BROKEN = "the header of the NumPy array is damaged: fetch the file again, or save it again"
DOUBLED = "the zip lists a member twice: readers would see different files"
BROKEN_ZIP = "the zip of NumPy arrays is damaged or cut short: fetch it again"


def pickle_start(file: BinaryIO) -> int | None:
    """Where the pickle begins in an array of objects; None for an array of plain values.

    Raises Malformed.
    """
    file.seek(0)
    head = file.read(len(MAGIC) + 2)
    length = LENGTHS.get(head[len(MAGIC)] if len(head) == len(MAGIC) + 2 else 0)
    if not length or head[-1]:
        raise Malformed(BROKEN, "numpy")
    counted = file.read(length.size)
    if len(counted) < length.size:
        raise Malformed(BROKEN, "numpy")
    (size,) = length.unpack(counted)
    start = len(head) + length.size + size
    if size > MOST_HEADER:  # it need not be read: what stands behind it is followed
        return start
    text = file.read(size)
    if len(text) < size:
        raise Malformed(BROKEN, "numpy")
    is_plain = _is_plain(_type_in(text.decode("utf-8" if head[-2] == 3 else "latin-1", "replace")))
    return None if is_plain else start


def _type_in(header: str) -> object:
    """What a header says of the array's type. Raises Malformed."""
    header = re.sub(r"(?<=\d)L", "", header)  # Python 2 wrote numbers so
    try:
        told = ast.literal_eval(header)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise Malformed(BROKEN, "numpy") from error
    if not isinstance(told, dict) or told.keys() != {"descr", "fortran_order", "shape"}:
        raise Malformed(BROKEN, "numpy")
    return told["descr"]


def _is_plain(kind: object) -> bool:
    """Whether a type is known to hold no objects, in none of its fields."""
    if isinstance(kind, str):
        return bool(PLAIN.fullmatch(kind))
    if isinstance(kind, tuple):  # many of one type in each element
        return len(kind) == 2 and _is_plain(kind[0]) and _is_shape(kind[1])
    if not isinstance(kind, list):
        return False
    return all(
        isinstance(field, tuple)
        and 2 <= len(field) <= 3
        and _is_plain(field[1])
        and all(map(_is_shape, field[2:]))
        for field in kind
    )


def _is_shape(value: object) -> bool:
    """Whether it says how many there are; another type there would be the one that counts."""
    sizes = value if isinstance(value, tuple) else (value,)
    return all(type(size) is int for size in sizes)


def _opened(file: BinaryIO) -> "ZipFile":
    from zipfile import ZipFile  # takes long, and few files come this far

    return ZipFile(file)


def _damaged() -> tuple[type[Exception], ...]:
    """What Python's reader of zips raises for a damaged one."""
    from zipfile import BadZipFile

    found = (BadZipFile, NotImplementedError, RuntimeError, LookupError, ValueError, struct.error)
    return *found, *damaged()


def of_objects(file: BinaryIO, names: list[str]) -> list[str]:
    """Those members of a zip that are arrays of objects. Raises Malformed, LimitReached."""
    if len(names) > MOST_ARRAYS:
        problem = LimitReached(f"the zip holds {len(names):,} members, too many to look for arrays")
        problem.format = "numpy"
        raise problem
    if len(set(names)) < len(names):
        raise Malformed(DOUBLED, "numpy")
    found = []
    try:
        with _opened(file) as archive:
            for name in names:
                with archive.open(name) as member:
                    is_array = member.read(len(MAGIC)) == MAGIC
                    if is_array and pickle_start(cast(BinaryIO, member)) is not None:
                        found.append(name)
    except _damaged() as error:
        raise Malformed(BROKEN_ZIP, "numpy") from error
    return found


def follow_objects(file: BinaryIO, names: list[str], limits: Limits) -> Program:
    """The pickle in an array of objects; of members of a zip, theirs, whose roots are in a list.

    Raises Malformed, LimitReached.
    """
    program = Program(b"", 0)
    if not names:
        _follow(file, limits, program)
        return program
    roots, steps, left = [], 0, limits
    try:
        with _opened(file) as archive:
            for name in names:
                with archive.open(name) as member:
                    taken = _follow(cast(BinaryIO, member), left, program)
                left = replace(left, pickle_bytes=max(0, left.pickle_bytes - taken))
                roots.append(program.root)
                steps += program.opcodes
                limits.check("opcodes", steps, "the number of the pickles' steps")
    except _damaged() as error:
        raise Malformed(BROKEN_ZIP, "numpy") from error
    program.root, program.opcodes = roots, steps
    return program


def _follow(file: BinaryIO, limits: Limits, into: Program) -> int:
    """Follow one; how many bytes were read for it."""
    start = pickle_start(file) or 0
    file.seek(start)
    data = file.read(limits.pickle_bytes + 1)
    program = follow_pickle(data, 0, limits, into=into)
    if program.short and len(data) > limits.pickle_bytes:
        limits.check("pickle_bytes", start + len(data), "the length of the pickle, in bytes,")
    return len(data)
