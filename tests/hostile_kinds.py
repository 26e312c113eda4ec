"""Small files that look like another kind, or are one, and run code when they are loaded.

Made by hand, as those of `hostile_files`, and as harmless.
"""

import io
import lzma
import random
import struct
import tarfile
import zipfile

from hostile_files import SYSTEM, in_zip, pickled

DONE = SYSTEM + b"0N."
ODD = {
    "blank": b"F 1.0\n0",
    "strokes": b"F1_0\n0",
    "far place": b"Np9223372036854775809\n0",
    "digits": b"L" + b"9" * 4301 + b"L\n0",
}
"""What Python's own reader goes on with, or did so for long, and C's does not."""

IN_MEMORY = {
    "a text": b"X\1\0\0\0a0",
    "a short text": b"\x8c\1a0",
    "a long text": b"\x8d\1\0\0\0\0\0\0\0a0",
    "a place": b"Nr\0\0\0\0j\0\0\0\x0000",
}
"""Steps that are done in a way of their own where all of a file lies in memory."""

GGUF = b"GGUF" + bytes(5)
"""For a reader of pickles, a number."""


def in_short_texts(steps: bytes) -> bytes:
    """A sound safetensors file; as a pickle, its header lies in short texts before the steps."""
    head, tail = (
        '{"__metadata__":{"p":"',
        '"},"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}',
    )
    end, hop = tail % (len(steps), len(steps)), 126
    for first in range(len(head) + 6, 127):  # the first text reaches into what can be anything
        length = ord("U") + 256 * first
        padding = b"A" * (length - len(head) - len(end))
        data = bytearray(struct.pack("<Q", length) + head.encode() + padding + end.encode())
        at, last = 2 + first, len(data) - len(end) - 2
        while at + 2 + hop <= last:
            data[at : at + 2] = b"U" + bytes([hop])
            at += 2 + hop
        left = len(data) - at - 2
        if at <= last and chr(left).isalnum() and left < 127:
            data[at : at + 2] = b"U" + bytes([left])
            return bytes(data) + steps
    raise AssertionError("no such file")


def npy(begins: str, steps: bytes, version: int = 1, length: int = 117) -> bytes:
    header = begins.encode().ljust(length) + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + steps


def header(kind: str) -> str:
    return f"{{'descr': {kind}, 'fortran_order': False, 'shape': (1,), }}"


def npz(packed: int, remark: bytes = b"", **members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packed) as archive:
        archive.comment = remark
        for member, data in members.items():
            archive.writestr(member.replace("_npy", ".npy").replace("__", "_"), data)
    return stream.getvalue()


def late(data: bytes) -> bytes:
    """The same zip; what its last member was packed into begins with blocks of nothing."""
    last, directory = data.rfind(b"PK\3\4"), data.find(b"PK\1\2")
    nothing = b"\0\0\0\xff\xff" * 1000
    name = int.from_bytes(data[last + 26 : last + 28], "little")
    begin, entry, end = last + 30 + name, data.rfind(b"PK\1\2"), data.rfind(b"PK\5\6")
    longer = bytearray(data[:begin] + nothing + data[begin:])
    for at, start in ((last, 18), (entry + len(nothing), 20)):
        size = struct.unpack_from("<I", longer, at + start)[0]
        struct.pack_into("<I", longer, at + start, size + len(nothing))
    struct.pack_into("<I", longer, end + len(nothing) + 16, directory + len(nothing))
    return bytes(longer)


PLAIN = npy(header("'<f4'"), bytes(4))
OBJECTS = npy(header("'|O'"), pickled(SYSTEM))
FIELDS = "[('a', '<f4'), ('b', [('c', '<i8', (2,)), ('d', '|O')])]"


def packed_like_safetensors() -> bytes:
    """What lzma packed; the length of what it packed stands where a header would begin."""
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 65536}]
    packed = lzma.compress(
        DONE + random.Random(0).randbytes(3 * 2**19), format=lzma.FORMAT_ALONE, filters=filters
    )
    return packed[:5] + struct.pack("<Q", 0x7B000000) + packed[13:]


def tar_and_pickle() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("x" * 90))
    data = bytearray(stream.getvalue())
    data[:100] = (b"\x80\x02" + DONE).ljust(100, b"\0")
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    return bytes(data)


KINDS: dict[str, tuple[str, bytes]] = {
    f"{how}{end}": ("joblib", GGUF + steps + DONE)
    for how, steps in ODD.items()
    for end in (".gguf", ".joblib", ".pt")
    if how != "digits"
}
"""Name of the file -> what loads it, and its bytes."""
KINDS |= {f"{how}.gguf": ("joblib", GGUF + steps + DONE) for how, steps in IN_MEMORY.items()}
KINDS |= {
    "short texts.safetensors": ("joblib", in_short_texts(DONE)),
    "short texts and an odd number.joblib": ("joblib", in_short_texts(ODD["blank"] + DONE)),
    "tar.dat": ("pickle", tar_and_pickle()),
    "tar.pkl": ("pickle", tar_and_pickle()),
    "objects.npy": ("numpy", OBJECTS),
    "objects.pt": ("numpy", OBJECTS),
    "objects.pkl": ("numpy", OBJECTS),
    "objects.dat": ("numpy", OBJECTS),
    "a text for a type.npy": ("numpy", npy(header("'object'"), pickled(SYSTEM))),
    "fields.npy": ("numpy", npy(header(FIELDS), pickled(SYSTEM), 2)),
    "many in one.npy": ("numpy", npy(header("('|O', (2,))"), pickled(SYSTEM), 3)),
    "a long header.npy": ("numpy", npy(header("'|O'"), pickled(SYSTEM), 2, 80_000)),
    "without a mark.npy": ("numpy", DONE),
    "one of two.npz": ("npz", npz(zipfile.ZIP_STORED, a_npy=PLAIN, b_npy=OBJECTS)),
    "packed.npz": ("npz", npz(zipfile.ZIP_DEFLATED, a_npy=OBJECTS)),
    "another name.npz": ("npz", npz(zipfile.ZIP_STORED, a_npy=PLAIN, b=OBJECTS)),
    "named as a checkpoint.pt": ("npz", npz(zipfile.ZIP_STORED, a_npy=OBJECTS)),
    "beside a checkpoint.npz": ("npz", in_zip(b"}", **{"x.npy": OBJECTS})),
    "beside a program.npz": ("npz", npz(zipfile.ZIP_STORED, archive__format=b"1", a_npy=OBJECTS)),
    "with a remark.npz": ("npz", npz(zipfile.ZIP_STORED, b"remark", a_npy=OBJECTS)),
    "first bytes.pt": ("npz", in_zip(b"}", **{"data/1": OBJECTS})),
    "in an exported program.pt2": ("npz", npz(zipfile.ZIP_STORED, archive__format=b"1", a=OBJECTS)),
    "packed in one.pt2": ("npz", npz(zipfile.ZIP_DEFLATED, archive__format=b"1", a=OBJECTS)),
    "late in one.pt2": ("npz", late(npz(zipfile.ZIP_DEFLATED, archive__format=b"1", a=OBJECTS))),
    "lzma.joblib": ("joblib", packed_like_safetensors()),
}
