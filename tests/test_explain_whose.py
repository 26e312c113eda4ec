"""Whose class, and whose line, an error is about, where the text shows less than one would like."""

import shutil
import subprocess
import sys
from pathlib import Path

import packaging
import platformdirs
import pytest
from torch import nn

from missing_aa.explainer.explain import explain_text

SITE = "/home/u/env/lib/python3.11/site-packages"
HEAD = "Traceback (most recent call last):\n"
ATTRIBUTE = "AttributeError: '{}' object has no attribute '{}'"
CALL = (
    f'  File "{SITE}/torch/nn/modules/module.py", line 1110, in _call_impl\n    return forward(x)\n'
)
GETATTR = f'  File "{SITE}/torch/nn/modules/module.py", line 1931, in __getattr__\n    raise X(\n'


def everything(answer):
    ways = [f"{way.text} {' '.join(way.commands)}" for way in answer.ways]
    return " ".join([answer.changed, *ways, *answer.notes])


@pytest.mark.parametrize(
    "class_, attribute", [("Linear", "_lazy_load_hook"), ("Conv2d", "fc"), ("Sequential", "neck")]
)
def test_torch_is_not_blamed_for_what_its_class_never_names(class_, attribute):
    found = explain_text(ATTRIBUTE.format(class_, attribute))
    assert "another library's class of that name" in found.changed
    assert "not known from the text" in found.changed and "source of the torch" in found.known_by
    assert "the torch that wrote it" not in everything(found)
    assert "another torch wrote" not in found.changed


@pytest.mark.parametrize(
    "class_, attribute",
    [
        ("LSTM", "_flat_weights_names"),
        ("LSTM", "weight_ih_l0"),  # a name that is made on the way
        ("Linear", "in_features"),
        ("Conv2d", "_reversed_padding_repeated_twice"),
    ],
)
def test_what_torch_s_class_names_can_be_torch_s_and_every_way_says_if(class_, attribute):
    found = explain_text(ATTRIBUTE.format(class_, attribute))
    assert found.changed.startswith(f"if this {class_} is torch's")
    assert all(way.text.startswith("If the ") for way in found.ways)


def test_torch_s_classes_are_known_by_name_without_torch(tmp_path):
    """In a Python that has nothing but the standard library and the bare package."""
    for package in (packaging, platformdirs):
        shutil.copytree(Path(package.__file__).parent, tmp_path / package.__name__)
    source = Path(__file__).parents[1] / "src"
    program = (
        f"import sys; sys.path[:0] = {[str(source), str(tmp_path)]!r}\n"
        "from missing_aa.explainer.explain import explain_text\n"
        "found = explain_text(\"'Linear' object has no attribute '_lazy_load_hook'\")\n"
        "print(found.changed, *(way.text for way in found.ways), sep='\\n')\n"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True)
    changed, *ways = done.stdout.decode().splitlines()
    assert changed.startswith("if this Linear is torch's") and "torch is not installed" in changed
    assert len(ways) == 3 and all(way.startswith("If the ") for way in ways)


def test_torch_is_read_and_not_imported():
    program = (
        "import sys\nfrom missing_aa.explainer.explain import explain_text\n"
        "text = str(explain_text(\"'Linear' object has no attribute '_lazy_load_hook'\"))\n"
        "print('source of the torch' in text, 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.split() == [b"True", b"False"]


def test_the_recorded_classes_of_torch_are_there():
    from missing_aa.explainer.known_breaks import TORCH_CLASSES

    assert len([name for name in TORCH_CLASSES if hasattr(nn, name)]) > 150


@pytest.mark.parametrize("class_", ["FooEncoder", "Conv2d", "ConvNormAct"])
def test_a_line_without_the_name_is_not_called_its_reader(class_):
    """The frames below it were cut off."""
    for path in ("/tmp/ipykernel_3/320.py", f"{SITE}/barlib/run.py"):
        text = f'{HEAD}  File "{path}", line 22, in run\n    p = model(x)\n{CALL}'
        found = explain_text(text + ATTRIBUTE.format(class_, "aa"))
        said = everything(found)
        assert path not in said and "barlib" not in said and "reads `aa` (" not in said
        if class_ == "FooEncoder":
            assert "not known whose code" in found.changed
    text = text.replace("p = model(x)", "p = model.aa(x)")
    assert "reads `aa`" in explain_text(text + ATTRIBUTE.format("FooEncoder", "aa")).changed


def test_the_line_of_a_box_is_read():
    box = (
        "╭───── Traceback (most recent call last) ─────╮\n"
        "│ /home/u/run.py:22 in run                    │\n"
        "│                                             │\n"
        "│   21 │   x = load()                         │\n"
        "│ ❱ 22 │   p = model.gain(x)                  │\n"
        "╰─────────────────────────────────────────────╯\n"
    )
    found = explain_text(box + ATTRIBUTE.format("FooNet", "gain"))
    assert "reads `gain` (/home/u/run.py)" in found.changed


@pytest.mark.parametrize("class_", ["FooTokenizerFast", "FooProcessor", "RandomFooTransform"])
def test_nothing_is_taken_out_of_what_has_no_weights_by_its_name(class_):
    error = ATTRIBUTE.format(class_, "_in_context")
    found = explain_text(error)
    assert found.ways and "rescue" not in everything(found) and "holds no weights" in found.changed
    path = f"{SITE}/barlib/tokens.py"
    for code in ("if not self._in_context:", "if not self.tokens._in_context:"):
        frames = (
            f'  File "run.py", line 1, in x\n    m = Foo.load(path)\n  File "{path}", line 7, in f'
        )
        found = explain_text(f"{HEAD}{frames}\n    {code}\n{error}")
        assert "version of barlib" in found.changed and "rescue" not in everything(found)
    module = f'{HEAD}  File "{path}", line 7, in f\n    if self._in_context:\n{GETATTR}{error}'
    assert "rescue" in everything(explain_text(module))
