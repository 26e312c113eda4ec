"""How torch and numpy write a tensor into a pickle: the calls that make one, understood or refused.

From torch/_utils.py, torch/_tensor.py and numpy/_core/multiarray.py. A call is never made: it gives
a `View`, or `Untaken` for a tensor whose bytes cannot be taken as they are.
"""

import re
from collections.abc import Callable

from missing_aa.contents.standins import Kind, Name
from missing_aa.contents.views import MISSHAPEN, Untaken, View, view
from missing_aa.errors import Malformed
from missing_aa.pickles.storages import ITEMSIZES, STORAGES

STORAGE_HOMES = ("torch", "torch.cuda", "torch.storage")
FLOATS = {"float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz"}
DTYPES = {*ITEMSIZES, *STORAGES.values(), *FLOATS}

MARKED = "a view with a pending conjugation or negation"
COMPUTED_KEY = "__computed__"
OTHER = "other"
CHANGING = {"data", "real", "imag", "detach"}
"""Attributes of a tensor that, when set, change its values, and those of what shares its bytes;
and what `state_dict()` asks it for."""
CHANGES = "attributes are set in it that change a tensor, as in no checkpoint: do not load it"


class Given(Untaken):
    """What a function gave that is not known here: it may be anything that was there before."""


class Keys(frozenset):
    """The keys of a dictionary among a call's arguments, each as `telling` gives it."""


def telling(key: object) -> str:
    """A key that can change a tensor; OTHER for the rest, COMPUTED_KEY for one that is no text."""
    if type(key) is not str:
        return COMPUTED_KEY
    return key if key in CHANGING or key.startswith("__") else OTHER


def _plain(span, offset, shape, strides, *_) -> View | Untaken:
    return view(span, offset, shape, strides)


def _with_metadata(span, offset, shape, strides, grad, hooks, metadata=None) -> View | Untaken:
    return Untaken(MARKED) if metadata else view(span, offset, shape, strides)


def _with_dtype(span, offset, shape, strides, grad, hooks, kind, metadata=None) -> View | Untaken:
    if not isinstance(kind, Kind):
        return Untaken("of a type that is not known here")
    return Untaken(MARKED) if metadata else view(span, offset, shape, strides, kind.dtype)


def _same(tensor, *_) -> View | Untaken:
    return _checked(tensor)


def _parameter_with_state(tensor, grad, hooks, state) -> View | Untaken:
    return _with_attributes(_checked(tensor), state)


def _subclass(function, kind, given, state) -> View | Untaken:
    """A tensor with attributes, or of a class of its own: its data, where they are a tensor's."""
    if not isinstance(function, Name) or function.dotted not in MAKERS:
        name = function.dotted if isinstance(function, Name) else "something else"
        return _with_attributes(FRESH.get(name) or Given(f"made through {name}"), state)
    if type(given) is not tuple:
        raise Malformed(MISSHAPEN)
    return _with_attributes(MAKERS[function.dotted](*given), state)


def _with_attributes(tensor: View | Untaken, state) -> View | Untaken:
    if isinstance(tensor, Given) and (any(state) if type(state) is tuple else state):
        raise Malformed(CHANGES)
    if type(state) is tuple and len(state) > 2:  # torch takes a pair
        raise Malformed(MISSHAPEN)
    for part in state if type(state) is tuple else (state,):
        if isinstance(part, Keys) and (CHANGING & part or any(k.startswith("__") for k in part)):
            raise Malformed(CHANGES)
    return tensor


def _checked(tensor) -> View | Untaken:
    if not isinstance(tensor, View | Untaken):
        raise Malformed(MISSHAPEN)
    return tensor


MAKERS: dict[str, Callable[..., View | Untaken]] = {
    "torch._utils._rebuild_tensor": _plain,
    "torch._utils._rebuild_tensor_v2": _with_metadata,
    "torch._utils._rebuild_tensor_v3": _with_dtype,
    "torch._utils._rebuild_parameter": _same,
    "torch._utils._rebuild_parameter_with_state": _parameter_with_state,
    "torch._tensor._rebuild_from_type_v2": _subclass,
    "torch.tensor._rebuild_from_type_v2": _subclass,
    "torch._tensor._rebuild_from_type": _subclass,
    "torch.tensor._rebuild_from_type": _subclass,
}
"""What is called to make a tensor whose bytes can be taken."""

REFUSED = {
    "torch._utils._rebuild_sparse_tensor": Untaken("a sparse tensor"),
    "torch._utils._rebuild_sparse_csr_tensor": Untaken("a sparse tensor"),
    "torch._utils._rebuild_qtensor": Untaken("a quantised tensor"),
    "torch._utils._rebuild_nested_tensor": Untaken("a nested tensor"),
    "torch._utils._rebuild_meta_tensor_no_storage": Untaken("a meta tensor, which has no data"),
    "torch._utils._rebuild_wrapper_subclass": Untaken("a wrapper subclass, which has no data"),
    "torch._utils._rebuild_device_tensor_from_numpy": Untaken("a device's tensor kept by numpy"),
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": Untaken("a device's own tensor"),
    "torch.nn.parameter.UninitializedParameter": Untaken("not yet initialised"),
    "torch.nn.parameter.UninitializedBuffer": Untaken("not yet initialised"),
    "joblib.numpy_pickle.NDArrayWrapper": Untaken("kept in a file of its own by an old joblib"),
    "joblib.numpy_pickle.ZNDArrayWrapper": Untaken("kept in a file of its own by an old joblib"),
}
"""What is called to make a tensor that cannot be taken."""

FROM_CPU = "torch._utils._rebuild_device_tensor_from_cpu_tensor"
FRESH = {name: why for name, why in REFUSED.items() if name != FROM_CPU}
"""Those of them that never give a tensor which was there before."""

MADE_ANEW = re.compile(
    r"torch\._(utils|tensor)\._rebuild\w*|torch(\.cuda|\.sparse)?\.\w*Tensor"
    r"|torch\.nn\.parameter\.(Parameter|Buffer)"
)
NOT_KNOWN = Untaken("made by a call that is not known here")


def refused(dotted: str) -> Untaken | None:
    """What a call that makes a tensor gives where it cannot be taken; None for any other call."""
    return REFUSED.get(dotted) or (NOT_KNOWN if MADE_ANEW.fullmatch(dotted) else None)


def named(dotted: str) -> Name | Kind:
    """A name that stands for itself: a type of elements where it is one of torch's."""
    package, _, last = dotted.rpartition(".")
    storage = last.removesuffix("Storage")
    if storage != last and storage in STORAGES and package in STORAGE_HOMES:
        return Kind(STORAGES[storage])
    if package == "torch" and last in DTYPES:
        return Kind(last)
    return Name(dotted)


# numpy's.

NUMPY_ARRAY = "numpy.ndarray"
RECONSTRUCT = {"numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"}
NUMPY_DTYPES = {
    "f2": "float16",
    "f4": "float32",
    "f8": "float64",
    "i1": "int8",
    "i2": "int16",
    "i4": "int32",
    "i8": "int64",
    "u1": "uint8",
    "u2": "uint16",
    "u4": "uint32",
    "u8": "uint64",
    "b1": "bool",
    "c8": "complex64",
    "c16": "complex128",
}
NOT_PLAIN = Untaken("an array of objects, text or records")
BIG_ENDIAN = Untaken("an array of a big-endian machine")
OWN_CLASS = Untaken("an array of a class of its own")


def numpy_dtype(given: object, state: object) -> str | Untaken:
    """torch's name for the type that `numpy.dtype(*given)` and its state describe."""
    code = given[0] if type(given) is tuple and given else None
    order = state[1] if type(state) is tuple and len(state) > 1 else None
    if type(code) is not str or code not in NUMPY_DTYPES:
        return NOT_PLAIN
    if order == ">":
        return BIG_ENDIAN
    return NUMPY_DTYPES[code] if order in ("<", "|") else NOT_PLAIN
