"""The header of a safetensors file: checked before anything of it is believed."""

import json
from math import prod
from typing import BinaryIO

from missing_aa.errors import LimitReached, Malformed, Refused
from missing_aa.pickles.joblib_arrays import MOST_AXES
from missing_aa.pickles.storages import itemsize

MOST_BYTES = 100_000_000
LONG_NAMES = "its names are longer than a safetensors header may be, 100 MB"
MOST_PARTS = 5_000_000
"""Lists and dictionaries in it: empty ones take twenty times the memory of their text."""
DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
    "C64": "complex64",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E8M0": "float8_e8m0fnu",
}
BROKEN = "the safetensors header is damaged: fetch the file again, or save it again"
CUT = "the safetensors file is shorter than its header says: fetch it again"


def read_header(file: BinaryIO, size: int) -> tuple[dict[str, str], dict[str, dict]]:
    """The metadata, and name -> {dtype, shape, data_offsets} with offsets into the whole file.

    Raises Malformed, LimitReached for a header over 100 MB, Refused for a name that stands twice.
    """
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if length > MOST_BYTES:
        raise LimitReached(f"the safetensors header is {length:,} bytes long; no reader takes it")
    if 8 + length > size:
        raise Malformed(CUT, "truncated")
    text = file.read(length)
    if text.count(b"[") + text.count(b"{") > MOST_PARTS:
        raise LimitReached(f"the safetensors header has more than {MOST_PARTS:,} parts")
    try:
        header = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Malformed(BROKEN, "safetensors") from error
    if not isinstance(header, dict):
        raise Malformed(BROKEN, "safetensors")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(type(v) is str for v in metadata.values()):
        raise Malformed(BROKEN, "safetensors")
    tensors = {name: _checked(entry, 8 + length, size) for name, entry in header.items()}
    _check_cover(tensors, 8 + length, size)
    return metadata, tensors


def _once(pairs: list[tuple]) -> dict:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Refused("the safetensors header holds a name twice; ask for the original")
    return made


def _checked(entry, start: int, size: int) -> dict:
    try:
        dtype, shape = DTYPES.get(entry["dtype"]), entry["shape"]
        begin, end = entry["data_offsets"]
        counts = [begin, end, *shape]
    except (TypeError, KeyError, ValueError) as error:
        raise Malformed(BROKEN, "safetensors") from error
    are_counts = all(type(count) is int and 0 <= count < 2**63 for count in counts)
    if not are_counts or len(shape) > MOST_AXES:  # many more would take long to multiply
        raise Malformed(BROKEN, "safetensors")
    if start + end > size:
        raise Malformed(CUT, "truncated")
    elements = prod(shape)
    if prod(filter(None, shape)) >= 2**60:  # readers count with 64 bits, also where one length is 0
        raise Malformed(BROKEN, "safetensors")
    if end < begin or (dtype and elements * itemsize(dtype) != end - begin):
        raise Malformed(BROKEN, "safetensors")
    return {
        "dtype": dtype or str(entry["dtype"]),
        "shape": shape,
        "data_offsets": (start + begin, start + end),
    }


def _check_cover(tensors: dict[str, dict], start: int, size: int) -> None:
    """Tensors lie one behind the other, without gaps, to the end of the file."""
    for begin, end in sorted(entry["data_offsets"] for entry in tensors.values()):
        if begin != start:
            raise Malformed(BROKEN, "safetensors")
        start = end
    if start != size:
        raise Malformed(BROKEN if start < size else CUT, "safetensors")
