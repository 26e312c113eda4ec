"""Small files that run code by way of what is on no list, or that readers take in two ways.

Made by hand, as those of `hostile_files`, and as harmless.
"""

import io
import struct
import zipfile

from hostile_files import (
    call,
    many,
    name,
    new,
    new_by,
    number,
    pickled,
    raw,
    row,
    state,
    table,
    text,
)

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


def read_by_classes() -> dict[str, bytes]:
    """What a class of Python's own is made of is iterated: by a method, if an object brings one."""
    read = state(new(name("somewhere", "Folder")), samples=text("PWNED"))
    kind = name("builtins", "list")
    return {
        "a defaultdict": pickled(call(name("collections", "defaultdict"), b"N", read) + b"0N"),
        "a reconstructor": pickled(
            call(name("copyreg", "_reconstructor"), kind, kind, read) + b"0N"
        ),
        "newobj": pickled(call(name("copyreg", "__newobj__"), kind, read) + b"0N"),
        "newobj_ex": pickled(call(name("copyreg", "__newobj_ex__"), kind, row(read), b"}") + b"0N"),
    }


def pairs_out_of_sight() -> dict[str, bytes]:
    """States that turn out to be a pair, of which the second half is set by `setattr`."""
    space = new(name("types", "SimpleNamespace"))
    kind = name("builtins", "tuple")
    pair = many(b"N", table(__class__=name("argparse", "Namespace")))
    dtype = call(name("numpy", "dtype"), text("O"), b"\x89", b"\x88")
    states = {
        "newobj": call(name("copyreg", "__newobj__"), kind, pair),
        "reconstructor": call(name("copyreg", "_reconstructor"), kind, kind, pair),
        "a scalar": call(name("numpy.core.multiarray", "scalar"), dtype, pair),
    }
    return {how: pickled(space + given + b"b") for how, given in states.items()}


def sparse() -> dict[str, bytes]:
    """A sparse tensor, whose indices can be of any place in memory, in a sum."""
    parts = call(name("torch._utils", "_rebuild_sparse_tensor"), b"N", row(b"N"))
    parameter = call(name("torch._utils", "_rebuild_parameter"), parts, b"\x89", b"N")
    total = name("builtins", "sum")
    rebuild = name("torch._tensor", "_rebuild_from_type_v2")
    return {
        "alone": call(total, many(parts)),
        "in a parameter": call(total, many(parameter)),
        "by torch's rebuilding": call(
            rebuild, total, name("torch", "Tensor"), row(many(parts)), b"N"
        ),
    }


def shared_by_many() -> dict[str, bytes]:
    """What many objects share; to look through it for each of them would take minutes."""
    plain, again = name("types", "SimpleNamespace") + b"q\x010", 20_000
    made, wide = b"h\x01", table(**{f"a{at}": b"]" for at in range(20_000)})
    deep = b"(" + b"]" * again + b"tq\x020"
    wrapper = name("joblib.numpy_pickle", "NumpyArrayWrapper") + b"q\x030"
    odd = b"}(" + (text("order") + b"N") * again + b"uq\x020"
    return {
        "arguments": pickled(plain + deep + (made + b"h\x02\x85\x81}b0") * again + b"N"),
        "arguments that are made": pickled(plain + deep + (made + b"h\x02\x81}b0") * again + b"N"),
        "attributes": pickled(
            plain + b"N" + wide + b"\x86q\x020" + (made + b")\x81h\x02b0") * again + b"N"
        ),
        "a description": pickled(wrapper + odd + b"h\x03)\x81h\x02b0" * again + b"N"),
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
    passed_by = b"N0" * (len(swallowed) // 2) + b"N" * (len(swallowed) % 2)
    return framed(array_of("u1", len(swallowed)) + passed_by) + swallowed + hidden + b"0}."


def odd_zip(member: str, packed: int) -> bytes:
    """A zip that torch runs, of another spelling or compressed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packed) as archive:
        archive.writestr(f"archive/{member}", pickled(TOUCH))
        archive.writestr("archive/version", "3\n")
    return stream.getvalue()


MARK = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The rest of the pickle with which torch's old form begins."""
VERSION = b"M\xe9\x03"
FIRST_READ = 128 * 1024
"""A frame of more bytes is taken from a file whole by C's reader, which goes on behind it."""


def framed(inside: bytes) -> bytes:
    return b"\x80\x04\x95" + struct.pack("<Q", len(inside)) + inside


def four(root: bytes) -> bytes:
    """What stands behind the mark: four pickles, the third of which is the checkpoint."""
    return b"".join(map(pickled, (VERSION, b"}", root, b"]")))


def array_of(kind: str, length: int) -> bytes:
    return new(name("joblib.numpy_pickle", "NumpyArrayWrapper")) + _array(kind, length) + b"b"


def _array(kind: str, length: int) -> bytes:
    return table(
        subclass=name("numpy", "ndarray"),
        shape=row(number(length)),
        order=text("C"),
        dtype=call(name("numpy", "dtype"), text(kind), b"\x89", b"\x88"),
        allow_mmap=b"\x89",
    )


def frame_within_an_array() -> bytes:
    """C's reader takes an instruction at the frame's end from behind it; the array hides both."""
    hidden, cut, whole = b"0" + TOUCH + b"0N.", 40, 60
    begun = b"X" + struct.pack("<I", whole) + b"A" * cut
    padding = b"B" + struct.pack("<I", FIRST_READ) + bytes(FIRST_READ) + b"0"
    size = struct.pack("<Q", len(padding + begun))
    swallowed = b"B" + struct.pack("<I", cut - 5 + len(hidden)) + b"A" * (cut - 5)
    inside = b"\x95" + size + padding + begun + b"A" * (whole - cut) + swallowed + hidden + b"0N."
    return b"\x80\x04" + array_of("u1", len(inside)) + inside + b"0N."


def far_behind_an_array() -> bytes:
    """Without arrays a text goes on beyond all that had to be read of the file."""
    return (
        b"\x80\x02"
        + array_of("u1", 5)
        + text("A" * 2**21)[:5]
        + b"0N."
        + (bytes(2**21 - 3) + b"0" + TOUCH + b"0N.")
    )


def frame_behind_the_mark() -> bytes:
    return framed(MARK + four(b"}") + bytes(FIRST_READ)) + four(TOUCH + b"0}")


def frame_behind_objects() -> bytes:
    """The frame is of the pickle in which joblib writes an array of objects."""
    inner = call(
        name("numpy._core.multiarray", "_reconstruct"),
        name("numpy", "ndarray"),
        row(number(0)),
        b"B\1\0\0\0b",
    )
    hidden = TOUCH + b"0"
    swallowed = b"B" + struct.pack("<I", FIRST_READ + len(hidden)) + bytes(FIRST_READ)
    return b"\x80\x02" + array_of("O8", 0) + framed(inner + b"." + swallowed) + hidden + b"0}."


def mark_in_an_array() -> bytes:
    """Read with arrays, the array's bytes hide the mark and all that torch would read."""
    hidden = b"0" + MARK + four(TOUCH + b"0}")
    return b"\x80\x02" + array_of("u1", len(hidden)) + hidden + b"0}."


def mark_in_a_text() -> bytes:
    """The mark stands where it would behind a frame, and is a part of a text."""
    hidden = TOUCH + b"0"
    held = b"B" + struct.pack("<I", 4 + len(MARK)) + b"    " + MARK
    swallowed = b"B" + struct.pack("<I", len(hidden)) + hidden
    return b"\x80\x02" + held + array_of("u1", 5) + swallowed + b"0}." + four(b"}")


def class_by_setattr() -> bytes:
    """A plain object becomes joblib's description of an array, whose bytes are then passed by."""
    hidden = TOUCH + b"0"
    swallowed = b"N0B" + struct.pack("<I", len(hidden))
    wrapper = table(__class__=name("joblib.numpy_pickle", "NumpyArrayWrapper"))
    body = new(name("argparse", "Namespace")) + row(_array("u1", len(swallowed)), wrapper) + b"b"
    return pickled(body + swallowed + hidden + b"0}")


def set_by_setattr() -> dict[str, bytes]:
    """What a state that is a pair sets by `setattr`, and not in a `__dict__`."""
    layer = new(name("torch.nn.modules.linear", "Linear"))
    method = call(name("builtins", "getattr"), layer, text("forward"))
    parts = many(row(text("a"), number(1)))
    items = call(name("functools", "partial"), name("builtins", "iter"), parts)
    return {
        "an attribute that was fetched": pickled(layer + row(b"N", table(x=method)) + b"b"),
        "items that are asked for": pickled(
            layer + row(b"N", state(new(name("types", "SimpleNamespace")), items=items)) + b"b"
        ),
    }


def hidden_arrays() -> dict[str, bytes]:
    """joblib takes an object for the description of an array; the file does not show its class."""
    hidden = TOUCH + b"0"
    swallowed = b"N0B" + struct.pack("<I", len(hidden))
    wrapper = name("joblib.numpy_pickle", "NumpyArrayWrapper")
    described, plain = _array("u1", len(swallowed)), new(name("argparse", "Namespace"))
    pair = call(name("builtins", "tuple"), many(described, table(__class__=wrapper)))
    keys = call(name("builtins", "zip"), many(text("__class__")), many(wrapper))
    attributes = call(name("collections", "OrderedDict"), keys)
    several = call(name("builtins", "tuple"), many(wrapper))
    made = call(name("copyreg", "__newobj__"), several)
    bodies = {
        "a pair that is made": plain + pair + b"b",
        "attributes that are made": plain + row(described, attributes) + b"b",
        "arguments that are made": call(name("builtins", "max"), many(wrapper))
        + b")\x81"
        + described
        + b"b",
        "an alias": call(name("builtins", "max"), many(new(wrapper))) + described + b"b",
        "a class in a list": made + described + b"b",
    }
    return {how: pickled(body + swallowed + hidden + b"0}") for how, body in bodies.items()}


def aliases() -> dict[str, bytes]:
    """A call that is taken to make something new gives what is there, which is then changed."""
    there = new(name("types", "SimpleNamespace"))
    chosen = call(name("functools", "partial"), name("builtins", "max")) + row(
        name("builtins", "max"), row(there), table(key=name("builtins", "bool")), b"N"
    )
    own = state(new(name("argparse", "Namespace")), __new__=chosen + b"b")
    plain = name("argparse", "Namespace")
    parameter = name("torch.nn.parameter", "Parameter")
    made = {
        "__newobj__": call(name("copyreg", "__newobj__"), own, b"N"),
        "_reconstructor": call(name("copyreg", "_reconstructor"), plain, own, b"N"),
        "Parameter": new(parameter, own, b"\x89"),
    }
    array = new(name("numpy.ma", "MaskedArray"), row(number(1)))
    dump = call(name("builtins", "getattr"), array, text("dump"))
    return {how: pickled(state(alias, append=dump)) for how, alias in made.items()}


def set_by_torch() -> dict[str, bytes]:
    """torch's rebuilding sets attributes of what a function of the file's choosing gives."""
    rebuild, logger = name("torch._tensor", "_rebuild_from_type_v2"), name("logging", "Logger")
    made, given, off = name("builtins", "tuple"), row(text("torch")), table(disabled=b"\x88")
    asked = name("logging", "getLogger"), logger, given
    within = row(name("builtins", "max"), logger, row(many(call(asked[0], text("torch")))), b"N")
    bodies = {
        "what is there": call(rebuild, *asked, off),
        "a slot of it": call(rebuild, *asked, row(b"N", off)),
        "by itself": call(rebuild, rebuild, logger, within, off),
        "by arguments that are made": rebuild + call(made, many(*asked, off)) + b"R",
    }
    return {how: pickled(body) for how, body in bodies.items()}


def addresses() -> dict[str, bytes]:
    """What numpy and torch then take for objects, or for numbers, at an address of the file's."""
    given = row(number(1)), text("O"), raw(8 * b"A")
    array, tensor = name("numpy", "ndarray"), name("torch", "Tensor")
    listed, mapped = name("builtins", "list"), name("builtins", "map")
    partial, newobj = name("functools", "partial"), name("copyreg", "__newobj__")
    with_keywords = name("copyreg", "__newobj_ex__")
    place = table(data=row(number(65), b"\x88"), typestr=text("|O8"), shape=b")", version=number(3))
    told = state(new(name("types", "SimpleNamespace")), __array_interface__=place)
    cdata = table(cdata=number(65))
    bodies = {
        "an array": call(array, *given),
        "its __new__": new(array, *given),
        "by copyreg": call(newobj, array, *given),
        "by map": call(listed, call(mapped, array, *map(many, given))),
        "by a partial": call(call(partial, array), *given),
        "by arguments that are made": newobj + call(listed, many(array, *given)) + b"R",
        "by map of copyreg's": call(mapped, newobj, many(array), *map(many, given)),
        "in what is given to another": call(mapped, name("numpy", "dtype"), many(array)),
        "a matrix": call(name("numpy", "matrix"), raw(8 * b"A"), text("O")),
        "by another module's name": new(name("numpy.core.multiarray", "ndarray"), *given),
        "records": new(name("numpy", "recarray"), *given),
        "a number's class": call(name("numpy", "float64"), told),
        "a tensor": new_by(tensor, cdata=number(65)),
        "a storage": new_by(name("torch.storage", "UntypedStorage"), allocator=number(65)),
        "another name of it": new_by(name("torch", "UntypedStorage"), allocator=number(65)),
        "a tensor by copyreg": call(with_keywords, tensor, b")", cdata),
        "a tensor by a partial": call(state_of(call(partial, tensor), tensor, b")", cdata, b"N")),
        "a tensor by map of copyreg's": call(
            mapped, with_keywords, *map(many, (tensor, b")", cdata))
        ),
        "a tensor of somebody's": new_by(name("project", "Tensor_"), cdata=number(65)),
    }
    return {how: pickled(body) for how, body in bodies.items()}


def state_of(what: bytes, *parts: bytes) -> bytes:
    return what + row(*parts) + b"b"


TWO_WAYS = {
    "class by setattr.joblib": class_by_setattr(),
    "frame.joblib": frame_behind_an_array(),
    "frame.pkl": frame_behind_an_array(),
    "frame in an array.pkl": frame_within_an_array(),
    "far behind an array.pkl": far_behind_an_array(),
    "big frame.pt": frame_behind_the_mark(),
    "big frame.joblib": frame_behind_objects(),
    "mark in an array.pt": mark_in_an_array(),
    "mark in a text.joblib": mark_in_a_text(),
    "deflated.bin": odd_zip("data.pkl", zipfile.ZIP_DEFLATED),
    "spelt.dat": odd_zip("DATA.PKL", zipfile.ZIP_STORED),
}
"""Each runs code: by joblib.load where it is named so, else by torch.load without a restriction."""


def magic(first: bytes, second: bytes) -> bytes:
    """A legacy checkpoint whose two numbers are what `first` and `second` make."""
    kind = new(name("torch.nn.modules.linear", "Identity")) + table(training=b"\x88") + b"b"
    return b"".join(map(pickled, (first, second, table(little_endian=b"\x88"), kind, many())))


BY_A_NAME = name("torch.serialization", "MAGIC_NUMBER")
BY_A_CALL = call(name("builtins", "int"), text("119547037146038801333356"))
DTYPE = call(name("numpy", "dtype"), text("i4"), b"\x89", b"\x88")
ONE_NUMBER = (
    call(
        name("numpy._core.multiarray", "_reconstruct"),
        name("numpy", "ndarray"),
        row(number(0)),
        b"C\1b",
    )
    + row(number(1), b")", DTYPE, b"\x89", b"C\4" + struct.pack("<i", 1001))
    + b"b"
)
MAGIC = {
    "an array of one number": magic(BY_A_CALL, ONE_NUMBER),
    "a name": magic(BY_A_NAME, VERSION),
    "a call": magic(BY_A_CALL, VERSION),
    "two calls": magic(BY_A_CALL, call(name("builtins", "int"), text("1001"))),
}
