"""Arrays as joblib writes them: their bytes stand behind the opcode that describes them.

From joblib/numpy_pickle.py, `NumpyArrayWrapper.write_array`.
"""

import re
from math import prod

from missing_aa.pickles.program import Dict, Global, Object

WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"
CODE = re.compile(r"([biufcSUVmM])(\d{1,9})")
"""The kind of an array's elements and their size: in bytes, but of U in letters of four."""
OBJECTS = "O"


def described(target: object) -> dict | None:
    """What describes an array, by name, where it is one that joblib wrote; None otherwise."""
    if not isinstance(target, Object) or not isinstance(target.made_by, Global):
        return None
    state = target.states[-1] if target.states else None
    if target.made_by.dotted != WRAPPER or not isinstance(state, Dict):
        return None
    return {key: value for key, value in state.pairs if isinstance(key, str)}


def code(array: dict) -> str:
    """The array's type in numpy's letters, such as f4; "" where it is not told."""
    dtype = array.get("dtype")
    if not isinstance(dtype, Object) or str(dtype.made_by) != "numpy.dtype":
        return ""
    given = dtype.args[0] if isinstance(dtype.args, tuple) and dtype.args else None
    return given if isinstance(given, str) else ""


def nbytes(array: dict) -> int | None:
    """How many bytes it takes; None where that cannot be known."""
    found, shape = CODE.fullmatch(code(array)), array.get("shape")
    if not found or not isinstance(shape, tuple):
        return None
    if not all(type(length) is int and length >= 0 for length in shape):
        return None
    return prod(shape) * int(found[2]) * (4 if found[1] == "U" else 1)
