"""Arrays as joblib writes them: their bytes stand behind the opcode that describes them.

From joblib/numpy_pickle.py, `NumpyArrayWrapper.write_array`.
"""

import re
from math import prod

from missing_aa.pickles.program import Dict, Object, class_of

WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"
CODE = re.compile(r"([biufcSUVmM])(\d{1,9})")
"""The kind of an array's elements and their size: in bytes, but of U in letters of four."""
OBJECTS = "O"
FIELDS = ["subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"]
"""Its attributes; any other could stand for a method."""
FLAGS = {OBJECTS: 63, "U": 8}
"""What numpy writes as a type's flags, by its kind, where it is not 0: are there pointers in it?"""
UNLIKE = "an array is not of numbers or texts alone, or is not described the way joblib does it"
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
    if not all(type(key) is str and key in FIELDS for key, _ in state.pairs):
        raise ValueError(UNLIKE)
    return dict(state.pairs)


def code(array: dict) -> str:
    """The array's type in numpy's letters, such as f4; "" where it is not told."""
    dtype = array.get("dtype")
    if not isinstance(dtype, Object) or str(dtype.made_by) != "numpy.dtype":
        return ""
    if not is_plain_dtype(dtype):
        return ""
    given = dtype.args[0] if isinstance(dtype.args, tuple) and dtype.args else None
    return given if isinstance(given, str) else ""


def is_plain_dtype(dtype: Object) -> bool:
    """Whether a dtype's state says no more than its byte order: no fields, no other size."""
    given = dtype.args[0] if isinstance(dtype.args, tuple) and dtype.args else None
    if not isinstance(given, str):
        return not dtype.states
    found = CODE.fullmatch(given)
    size = int(found[2]) * (4 if found[1] == "U" else 1) if found else -1
    for state in dtype.states:
        if not isinstance(state, tuple) or len(state) < 8 or state[2:5] != (None, None, None):
            return False
        if state[5] not in (-1, size) or state[7] != FLAGS.get(given[:1], 0):
            return False
    return True


def nbytes(array: dict) -> int | None:
    """How many bytes it takes; None where that cannot be known."""
    found, shape = CODE.fullmatch(code(array)), array.get("shape")
    if not found or not isinstance(shape, tuple):
        return None
    if not all(type(length) is int and length >= 0 for length in shape):
        return None
    return prod(shape) * int(found[2]) * (4 if found[1] == "U" else 1)
