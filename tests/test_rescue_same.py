"""What is rescued is what torch.load gives, or the file is refused: two readers never differ."""

import struct

import pytest
import torch

from hostile_files import (
    MAX,
    REBUILD,
    call,
    in_zip,
    legacy,
    many,
    name,
    new,
    number,
    ordered,
    put,
    row,
    state,
    table,
    text,
    then,
)
from missing_aa import rescue
from missing_aa.containers.legacy import follow_legacy, measure
from missing_aa.errors import LimitReached, Malformed, Problem, Refused
from missing_aa.limits import DEFAULT, Limits
from missing_aa.pickles.follow import follow_pickle
from missing_aa.rescuer.rescue import rescue_to

ONE, TWO = struct.pack("<4f", 1, 2, 3, 4), struct.pack("<4f", 5, 6, 7, 8)
ORDERED = name("collections", "OrderedDict")
DICT = name("builtins", "dict")


def stored(kind="Float", key="0", count=4, view=None, location="cpu") -> bytes:
    """The id of a storage; `view` is the sixth item that torch before 1.6 wrote."""
    rest = [] if view is None else [view]
    named = name("torch", f"{kind}Storage")
    return row(text("storage"), named, text(key), text(location), number(count), *rest) + b"Q"


def tensor(length=4, offset=0, **storage) -> bytes:
    over = stored(**storage), number(offset), row(number(length)), row(number(1))
    return call(name("torch._utils", "_rebuild_tensor_v2"), *over, b"\x89", call(ORDERED))


def old(length=4, view=b"N", **storage) -> bytes:
    return tensor(length, view=view, **storage)


def part(key: str, offset: int, count: int) -> bytes:
    return row(text(key), number(offset), number(count))


def in_legacy(body: bytes, **data: bytes) -> bytes:
    """`data` are storages of floats by key, without the underline before it."""
    keys = many(*(text(key[1:]) for key in data))
    behind = b"".join(struct.pack("<Q", len(held) // 4) + held for held in data.values())
    return legacy(body, keys=keys) + behind


def zipped(body: bytes) -> bytes:
    return in_zip(body, **{"data/0": ONE, "data/1": TWO})


def alone(body: bytes) -> bytes:
    return in_legacy(body, _0=ONE)


V, W = text("v"), tensor()
LATER = V + tensor(key="1") + b"s"
PAIRS = many(row(text("w"), W))
GROWS = b"}" + b"q\x05" + text("w") + W + b"s"

OTHER = tensor(key="1")
IT = b"h\x09"
"""The tensor W, which NOTED has put into the memo."""
NOTED = put(9, W)


def computed(key: str) -> bytes:
    return call(name("builtins", "str"), text(key))


def old_text(key: str) -> bytes:
    """A str of Python 2."""
    raw = key.encode()
    return b"U" + bytes([len(raw)]) + raw


def marked(metadata: bytes) -> bytes:
    return W[:-2] + metadata + b"tR"


def rebuilt(function: bytes, kind: bytes, given: bytes, to: bytes) -> bytes:
    return call(REBUILD, function, kind, given, to)


HOLDING = call(name("functools", "partial"), name("builtins", "list"), PAIRS)

TAKEN = {
    "a name as Python 2 wrote it": zipped(b"}" + old_text("\u00e9") + W + b"s"),
    "a part of a storage": alone(ordered(w=old(2, view=part("v", 1, 2)))),
    "one part twice": alone(ordered(**dict.fromkeys("ab", old(2, view=part("v", 1, 2))))),
    "dict of pairs": zipped(call(DICT, PAIRS) + LATER),
    "dict of a dict": zipped(call(DICT, table(w=W)) + LATER),
    "dict of a dict of a dict": zipped(call(DICT, call(DICT, table(w=W)) + LATER)),
    "OrderedDict of pairs": zipped(call(ORDERED, PAIRS) + LATER),
    "OrderedDict of a dict": zipped(call(ORDERED, table(w=W)) + LATER),
    "defaultdict": zipped(call(name("collections", "defaultdict"), b"N", table(w=W)) + LATER),
    "defaultdict of nothing": zipped(call(name("collections", "defaultdict"), b"N") + LATER),
    "Counter": zipped(call(name("collections", "Counter"), table(w=W)) + LATER),
    "OrderedDict, new": zipped(new(ORDERED, PAIRS) + LATER),
    "dict, new": zipped(new(DICT, table(w=W)) + LATER),
    "empty storages of two types": in_zip(
        ordered(a=W, b=tensor(0, key="1", count=0), c=tensor(0, kind="Int", key="1", count=0)),
        **{"data/0": ONE, "data/1": b""},
    ),
}
NOT_TAKEN = {
    "two types": zipped(ordered(a=W, b=tensor(2, kind="Int"))),
    "two types, the first thrown away": zipped(stored("Int") + b"0" + ordered(a=W)),
    "two counts": zipped(ordered(a=tensor(2, count=2), b=W)),
    "less than there is": zipped(ordered(a=tensor(2, count=2))),
    "two places": zipped(ordered(a=W, b=tensor(location="meta"))),
    "an empty one of another type": zipped(ordered(a=W, b=tensor(0, kind="Int", count=0))),
    "no data": zipped(ordered(a=tensor(location="meta"))),
    "a part, which a zip has none of": zipped(ordered(a=tensor(2, view=part("v", 2, 2)))),
    "nothing where the part would be": zipped(ordered(a=tensor(view=b"N"))),
    "old: two types": alone(ordered(a=old(), b=old(2, kind="Int"))),
    "old: two parts of one key": alone(
        ordered(a=old(2, view=part("v", 0, 2)), b=old(2, view=part("v", 2, 2)))
    ),
    "old: a part with a storage's key": in_legacy(
        ordered(a=old(2, view=part("1", 2, 2)), b=old(key="1")), _0=ONE, _1=TWO
    ),
    "old: no place for a part": alone(ordered(a=W)),
    "old: a longer storage than it says": alone(ordered(a=old(2, count=2))),
    "dict of a dict that grows": zipped(GROWS + b"0" + call(DICT, b"h\x05") + b"h\x05" + LATER),
    "a key that is computed": zipped(ordered(a=W, b=OTHER) + computed("b") + b"Ns"),
    "a key that is a name": zipped(ordered(a=W, b=OTHER) + name("string", "digits") + b"Ns"),
    "a key twice, once as Python 2 wrote it": zipped(
        ordered(**{"a": W, "\u00e9": OTHER}) + old_text("\u00e9") + b"Ns"
    ),
    "a mark that is bytes": zipped(ordered(a=marked(b"}(C\x03neg\x88u"))),
    "a mark that is computed": zipped(ordered(a=marked(b"}(" + computed("neg") + b"\x88u"))),
    "other values for a tensor": zipped(
        then(
            NOTED,
            rebuilt(MAX, name("torch", "Tensor"), row(many(IT)), table(data=OTHER)),
            ordered(w=IT),
        )
    ),
    "other values, two calls deep": zipped(
        then(
            NOTED,
            rebuilt(
                REBUILD,
                name("torch", "Tensor"),
                row(MAX, name("torch", "Tensor"), row(many(IT)), b"N"),
                table(grad=OTHER),
            ),
            ordered(w=IT),
        )
    ),
    "other values for what shares its bytes": zipped(
        then(
            call(
                name("torch._utils", "_rebuild_parameter_with_state"),
                W,
                b"\x89",
                call(ORDERED),
                table(real=OTHER),
            ),
            ordered(w=W),
        )
    ),
    "methods of its own for a dictionary": zipped(ordered(w=W) + table(items=HOLDING) + b"b"),
    "methods of its own for a parameter": zipped(
        ordered(
            w=call(
                name("torch._utils", "_rebuild_parameter_with_state"),
                W,
                b"\x89",
                call(ORDERED),
                table(detach=HOLDING),
            )
        )
    ),
    "an order of bytes in large letters": in_zip(
        ordered(a=W), **{"data/0": ONE, "ByteOrder": b"big"}
    ),
    "a UserDict": zipped(
        state(new(name("collections", "UserDict")) + V + W + b"s", data=table(v=OTHER))
    ),
    "a tensor that is new": zipped(ordered(a=W[:-1] + b"\x81")),
}


def module(*more: bytes, **own: bytes) -> bytes:
    """A module; `more` is done to it after it got its state."""
    given = {"_parameters": ordered(w=W), "_buffers": b"}", "_modules": b"}"} | own
    return new(name("torch.nn.modules.module", "Module")) + table(**given) + b"b" + b"".join(more)


TORCHS = name("torch.nn.modules.module", "Module")
HIDDEN = ordered(w=tensor(key="1"))
SET = name("builtins", "set")
MODULES = {
    "a set called": module(_parameters=b"}", _buffers=HIDDEN, _non_persistent_buffers_set=b"\x8f"),
    "a set that is new": module(
        _parameters=b"}", _buffers=HIDDEN, _non_persistent_buffers_set=new(SET, many(text("w")))
    ),
}
STRANGE_MODULES = {
    "two states": module(table(_buffers=HIDDEN) + b"b"),
    "a list of hidden buffers": module(
        _buffers=HIDDEN, _non_persistent_buffers_set=many(text("w"))
    ),
    "a set of what is made on the way": module(
        _buffers=HIDDEN,
        _non_persistent_buffers_set=SET
        + call(name("builtins", "tuple"), many(many(text("w"))))
        + b"R",
    ),
    "methods of its own for what holds no parameters": module(
        _parameters=call(ORDERED) + table(items=HOLDING) + b"b"
    ),
    "a set of a dict": module(
        _buffers=HIDDEN, _non_persistent_buffers_set=call(SET, table(w=b"N"))
    ),
    "a dictionary of another kind": module(
        _parameters=call(name("a", "Bag"), table(w=W)) + text("b") + W + b"s"
    ),
    "no dictionary": module(_parameters=many(W)),
    "another dictionary": module(
        _buffers=state(new(name("collections", "UserDict")), data=table(b=OTHER))
    ),
    "one that the file calls OrderedDict": module(
        _buffers=state(
            new(
                call(
                    name("a", "make"),
                    b"N",
                    text("OrderedDict"),
                    b")",
                    table(__module__=text("collections")),
                )
            ),
            data=table(b=OTHER),
        )
    ),
    "no buffers": new(name("torch.nn.modules.module", "Module"))
    + table(_parameters=ordered(w=W), _modules=b"}")
    + b"b",
    "a computed attribute": new(name("torch.nn.modules.module", "Module"))
    + table(_parameters=ordered(w=W), _buffers=b"}", _modules=b"}")
    + computed("_parameters")
    + ordered(w=OTHER)
    + b"sb",
    "a computed name of a hidden buffer": module(
        _parameters=b"}",
        _buffers=HIDDEN,
        _non_persistent_buffers_set=b"\x8f(" + computed("w") + b"\x90",
    ),
    "a hidden buffer, told too late": then(
        put(6, new(name("torch.nn.modules.module", "Module")))
        + put(7, table(_parameters=b"}", _buffers=HIDDEN, _modules=b"}"))
        + b"b",
        b"h\x07" + text("_non_persistent_buffers_set") + b"\x8f(" + text("w") + b"\x90s",
        b"h\x06",
    ),
    "attributes for a module that is there": then(
        put(9, module()),
        rebuilt(MAX, TORCHS, row(many(IT)), table(_parameters=ordered(w=OTHER))),
        IT,
    ),
    "a child of a class that is called": module(
        _modules=ordered(fc=call(name("torch.nn.modules.batchnorm", "BatchNorm1d"), number(2)))
    ),
    "a class that is called": call(name("torch.nn.modules.batchnorm", "BatchNorm1d"), number(4))
    + table(_parameters=ordered(weight=W), _buffers=b"}", _modules=b"}")
    + b"b",
    "a child without anything": module(
        _modules=ordered(fc=new(name("torch.nn.modules.linear", "Linear")))
    ),
}


def as_bytes(tensors) -> list[tuple]:
    return [
        (key, tensor.dtype, tuple(tensor.shape), tensor.contiguous().view(torch.uint8).tolist())
        for key, tensor in tensors.items()
    ]


@pytest.mark.parametrize("how", TAKEN)
def test_what_is_taken_is_what_torch_gives(saved, session, how):
    path = saved(TAKEN[how])
    wanted = torch.load(path, weights_only=False)
    assert as_bytes(rescue(path, session=session).state_dict) == as_bytes(wanted)


@pytest.mark.parametrize("how", NOT_TAKEN)
def test_what_torch_would_read_in_another_way_is_refused(saved, session, how):
    with pytest.raises((Refused, Malformed)):
        rescue(saved(NOT_TAKEN[how]), session=session)


@pytest.mark.parametrize("how", MODULES)
def test_a_module_gives_what_its_state_dict_gives(saved, session, how):
    path = saved(zipped(MODULES[how]))
    wanted = torch.load(path, weights_only=False)
    hidden = wanted._non_persistent_buffers_set
    kept = {name: held for name, held in wanted._buffers.items() if name not in hidden}
    assert as_bytes(rescue(path, session=session).state_dict) == as_bytes(kept)


@pytest.mark.parametrize("how", STRANGE_MODULES)
def test_a_module_that_keeps_its_tensors_in_another_way_is_refused(saved, session, how):
    with pytest.raises((Refused, Malformed)):
        rescue(saved(zipped(STRANGE_MODULES[how])), session=session)


def test_a_class_of_its_own_made_of_tensors_gives_no_half_of_them(saved, session):
    with pytest.raises(Problem):
        rescue(saved(zipped(call(name("a", "Bag"), PAIRS) + LATER)), session=session)


def test_a_tensor_that_lies_in_too_many_pieces_is_not_put_in_order(saved, session, tmp_path):
    sizes = row(*[number(2)] * 29), row(*[number(1)] * 29)
    rebuild = name("torch._utils", "_rebuild_tensor_v2")
    many_axes = call(rebuild, stored("Byte", count=64), number(0), *sizes, b"\x89", call(ORDERED))
    data = in_zip(ordered(w=many_axes), **{"data/0": bytes(64)})
    with pytest.raises(LimitReached):
        rescue_to(saved(data), tmp_path / "out.safetensors", session=session)


def test_a_storage_is_measured_by_what_is_said_of_it_first():
    data = in_legacy(ordered(a=old(), b=old(2, kind="Double", count=2)), _0=ONE, _1=TWO)
    program, keys = follow_legacy(data, DEFAULT)
    with pytest.raises(Malformed, match="not listed"):  # nothing in the pickle names "1"
        measure(lambda start, size: data[start : start + size], len(data), program, keys)
    sizes = measure(lambda start, size: data[start : start + size], len(data), program, keys[:1])
    assert sizes == {"0": 16}


ARRAY = name("numpy", "ndarray")
NUMBERS = call(name("numpy", "dtype"), text("f4"), b"\x89", b"\x88")
NUMBERS += row(number(3), text("<"), b"N", b"N", b"N", number(-1), number(-1), number(0)) + b"b"
MADE = call(name("numpy.core.multiarray", "_reconstruct"), ARRAY, row(number(0)), b"C\x01b")
BYTES = b"C\x10" + ONE


def array(order=b"\x89", kind=NUMBERS) -> bytes:
    shape = row(number(2), number(2))
    return MADE + row(number(1), shape, kind, order, BYTES) + b"b"


def buffer(order: bytes) -> bytes:
    shape = row(number(2), number(2))
    return call(name("numpy.core.numeric", "_frombuffer"), BYTES, NUMBERS, shape, order)


ARRAYS = [array(), array(b"\x88"), array(number(1)), buffer(text("C")), buffer(text("F"))]
STRANGE_ARRAYS = [
    array(number(2)),
    array() + number(0) + row(number(9), number(9)) + b"s",
    buffer(text("f")),
    MADE[:-1] + b"\x81" + row(number(1), row(number(4)), NUMBERS, b"\x89", BYTES) + b"b",
]


@pytest.mark.parametrize("number", range(len(ARRAYS)))
@pytest.mark.filterwarnings("ignore")
def test_an_array_is_read_as_numpy_reads_it(saved, session, number):
    path = saved(zipped(table(w=ARRAYS[number])))
    wanted = {"w": torch.from_numpy(torch.load(path, weights_only=False)["w"])}
    assert as_bytes(rescue(path, session=session).state_dict) == as_bytes(wanted)


@pytest.mark.parametrize("number", range(len(STRANGE_ARRAYS)))
def test_an_array_that_numpy_reads_in_another_way_is_refused(saved, session, number):
    with pytest.raises((Malformed, Refused)):
        rescue(saved(zipped(table(w=STRANGE_ARRAYS[number]))), session=session)


MAKES = {"sets": b"\x8f", "dicts": b"}", "lists": b"]", "tuples": b")\x85", "more": b"(\x91"}


@pytest.mark.parametrize("what", MAKES)
def test_what_a_pickle_makes_is_counted_however_it_is_put_away(what):
    many_of_them = b"\x80\x04](" + MAKES[what] * 9_000 + b"e(" + MAKES[what] * 9_000 + b"e."
    error = follow_pickle(many_of_them, limits=Limits(objects=12_000)).error
    assert isinstance(error, LimitReached) and "--max-objects" in str(error)
    assert not follow_pickle(many_of_them).error


@pytest.mark.parametrize("begins", ["\U0001f642", "\u4e2d", ""])
def test_a_text_is_counted_as_wide_as_it_is_in_memory(begins):
    data = b"\x80\x02" + text(begins + "a" * 1000) + b"."
    limits = Limits(pickle_bytes=1500)
    assert bool(follow_pickle(data, limits=limits).error) == bool(begins)
    assert not follow_pickle(data).error
