"""Arrays as joblib writes them: their bytes stand behind the opcode that describes them.

From joblib/numpy_pickle.py, `NumpyArrayWrapper.write_array`.
"""

import re
from math import prod
from typing import TypeGuard

from missing_aa.pickles.program import Dict, Global, Object, class_of

WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"
CODE = re.compile(r"([biufcSUVmM])(\d{1,9})")
"""The kind of an array's elements and their size: in bytes, but of U in letters of four."""
OBJECTS = "O"
POINTER_CODES = ("O8", "O4")
"""A type of objects, as numpy writes it on systems of 64 and of 32 bits."""
TELL_SIZE = "SUV"
"""Kinds of any size, which a type's state tells once more; of the others it says -1."""
DTYPE = "numpy.dtype"
ARRAY = "numpy.ndarray"
MAKERS = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
RECORD = re.compile(r"V\d{1,9}")
HAS_OBJECT, POINTERS = 1, 7
"""Of a type's flags: that an object is in it; that anything in it is a pointer."""
MOST_FIELDS = 200
"""A record with more is not measured."""
MOST_NESTED = 20
"""Records lie no deeper in records."""
MOST_AXES, TOO_LONG = 64, 2**63
FIELDS = ["subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"]
"""Its attributes; any other could stand for a method."""
FLAGS = {OBJECTS: 63, "U": 8}
"""What numpy writes as a type's flags, by its kind, where it is not 0: are there pointers in it?"""
UNLIKE = (
    "an array is not of numbers, texts or records of them, or is not described the way joblib does "
    "it"
)
CHANGED = "an array in it is changed after it was made; joblib does not do that"


def described(target: object) -> dict | None:
    """What describes an array, by name, where it is one that joblib wrote; None otherwise."""
    kind = class_of(target)
    if not isinstance(target, Object) or kind is None or kind.dotted != WRAPPER:
        return None
    state = target.states[-1] if target.states else None
    if len(target.states) > 1:
        raise ValueError(CHANGED)
    if kind is not target.made_by or not isinstance(state, Dict):
        raise ValueError(UNLIKE)
    if len(state.pairs) > len(FIELDS):
        raise ValueError(UNLIKE)
    if not all(type(key) is str and key in FIELDS for key, _ in state.pairs):
        raise ValueError(UNLIKE)
    return dict(state.pairs)


def is_of_several(node: object) -> bool:
    """Whether it is a pickled array of more than one element, which is equal to no number."""
    size = _elements(node)
    return size is not None and size > 1


def is_of_one(node: object) -> bool:
    """Whether it may be an array that is equal to a number."""
    maker = node.made_by if isinstance(node, Object) else None
    return isinstance(maker, Global) and maker.dotted in MAKERS and not is_of_several(node)


def _elements(node: object) -> int | None:
    match node:
        case Object(
            made_by=Global(dotted=maker),
            args=(Global(dotted=kind), *_),
            states=[(int(), tuple(shape), *_)],
        ):
            if maker in MAKERS and kind == ARRAY and _are_lengths(shape):
                return prod(shape)
    return None


def code(array: dict) -> str:
    """The array's type in numpy's letters, such as f4; "" where it is not told."""
    dtype = array.get("dtype")
    if not isinstance(dtype, Object) or str(dtype.made_by) != DTYPE:
        return ""
    if not is_plain_dtype(dtype):
        return ""
    given = dtype.args[0] if isinstance(dtype.args, tuple) and dtype.args else None
    return given if isinstance(given, str) else ""


def holds_objects(array: dict) -> bool:
    """Whether its elements are objects, or records with an object: joblib pickles it then."""
    dtype = array.get("dtype")
    if code(array).startswith(OBJECTS):
        return True
    if not isinstance(dtype, Object) or str(dtype.made_by) != DTYPE or len(dtype.states) != 1:
        return False
    match dtype.args, dtype.states[0]:
        case ((str(given), *_), (3 | 4, _, None, tuple(), Dict(), _, _, int(flags), *_)):
            return bool(RECORD.fullmatch(given)) and bool(flags & HAS_OBJECT)
    return False


def is_plain_dtype(
    dtype: Object, known: dict[int, int | None] | None = None, depth: int = 0
) -> bool:
    """Whether a dtype's state says no more than its byte order, or tells a record's plain fields.

    It gets one: a second would change the arrays that were made with it.
    `known` are the sizes of the dtypes among its fields, by their ids.
    """
    given = dtype.args[0] if isinstance(dtype.args, tuple) and dtype.args else None
    if not isinstance(given, str):
        return not dtype.states
    known = {} if known is None else known
    if len(dtype.states) > 1:
        return False
    for state in dtype.states:
        if not isinstance(state, tuple) or len(state) < 8:
            return False
        if state[2:5] != (None, None, None):
            if not _is_record(given, state, known, depth):
                return False
        elif not _is_simple(given, state[5], state[7]):
            return False
    return True


def _is_simple(given: str, size: object, flags: object) -> bool:
    """Whether a state has the size and the flags of the type that its letters name."""
    found = CODE.fullmatch(given)
    if not found and given not in POINTER_CODES:
        return False
    sizes = (_bytes(given),) if found and found[1] in TELL_SIZE else (-1, _bytes(given))
    expected = FLAGS.get(given[0], 0)
    return type(size) is int and size in sizes and type(flags) is int and flags == expected


def _bytes(given: str) -> int:
    found = CODE.fullmatch(given)
    return int(found[2]) * (4 if found[1] == "U" else 1) if found else -1


def _is_record(given: str, state: tuple, known: dict[int, int | None], depth: int) -> bool:
    """Whether the state is that of a record or of rows of one type, none of them an object."""
    version, order, rows, names, fields, itemsize, _, flags = state[:8]
    size = _bytes(given)
    if not RECORD.fullmatch(given) or (version, order, itemsize) != (3, "|", size):
        return False
    if type(flags) is not int or flags & POINTERS:
        return False
    if rows is not None:
        base, shape = rows if isinstance(rows, tuple) and len(rows) == 2 else (None, None)
        if (names, fields) != (None, None) or not _are_lengths(shape):
            return False
        one = _size(base, known, depth)
        return one is not None and one * prod(shape) == size
    if not isinstance(names, tuple) or not isinstance(fields, Dict):
        return False
    if len(names) > MOST_FIELDS or len(fields.pairs) > MOST_FIELDS:
        return False
    keys = [key for key, _ in fields.pairs]
    if not all(type(name) is str for name in (*keys, *names)) or keys != list(names):
        return False
    return all(_is_within(field, size, known, depth) for _, field in fields.pairs)


def _is_within(field: object, size: int, known: dict[int, int | None], depth: int) -> bool:
    dtype, offset = field if isinstance(field, tuple) and len(field) == 2 else (None, None)
    one = _size(dtype, known, depth)
    return one is not None and type(offset) is int and 0 <= offset <= size - one


def _size(dtype: object, known: dict[int, int | None], depth: int) -> int | None:
    """Bytes of a field; None where it is not plain."""
    if id(dtype) not in known:
        known[id(dtype)] = None  # one that lies in itself
        may_be = len(known) <= MOST_FIELDS and depth < MOST_NESTED
        if may_be and isinstance(dtype, Object) and str(dtype.made_by) == DTYPE:
            given = dtype.args[0] if isinstance(dtype.args, tuple) and dtype.args else None
            is_code = isinstance(given, str) and CODE.fullmatch(given)
            if isinstance(given, str) and is_code and is_plain_dtype(dtype, known, depth + 1):
                known[id(dtype)] = _bytes(given)
    return known[id(dtype)]


def _are_lengths(shape: object) -> TypeGuard[tuple[int, ...]]:
    """Whether numpy may have such an array: larger numbers would take long to multiply."""
    if not isinstance(shape, tuple) or len(shape) > MOST_AXES:
        return False
    return all(type(n) is int and 0 <= n < TOO_LONG for n in shape)


def nbytes(array: dict) -> int | None:
    """How many bytes it takes; None where that cannot be known."""
    found, shape = CODE.fullmatch(code(array)), array.get("shape")
    if not found or not _are_lengths(shape):
        return None
    return prod(shape) * _bytes(found[0])
