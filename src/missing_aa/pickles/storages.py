"""Storages as a pickle describes them: their types and sizes, without the data."""

from missing_aa.pickles.program import Global, Persistent, Storage

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


def itemsize(dtype: str) -> int:
    return ITEMSIZES.get(dtype, 1)


def storage_of(node) -> Storage | None:
    """The storage that a persistent id names, in a zip or a legacy file."""
    if not isinstance(node, Persistent) or not isinstance(node.id, tuple) or len(node.id) < 5:
        return None
    mark, kind, key, location, count = node.id[:5]
    if mark != "storage" or not isinstance(kind, Global) or not _is_count(count):
        return None
    if type(key) is not str or type(location) is not str:
        return None
    dtype = STORAGES.get(kind.name.removesuffix("Storage"), "uint8")
    return Storage(key, dtype, location, count * itemsize(dtype))


def _is_count(value) -> bool:
    return type(value) is int and 0 <= value < 2**63
