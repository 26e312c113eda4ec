import textwrap

import pytest
from tools.class_record.source import Package


@pytest.fixture
def classes(tmp_path):
    """The traits of the classes in a package of these modules, by path."""

    def read(**modules):
        for name, text in {"__init__": "", **modules}.items():
            path = tmp_path / "pack" / f"{name.replace('__in__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("import torch.nn as nn\n" + textwrap.dedent(text))
        return Package(tmp_path / "pack").classes()

    return read


def of_init(body, classes, before=""):
    """The traits of a module whose `__init__` has this body."""
    text = (
        f"class Block(nn.Module):\n{textwrap.indent(before, '    ')}\n    def __init__(self, x):\n"
    )
    return classes(m=text + textwrap.indent(textwrap.dedent(body), " " * 8))["pack.m.Block"]


@pytest.mark.parametrize(
    "body, must, may",
    [
        ("self.a = 1", "a", ""),
        ("self.a = self.b = x", "a b", ""),
        ("self.a, (self.b, *self.c) = x", "a b c", ""),
        ("self.a: int = 1", "a", ""),
        ("self.a: int", "", "a"),
        ("self.register_buffer('a', x)", "a", ""),
        ("self.register_parameter(name='a', param=None)", "a", ""),
        ("self.add_module('a', x)", "a", ""),
        ("setattr(self, 'a', x)", "a", ""),
        ("super().__init__()\nself.a = 1", "a", ""),
        ("if x:\n    self.a = self.b = 1\nelse:\n    self.a = self.c = 2", "a", "b c"),
        ("if x:\n    self.a = 1", "", "a"),
        ("if x:\n    self.a = 1\nelse:\n    raise ValueError", "a", ""),
        ("if x:\n    self.a = 1\n    return\nself.b = 2", "", "a b"),
        ("self.a = 1\nfor i in x:\n    self.b = i", "a", "b"),
        ("try:\n    self.a = 1\nexcept ValueError:\n    pass", "", "a"),
        ("with x:\n    self.a = 1", "a", ""),
        ("def later():\n    self.a = 1", "", "a"),
        ("self.a.b = 1\nself.c[0] = 2\nother.d = 3", "", ""),
    ],
)
def test_what_an_init_always_and_sometimes_stores(classes, body, must, may):
    traits = of_init(body, classes)
    assert traits.must == set(must.split())
    assert traits.may == set(must.split()) | set(may.split())
    assert not traits.open


@pytest.mark.parametrize(
    "body, opened",
    [
        ("setattr(self, f'block{x}', 1)", "open"),
        ("self.__dict__.update(x)", "open"),
        ("vars(self).update(x)", "open"),
        ("self.add_module(f's{x}', x)", "open_to_registered"),
        ("self.add_module(*x)", "open_to_registered"),
        ("setattr(self, x, nn.Identity())", "open_to_registered"),
    ],
)
def test_names_made_at_run_time_leave_a_class_open(classes, body, opened):
    assert getattr(of_init(body, classes), opened)


def test_other_methods_may_store_too(classes):
    before = "def reset(self):\n    self.late = 1"
    traits = of_init("self.a = 1", classes, before)
    assert (traits.must, traits.may) == ({"a"}, {"a", "late"})


def test_a_property_stores_nothing_under_its_own_name(classes):
    before = "@property\ndef a(self): ...\n@a.setter\ndef a(self, value): ..."
    assert of_init("self.a = 1", classes, before).must == set()


def test_what_may_be_deleted_is_not_always_there(classes):
    before = "def fuse(self, name):\n    delattr(self, name)"
    assert of_init("self.a = 1", classes, before).must == set()


def test_names_that_the_package_sets_or_deletes_elsewhere(tmp_path):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").touch()
    (tmp_path / "pack" / "m.py").write_text(
        "def build(model):\n"
        "    model.cfg = 1\n"
        "    setattr(model, 'head', 2)\n"
        "    del model.old\n"
        "    model.__delattr__('older')\n"
    )
    package = Package(tmp_path / "pack")
    assert package.given == {"cfg", "head"}
    assert package.removed == {"old", "older"}


BASE = """
class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.base = 1
        self.maybe() if True else None
    def later(self):
        self.late = 1
"""


@pytest.mark.parametrize(
    "bases",
    [
        "from .base import Base",
        "from pack.base import Base",
        "from . import base as b\nBase = b.Base\nfrom .base import Base",
        "try:\n    from .base import Base\nexcept ImportError:\n    pass",
        "from pack.deep.again import Other as Base",
    ],
)
def test_inheritance_is_followed_through_imports(classes, bases):
    found = classes(
        base=BASE,
        deep__in____init__="",
        deep__in__again="from ..base import Base as Other",
        m=f"{bases}\nclass Block(Base):\n    def __init__(self):\n        super().__init__()\n"
        "        self.own = 1\n",
    )
    traits = found["pack.m.Block"]
    assert (traits.must, traits.may) == ({"base", "own"}, {"base", "own", "late"})
    assert not traits.open


def test_a_class_without_its_own_init_has_that_of_its_base(classes):
    found = classes(base=BASE, m="from .base import Base\nclass Block(Base):\n    pass\n")
    assert found["pack.m.Block"].must == {"base"}


def test_an_init_that_leaves_out_its_bases_does_not_promise_its_attributes(classes):
    text = "class Block(Base):\n    def __init__(self):\n        self.own = 1\n"
    assert classes(m=BASE + text)["pack.m.Block"].must == {"own"}


def test_with_several_bases_nothing_of_theirs_is_promised(classes):
    text = "class Other: ...\nclass Block(Base, Other):\n    def __init__(self):\n"
    text += "        super().__init__()\n        self.own = 1\n"
    assert classes(m=BASE + text)["pack.m.Block"].must == {"own"}


@pytest.mark.parametrize("base", ["nn.Conv2d", "Unknown", "torch.nn.BatchNorm2d"])
def test_a_base_from_elsewhere_leaves_a_class_open(classes, base):
    traits = classes(m=f"class Block({base}):\n    def __init__(self):\n        self.a = 1\n")
    assert traits["pack.m.Block"].open
    assert traits["pack.m.Block"].must == {"a"}


def test_a_list_of_modules_is_open_to_modules_alone(classes):
    traits = classes(m="class Block(nn.Sequential): ...\n")["pack.m.Block"]
    assert (traits.open, traits.open_to_registered) == (False, True)


@pytest.mark.parametrize("how", ["@dataclass\nclass", "class"])
def test_objects_with_a_state_of_their_own_promise_nothing(classes, how):
    text = f"from dataclasses import dataclass\n{how} Block:\n    a: int = 1\n"
    text += "    def __getstate__(self): ...\n    def __init__(self):\n        self.b = 1\n"
    traits = classes(m=text)["pack.m.Block"]
    assert (traits.open, traits.must) == (True, set())


def test_the_text_of_a_class_is_what_python_gives_as_its_source(classes):
    text = "@nn.mark\nclass Block(nn.Module):\n    a = 1  # a comment\n\n    b = 2\n\n\nc = 3\n"
    assert classes(m=text)["pack.m.Block"].text == text.rpartition("\n\n\nc")[0] + "\n"
