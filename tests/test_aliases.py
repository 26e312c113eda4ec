"""What lies in two places: what is done to one of them counts for the other, or the file is not
fine and nothing is rescued of it."""

import pickle

import numpy
import pytest

from hostile_files import (
    call,
    in_zip,
    many,
    name,
    new,
    number,
    ordered,
    pickled,
    put,
    raw,
    row,
    state,
    table,
    text,
)
from missing_aa import rescue
from missing_aa.cli import main
from missing_aa.errors import Malformed, Problem
from missing_aa.pickles.follow import follow_pickle
from missing_aa.pickles.policy import judge_all
from missing_aa.scanner.scan import scan

ARRAY = call(
    name("numpy._core.multiarray", "_reconstruct"),
    name("numpy", "ndarray"),
    row(number(0)),
    b"C\1b",
)
BYTES = raw(bytes(4096))
MINUS = number(-1)


def dtype(code="f4", order="<", size=MINUS, flags=0, copy=b"\x88") -> bytes:
    told = row(number(3), text(order), b"N", b"N", b"N", size, MINUS, number(flags))
    return call(name("numpy", "dtype"), text(code), b"\x89", copy) + told + b"b"


def filled(given=BYTES, kind=None) -> bytes:
    return row(number(1), row(number(1024)), kind or dtype(), b"\x89", given) + b"b"


def viewed(what: bytes) -> bytes:
    maker = name("numpy._core.numeric", "_frombuffer")
    return call(maker, what, dtype(), row(number(8)), text("C"))


def by_torch(what: bytes) -> bytes:
    maker = name("torch._utils", "_rebuild_device_tensor_from_numpy")
    return call(maker, what, name("torch", "float32"), text("cpu"), b"\x89")


def scalar(kind: bytes) -> bytes:
    return call(name("numpy._core.multiarray", "scalar"), kind, raw(b"A" * 8))


SET = number(0) + number(1) + b"s"
IT = b"h\x09"
USER_DICT = new(name("collections", "UserDict"))
NOTED = put(9, ARRAY + filled())
ITEMS = call(name("functools", "partial"), name("builtins", "iter"), many(row(text("data"), IT)))
SHOWN = ordered(x=number(1)) + table(items=ITEMS) + b"b"
KEPT = put(8, BYTES) + b"0"
DANGEROUS = {
    "a view of an array": viewed(ARRAY + filled()),
    "a view of an array that gets its state": NOTED
    + viewed(IT)
    + b"\x86"
    + IT
    + filled()
    + b"\x86",
    "two states": ARRAY + filled() + filled(),
    "an item of an array": KEPT + row(ARRAY + filled(b"h\x08"), ARRAY + filled(b"h\x08") + SET),
    "an item of a tensor": new(name("torch", "Tensor")) + table() + b"b" + SET,
    "a type that is there": put(9, dtype())
    + b"0"
    + call(name("numpy", "dtype"), IT)
    + table()
    + b"b",
    "a type of which there is one": dtype(copy=b"\x89"),
    "a dictionary of a tensor": row(NOTED, state(USER_DICT, data=IT) + SET),
    "a dictionary of a dictionary": row(put(9, table()), state(USER_DICT, data=IT) + SET),
    "a state with items of its own": row(NOTED, USER_DICT + SHOWN + b"b" + SET),
}
NOT_FINE = {
    "an array that gets no state": ARRAY,
    "objects by another name": scalar(dtype("object")),
    "objects by their size": scalar(dtype("|O8")),
    "objects that are said to be none": scalar(dtype("O8")),
    "a text of no size": scalar(dtype("S8", "|")),
    "a wide text of no size": scalar(dtype("U8", flags=8)),
    "bytes of no size": scalar(dtype("V8", "|")),
    "a size of another kind": scalar(dtype("f8", size=b"G" + b"\xbf\xf0" + bytes(6))),
    "a tensor over an array without a state": by_torch(ARRAY),
}


def verdicts(body: bytes) -> list[str]:
    return [judged.verdict for judged in judge_all(follow_pickle(pickled(body)))]


@pytest.mark.parametrize("how", DANGEROUS)
def test_what_is_changed_where_another_sees_it_is_dangerous(how):
    assert "dangerous" in verdicts(DANGEROUS[how])


@pytest.mark.parametrize("how", NOT_FINE)
def test_what_may_take_any_memory_is_not_fine(how):
    assert "unjudged" in verdicts(NOT_FINE[how]) or "dangerous" in verdicts(NOT_FINE[how])


HONEST = {
    "an array": ARRAY + filled(),
    "a buffer": viewed(BYTES),
    "two arrays of the same bytes": KEPT + row(ARRAY + filled(b"h\x08"), ARRAY + filled(b"h\x08")),
    "a tensor over an array": by_torch(ARRAY + filled()),
    "a text": scalar(dtype("S8", "|", number(8))),
    "a number": scalar(dtype("f8")),
    "a dictionary of the user's": state(USER_DICT, data=table(a=number(1))),
}


@pytest.mark.parametrize("how", HONEST)
def test_what_libraries_write_so_is_fine(how):
    assert set(verdicts(HONEST[how])) == {"fine"}


def test_an_array_of_numpys_records_is_no_danger():
    made = numpy.rec.array([(1, 2.0)], names="a,b")
    for protocol in (2, 5):
        judged = judge_all(follow_pickle(pickle.dumps(made, protocol)))
        assert "dangerous" not in [one.verdict for one in judged]


@pytest.mark.parametrize("view", [viewed, by_torch])
def test_an_array_gets_its_state_before_anything_is_made_of_it(view):
    program = follow_pickle(pickled(put(9, ARRAY) + b"0" + view(IT) + b"0" + IT + filled()))
    assert isinstance(program.fault, Malformed)


W = ordered(
    w=call(
        name("torch._utils", "_rebuild_tensor_v2"),
        row(text("storage"), name("torch", "FloatStorage"), text("0"), text("cpu"), number(4))
        + b"Q",
        number(0),
        put(6, many(number(4))),
        put(7, many(number(1))),
        b"\x89",
        call(name("collections", "OrderedDict")),
    )
)
CYCLE = call(name("itertools", "cycle"), many(number(1)))


def nested(depth: int) -> bytes:
    """W's list of sizes, `depth` rebuildings deep in the arguments of another, and then longer."""
    rebuild = name("torch._tensor", "_rebuild_from_type_v2")
    function, args = name("torch._utils", "_rebuild_tensor_v2"), row(put(6, many(number(4))))
    for _ in range(depth):
        function, args = rebuild, row(function, name("torch", "Tensor"), args, b"N")
    return function + args + b"R0" + b"h\x06" + number(1) + b"a0}"


def module(kind: str, *more: bytes) -> bytes:
    held = new(name("torch.nn.modules.linear", "Identity")) + table(
        _parameters=W, _buffers=b"}", _modules=b"}"
    )
    own = table(_parameters=b"}", _buffers=b"}", _modules=ordered(a=put(5, held + b"b")))
    return new(name("torch.nn.modules.container", kind)) + own + b"b" + b"".join(more)


CHANGED = {
    "a cycle over a tensor's sizes": W + row(CYCLE + row(b"h\x06", b"\x89") + b"b") + b"0",
    "a cycle before a tensor": put(6, many(number(4)))
    + b"0"
    + CYCLE
    + row(b"h\x06", b"\x89")
    + b"b0"
    + W.replace(put(6, many(number(4))), b"h\x06"),
    "a list four deep": nested(5),
    "a layer that is appended": module("Sequential", b"h\x05", b"a"),
    "layers that are appended": module("ModuleList", b"(h\x05h\x05e"),
    "a layer that is set": module("ModuleDict", text("a"), b"h\x05", b"s"),
}


@pytest.mark.parametrize("how", CHANGED)
def test_what_changes_after_it_was_read_is_refused(how, saved, session):
    with pytest.raises(Problem):
        rescue(saved(in_zip(CHANGED[how], **{"data/0": bytes(16)})), session=session)


def test_the_same_files_are_rescued_without_the_change(saved, session):
    for body in (W, module("Sequential")):
        path = saved(in_zip(body, **{"data/0": bytes(16)}))
        assert len(rescue(path, session=session).state_dict) == 1


HUGE = b"\x8a\x09" + (2**64).to_bytes(9, "little")
EQUAL = {
    "None": (b"N", b"N"),
    "tuples": (row(number(1), text("a")), row(b"\x88", text("a"))),
    "tuples of None": (row(b"N"), row(b"N")),
    "a whole number and a float": (HUGE, b"G\x43\xf0" + bytes(6)),
}


@pytest.mark.parametrize("how", EQUAL)
def test_of_keys_that_are_equal_the_last_value_counts(how, saved, tmp_path, capsys):
    first, second = EQUAL[how]
    body = b"}" + first + W + b"s" + second + number(1) + b"s"
    path = saved(in_zip(body, **{"data/0": bytes(16)}))
    assert main(["rescue", str(path), str(tmp_path / "out.safetensors")]) != 0


def test_a_number_is_no_text_that_spells_it(saved, session):
    spelt = text(hex(2**64))
    body = b"}" + spelt + W + b"s" + HUGE + number(1) + b"s"
    kept = rescue(saved(in_zip(body, **{"data/0": bytes(16)})), session=session)
    assert len(kept.state_dict) == 1


def records(depth: int) -> bytes:
    inner = dtype("f8")
    for _ in range(depth):
        fields = b"}" + text("a") + row(inner, number(0)) + b"s"
        told = row(
            number(3), text("|"), b"N", row(text("a")), fields, number(8), number(1), number(0)
        )
        inner = call(name("numpy", "dtype"), text("V8"), b"\x89", b"\x88") + told + b"b"
    return inner


def test_a_record_nested_deep_hides_no_other_file(tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickled(table(a=records(190))))
    (tmp_path / "b.pkl").write_bytes(pickled(call(name("os", "system"), text("true"))))
    found = {one.path[-5:]: one.verdict for one in scan(tmp_path).checkpoints}
    assert found["b.pkl"] == "dangerous" and found["a.pkl"] != "fine"


def test_names_of_fields_that_are_trees_take_no_time():
    tree = text("a")
    for at in range(60):
        tree = put(at, tree) + b"0" + row(b"h" + bytes([at]), b"h" + bytes([at]))
    names, key = row(put(100, tree)), b"h\x64"
    fields = b"}" + key + row(dtype(), number(0)) + b"s"
    told = row(number(3), text("|"), b"N", names, fields, number(8), number(1), number(0))
    odd = call(name("numpy", "dtype"), text("V8"), b"\x89", b"\x88") + told + b"b"
    assert "unjudged" in verdicts(odd)
