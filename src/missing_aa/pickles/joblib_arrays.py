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
MOST_FIELDS = 20
UNLIKE = "an array is not described the way joblib does it"


def described(target: object) -> dict | None:
    """What describes an array, by name, where it is one that joblib wrote; None otherwise."""
    kind = class_of(target)
    if not isinstance(target, Object) or kind is None or kind.dotted != WRAPPER:
        return None
    if len(target.states) > 1:  # changed once it was made, which is refused where it is read
        return None
    state = target.states[-1] if target.states else None
    if kind is not target.made_by or not isinstance(state, Dict) or len(state.pairs) > MOST_FIELDS:
        raise ValueError(UNLIKE)
    return {key: value for key, value in state.pairs if isinstance(key, str)}


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
    found = CODE.fullmatch(given) if isinstance(given, str) else None
    size = int(found[2]) * (4 if found[1] == "U" else 1) if found else -1
    for state in dtype.states:
        if not isinstance(state, tuple) or len(state) < 7 or state[2:5] != (None, None, None):
            return False
        if state[5] not in (-1, size):
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
