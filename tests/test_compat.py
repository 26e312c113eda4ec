"""Attributes that old objects lack: what counts as carried, as read, and as given a default."""

import gc

import pytest

from compat_versions import compared, module

OLD = module("self.conv = nn.Conv2d(3, 3, 1)", "return self.conv(x)")


def lacking(found, certain=True):
    """The attributes that are missing, as "attribute" or "Class.attribute" for other classes."""
    assert {each.kind for each in found} <= {"missing"}
    names = [
        f"{each.class_.rpartition('.')[2]}.{each.attribute}".removeprefix("Block.")
        for each in found
        if each.certain is certain
    ]
    assert len(names) == len(set(names))
    return set(names)


def test_the_story_of_aa_is_found(tmp_path):
    new = module(
        "self.conv = nn.Conv2d(3, 3, 1)\nself.aa = x",
        "x = self.conv(x)\nreturn x if self.aa is None else self.aa(x)",
    )
    (found,) = compared(tmp_path, OLD, new)
    assert (found.kind, found.class_, found.attribute) == ("missing", "pack.m.Block", "aa")
    assert found.file.endswith("new/pack/m.py") and found.line == 11
    assert found.readers == ("Block.forward",)
    assert found.remedy.endswith("if not hasattr(self, 'aa'): self.aa = None")


@pytest.mark.parametrize(
    "forward",
    [
        "return self.aa(x)",
        "return x + self.aa.weight",
        "self.aa += 1",
        "return getattr(self, 'aa')",
        "return [self.aa for _ in x]",
        "return {i: self.aa for i in x}",
        "return {self.aa for _ in x}",
        "return {i for i in self.aa}",
        "for i in self.aa:\n    x += i\nreturn x",
        "while self.aa:\n    x += 1\nreturn x",
        "try:\n    x += 1\nfinally:\n    self.aa.close()",
        "return (lambda: self.aa)()",
        "return x if self.conv is None else self.aa(x)",
        "def inner():\n    return self.aa\nreturn inner()",
        "with self.conv as c:\n    x = self.aa(x)\nreturn x",
        "if x is None:\n    self.aa = 1\nreturn self.aa",
        "for i in x:\n    self.aa = i\nreturn self.aa",
        "try:\n    x = self.aa(x)\nexcept KeyError:\n    pass",
        "try:\n    self.aa = 1\nexcept KeyError:\n    pass\nreturn self.aa",
        "match x:\n    case None:\n        return self.aa",
        "return self.helper(x)",
        "return self.shown",
        "return torch.utils.checkpoint.checkpoint(self.helper, x)",
        "return outer(self, x)",
        "return outer(x, self)",
    ],
)
def test_what_reads_an_attribute(tmp_path, forward):
    more = "def helper(self, x):\n    return self.aa(x)\n@property\ndef shown(self):\n"
    more += "    return self.aa\n"
    outer = "def outer(one, two):\n    return one.aa or two.aa\n"
    new = outer + module("self.conv = None\nself.aa = x", forward, more)
    assert lacking(compared(tmp_path, outer + OLD, new)) == {"aa"}


@pytest.mark.parametrize(
    "forward",
    [
        "aa = getattr(self, 'aa', None)\nreturn x if aa is None else self.aa(x)",
        "return self.aa(x) if hasattr(self, 'aa') else x",
        "if not hasattr(self, 'aa'):\n    return x\nreturn self.aa(x)",
        "if 'aa' in self.__dict__:\n    x = self.aa(x)\nreturn x",
        "if 'aa' not in vars(self):\n    return x\nreturn self.aa(x)",
        "if hasattr(self, 'aa'):\n    x = self.helper(x)\nreturn x",
        "try:\n    return self.aa(x)\nexcept AttributeError:\n    return x",
        "try:\n    return self.aa(x)\nexcept (KeyError, AttributeError):\n    return x",
        "try:\n    return self.aa(x)\nexcept Exception:\n    return x",
        "self.aa = x\nreturn self.aa",
        "if x is None:\n    self.aa = 1\nelse:\n    self.aa = 2\nreturn self.aa",
        "if x is None:\n    raise ValueError\nelse:\n    self.aa = 2\nreturn self.aa",
        "if x is None:\n    self.aa = 1\nelse:\n    return x\nreturn self.aa",
        "try:\n    self.aa = 1\nexcept KeyError:\n    self.aa = 2\nreturn self.aa",
        "try:\n    self.aa = 1\nexcept KeyError:\n    raise\nreturn self.aa",
        "try:\n    return x\nexcept KeyError:\n    self.aa = 1\nreturn self.aa",
        "def inner(self):\n    return self.aa\nreturn x",
        "class Inner:\n    def forward(self):\n        return self.aa\nreturn x",
        "self.prepare()\nreturn self.aa",
        "self.__dict__.setdefault('aa', 1)\nreturn self.aa",
        "self.__dict__['aa'] = 1\nreturn self.aa",
        "return self.static(self.conv)",
        "return x",
    ],
)
def test_what_is_no_break(tmp_path, forward):
    more = "def helper(self, x):\n    return self.aa(x)\ndef prepare(self):\n    self.aa = 1\n"
    more += "@staticmethod\ndef static(block):\n    return block.aa\n"
    new = module("self.conv = None\nself.aa = x", forward, more)
    assert lacking(compared(tmp_path, OLD, new)) == set()


@pytest.mark.parametrize(
    "old",
    [
        "self.aa = x",
        "self.aa = self.b = x",
        "self.b, (self.aa, *self.c) = x",
        "self.aa: int = 1",
        "if x:\n    self.aa = 1",
        "for i in x:\n    self.aa = i",
        "self.register_buffer('aa', x)",
        "self.register_parameter(name='aa', param=None)",
        "self.register_module('aa', x)",
        "self.add_module('aa', x)",
        "setattr(self, 'aa', x)",
        "object.__setattr__(self, 'aa', x)",
        "setattr(self, x, 1)",
        "setattr(self, f'a{x}', 1)",
        "setattr(self, 'a%s' % x, 1)",
        "setattr(self, 'a{}'.format(x), 1)",
        "name = f'a{x}'\nself.add_module(name, x)",
        "self.__dict__.update(x)",
        "vars(self).update(x)",
        "self.set_up()",
        "equip(self)",
        "tools.equip(self)",
        "self.window = x",
    ],
)
def test_what_an_old_object_carries(tmp_path, old):
    more = "def set_up(self):\n    self.aa = 1\n@property\ndef window(self):\n    return 1\n"
    more += "@window.setter\ndef window(self, value):\n    self.aa = value\n"
    head = "from pack import tools\nfrom pack.tools import equip\n"
    versions = [
        {"tools": "def equip(it):\n    it.aa = 1\n", "m": head + text}
        for text in (module(old, more=more), module("self.aa = x", "return self.aa"))
    ]
    assert lacking(compared(tmp_path, *versions)) == set()


@pytest.mark.parametrize(
    "old",
    [
        "self.aa: int",
        "other.aa = 1",
        "self.b.aa = 1",
        "setattr(self, f'b{x}', 1)",
        "setattr(self, 'b%s' % x, 1)",
        "setattr(self, 'b' + x, 1)",
        "setattr(self, 'b{}'.format(x), 1)",
        "name = f'b{x}'\nself.add_module(name, x)",
    ],
)
def test_what_it_does_not_carry(tmp_path, old):
    versions = module(old), module("self.aa = x", "return self.aa")
    assert lacking(compared(tmp_path, *versions)) == {"aa"}


@pytest.mark.parametrize(
    "old, new, found",
    [
        ("self.add_module(*x)", "self.aa = False", {"aa"}),
        ("self.add_module(x, y)", "self.aa = 'avg'", {"aa"}),
        ("self.register_buffer(f'a{x}', y)", "self.aa = 0.1", {"aa"}),
        ("self.add_module(*x)", "self.aa = None", set()),
        ("self.add_module(*x)", "self.aa = nn.ReLU()", set()),
        ("self.add_module(*x)", "self.aa = False\nif x:\n    self.aa = nn.ReLU()", set()),
        ("setattr(self, x, 1)", "self.aa = False", set()),
    ],
)
def test_what_is_registered_under_any_name_is_no_plain_value(tmp_path, old, new, found):
    """As timm's ResNet does with its stages."""
    versions = module(old), module(new, "return self.aa")
    assert lacking(compared(tmp_path, *versions)) == found


@pytest.mark.parametrize(
    "more",
    [
        "aa = None",
        "aa: int = 0",
        "def aa(self): ...",
        "@property\ndef aa(self): ...",
        "def __getattr__(self, name):\n    return getattr(self.conv, name)",
        "def __getattr__(self, name):\n    if name == 'aa': return None\n    raise AttributeError",
        "def __setstate__(self, state):\n    super().__setstate__(state)\n    self.aa = None",
        "def __setstate__(self, state):\n    super().__setstate__(state)\n"
        "    if not hasattr(self, 'aa'):\n        self.aa = None",
        "def __setstate__(self, state):\n    state.setdefault('aa', None)\n"
        "    super().__setstate__(state)",
        "def __setstate__(self, state):\n    for name, value in {'aa': None}.items():\n"
        "        state.setdefault(name, value)\n    super().__setstate__(state)",
    ],
)
def test_what_a_new_class_gives_by_itself(tmp_path, more):
    found = compared(tmp_path, OLD, module("self.aa = x", "return self.aa", more))
    assert [each for each in found if each.kind == "missing"] == []


@pytest.mark.parametrize(
    "more", ["aa: int", "def __getattr__(self, name):\n    return super().__getattr__(name)"]
)
def test_what_looks_like_a_default_and_is_none(tmp_path, more):
    found = compared(tmp_path, OLD, module("self.aa = x", "return self.aa", more))
    assert lacking(found) == {"aa"}


def test_what_the_old_methods_read_was_there(tmp_path):
    old = module("build(self)", "return self.aa")
    assert lacking(compared(tmp_path, old, module("self.aa = x", "return self.aa"))) == set()


def test_what_the_new_constructor_does_not_set_either_is_not_ours(tmp_path):
    assert lacking(compared(tmp_path, OLD, module("pass", "return self.aa"))) == set()


def test_a_read_that_only_the_constructor_comes_to_does_not_count(tmp_path):
    new = module("self.aa = x\nself.reset()", more="def reset(self):\n    self.aa.zero_()")
    assert lacking(compared(tmp_path, OLD, new.replace("reset", "_reset"))) == set()


BASE = "class Base(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
CALL = "    def forward(self, x):\n        return self.aa(x)\n"


@pytest.mark.parametrize(
    "old, new, expected",
    [
        # The base sets and reads it: both classes lack it.
        ("", "        self.aa = 1\n" + CALL, {"aa", "Base.aa"}),
        # The old base sets it already.
        ("        self.aa = 1\n", "        self.aa = 1\n" + CALL, set()),
    ],
)
def test_inheritance_is_followed_through_imports(tmp_path, old, new, expected):
    child = "from . import base as b\nclass Block(b.Base):\n    def __init__(self):\n"
    child += "        super().__init__()\n"
    versions = [{"base": BASE + text, "m": child} for text in (old, new)]
    assert lacking(compared(tmp_path, *versions)) == expected


@pytest.mark.parametrize(
    "call, expected",
    [
        ("super().__init__()", set()),
        ("super(Block, self).__init__()", set()),
        ("Base.__init__(self)", set()),
        ("nn.Module.__init__(self)", {"aa"}),
        ("super(Base, self).__init__()", {"aa"}),
        ("pass", {"aa"}),
    ],
)
def test_only_the_constructors_that_are_called_count(tmp_path, call, expected):
    def text(init, forward):
        return (
            f"{BASE}        self.aa = 1\n"
            f"class Block(Base):\n    def __init__(self):\n        {init}\n"
            f"    def forward(self, x):\n        return {forward}\n"
        )

    versions = text(call, "x"), text("super().__init__()", "self.aa")
    assert lacking(compared(tmp_path, *versions)) == expected


def test_a_base_that_two_ways_lead_to_is_asked_after_both(tmp_path):
    def text(extra):
        ways = "class One(Base):\n    aa = 1\nclass Two(Base): ...\nclass Block(Two, One): ...\n"
        return BASE + extra + ways

    found = compared(tmp_path, text(""), text("        self.aa = 1\n" + CALL))
    assert lacking(found) == {"Base.aa", "Two.aa"}


def test_what_torch_gives_to_its_own_layers_is_carried(tmp_path):
    def text(init, value):
        return (
            "class Block(nn.Conv2d):\n    def __init__(self):\n        super().__init__(1, 1, 1)\n"
            f"        {init}\n    def forward(self, x):\n        return {value}\n"
        )

    new = text("self.padding_mode = 'same'; self.mine = 1", "self.padding_mode, self.mine")
    assert lacking(compared(tmp_path, text("pass", "x"), new)) == {"mine"}


USED_BY = "class Net(nn.Module):\n    def forward(self, x):\n        return self.block.{}(x)\n"


def test_a_method_that_others_call_by_its_name_is_used(tmp_path):
    more = "def embed(self, x):\n    return self.aa"
    new = module("self.aa = x", more=more)
    assert lacking(compared(tmp_path / "1", OLD, new)) == set()
    assert lacking(compared(tmp_path / "1", OLD, new), certain=False) == {"aa"}
    assert lacking(compared(tmp_path / "2", OLD, new + USED_BY.format("embed"))) == {"aa"}


def test_methods_that_belong_to_the_making_are_not_even_possible(tmp_path):
    more = "def reset_parameters(self):\n    return self.aa\ndef init_weights(self):\n    self.aa"
    found = compared(tmp_path, OLD, module("self.aa = x", more=more))
    assert found == []


def test_what_is_read_only_where_another_missing_one_has_a_value_is_possible(tmp_path):
    forward = "if self.conv_s2d is not None:\n    x = self.bn_s2d(x)\nreturn self.aa"
    new = module("self.conv_s2d = x\nself.bn_s2d = x\nself.aa = x", forward)
    found = compared(tmp_path, OLD, new)
    assert lacking(found) == {"conv_s2d", "aa"}
    assert lacking(found, certain=False) == {"bn_s2d"}
    (possible,) = [each for each in found if not each.certain]
    assert possible.needs == "conv_s2d"


def test_of_two_ways_to_an_attribute_the_one_without_conditions_counts(tmp_path):
    forward = "if self.flag:\n    self.helper()\nreturn self.helper()"
    more = "def helper(self):\n    return self.aa"
    new = module("self.flag = x\nself.aa = x", forward, more)
    assert lacking(compared(tmp_path, OLD, new)) == {"flag", "aa"}


def test_of_a_plain_class_every_public_method_is_used(tmp_path):
    def text(init, value):
        return (
            f"class Block:\n    def __init__(self, x):\n        {init}\n"
            f"    def shape(self):\n        return {value}\n"
        )

    assert lacking(compared(tmp_path, text("pass", 1), text("self.aa = x", "self.aa"))) == {"aa"}


@pytest.mark.parametrize(
    "value, expected",
    [
        ("x", "None"),
        ("'reflect'", "'reflect'"),
        ("nn.Linear(x, 1) if x else None", "None"),
        ("nn.Linear(x, 1) if x else nn.Identity()", "nn.Identity()"),
        ("nn.Linear(x, 1)", "..."),
    ],
)
def test_the_remedy_names_the_value_that_the_constructor_gives_by_default(
    tmp_path, value, expected
):
    (found,) = compared(tmp_path, OLD, module(f"self.aa = {value}", "return self.aa"))
    assert found.remedy.endswith(f"self.aa = {expected}")


def test_or_none_where_the_methods_can_do_without(tmp_path):
    new = module("self.aa = nn.Linear(x, 1)", "return x if self.aa is None else self.aa(x)")
    (found,) = compared(tmp_path, OLD, new)
    assert found.remedy.endswith("self.aa = None")


def test_a_setstate_that_asks_for_what_old_states_do_not_hold(tmp_path):
    more = "def __setstate__(self, state):\n    self.aa = state['aa']\n"
    (found,) = compared(tmp_path, OLD, module("self.aa = x", more=more))
    assert (found.attribute, found.readers) == ("aa", ("Block.__setstate__",))


def test_objects_that_the_constructor_makes_anew_lack_nothing(tmp_path):
    more = "def __reduce__(self):\n    return Block, ()"
    old, new = module("pass", more=more), module("self.aa = x", "return self.aa", more)
    assert compared(tmp_path, old, new) == []


def test_the_garbage_collector_is_left_as_it_was(tmp_path):
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            compared(tmp_path, OLD, OLD)
            assert gc.isenabled() is enabled
        finally:
            gc.enable()


def test_nothing_is_found_between_equal_versions(tmp_path):
    text = module("build(self)", "return self.aa + self.bb")
    assert compared(tmp_path, text, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "class A(B): ...\nclass B(A): ...\n",
        "class A(A): ...\n",
        "from pack.m import A\n",
        "from pack.m import *\nfrom pack import m\nA = m.A\n",
        "class A(nn.Module):\n    def forward(this): return this.forward()\n",
        "class A(nn.Module):\n    def forward(): ...\n    def __init__(*args): args[0].x = 1\n",
        "class A(make()): ...\n",
        "A = A\nA: int\n__all__ = [*x]\n__all__ += ['a']\n",
        "sys.modules[__name__] = object()\nsys.modules['x'] = y\n",
    ],
)
def test_odd_source_is_survived(tmp_path, text):
    assert compared(tmp_path, text, text) == []
