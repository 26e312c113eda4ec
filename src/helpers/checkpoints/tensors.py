"""Storages and tensors as a pickle describes them: types, shapes and bytes, without the data."""

from dataclasses import dataclass
from math import prod

from helpers.checkpoints.nodes import Global, Object, Persistent

STORAGES = {
    "Double": "float64",
    "Float": "float32",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "Long": "int64",
    "Int": "int32",
    "Short": "int16",
    "Char": "int8",
    "Byte": "uint8",
    "Bool": "bool",
    "ComplexDouble": "complex128",
    "ComplexFloat": "complex64",
    "QInt8": "qint8",
    "QUInt8": "quint8",
    "QInt32": "qint32",
    "QUInt4x2": "quint4x2",
    "QUInt2x4": "quint2x4",
    "Untyped": "uint8",
}
"""`torch.FloatStorage` and the like -> the dtype of their elements."""

ITEMSIZES = {
    "complex128": 16,
    "complex64": 8,
    "complex32": 4,
    **dict.fromkeys(["float64", "int64", "uint64"], 8),
    **dict.fromkeys(["float32", "int32", "uint32", "qint32"], 4),
    **dict.fromkeys(["float16", "bfloat16", "int16", "uint16"], 2),
}
"""Bytes of an element where they are not one."""

WRAPPERS = ("_rebuild_parameter", "_rebuild_parameter_with_state")
PLAIN = ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3")


def itemsize(dtype: str) -> int:
    return ITEMSIZES.get(dtype, 1)


@dataclass(frozen=True)
class Storage:
    """A stretch of memory that tensors share: `key` names it in the file, `nbytes` is its claim."""

    key: str
    dtype: str
    location: str
    nbytes: int


@dataclass(frozen=True)
class Tensor:
    """A tensor's shape and dtype; `parameter` says whether it is wrapped as one.

    `nbytes` is elements × itemsize, whatever the strides: what the tensor takes written out.
    """

    storage: Storage
    dtype: str
    shape: tuple[int, ...]
    parameter: bool

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.elements * itemsize(self.dtype)


def storage_of(node) -> Storage | None:
    """The storage that a persistent id names, in a zip or a legacy file."""
    if not isinstance(node, Persistent) or not isinstance(node.id, tuple) or len(node.id) < 5:
        return None
    mark, kind, key, location, count = node.id[:5]
    if mark != "storage" or not isinstance(kind, Global) or not _is_count(count):
        return None
    dtype = STORAGES.get(kind.name.removesuffix("Storage"), "uint8")
    return Storage(str(key), dtype, str(location), count * itemsize(dtype))


def tensor_of(node) -> Tensor | None:
    """The plain tensor or parameter that a node stands for; None for anything else."""
    parameter = False
    while isinstance(node, Object) and _rebuilds(node, WRAPPERS):
        parameter, node = True, node.args[0]
    if not isinstance(node, Object) or not _rebuilds(node, PLAIN) or len(node.args) < 4:
        return None
    storage, shape = storage_of(node.args[0]), node.args[2]
    if isinstance(shape, Object) and isinstance(shape.args, tuple) and shape.args:
        shape = shape.args[0]  # torch.Size
    if storage is None or not isinstance(shape, tuple) or not all(map(_is_count, shape)):
        return None
    given = node.args[6] if node.made_by.name.endswith("_v3") and len(node.args) > 6 else None
    dtype = given.name if isinstance(given, Global) else storage.dtype
    return Tensor(storage, dtype, shape, parameter)


def _rebuilds(node: Object, functions: tuple[str, ...]) -> bool:
    maker = node.made_by
    return (
        isinstance(maker, Global)
        and maker.module == "torch._utils"
        and maker.name in functions
        and isinstance(node.args, tuple)
        and len(node.args) > 0
    )


def _is_count(value) -> bool:
    return type(value) is int and 0 <= value < 2**63
