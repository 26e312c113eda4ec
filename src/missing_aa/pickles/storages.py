"""Storages as a pickle describes them: their types and sizes, without the data."""

from collections.abc import Iterable

from missing_aa.errors import Malformed, Refused
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


NO_STORAGE = "it asks for something outside the pickle that is no storage"
TWICE = (
    "it describes the storage {} in two ways, of which torch would take the first for both: do not "
    "load it, ask for the original"
)


def described(ids: Iterable, with_views: bool) -> dict[str, Storage]:
    """The storages that the ids of a torch file describe, by key.

    `with_views`: as before torch 1.6, where an id can name a part of a storage. torch keeps what it
    meets first of each key, so raises Refused where two differ, Malformed for what is no storage.
    """
    found: dict[str, Storage] = {}
    parts: dict[str, tuple] = {}
    for id in ids:
        if with_views and isinstance(id, tuple) and id[:1] == ("module",):
            continue  # a class
        storage = storage_of(Persistent(id))
        if storage is None or len(id) != 5 + with_views:
            raise Malformed(NO_STORAGE)
        first = found.setdefault(storage.key, storage)
        if first != storage and (first.nbytes or storage.nbytes):
            raise Refused(TWICE.format(ascii(storage.key)))
        if with_views and id[5] is not None:
            key, part = _part(storage, id[5])
            if parts.setdefault(key, part) != part:
                raise Refused(TWICE.format(ascii(key)))
    for key in found.keys() & parts.keys():
        raise Refused(TWICE.format(ascii(key)))
    return found


def _part(storage: Storage, view: object) -> tuple[str, tuple]:
    """The key of a part of a storage, and what it is a part of."""
    key, *numbers = view if isinstance(view, tuple) and len(view) == 3 else (None,)
    if type(key) is not str or not all(map(_is_count, numbers)):
        raise Malformed(NO_STORAGE)
    return key, (storage.key, storage.dtype, *numbers)


def _is_count(value) -> bool:
    return type(value) is int and 0 <= value < 2**63
