"""Tiny packages in two versions: a model is written by the old, and read by the new.

A case is a module's text in both; what the new one really does with the old one's file is found out
by running it. `write` and `run` are started as processes that see one of the versions:

    python check_packages.py write FOLDER | python check_packages.py run FOLDER
"""

import json
import sys
from pathlib import Path

HEAD = """\
import contextlib
import functools
import torch
from torch import nn


"""

OLD = """\
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, x):
        return self.conv(x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block()
        self.deep = False

    def forward(self, x):
        return self.block(x)


def make():
    return Net()
"""

READS = """\
    def forward(self, x):
        x = self.conv(x)
        return x if self.aa is None else self.aa(x)
"""

NET = OLD[OLD.index("class Net") :]


def block(body: str, before: str = "", after: str = "", base: str = "nn.Module", head: str = ""):
    """A new version in which a Block has this body."""
    return f"{before}{head}class Block({base}):\n{body}\n\n{after}{NET}"


ASKS = block("    def forward(self, x):\n        return self.conv(x)\n")

GIVEN = {
    "further_arguments_handed_over_as_one": ASKS.replace(
        "def forward(self, x):\n        return self.block(x)",
        "def forward(self, x, *args, **kwargs):\n"
        "        return self.block(self.way(args, kwargs) + x)\n\n"
        "    def way(self, args, kwargs):\n"
        "        return len(args) + len(kwargs)",
    ),
    "getattribute_catches_what_is_missing": block(
        "    def __getattribute__(self, name):\n"
        "        try:\n            return super().__getattribute__(name)\n"
        "        except AttributeError:\n            if name != 'aa':\n                raise\n"
        "            return None\n\n" + READS
    ),
    "getattribute_reads_a_computed_key": block(
        "    def __getattribute__(self, name):\n"
        "        name = 'training' if len(name) == 2 else name\n"
        "        return super().__getattribute__(name)\n\n"
        "    def forward(self, x):\n        return self.conv(x) if self.aa else x\n"
    ),
    "getattribute_maps_by_what_is_changed_later": block(
        "    names = {'bb': 'training'}\n\n"
        "    def __getattribute__(self, name):\n"
        "        if name in super().__getattribute__('names'):\n"
        "            name = super().__getattribute__('names')[name]\n"
        "        return super().__getattribute__(name)\n\n"
        "    def forward(self, x):\n        return self.conv(x) if self.aa else x\n",
        after="Block.names['aa'] = 'training'\n\n\n",
    ),
    "decorator_hands_on_to_what_sets_it": block(
        READS,
        "def fill(it):\n    it.aa = None\n\n\n"
        "def text(cls):\n    fill(cls)\n    cls.__doc__ = ''\n    return cls\n\n\n",
        head="@text\n",
    ),
    "decorator_returns_another_class": block(
        READS,
        "make = type\n\n\n"
        "def text(cls):\n    cls = make('Block', (cls,), {'aa': None})\n    return cls\n\n\n",
        head="@text\n",
    ),
    "decorator_hands_on_to_what_replaces_it": block(
        "    @text()\n" + READS,
        "def wrap(it):\n    def other(self, x):\n        try:\n            return it(self, x)\n"
        "        except AttributeError:\n            return x\n    return other\n\n\n"
        "def text(it=None, *, intro=''):\n    def give(it):\n        return wrap(it)\n"
        "    if it:\n        return give(it)\n    return give\n\n\n",
    ),
    "getattr_with_a_table": block(
        "    GIVEN = {'aa': None}\n\n"
        "    def __getattr__(self, name):\n"
        "        if name in self.GIVEN:\n"
        "            return self.GIVEN[name]\n"
        "        return super().__getattr__(name)\n\n" + READS
    ),
    "getattribute": block(
        "    def __getattribute__(self, name):\n"
        "        return None if name == 'a' * 2 else super().__getattribute__(name)\n\n" + READS
    ),
    "metaclass": block(
        READS,
        "class Meta(type):\n"
        "    def __new__(mcs, name, bases, body):\n"
        "        return super().__new__(mcs, name, bases, {**body, 'aa': None})\n\n\n",
        base="nn.Module, metaclass=Meta",
    ),
    "class_decorator": block(
        READS, "def complete(cls):\n    cls.aa = None\n    return cls\n\n\n", head="@complete\n"
    ),
    "class_decorator_with_arguments": block(
        READS,
        "def complete(**given):\n"
        "    def change(cls):\n"
        "        for name, value in given.items():\n"
        "            setattr(cls, name, value)\n"
        "        return cls\n"
        "    return change\n\n\n",
        head="@complete(aa=None)\n",
    ),
    "base_that_is_made": block(
        READS, "Base = type('Base', (nn.Module,), {'aa': None})\n\n\n", base="Base"
    ),
    "base_that_a_function_gives": block(
        READS,
        "def base():\n    class Base(nn.Module):\n        aa = None\n    return Base\n\n\n",
        base="base()",
    ),
    "subclasses_are_changed": block(
        READS,
        "class Base(nn.Module):\n    def __init_subclass__(cls):\n        cls.aa = None\n\n\n",
        base="Base",
    ),
    "subclasses_are_changed_by_a_method": block(
        READS,
        "class Base(nn.Module):\n"
        "    def __init_subclass__(cls):\n"
        "        cls.note()\n\n"
        "    @classmethod\n"
        "    def note(cls):\n"
        "        cls.aa = None\n\n\n",
        base="Base",
    ),
    "subclasses_are_handed_on": block(
        READS,
        "def complete(cls):\n    cls.aa = None\n\n\n"
        "class Base(nn.Module):\n    def __init_subclass__(cls):\n        complete(cls)\n\n\n",
        base="Base",
    ),
    "subclasses_get_another_forward": block(
        READS,
        "class Base(nn.Module):\n"
        "    def __init_subclass__(cls):\n"
        "        cls.forward = lambda self, x: self.conv(x)\n\n\n",
        base="Base",
    ),
    "a_tensor_is_asked_what_it_is": block(
        "    def forward(self, x):\n"
        "        if x.is_nested or x.retains_grad:\n"
        "            raise AssertionError\n"
        "        return self.conv(x)\n"
    ),
    "forward_is_wrapped": block(
        "    @complete\n" + READS,
        "def complete(function):\n"
        "    @functools.wraps(function)\n"
        "    def inner(self, x):\n"
        "        self.aa = None\n"
        "        return function(self, x)\n"
        "    return inner\n\n\n",
    ),
    "forward_is_replaced": block(READS, after="Block.forward = lambda self, x: self.conv(x)\n\n\n"),
    "dict_update": block(
        "    def __setstate__(self, state):\n"
        "        self.__dict__.update({'aa': None})\n"
        "        self.__dict__.update(state)\n\n" + READS
    ),
    "dict_update_by_computed_names": block(
        "    def __setstate__(self, state):\n"
        "        self.__dict__.update({name * 2: None for name in 'ab'})\n"
        "        self.__dict__.update(state)\n\n" + READS
    ),
    "dict_setdefault": block(
        "    def forward(self, x):\n"
        "        self.__dict__.setdefault('aa', None)\n"
        "        return self.conv(x) if self.aa is None else self.aa(x)\n"
    ),
    "vars_item": block(
        "    def forward(self, x):\n"
        "        vars(self)['aa'] = None\n"
        "        return self.conv(x) if self.aa is None else self.aa(x)\n"
    ),
    "class_patched_below": block(READS, after="Block.aa = None\n\n\n"),
    "another_method_replaced_below": block(
        "    def prepare(self):\n        pass\n\n"
        "    def forward(self, x):\n"
        "        self.prepare()\n"
        "        return x if self.aa is None else x\n",
        after="def prepare(self):\n    self.aa = None\n\n\nBlock.prepare = prepare\n\n\n",
    ),
    "setstate_set_below": block(
        READS,
        after="def setstate(self, state):\n    self.__dict__.update(state, aa=None)\n\n\n"
        "Block.__setstate__ = setstate\n\n\n",
    ),
    "names_are_mapped": block(
        "    names = {'aa': 'training'}\n\n"
        "    def __getattribute__(self, name):\n"
        "        if name != 'names' and name in self.names:\n"
        "            name = self.names[name]\n"
        "        return super().__getattribute__(name)\n\n"
        "    def forward(self, x):\n"
        "        return self.conv(x) if self.aa else x\n"
    ),
    "an_optional_package": block(
        "    def forward(self, x):\n"
        "        if not_there:\n"
        "            import no_such_module_here\n"
        "        return self.conv(x)\n",
        "not_there = bool(__import__('os').environ.get('NO_SUCH_VARIABLE'))\n\n\n",
    ),
    "class_patched_by_setattr": block(READS, after="setattr(Block, 'aa', None)\n\n\n"),
    "classes_patched_in_a_loop": block(
        READS, after="for each in (Block,):\n    setattr(each, 'a' + 'a', None)\n\n\n"
    ),
    "class_handed_to_a_function": block(
        READS,
        "def complete(cls):\n    cls.aa = None\n\n\n",
        after="complete(Block)\n\n\n",
    ),
    "class_patched_on_the_way": block(
        "    def forward(self, x):\n"
        "        type(self).aa = None\n"
        "        return self.conv(x) if self.aa is None else self.aa(x)\n"
    ),
    "name_in_the_body_by_locals": block("    locals()['a' * 2] = None\n\n" + READS),
    "name_in_the_body_under_an_if": block(
        "    if torch.__version__:\n        aa = None\n\n" + READS
    ),
    "defined_in_two_ways": "if torch.__version__ > '0':\n"
    "    class Block(nn.Module):\n"
    "        aa = None\n"
    + "".join(f"    {line}\n" for line in READS.splitlines())
    + "else:\n    class Block(nn.Module):\n"
    + "".join(f"    {line}\n" for line in READS.splitlines())
    + f"\n\n{NET}",
    "caught": block(
        "    def forward(self, x):\n"
        "        try:\n"
        "            aa = self.aa\n"
        "        except AttributeError:\n"
        "            aa = None\n"
        "        return self.conv(x) if aa is None else aa(x)\n"
    ),
    "suppressed": block(
        "    def forward(self, x):\n"
        "        with contextlib.suppress(AttributeError):\n"
        "            x = self.aa(x)\n"
        "        return self.conv(x)\n"
    ),
    "swallowed_by_a_manager": block(
        "    def forward(self, x):\n"
        "        with Calm():\n"
        "            x = self.aa(x)\n"
        "        return self.conv(x)\n",
        "class Calm:\n"
        "    def __enter__(self):\n"
        "        return self\n\n"
        "    def __exit__(self, *error):\n"
        "        return True\n\n\n",
    ),
    "set_where_it_lacks": block(
        "    def forward(self, x):\n"
        "        if not hasattr(self, 'aa'):\n"
        "            self.aa = None\n"
        "        return self.conv(x) if self.aa is None else self.aa(x)\n"
    ),
    "setattr_in_a_loop": block(
        "    def __setstate__(self, state):\n"
        "        super().__setstate__(state)\n"
        "        for name, value in {'aa': None}.items():\n"
        "            if name not in self.__dict__:\n"
        "                setattr(self, name, value)\n\n" + READS
    ),
    "setattr_by_computed_names": block(
        "    def __setstate__(self, state):\n"
        "        super().__setstate__(state)\n"
        "        for name in map(str.lower, open(__file__).read(0).split() or ['AA']):\n"
        "            setattr(self, name, None)\n\n" + READS
    ),
    "state_is_changed": block(
        "    def __setstate__(self, state):\n"
        "        state.setdefault('aa', None)\n"
        "        super().__setstate__(state)\n\n" + READS
    ),
    "filled_by_a_function": block(
        "    def forward(self, x):\n"
        "        complete(self)\n"
        "        return self.conv(x) if self.aa is None else self.aa(x)\n",
        "def complete(module, name='aa'):\n    setattr(module, name, None)\n\n\n",
    ),
    "object_setattr": block(
        "    def __setstate__(self, state):\n"
        "        super().__setstate__(state)\n"
        "        object.__setattr__(self, 'aa', None)\n\n" + READS
    ),
    "given_in_eval": block(
        "    def train(self, mode=True):\n"
        "        self.aa = None\n"
        "        return super().train(mode)\n\n" + READS
    ),
    "property": block(
        "    @property\n    def aa(self):\n        return self.__dict__.get('_aa')\n\n" + READS
    ),
    "slots_default": block("    aa: object = None\n\n" + READS),
    "parent_sets_it": block(READS).replace(
        "        return self.block(x)", "        self.block.aa = None\n        return self.block(x)"
    ),
    "dead_by_its_own_value": block(READS).replace(
        "        return self.block(x)",
        "        return self.block(x) if self.deep else self.block.conv(x)",
    ),
    "loop_that_returns": block(
        "    def forward(self, x):\n"
        "        for each in self.children():\n"
        "            return each(x)\n"
        "        return self.aa(x)\n"
    ),
    "loop_that_returns_for_any_input": block(
        "    def forward(self, x):\n"
        "        for each in x:\n"
        "            return self.conv(each[None])\n"
        "        return self.aa(x)\n"
    ),
    "returns_before": block(
        "    def forward(self, x):\n"
        "        if x.shape[0] == 1:\n"
        "            return self.conv(x)\n"
        "        return self.aa(x)\n"
    ),
    "returned_from_a_try": block(
        "    def forward(self, x):\n"
        "        try:\n"
        "            number = int('x' + str(x.shape[0]))\n"
        "        except ValueError:\n"
        "            return self.conv(x)\n"
        "        return self.aa(x)\n"
    ),
    "dict_replaced": block(
        "    def __setstate__(self, state):\n"
        "        self.__dict__ = dict(state, aa=None)\n\n" + READS
    ),
    "dict_replaced_by_what_a_library_gives": block(
        "    def __setstate__(self, state):\n"
        "        self.__dict__ = copy.copy(state)\n"
        "        self.__dict__ |= {'aa': None}\n\n" + READS,
        "import copy\n\n\n",
    ),
    "a_set_of_equals": block(
        "    def forward(self, x):\n"
        "        if len({len(part) for part in ((1,), (2,))}) > 1:\n"
        "            raise ValueError('lengths')\n"
        "        return self.conv(x)\n"
    ),
    "a_property_that_fails_and_a_child_of_its_name": block(
        "    @property\n    def conv(self):\n        return self._conv\n\n"
        "    def forward(self, x):\n        return self.conv(x)\n"
    ),
    "a_property_that_fails_and_a_getattr": block(
        "    @property\n    def aa(self):\n        return self._aa\n\n"
        "    def __getattr__(self, name):\n"
        "        return None if name == 'aa' else super().__getattr__(name)\n\n" + READS
    ),
    "generator_and_loop_take_turns": block(
        "    def parts(self):\n        yield self.conv\n        yield self.aa\n\n"
        "    def forward(self, x):\n"
        "        for part in self.parts():\n"
        "            self.aa = self.conv\n"
        "            x = part(x)\n"
        "        return x\n"
    ),
    "generator_gives_it_for_a_turn": block(
        "    def parts(self):\n"
        "        for each in (1, 2):\n"
        "            self.aa = self.conv\n"
        "            yield each, (part for part in [self.conv])\n"
        "            del self.aa\n\n"
        "    def forward(self, x):\n"
        "        for _, parts in self.parts():\n"
        "            for part in parts:\n"
        "                x = part(self.aa(x))\n"
        "        return x\n"
    ),
    "generator_that_is_left": block(
        "    def parts(self):\n        yield self.conv\n        yield self.aa\n\n"
        "    def forward(self, x):\n"
        "        for part in self.parts():\n"
        "            return part(x)\n"
    ),
    "generator_that_catches": block(
        "    def parts(self):\n"
        "        try:\n"
        "            yield self.aa\n"
        "        except AttributeError:\n"
        "            yield self.conv\n\n"
        "    def forward(self, x):\n"
        "        for part in self.parts():\n"
        "            x = part(x)\n"
        "        return x\n"
    ),
    "generator_that_ends_early": block(
        "    def parts(self, x):\n"
        "        yield self.conv\n"
        "        if x.shape[0] == 1:\n"
        "            return\n"
        "        yield self.aa\n\n"
        "    def forward(self, x):\n"
        "        for part in self.parts(x):\n"
        "            x = part(x)\n"
        "        return x\n"
    ),
    "closure": block(
        "    def forward(self, x):\n"
        "        def last(y):\n"
        "            return self.aa(y)\n"
        "        return self.conv(x)\n"
    ),
}
"""New versions in which the object gets what it lacks, or never needs it: all of them run."""

MISSING = {
    "getattribute_that_maps_other_names": block(
        "    names = {'bb': 'training'}\n\n"
        "    def __getattribute__(self, name):\n"
        "        if name != 'names' and name in super().__getattribute__('names'):\n"
        "            name = super().__getattribute__('names')[name]\n"
        "        return super().__getattribute__(name)\n\n" + READS
    ),
    "decorators_that_hand_on_and_give_back": block(
        "    @text(intro='b')\n" + READS,
        "def note(it):\n    return len(it.__name__)\n\n\n"
        "def change(it, intro):\n    it.__doc__ = intro * note(it)\n    return it\n\n\n"
        "def text(it=None, *, intro=''):\n"
        "    def give(it):\n        if intro:\n            return change(it, intro=intro)\n"
        "        return change(it, '')\n"
        "    if it:\n        return give(it)\n    return give\n\n\n",
        head="@text\n",
    ),
    "plain": block(READS),
    "in_a_chain": block("    def forward(self, x):\n        return self.conv(x)\n").replace(
        "        return self.block(x)", "        return self.block.conv.aa(x)"
    ),
    "read_by_the_parent": block("    def forward(self, x):\n        return self.conv(x)\n").replace(
        "        return self.block(x)", "        return self.block(x) * self.block.scale"
    ),
    "in_a_loop": block(
        "    def forward(self, x):\n"
        "        for each in self.children():\n"
        "            x = each.aa(x)\n"
        "        return x\n"
    ),
    "in_a_loop_over_a_generator": block(
        "    def parts(self, start):\n"
        "        for each in range(start, 2):\n"
        "            yield each, self.conv\n\n"
        "    def forward(self, x):\n"
        "        for _, part in self.parts(0):\n"
        "            x = part.aa(x)\n"
        "        return x\n"
    ),
    "in_a_generator": block(
        "    def parts(self):\n        yield self.conv\n        yield self.aa\n\n"
        "    def forward(self, x):\n"
        "        for part in self.parts():\n"
        "            if x.ndim == 4:\n"
        "                continue\n"
        "            x = part(x)\n"
        "        return x\n"
    ),
    "in_a_comprehension": block(
        "    def forward(self, x):\n        return sum([each.aa(x) for each in self.children()])\n"
    ),
    "in_a_lambda": block(
        "    def forward(self, x):\n        return (lambda y: self.aa(y))(self.conv(x))\n"
    ),
    "in_a_partial": block(
        "    def helper(self, x, y):\n"
        "        return self.aa(y)\n\n"
        "    def forward(self, x):\n"
        "        return functools.partial(self.helper, x)(x)\n"
    ),
    "subclasses_are_noted": block(
        READS,
        "class Base(nn.Module):\n"
        "    known = None\n\n"
        "    def __init_subclass__(cls):\n"
        "        super().__init_subclass__()\n"
        "        if hasattr(cls, 'known'):\n"
        "            cls.known = cls.name_of(cls.__init__)\n\n"
        "    @classmethod\n"
        "    def name_of(cls, value):\n"
        "        return cls.name_of(None) if value is None and cls.known else str(value)\n\n\n",
        base="Base",
    ),
    "another_name_is_set_below": block(
        READS, after="Block.push = functools.partial(print)\nBlock.push.text = 'aa'\n\n\n"
    ),
    "its_text_is_changed": block(
        "    @described('what it does')\n" + READS,
        "def described(text):\n"
        "    def change(function):\n"
        "        function.__doc__ = text\n"
        "        return function\n"
        "    return change\n\n\n",
    ),
    "behind_os_path": block(
        "    def forward(self, x):\n"
        "        name = os.path.join('a', 'b') + join('a', 'b')\n"
        "        return self.conv(x) if self.aa is None else name\n",
        "import os\nfrom os.path import join\n\n\n",
    ),
    "behind_super": block(
        "    def forward(self, x):\n        return super().forward(x)\n",
        "class Base(nn.Module):\n" + READS + "\n\n",
        base="Base",
    ),
    "behind_a_property": block(
        "    @property\n    def aa(self):\n        return self._aa\n\n" + READS
    ),
    "in_both_ways": block(
        "    def forward(self, x):\n"
        "        if x.sum() > 0:\n"
        "            return self.aa(x)\n"
        "        return -self.aa(x)\n"
    ),
    "behind_a_check": block(
        "    def forward(self, x):\n"
        "        if x.ndim != 4:\n"
        "            raise ValueError('an image is needed')\n"
        "        return self.aa(x)\n"
    ),
    "in_eval": block(
        "    def train(self, mode=True):\n"
        "        self.flag = self.aa\n"
        "        return super().train(mode)\n\n" + READS
    ),
    "at_the_load": block(
        "    def __setstate__(self, state):\n"
        "        super().__setstate__(state)\n"
        "        self.aa = self.old_aa\n\n" + READS
    ),
    "state_without_it": block(
        "    def __setstate__(self, state):\n"
        "        self.__dict__.update(state)\n"
        "        if 'bb' not in state:\n"
        "            self.bb = None\n\n" + READS
    ),
    "deleted": block(
        "    def forward(self, x):\n        del self.conv\n        return self.conv(x)\n"
    ),
    "none_is_called": block(
        "    def forward(self, x):\n        return self.conv.padding_mode_(x)\n"
    ).replace("self.conv.padding_mode_(x)", "self.conv._is_full_backward_hook(x)"),
    "tuple_against_number": block(
        "    def forward(self, x):\n        return x if self.conv.stride > 1 else self.conv(x)\n"
    ),
    "no_forward": block(
        "    def forward(self, x):\n        return self.conv(x)\n", after=""
    ).replace(
        "class Block(nn.Module):\n    def forward(self, x):",
        "class Block(nn.Module):\n    def run(self, x):",
    ),
    "other_arguments": block("    def forward(self, x, mask):\n        return self.conv(x)\n"),
    "key_of_a_dictionary": block(
        "    def forward(self, x):\n        return self._modules['aa'](x)\n"
    ),
    "class_renamed": NET.replace("Block()", "NewBlock()")
    + "\n\nclass NewBlock(nn.Module):\n    pass\n",
    "no_call_goes_well": ASKS.replace(
        "def forward(self, x):\n        return self.block",
        "def forward(self, x, labels=None):\n"
        "        if not self.deep:\n"
        "            raise ValueError('no longer')\n"
        "        return self.block",
    ),
    "the_plain_call_reads_it": ASKS.replace(
        "def forward(self, x):\n        return self.block",
        "def forward(self, x, labels=None):\n"
        "        if labels is None:\n"
        "            return self.gone\n"
        "        return self.block",
    ),
    "the_plain_call_reads_it_by_what_it_makes": ASKS.replace(
        "def forward(self, x):\n        return self.block(x)",
        "def forward(self, x, **kwargs):\n"
        "        kwargs = dict(kwargs, twice=len(kwargs) > 1)\n"
        "        return self.way(x, **kwargs)\n\n"
        "    def way(self, x, twice=False):\n"
        "        if twice:\n"
        "            return x\n"
        "        return self.gone",
    ),
    "what_is_handed_on_is_left_out": ASKS.replace(
        "def forward(self, x):\n        return self.block(x)",
        "def forward(self, x, *args, **kwargs):\n"
        "        return self.way(x, *args, **kwargs)\n\n"
        "    def way(self, x, twice=False):\n"
        "        if twice:\n"
        "            return x\n"
        "        return self.gone",
    ),
    "import_in_forward": block(
        "    def forward(self, x):\n"
        "        import no_such_module_here\n"
        "        return self.conv(x)\n"
    ),
}
"""New versions that fail with the old file, whatever the picture."""

POSSIBLE = {
    "another_call_goes_well": ASKS.replace(
        "def forward(self, x):\n        return self.block",
        "def forward(self, x, labels=None):\n"
        "        if labels is None:\n"
        "            raise ValueError('labels are required')\n"
        "        return self.block",
    ),
    "another_call_has_more_arguments": ASKS.replace(
        "def forward(self, x):\n        return self.block",
        "def forward(self, x, *others):\n"
        "        if len(others) != 2:\n"
        "            raise ValueError('two masks are required')\n"
        "        return self.block",
    ),
    "another_call_has_what_is_none": ASKS.replace(
        "def forward(self, x):\n        return self.block(x)",
        "def forward(self, x, labels=None):\n        return self.block(x) + labels.float()",
    ),
    "in_a_lambda_over_what_is_not_known": block(
        "    def forward(self, x):\n"
        "        return sum(map(lambda part: part * self.aa, self.conv(x).chunk(3)))\n"
    ),
}
"""New versions that fail, where what leads there was not followed exactly."""

ALL = {**GIVEN, **MISSING, **POSSIBLE}


def place(folder: Path) -> None:
    """Write both versions of all cases: FOLDER/old/NAME.py and FOLDER/new/NAME.py."""
    for version in ("old", "new"):
        (folder / version).mkdir()
    for name, new in ALL.items():
        (folder / "old" / f"{name}_case.py").write_text(HEAD + OLD)
        (folder / "new" / f"{name}_case.py").write_text(HEAD + new)


def write(folder: Path) -> None:
    """Let the old version of each write a model: FOLDER/NAME.pt."""
    from importlib import import_module

    import torch

    sys.path.insert(0, str(folder / "old"))
    for name in ALL:
        torch.save(import_module(f"{name}_case").make(), folder / f"{name}.pt")


def run(folder: Path) -> None:
    """Say what the new version does with each: NAME -> "" or its error, as JSON on stdout."""
    import torch

    sys.path.insert(0, str(folder / "new"))
    met = {}
    for name in ALL:
        try:
            # Written a moment ago by `write`: trusted.
            model = torch.load(folder / f"{name}.pt", weights_only=False)
            model.eval()(torch.zeros(1, 3, 4, 4))
            met[name] = ""
        except Exception as error:
            met[name] = f"{type(error).__name__}: {error}"
    print(json.dumps(met))


if __name__ == "__main__":
    {"write": write, "run": run}[sys.argv[1]](Path(sys.argv[2]))
