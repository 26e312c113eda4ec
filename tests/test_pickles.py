import datetime
import pickle
import pickletools
import struct
import sys
from collections import OrderedDict

import pytest

from missing_aa.errors import LimitReached, Malformed
from missing_aa.limits import Limits
from missing_aa.pickles.follow import follow_pickle
from missing_aa.pickles.program import COMPUTED, Dict, Global, Object, Persistent, class_of

PLAIN = [
    None,
    True,
    [0, 1, -1, 255, 256, 65536, 2**31, -(2**31), 2**80, -(2**2000)],
    [0.0, 1.5, -1e300],
    ["", "text", "ünïcode \n", "x" * 300, "\udc80"],
    [b"", b"bytes\x00", b"y" * 300],
    (),
    (1,),
    (1, (2, (3, 4))),
    {"a": [1, 2, {"b": ()}], 3: "c"},
    ["same", "same", ["same"]],
]


def plain(node):
    """The value that a node stands for."""
    if isinstance(node, Dict):
        return {plain(key): plain(value) for key, value in node.pairs}
    if isinstance(node, list | tuple):
        return type(node)(plain(item) for item in node)
    if isinstance(node, Object) and str(node.made_by) == "_codecs.encode":
        return node.args[0].encode(node.args[1])  # how protocols 0 to 2 write bytes
    if isinstance(node, Object) and str(node.made_by) == "builtins.bytes":
        return b""
    return node


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", PLAIN, ids=range(len(PLAIN)))
def test_plain_values_are_what_python_reads(value, protocol):
    data = pickle.dumps(value, protocol)
    program = follow_pickle(data)
    assert program.error is None
    assert plain(program.root) == value
    assert program.end == len(data)
    assert program.opcodes == len(list(pickletools.genops(data)))


def test_a_list_that_holds_itself_is_one_list():
    knot = []
    knot.append(knot)
    root = follow_pickle(pickle.dumps(knot)).root
    assert root[0] is root


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_objects_become_nodes_and_their_classes_are_named(protocol):
    value = [OrderedDict(a=1), datetime.timedelta(2), {3}, frozenset({4}), complex(5, 6)]
    program = follow_pickle(pickle.dumps(value, protocol))
    ordered, delta, *_, number = program.root
    assert str(class_of(ordered)) == "collections.OrderedDict"
    assert ordered.pairs == [("a", 1)]
    assert (str(class_of(delta)), delta.args) == ("datetime.timedelta", (2, 0, 0))
    assert str(class_of(number)) == "builtins.complex"
    assert program.error is None


class Plain:
    pass


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_plain_object_keeps_its_class_and_its_attributes(protocol):
    thing = Plain()
    thing.size = 3
    node = follow_pickle(pickle.dumps(thing, protocol)).root
    assert str(class_of(node)) == f"{__name__}.Plain"
    assert node.states[-1].pairs == [("size", 3)]


ASKS = {
    "GLOBAL": b"cos\nsystem\n.",
    "INST": b"(ios\nsystem\n.",
    "STACK_GLOBAL": b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
    "STACK_GLOBAL from the memo": b"\x80\x04\x8c\x06system\x94\x8c\x02os\x940h\x01h\x00\x93.",
    "STACK_GLOBAL, names swapped on the stack": b"\x80\x02U\x06systemq\x000U\x02osh\x00\x93.",
    "behind what is thrown away": b"(]1(cos\nsystem\nN1N.",
    "as a class to build": b"(cos\nsystem\no.",
}


@pytest.mark.parametrize("how", ASKS)
def test_a_name_is_found_however_it_is_put_together(how):
    program = follow_pickle(ASKS[how])
    assert program.error is None
    assert [str(wanted) for wanted in program.globals.values()] == ["os.system"]


def test_the_names_are_those_that_python_itself_asks_for():
    class Asking(pickle.Unpickler):
        def find_class(self, module, name):
            asked.append(f"{module}.{name}")
            return super().find_class(module, name)

    import io

    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        asked = []
        data = pickle.dumps([{1}, complex(1, 2), range(3), OrderedDict, len], protocol)
        Asking(io.BytesIO(data)).load()
        found = {f"{g.asked[0]}.{g.asked[1]}" for g in follow_pickle(data).globals.values()}
        assert found == set(asked)


@pytest.mark.parametrize(
    "written, modern",
    [
        ("__builtin__ set", "builtins.set"),
        ("copy_reg _reconstructor", "copyreg._reconstructor"),
        ("itertools imap", "builtins.map"),
        ("commands getoutput", "subprocess.getoutput"),
    ],
)
def test_python_2_names_are_told_in_python_3(written, modern):
    module, name = written.split()
    program = follow_pickle(f"c{module}\n{name}\n.".encode())
    (wanted,) = program.globals.values()
    assert (str(wanted), wanted.asked) == (modern, (module, name))


@pytest.mark.parametrize(
    "program",
    [
        b"\x80\x04cbuiltins\nstr\n(lR\x8c\x06system\x93.",  # the module is the result of a call
        b"\x82\x01.",  # a number that stands for a name elsewhere
    ],
)
def test_a_name_made_while_loading_is_called_computed(program):
    names = [str(wanted) for wanted in follow_pickle(program).globals.values()]
    assert f"{COMPUTED}.{COMPUTED}" in names


def test_nothing_is_imported_or_called(tmp_path):
    mark = tmp_path / "mark"
    hostile = b"cthis\nd\n0cpathlib\nPath\n(V%s\ntR." % str(mark).encode()
    program = follow_pickle(hostile)
    assert program.error is None
    assert "this" not in sys.modules
    assert isinstance(program.root, Object) and isinstance(program.root.made_by, Global)


def test_what_an_imported_name_is_used_for_hides_no_later_name():
    used = b"clist\nof_things\nNa(NNu]Nb" + b"0cos\nsystem\n."
    program = follow_pickle(used)
    assert program.error is None
    assert "os.system" in map(str, program.globals.values())


def test_storages_are_left_outside():
    data = b"\x80\x02(X\x07\x00\x00\x00storageK\x01tQ."
    program = follow_pickle(data)
    assert isinstance(program.root, Persistent)
    assert program.persistent == [("storage", 1)]


def test_a_class_that_comes_with_its_source_is_that_class():
    data = b"\x80\x02(X\x06\x00\x00\x00modulecm\nNet\nX\x01\x00\x00\x00fX\x01\x00\x00\x00stQ)\x81."
    program = follow_pickle(data)
    assert str(class_of(program.root)) == "m.Net"
    assert list(program.sources.values()) == [("f", "s")]


BROKEN = {
    "empty": b"",
    "no end": b"\x80\x02]",
    "an unknown opcode": b"\x80\x02\xff.",
    "an unknown protocol": b"\x80\x07N.",
    "a string longer than the file": b"X\xff\xff\xff\x7fabc.",
    "a negative length": b"T" + struct.pack("<i", -5) + b"abc.",
    "an empty stack": b"R.",
    "a memo that was never filled": b"h\x05.",
    "a mark that was never set": b"t.",
    "no line end": b"cos",
    "a number that is none": b"Ixyz\n.",
    "text that is no UTF-8": b"\x8c\x02\xff\xfe.",
    "a key without a value": b"}(Nu.",
    "a string without quotes": b"Sabc\n.",
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_pickle_is_an_error_that_says_where(what):
    program = follow_pickle(BROKEN[what])
    assert isinstance(program.error, Malformed)
    assert "breaks off at byte" in str(program.error)


OWN = {
    "blanks around a number": b"F 1.0\n",
    "a number with strokes": b"F1_0\n",
    "a number beyond all": b"F1e999\n",
    "blanks around a string": b"S 'a'\n",
    "too many digits": b"L" + b"9" * 5000 + b"L\n",
    "a far place in the memo": b"Np9223372036854775809\n",
    "arguments in a list": b"cm\nN\n]R",
    "arguments in a dictionary": b"cm\nN\n}\x81",
}
"""What C's reader refuses, and Python's own or an older one goes on with."""


@pytest.mark.parametrize("how", OWN)
def test_what_only_some_readers_take_is_followed_and_is_not_fine(how):
    program = follow_pickle(OWN[how] + b"cbehind\nit\n.")
    assert ("behind", "it") in program.globals
    assert isinstance(program.fault, Malformed) and not program.error


def test_what_is_put_in_a_far_place_is_had_from_there():
    far = b"9223372036854775809\n"
    assert follow_pickle(b"K\x07p" + far + b"0K\x08p1\n0g" + far + b".").root == 7


def test_a_name_whose_line_has_no_end_is_seen():
    for data, asked in ((b"cm\nnames", ("m", "name")), (b"Ncmodules", ("module", ""))):
        assert list(follow_pickle(data).globals) == [asked]


@pytest.mark.parametrize(
    "what, short",
    [
        ("a string longer than the file", True),
        ("empty", True),
        ("no line end", True),
        ("an unknown opcode in front", False),
        ("an empty stack in front", False),
    ],
)
def test_what_breaks_off_for_want_of_data_is_told_apart(what, short):
    data = BROKEN.get(what) or {
        "empty": b"",
        "an unknown opcode in front": b"\xff" + bytes(20),
    }.get(what, b"R" + bytes(20))
    assert follow_pickle(data).short == short


def test_names_before_the_break_are_known():
    program = follow_pickle(b"cos\nsystem\n(Vtouch x\ntR\xff")
    assert isinstance(program.error, Malformed)
    assert [str(wanted) for wanted in program.globals.values()] == ["os.system"]


def test_more_steps_than_granted_reach_the_limit():
    data = pickle.dumps(list(range(100)))
    assert follow_pickle(data, limits=Limits(opcodes=500)).error is None
    error = follow_pickle(data, limits=Limits(opcodes=50)).error
    assert isinstance(error, LimitReached)
    assert "--max-opcodes" in str(error)


def test_values_nested_beyond_all_measure_are_followed():
    deep = b"N" + b"\x85" * 200_000 + b"."
    assert follow_pickle(deep).error is None
