"""Names that old files look for, and the ways in which a new version may still have them."""

import pytest

from compat_versions import compared

OLD = {"layers/conv": "class Block(nn.Module): ...\n"}
NEW_HOME = {"home": "class Block(nn.Module): ...\n"}


def moved(tmp_path, old, new):
    found = compared(tmp_path, old, new)
    assert {each.kind for each in found} <= {"moved"}
    return {each.class_.removeprefix("pack."): each for each in found}


@pytest.mark.parametrize(
    "left",
    [
        "from pack.home import Block",
        "from ..home import Block",
        "from ..home import Block as Other\nBlock = Other",
        "from .. import home\nBlock = home.Block",
        "import pack.home\nBlock = pack.home.Block",
        "from pack.home import *",
        "from pack import *",
        "try:\n    from pack.home import Block\nexcept ImportError:\n    Block = None",
        "if torch.cuda.is_available():\n    from pack.home import Block",
        "class Block(nn.Module): ...",
        "Block = make()",
        "from torch.nn import Identity as Block",
        "from torch.nn import *",
        "def __getattr__(name):\n    return getattr(home, name)",
        "def __getattr__(name):\n    if name == 'Block':\n        return home.thing",
        "__getattr__ = lazy(__name__)",
        "globals()['Block'] = 1",
        "import sys\nsys.modules[__name__] = object()",
    ],
)
def test_ways_in_which_a_name_stays(tmp_path, left):
    new = {**NEW_HOME, "__init__": "from .home import Block\n", "layers/conv": left + "\n"}
    assert moved(tmp_path, OLD, new) == {}


@pytest.mark.parametrize(
    "left",
    [
        "",
        "Other = 1",
        "from torch.nn import Identity",
        "from pack.home import *",
        "if TYPE_CHECKING:\n    from pack.home import Block",
        "def function():\n    from pack.home import Block",
        "def __getattr__(name):\n    if name == '__version__':\n        return 1\n"
        "    raise AttributeError",
        "import pack.home as Block2",
    ],
)
def test_ways_in_which_it_does_not(tmp_path, left):
    new = {"home": "__all__ = []\nclass Block(nn.Module): ...\n", "layers/conv": left + "\n"}
    (found,) = moved(tmp_path, OLD, new).values()
    assert found.message == "now in pack.home"
    assert found.remedy == "in pack.layers.conv: from pack.home import Block"
    assert found.file.endswith("layers/conv.py")


def test_a_module_that_is_gone(tmp_path):
    # As in timm: the package above re-exports the name, and pickle imports the module all the same.
    new = {**NEW_HOME, "layers/__init__": "from pack.home import Block\n"}
    (found,) = moved(tmp_path, OLD, new).values()
    assert found.message == "now in pack.home; the module pack.layers.conv is gone"
    assert found.remedy == "keep a module pack.layers.conv: from pack.home import Block"
    assert found.file.endswith("layers/__init__.py")


def test_an_attribute_of_a_package_is_not_a_module(tmp_path):
    new = {**NEW_HOME, "layers/__init__": "from pack import home as conv\n"}
    assert set(moved(tmp_path, OLD, new)) == {"layers.conv.Block"}


@pytest.mark.parametrize(
    "shim",
    [
        "import sys\nfrom pack import home\nsys.modules['pack.layers.conv'] = home\n",
        "import sys\nsys.modules['pack.layers.conv'] = made()\n",
        "import sys\nfor name in x:\n    sys.modules[f'{__name__}.{name}'] = made(name)\n",
    ],
)
def test_modules_put_into_sys_modules_are_there(tmp_path, shim):
    assert moved(tmp_path, OLD, {**NEW_HOME, "layers/__init__": shim}) == {}


def test_a_module_put_into_sys_modules_is_asked_for_the_name(tmp_path):
    shim = "import sys\nfrom pack import home\nsys.modules['pack.layers.conv'] = home\n"
    new = {"home": "class Other: ...\n", "layers/__init__": shim}
    assert set(moved(tmp_path, OLD, new)) == {"layers.conv.Block"}


def test_a_class_with_other_capitals_is_found_by_its_new_name(tmp_path):
    (found,) = moved(tmp_path, "class XCiT: ...\n", "class Xcit: ...\n").values()
    assert found.message == "now called Xcit"
    assert found.remedy == "in pack.m: XCiT = Xcit"


def test_a_namesake_that_was_there_before_is_not_the_new_home(tmp_path):
    old = {"m": "class Block: ...\n", "other": "class Block: ...\n"}
    (found,) = moved(tmp_path, old, {"m": "", "other": old["other"]}).values()
    assert found.message == "gone, or has another name"


def test_of_several_homes_the_module_of_the_same_name_is_meant(tmp_path):
    new = {f"{home}": "class Block: ...\n" for home in ("a", "b/_conv", "c")}
    (found,) = moved(tmp_path, OLD, new).values()
    assert found.message.startswith("now in pack.b._conv")


def test_a_class_that_has_become_a_function(tmp_path):
    (found,) = moved(tmp_path, "class Block: ...\n", "def Block(): ...\n").values()
    assert found.message == "was a class and is a function now"


def test_nested_classes_are_named_by_pickles_too(tmp_path):
    old = "class Block:\n    class Inner: ...\n    class Kept: ...\n"
    new = "class Block:\n    class Kept: ...\n"
    assert set(moved(tmp_path, old, new)) == {"m.Block.Inner"}


@pytest.mark.parametrize("base", ["Protocol", "TypedDict"])
def test_what_has_no_instances_is_not_missed(tmp_path, base):
    old = f"from typing import {base}\nclass Block({base}): ...\n"
    assert moved(tmp_path, old, "") == {}


@pytest.mark.parametrize(
    "use, held",
    [
        ("self.f = pad", True),
        ("self.f = partial(pad, 2)", True),
        ("self.f = nn.Sequential(Layer(act=pad))", True),
        ("self.f = pad(2)", False),
        ("self.f = pad.name", False),
        ("f = pad", False),
        ("self.apply(pad)", False),
    ],
)
def test_functions_that_objects_hold(tmp_path, use, held):
    text = f"class Block:\n    def __init__(self):\n        {use}\n"
    found = moved(tmp_path, f"def pad(): ...\n{text}", text)
    assert set(found) == ({"m.pad"} if held else set())


def test_an_old_alias_is_no_name_that_pickles_use(tmp_path):
    assert moved(tmp_path, "class Block: ...\nOld = Block\n", "class Block: ...\n") == {}


def test_compiled_modules_may_hold_anything(tmp_path):
    from compat_versions import write
    from missing_aa.comparer.compare import compare

    old = write(tmp_path / "old", {"fast": "class Block: ...\n"})
    new = write(tmp_path / "new", {})
    (new / "fast.cpython-311-x86_64-linux-gnu.so").write_bytes(b"\x7fELF")
    assert compare(str(old), str(new)).findings == []
