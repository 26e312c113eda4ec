"""Objects that are put back by a rule of their own, and class attributes that hide submodules."""

import pickle
import sys

import pytest
import torch
from torch import nn

from compat_versions import compared, module
from missing_aa.comparer.missing import GIVEN


def states(tmp_path, old, new):
    found = compared(tmp_path, old, new)
    assert {each.kind for each in found} <= {"state"}
    return {each.attribute: each.message for each in found}


HEAD = (
    "from collections import namedtuple\nfrom dataclasses import dataclass, field\n"
    "import dataclasses\nfrom enum import Enum, Flag, auto\nimport enum\n"
    "from typing import NamedTuple, ClassVar\n"
)

SLOTS = "class Block:\n    __slots__ = {}\n"


@pytest.mark.parametrize(
    "old, new, broken",
    [
        (SLOTS.format("('a', 'b')"), SLOTS.format("('a',)"), True),
        (SLOTS.format("('a',)"), SLOTS.format("['a', 'b']"), False),
        (SLOTS.format("'a'"), SLOTS.format("('a',)"), False),
        (SLOTS.format("('a',)"), "class Block: ...\n", False),
        ("class Block: ...\n", SLOTS.format("('a',)"), True),
        ("class Block: ...\n", SLOTS.format("('a', '__dict__')"), False),
        (
            SLOTS.format("('a',)"),
            SLOTS.format("()") + "    def __setstate__(self, s): ...\n",
            False,
        ),
    ],
)
def test_slots(tmp_path, old, new, broken):
    """What is found is what pickle does."""
    assert ("__slots__" in states(tmp_path, old, new)) is broken
    assert really_breaks(old, new) is broken


def really_breaks(old, new, state="a"):
    """Whether an object pickled under one text fails to load under another."""
    name = "compat_really"
    held = sys.modules[name] = type(sys)(name)
    try:
        exec(old, held.__dict__)
        block = held.Block()
        setattr(block, state, 1)
        if "'b'" in old:
            block.b = 2
        held.Block.__module__ = name
        data = pickle.dumps(block, 2)
        exec(new, held.__dict__)
        held.Block.__module__ = name
        pickle.loads(data)
    except Exception:
        return True
    finally:
        del sys.modules[name]
    return False


RULE = "class Block:\n    def {}(self, *args):\n        {}\n"


@pytest.mark.parametrize(
    "rule", ["__reduce__", "__reduce_ex__", "__getnewargs__", "__getnewargs_ex__"]
)
def test_rules_that_old_files_go_by(tmp_path, rule):
    old, new = (RULE.format(rule, f"return {value}") for value in (1, 2))
    assert states(tmp_path, old, old) == {}
    assert "has changed" in states(tmp_path, old, new)[rule]
    assert "is gone" in states(tmp_path, old, "class Block: ...\n")[rule]
    assert states(tmp_path, "class Block: ...\n", new) == {}


def test_a_setstate_matters_where_a_getstate_makes_the_state(tmp_path):
    get = "    def __getstate__(self):\n        return 1\n"
    old, new = (RULE.format("__setstate__", f"self.x = {value}") for value in (1, 2))
    assert states(tmp_path, old, new) == {}
    assert set(states(tmp_path, old + get, new + get)) == {"__setstate__"}


@pytest.mark.parametrize(
    "old, new, field",
    [
        ("a b", "a b c", "c"),
        ("a b", "a", "b"),
        ("a b", "b a", "a"),
        ("a b", "a x b", "b"),
        ("a b", "a b", None),
    ],
)
@pytest.mark.parametrize(
    "form",
    [
        "Block = namedtuple('Block', {names!r})\n",
        "Block = namedtuple('Block', {listed})\n",
        "Block = NamedTuple('Block', [{pairs}])\n",
        "class Block(namedtuple('Block', {names!r})): ...\n",
        "class Block(NamedTuple):\n{lines}",
    ],
)
def test_fields_of_named_tuples(tmp_path, form, old, new, field):
    def text(names):
        each = names.split()
        return HEAD + form.format(
            names=names,
            listed=each,
            pairs=", ".join(f"('{name}', int)" for name in each),
            lines="".join(f"    {name}: int\n" for name in each),
        )

    assert list(states(tmp_path, text(old), text(new))) == ([field] if field else [])


@pytest.mark.parametrize(
    "made",
    ["namedtuple('B', names)", "namedtuple('B', 'def x')", "namedtuple('B', [*x])", "B(1, 2)"],
)
def test_named_tuples_whose_fields_are_not_written_out_are_left_alone(tmp_path, made):
    old = f"{HEAD}B = namedtuple('B', 'a')\nclass C({made}): ...\n"
    assert states(tmp_path, old, f"{HEAD}B = {made}\nclass C({made}): ...\n") == {}


def test_a_new_field_with_a_default_is_no_break(tmp_path):
    old = HEAD + "class Block(NamedTuple):\n    a: int\n"
    assert states(tmp_path, old, old + "    b: int = 0\n    def c(self): ...\n") == {}
    old = HEAD + "Block = namedtuple('Block', 'a')\n"
    assert states(tmp_path, old, HEAD + "Block = namedtuple('Block', 'a b', defaults=[1])\n") == {}


@pytest.mark.parametrize(
    "mark", ["@dataclass", "@dataclasses.dataclass(frozen=True)", "@dataclass(eq=False)"]
)
@pytest.mark.parametrize(
    "added, broken",
    [
        ("b: int", True),
        ("b: list = field(default_factory=list)", True),
        ("b: int = field(default=1)", False),
        ("b: int = 0", False),
        ("b: ClassVar[int]", False),
        ("b = 0", False),
        ("", False),
    ],
)
def test_fields_of_dataclasses(tmp_path, mark, added, broken):
    old = f"{HEAD}{mark}\nclass Block:\n    a: int\n"
    assert set(states(tmp_path, old, f"{old}    {added}\n")) == ({"b"} if broken else set())


def test_a_dataclass_with_slots_goes_by_the_place(tmp_path):
    old = f"{HEAD}@dataclass(slots=True)\nclass Block:\n    a: int = 0\n    b: int = 0\n"
    new = old.replace("    a: int = 0\n", "    c: int = 0\n    a: int = 0\n")
    assert "left its place" in states(tmp_path, old, new)["a"]


@pytest.mark.parametrize(
    "old, new, member",
    [
        ("A = 1; B = 2", "A = 1", "B"),
        ("A = 1", "A = 2", "A"),
        ("A = auto(); B = auto()", "B = auto()", "A B"),
        ("A = auto()", "A = auto(); B = auto()", None),
        ("A = 1", "A = 1; B = 2", None),
        ("A = 1", "A = 1\n    def m(self): ...", None),
    ],
)
@pytest.mark.parametrize("base", ["Enum", "enum.IntEnum", "str, Enum", "Flag"])
def test_members_of_enumerations(tmp_path, base, old, new, member):
    texts = [f"{HEAD}class Block({base}):\n    {body}\n" for body in (old, new)]
    assert set(states(tmp_path, *texts)) == set((member or "").split())


def hidden(tmp_path, old, new):
    return {each.attribute for each in compared(tmp_path, old, new) if each.kind == "hidden"}


@pytest.mark.parametrize(
    "value, forward, expected",
    [
        ("nn.Identity()", "return x", {"aa"}),
        ("Layer(1)", "return x", {"aa"}),
        ("x and nn.Conv2d(1, 1, 1)", "return x", {"aa"}),
        ("x() if x else None", "return self.aa(x)", {"aa"}),
        ("x", "return self.aa(x)", {"aa"}),
        ("x", "return x + self.aa", set()),
        ("1", "return self.aa(x)", set()),
        ("len(x)", "return x * self.aa", set()),
    ],
)
def test_a_class_attribute_that_hides_a_submodule(tmp_path, value, forward, expected):
    layer = "class Layer(nn.Module): ...\n"
    old = layer + module(f"self.aa = {value}", forward)
    new = layer + module(f"self.aa = {value}", forward, "aa = None")
    assert hidden(tmp_path, old, new) == expected
    assert hidden(tmp_path, new, new) == set()  # it was so before


def test_each_of_several_traps_is_told(tmp_path):
    both = "self.aa = nn.Identity()\nself.bb = nn.Identity()"
    found = hidden(tmp_path, module(both), module(both, more="aa = None\nbb = None"))
    assert found == {"aa", "bb"}


def test_the_trap_is_one(tmp_path):
    """What is called a trap here hides a real submodule in torch."""
    space = {"nn": nn}
    exec(module("self.aa = nn.Identity()", more="aa = None"), space)
    block = space["Block"]()
    assert "aa" in block._modules and block.aa is None


@pytest.mark.parametrize("more", ["aa: nn.Module", "def aa(self): ...", "bb = None"])
def test_what_hides_nothing(tmp_path, more):
    old = module("self.aa = nn.Identity()")
    assert hidden(tmp_path, old, module("self.aa = nn.Identity()", more=more)) == set()


def test_a_class_that_is_no_torch_module_has_no_such_trap(tmp_path):
    text = "class Block:\n    aa = None\n    def __init__(self):\n        self.aa = nn.Identity()\n"
    assert hidden(tmp_path, "", text) == set()


@pytest.mark.parametrize(
    "part, layer",
    [
        ("Conv", nn.Conv2d(1, 1, 1)),
        ("Conv", nn.ConvTranspose1d(1, 1, 1)),
        ("Norm", nn.BatchNorm2d(1)),
        ("Norm", nn.LayerNorm(1)),
        ("Norm", nn.GroupNorm(1, 1)),
        ("Linear", nn.Linear(1, 1)),
        ("Pool", nn.AvgPool2d(1)),
        ("Pool", nn.MaxPool2d(1)),
        ("Pool", nn.AdaptiveAvgPool2d(1)),
        ("Drop", nn.Dropout()),
        ("Embedding", nn.Embedding(1, 1)),
        ("MultiheadAttention", nn.MultiheadAttention(2, 1)),
        ("LU", nn.PReLU()),
        ("LU", nn.ReLU()),
        ("Upsample", nn.Upsample(1)),
        ("Loss", nn.CrossEntropyLoss()),
        ("Loss", nn.BCEWithLogitsLoss()),
        ("DataLoader", torch.utils.data.DataLoader([1])),
        ("optim", torch.optim.SGD([torch.zeros(1)])),
    ],
)
def test_the_list_of_what_torch_gives_agrees_with_torch(part, layer):
    plain = set(vars(nn.Module())) if isinstance(layer, nn.Module) else set()
    given = set(vars(layer)) - plain
    if isinstance(layer, nn.Module):
        given |= {*layer._parameters, *layer._buffers, *layer._modules}
    public = {name for name in given if not name.startswith("_")}
    assert part in f"{type(layer).__module__}.{type(layer).__qualname__}"
    assert public <= set(GIVEN[part].split()) | {"multiprocessing_context", "in_order"}, public
