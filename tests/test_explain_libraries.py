"""Whose class an error is about: answers for libraries that no rule names, and for torch's own."""

from pathlib import Path

import pytest
import torch
from torch import nn

from missing_aa import explain
from missing_aa.explainer.explain import explain_text
from missing_aa.explainer.known_breaks import TORCH_ATTRIBUTES

SITE = "/home/u/env/lib/python3.11/site-packages"
MODULE_PY = f'  File "{SITE}/torch/nn/modules/module.py", line 1931, in __getattr__\n    raise X(\n'
HEAD = "Traceback (most recent call last):\n"
ATTRIBUTE = "AttributeError: '{}' object has no attribute '{}'"


def trace(path, code, error):
    return f'{HEAD}  File "{path}", line 7, in forward\n    {code}\n{MODULE_PY}{error}'


def commands(answer):
    return " ".join(command for way in answer.ways for command in way.commands)


def everything(answer):
    return str(answer) + commands(answer)


def test_a_line_of_a_library_s_own_class_says_another_version_of_that_library():
    error = ATTRIBUTE.format("FooNet", "gain")
    found = explain_text(trace(f"{SITE}/barlib/nn/foo.py", "return self.gain * x", error))
    assert "another version of barlib" in found.changed and "timm" not in everything(found)
    assert "rescue model.pt" in commands(found) and found.known_by.startswith("the line of source")


@pytest.mark.parametrize(
    "text, said",
    [
        (
            "Can't get attribute 'FooNet' on <module 'barlib.nn.foo' from '/x/barlib/nn/foo.py'>",
            "another version of barlib",
        ),
        ("Can't get attribute 'NoneType' on <module 'builtins' (built-in)>", "another Python"),
        (
            "Can't get attribute 'Foo' on <module 'nets.foo' from '/x/foo.py'>",
            "folder of a project",
        ),
        ("No module named 'barlib._core'", "another version of barlib"),
        ("No module named 'numpy._core'", "written under 2"),
        ("Can't get attribute '_rebuild_parameter' on <module 'torch._utils'>", "torch"),
        ("'module' object has no attribute '_rebuild_tensor_v2'", "another version of torch"),
        (ATTRIBUTE.format("FooNet", "gain"), "another library's"),
    ],
)
def test_another_version_is_an_answer_and_timm_is_not_sent_for(text, said):
    found = explain_text(text)
    assert said in found.changed and "timm==" not in everything(found)
    assert "--format timm" not in everything(found)


@pytest.mark.parametrize("key", TORCH_ATTRIBUTES)
def test_torch_sets_what_the_table_of_its_breaks_says(key):
    class_, attribute = key.split(".")
    try:
        module = getattr(nn, class_)()
    except TypeError:
        sizes = (2, 1) if "Transformer" in class_ or "Attention" in class_ else (1, 1, 1)
        module = getattr(nn, class_)(*sizes)
    default, _ = TORCH_ATTRIBUTES[key]
    assert repr(getattr(module, attribute)) == default


MEASURED = Path(__file__).parents[1] / "docs" / "measured" / "torch_breaks.md"


@pytest.mark.parametrize("key", TORCH_ATTRIBUTES)
def test_torch_began_to_read_it_when_the_table_of_its_breaks_says(key):
    class_, attribute = key.split(".")
    _, since = TORCH_ATTRIBUTES[key]
    row = f"| `{class_}` | `{attribute}` | `{since}.0` |"
    assert (row in MEASURED.read_text()) == bool(since)


def test_a_break_of_torch_is_mended_by_the_line_that_is_given():
    path = f"{SITE}/torch/nn/modules/activation.py"
    error = ATTRIBUTE.format("GELU", "approximate")
    found = explain_text(trace(path, "return F.gelu(input, approximate=self.approximate)", error))
    assert "torch's own GELU" in found.changed and "timm" not in everything(found)
    model = nn.Sequential(nn.GELU())
    del model[0].approximate
    line = next(one for one in found.ways[1].commands)
    eval(line, {"torch": torch, "model": model})
    assert torch.equal(model(torch.ones(2)), nn.GELU()(torch.ones(2)))


def test_a_class_of_one_s_own_with_a_name_of_torch_s_is_not_called_torch_s():
    error = ATTRIBUTE.format("GELU", "approximate")
    found = explain_text(trace("/home/u/net.py", "x = self.approximate", error))
    assert "torch's own" not in found.changed


def test_the_releases_that_have_it_are_given_where_code_of_one_s_own_reads_it():
    error = ATTRIBUTE.format("Block", "drop_path")
    found = explain_text(trace("/content/MiDaS/midas/beit.py", "x = x + self.drop_path(x)", error))
    assert "timm.models.beit.Block in timm 0.5.4 to 0.8.17.dev0" in found.changed
    assert "Many libraries" in found.changed and "rescue" not in commands(found)


def test_a_name_that_many_libraries_have_is_said_to_be_one():
    assert "many libraries" in explain_text(ATTRIBUTE.format("Block", "drop_path1")).notes[0]
    found = explain_text(ATTRIBUTE.format("VisionTransformer", "classify"))
    assert "another library's of the same name" in found.changed
    assert "pip install" not in commands(found)


def keys(class_, missing=(), unexpected=()):
    parts = [f"Error(s) in loading state_dict for {class_}:"]
    for what, names in (("Missing", missing), ("Unexpected", unexpected)):
        if names:
            parts.append(f"{what} key(s) in state_dict: " + ", ".join(f'"{n}"' for n in names))
    return "RuntimeError: " + "\n\t".join(parts) + ". "


def test_buffers_that_are_no_longer_saved_are_left_out():
    names = [f"net.blocks.{at}.attn.relative_position_index" for at in range(4)]
    found = explain_text(keys("FooNet", (), names))
    assert "Nothing is lost" in found.changed
    weights = dict.fromkeys([*names, "head.weight"], 1)
    scope = {"weights": weights}
    exec(found.ways[0].commands[0], scope)
    assert list(scope["weights"]) == ["head.weight"]


def test_what_was_not_measured_is_not_said_to_be_unchanged():
    found = explain_text(keys("FooNet", ["a.weight"], ["b.weight"]))
    assert "was measured, which is not to say that there was none" in found.changed
    assert "global_pool" in explain_text(keys("FooNet", ["norm.bias"], ["fc_norm.bias"])).changed


@pytest.mark.parametrize(
    "text, said",
    [
        ("RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central "
         "directory", "cut off or damaged"),
        ('RuntimeError: Expected hasRecord("version") to be true, but got false', "damaged"),
        ("ModuleNotFoundError: No module named '__torch__'", "TorchScript"),
        ("_pickle.UnpicklingError: invalid load key, '<'.", "damaged"),
        ("UnpicklingError: A load persistent id instruction was encountered, but no "
         "persistent_load function was specified.", "persistent ids"),
        ("RuntimeError: Cannot use weights_only with TorchScript archives", "TorchScript"),
        ("RuntimeError: Attempting to deserialize object on a CUDA device but "
         "torch.cuda.is_available() is False.", "device"),
        ("NotImplementedError: cannot instantiate 'WindowsPath' on your system", "path object"),
        ("after the upgrade of barlib the loss is nan", "no error, and another output"),
    ],
)  # fmt: skip
def test_other_texts_have_an_entry_and_no_way_that_leads_nowhere(text, said):
    found = explain_text(text)
    assert said in found.changed and found.ways
    if "path object" not in said:
        assert "rescue" not in everything(found)


class FooNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, x):
        return self.gain * self.layer(x)


def test_a_file_is_answered_by_check_first_and_by_the_atlas_for_timm_alone(tmp_path):
    path = tmp_path / "net.pt"
    torch.save(FooNet(), path)
    found = explain(Path(path))
    assert found.answer and not found.formats
    assert "--format timm" not in commands(found) and "timm==" not in commands(found)
    lines = str(found).splitlines()
    assert lines[1].startswith("In this environment")
