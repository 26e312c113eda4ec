"""Whose class an error is about: answers for libraries that no rule names, and for torch's own."""

import collections
from pathlib import Path

import pytest
import torch
from torch import nn

from missing_aa import explain
from missing_aa.explainer.explain import explain_text
from missing_aa.explainer.known_breaks import MODULE_ATTRIBUTES, TORCH_ATTRIBUTES

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
        (ATTRIBUTE.format("FooNet", "gain"), "of a library"),
        ("No module named 'numpy.core._multiarray_umath'", "since 1.16"),
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


def test_what_torch_gives_to_every_module_is_no_fault_of_the_project():
    name = "_non_persistent_buffers_set"
    lines = '  File "/home/u/nets/yolo.py", line 149, in fuse\n    m.conv = fused(m.conv)\n'
    lines += f'  File "{SITE}/torch/nn/modules/module.py", line 802, in __setattr__\n'
    lines += f"    remove_from(self.__dict__, self.{name})\n"
    error = ATTRIBUTE.format("Conv", name)
    for text in (f"{HEAD}{lines}{MODULE_PY}{error}", error):
        found = explain_text(text)
        assert "torch itself gives" in found.changed and "yolo.py" not in everything(found)
    model = nn.Sequential(nn.GELU())
    del model[0]._non_persistent_buffers_set
    eval(found.ways[1].commands[0], {"model": model})
    assert model.state_dict() == {}


@pytest.mark.parametrize("name", MODULE_ATTRIBUTES)
def test_torch_gives_every_module_what_the_table_says(name):
    module, fresh = nn.Module(), nn.Module()
    state = {key: value for key, value in vars(module).items() if key != name}
    bare = nn.Module.__new__(nn.Module)
    bare.__setstate__(state)
    default = eval(MODULE_ATTRIBUTES[name], {"collections": collections})
    assert vars(bare)[name] == vars(fresh)[name] == default


def test_a_class_of_torch_s_is_known_by_its_name():
    found = explain_text(ATTRIBUTE.format("LSTM", "_flat_weights_names"))
    assert "if this LSTM is torch's" in found.changed
    assert "torch" not in explain_text(ATTRIBUTE.format("FooLSTM", "_flat")).changed


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


def unpickling(error, loader="pickle.py"):
    return (
        f'{HEAD}  File "run.py", line 3, in <module>\n    model = torch.load(path)\n'
        f'  File "/usr/lib/python3.9/{loader}", line 1212, in load\n    dispatch[key[0]](self)\n'
        f'  File "/usr/lib/python3.9/pickle.py", line 1583, in find_class\n'
        f"    return _getattribute(sys.modules[module], name)[0]\n{error}"
    )


@pytest.mark.parametrize(
    "error, said",
    [
        ("module 'barlib.utils.enums' has no attribute '_Mode'", "another version of barlib"),
        ("'module' object has no attribute 'RLock'", "another Python"),
        ("module 'threading' has no attribute 'RLock'", "another Python"),
    ],
)
def test_a_name_that_pickle_does_not_find_is_a_matter_of_the_file(error, said):
    found = explain_text(unpickling(f"AttributeError: {error}"))
    assert said in found.changed and "rescue model.pt" in commands(found)
    assert error in found.error


def test_a_name_that_code_does_not_find_is_none():
    error = "AttributeError: module 'barlib.utils' has no attribute 'Mode'"
    found = explain_text(trace("/home/u/run.py", "mode = barlib.utils.Mode", error))
    assert "No file has a part in it" in found.changed and not commands(found)
    assert "If it came while a file was loaded" in explain_text(error).changed


def test_what_the_file_s_own_program_asks_is_no_fault_of_the_code_that_passes_it_on():
    error = ATTRIBUTE.format("FooConfig", "_to_dict_new")
    lines = f'  File "{SITE}/torch/serialization.py", line 1046, in _load\n'
    lines += "    result = unpickler.load()\n"
    lines += f'  File "{SITE}/barlib/config.py", line 253, in __getattribute__\n'
    lines += "    return super().__getattribute__(key)\n"
    found = explain_text(f"{HEAD}{lines}{error}")
    assert "while the file was read" in found.changed and "rescue" in commands(found)


def test_a_line_of_a_project_s_own_class_says_another_version_of_it():
    error = ATTRIBUTE.format("FooHead", "inplace")
    found = explain_text(trace("/home/u/nets/yolo.py", "if self.inplace:", error))
    assert "another version of the project" in found.changed
    assert "rescue model.pt" in commands(found)


def test_a_package_that_reads_of_another_object_is_told_to_be_of_another_version():
    error = ATTRIBUTE.format("FooEmbeddings", "length")
    text = trace(f"{SITE}/barlib/tagger.py", "size = self.embeddings.length", error)
    found = explain_text(text)
    assert "another version of barlib" in found.changed and "rescue" not in everything(found)
    loading = text.replace(HEAD, f'{HEAD}  File "run.py", line 1, in x\n    m = Foo.load(path)\n')
    assert "rescue" in everything(explain_text(loading))


def test_a_dictionary_is_called_weights_only_where_a_model_is_wanted():
    for name, sure in (("eval", True), ("num_channels", False)):
        found = explain_text(ATTRIBUTE.format("dict", name))
        assert ("dictionary of weights, and no model" in found.changed) == sure
        assert "load_state_dict" in commands(found)


def frame(path, line):
    return f'  File "{path}", line 3, in f\n    {line}\n'


LOADS = frame("run.py", 'net = barlib.FooNet.load("a.bin")')
MAKES = frame(f"{SITE}/barlib/nn.py", "net = cls._init_with_state_dict(state)")
READS = frame(f"{SITE}/barlib/tagger.py", "self.size = embeddings.length")


@pytest.mark.parametrize("outer", [LOADS + MAKES, MAKES, LOADS + MAKES.replace("_init_with", "b")])
@pytest.mark.parametrize("class_", ["dict", "OrderedDict"])
def test_an_entry_of_another_form_is_of_another_version_of_the_library(outer, class_):
    found = explain_text(HEAD + outer + READS + ATTRIBUTE.format(class_, "length"))
    assert "another version of barlib" in found.changed and "`embeddings`" in found.changed
    assert "Which of the two is newer, the text does not say" in found.changed
    assert "load_state_dict" not in everything(found)
    assert "--upgrade barlib" in str(found.ways[0].commands)
    assert "that wrote the file" in found.ways[1].text


def test_a_loader_that_gets_a_dictionary_is_given_another_kind_of_file():
    text = HEAD + LOADS + READS + ATTRIBUTE.format("dict", "length")
    found = explain_text(text)
    assert "of another kind than that loader reads" in found.changed
    assert "newer barlib first" in everything(found)
    for own in (text.replace(READS, ""), text.replace(f"{SITE}/barlib/tagger.py", "run.py")):
        assert "weights or settings" in explain_text(own).changed
        assert "barlib" not in explain_text(own).changed


@pytest.mark.parametrize("method, instead", [("iteritems", "`items`"), ("has_key", "`in`")])
def test_a_dictionary_of_python_2_is_no_matter_of_a_file(method, instead):
    found = explain_text(HEAD + LOADS + READS + ATTRIBUTE.format("dict", method))
    assert "Python 2" in found.changed and instead in everything(found)
    path = explain_text(HEAD + LOADS + READS + ATTRIBUTE.format("dict", "startswith"))
    assert "the path of a file is wanted" in path.changed
    assert not hasattr({}, method) and "load_state_dict" not in everything(found)


def test_nothing_is_taken_out_of_what_holds_no_tensors():
    sklearn = f"{SITE}/sklearn/svm/_base.py"
    for text in (
        trace(sklearn, "self.probA_, self.probB_,", ATTRIBUTE.format("SVR", "probA_")),
        "No module named 'sklearn.preprocessing._label'",
        "Can't get attribute 'Foo' on <module 'sklearn.tree._tree'>",
        unpickling("'module' object has no attribute 'RLock'").replace(
            "/usr/lib/python3.9/pickle.py", f"{SITE}/joblib/numpy_pickle.py"
        ),
    ):
        found = explain_text(text)
        assert found.ways and "rescue" not in everything(found)


def test_an_import_in_code_is_no_matter_of_a_file():
    for text in (
        "from barlib.runner import load\nNo module named 'barlib.runner'",
        "import barnets\nModuleNotFoundError: No module named 'barnets'",
    ):
        found = explain_text(text)
        assert "code imports" in found.changed and "rescue" not in everything(found)


def test_a_module_of_a_project_is_not_to_be_had_from_an_index():
    for text in (
        "net = torch.load('net.pth')\nModuleNotFoundError: No module named 'losses'",
        "    return super().find_class(mod_name, name)\nImportError: No module named losses",
    ):
        found = explain_text(text)
        assert "the file that is loaded names" in found.changed
        assert "pip install" not in everything(found) and "rescue" in commands(found)


def shapes(class_, *sizes):
    said = (
        f"size mismatch for {name}: copying a param with shape torch.Size([{a}]) from "
        f"checkpoint, the shape in current model is torch.Size([{b}])."
        for name, a, b in sizes
    )
    return f"Error(s) in loading state_dict for {class_}:\n\t" + "\n\t".join(said)


def test_another_number_of_classes_is_told_of_any_library():
    head = "roi.box_predictor"
    sizes = (f"{head}.cls.weight", "2, 64", "3, 64"), (f"{head}.box.bias", "8", "12")
    found = explain_text(shapes("FooRCNN", *sizes))
    assert "another number of classes" in found.changed and "(2)" in found.ways[0].text
    assert "timm" not in everything(found)
    for other in ((f"{head}.box.bias", "8", "8, 1"), ("layer1.weight", "8, 3", "12, 3")):
        found = explain_text(shapes("FooRCNN", sizes[0], other))
        assert "number of classes than" not in found.changed and "timm" not in everything(found)


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
        ("_pickle.UnpicklingError: invalid load key, '<'.", "web page"),
        ("UnpicklingError: A load persistent id instruction was encountered, but no "
         "persistent_load function was specified.", "persistent ids"),
        ("RuntimeError: Cannot use weights_only with TorchScript archives", "TorchScript"),
        ("RuntimeError: Attempting to deserialize object on a CUDA device but "
         "torch.cuda.is_available() is False.", "device"),
        ("NotImplementedError: cannot instantiate 'WindowsPath' on your system", "path object"),
        ("    raise EOFError\nEOFError", "not written to its end"),
        ("TypeError: 'OrderedDict' object is not callable", "holds weights"),
        ("after the upgrade of barlib the loss is nan", "no error, and another output"),
    ],
)  # fmt: skip
def test_other_texts_have_an_entry_and_no_way_that_leads_nowhere(text, said):
    found = explain_text(text)
    assert said in found.changed and found.ways
    if said not in ("path object", "device"):  # of these files the weights can be taken out
        assert "rescue" not in everything(found)


@pytest.mark.parametrize(
    "text, said",
    [
        ("TypeError: argument of type 'FooNet' is not iterable\nI saved it", "holds a whole model"),
        ("TypeError: 'FooNet' object is not subscriptable", "holds a whole model"),
        ("TypeError: <class '__main__.FooNet'> is a built-in class", "notebook"),
    ],
)
def test_a_whole_model_where_weights_are_wanted_is_told(text, said):
    found = explain_text(text)
    assert said in found.changed and "rescue" in everything(found)
    assert found.error == text.splitlines()[0]


def test_none_is_no_model():
    assert explain_text("TypeError: 'NoneType' object is not subscriptable").kind == "general"


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
