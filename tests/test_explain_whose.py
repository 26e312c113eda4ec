"""Whose class, and whose line, an error is about, where the text shows less than one would like."""

import shutil
import subprocess
import sys
from pathlib import Path

import packaging
import platformdirs
import pytest
import torch
from torch import nn

from missing_aa.explainer.explain import explain_text
from missing_aa.explainer.traceback import Frame

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
    "class_, attribute", [("Linear", "_neck_hook"), ("Conv2d", "fc"), ("Sequential", "neck")]
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
        "found = explain_text(\"'Linear' object has no attribute '_neck_hook'\")\n"
        "print(found.changed, *(way.text for way in found.ways), sep='\\n')\n"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True)
    changed, *ways = done.stdout.decode().splitlines()
    assert changed.startswith("if this Linear is torch's") and "torch is not installed" in changed
    assert len(ways) == 3 and all(way.startswith("If the ") for way in ways)


def test_torch_is_read_and_not_imported():
    program = (
        "import sys\nfrom missing_aa.explainer.explain import explain_text\n"
        "text = str(explain_text(\"'Linear' object has no attribute '_neck_hook'\"))\n"
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


@pytest.mark.parametrize(
    "path, torch_s, timm_s",
    [
        (f"{SITE}/torch/nn/modules/module.py", True, False),
        ("torch/nn/modules/module.py", True, False),
        ("/home/u/.cache/torch/hub/barlib_main/models/common.py", False, False),
        ("/home/u/envs/torch/lib/python3.9/site-packages/barlib/net.py", False, False),
        ("/home/u/envs/timm/lib/python3.9/site-packages/barlib/net.py", False, False),
        ("/home/u/envs/timm/lib/python3.9/site-packages/torch/nn/modules/module.py", True, False),
        (f"{SITE}/barlib/torch/net.py", False, False),
        (f"{SITE}/timm/models/beit.py", False, True),
    ],
)
def test_whose_a_file_is_is_said_by_its_package_and_not_by_any_folder(path, torch_s, timm_s):
    frame = Frame(path)
    assert (frame.is_torch, frame.is_timm) == (torch_s, timm_s)


def test_a_repository_that_torch_hub_fetched_may_meet_another_package_s_object():
    hub = "/home/u/.cache/torch/hub/barlib_main"
    text = (
        f'{HEAD}File "{hub}/hubconf.py", in line 78, in_create\n  return model.to(device)\n'
        f'File "{SITE}/torch/nn/modules/module.py", line 1173, in to\n  return self._apply(f)\n'
        f'File "{hub}/models/common.py", line 814, in_apply\n  m.grid = list(map(fn, m.grid))\n'
        + ATTRIBUTE.format("Detect", "grid")
    )
    found = explain_text(text)
    assert f"reads `grid` ({hub}/models/common.py)" in found.changed
    assert "another package whose class has the same name" in found.changed
    assert "missing-aa inspect" in everything(found) and "rescue" not in everything(found)


MADE = (
    f'{HEAD}  File "run.py", line 4, in <module>\n'
    "    model = FooModel.from_pretrained(path)\n"
    f'  File "{SITE}/barlib/modeling.py", line 7, in load\n    for key in model._plan:\n'
    f"{GETATTR}{ATTRIBUTE.format('FooModel', '_plan')}"
)


def test_what_was_made_anew_has_no_writer():
    for text in (MADE, MADE.replace(".from_pretrained(path)", "(config)")):
        found = explain_text(text)
        assert "do not belong together" in found.changed and "barlib" in everything(found)
        assert "rescue" not in everything(found) and "wrote" not in everything(found)
    cut = MADE.replace("model._plan", "stages")
    assert "rescue" not in everything(explain_text(cut))
    read = MADE.replace("FooModel.from_pretrained(path)", "torch.load(FooModel.from_pretrained(p))")
    assert "rescue" in everything(explain_text(read))


def test_a_class_that_is_called_as_one_of_timm_s_may_be_of_another_version_of_its_library():
    error = ATTRIBUTE.format("Pooling", "foo_mode")
    behind = (
        f"{error}\n{'-' * 75}\nAttributeError        Traceback (most recent call last)\n"
        "<command-32610> in <cell line: 4>()\n      2 a = 1\n----> 4 pred = model.transform(doc)\n"
    )
    for text in (behind, f"model = joblib.load(path)\n{error}"):
        found = explain_text(text)
        assert "another version of its library wrote it" in found.changed
        assert "an older one than the installed" in everything(found)
        assert "rescue" not in everything(found)
    assert "rescue" in everything(explain_text(error))


def test_a_traceback_below_its_error_is_read_where_no_other_error_is_in_it():
    error = ATTRIBUTE.format("FooNet", "gain")
    frame = f'{HEAD}  File "/home/u/run.py", line 22, in run\n    p = model.gain(x)\n'
    assert "/home/u/run.py" in explain_text(f"{error}\n{frame}").changed
    assert "/home/u/run.py" not in explain_text(f"{error}\n{frame}ValueError: odd").changed


@pytest.mark.parametrize("before", ["module 'barlib.x' has", "'module' object has"])
def test_an_error_is_headed_as_it_was_said(before):
    text = f"AttributeError: {before} no attribute 'foo'"
    assert explain_text(text).error == text
    assert explain_text("cannot import name 'foo' from 'bar'").error.startswith("cannot import")


def lookup(name, module):
    return explain_text(f"Can't get attribute '{name}' on <module '{module}' from '/x/y.py'>")


def test_a_private_name_is_of_no_newer_torch_and_one_has_a_successor():
    assert "a newer one first" in everything(lookup("Foo", "torch.nn.modules.foo"))
    assert "a newer one first" in everything(lookup("_rebuild_foo", "torch._utils"))
    assert "a newer one first" not in everything(lookup("_Foo", "torch.nn.modules.foo"))
    found = lookup("_LinearWithBias", "torch.nn.modules.linear")
    assert "torch<1.9" in everything(found) and "newer one" not in everything(found)
    exec(found.ways[-1].commands[0], {"torch": torch})
    try:
        old = torch.nn.modules.linear._LinearWithBias(2, 2)
    finally:
        del torch.nn.modules.linear._LinearWithBias
    assert old(torch.ones(1, 2)).shape == (1, 2)


@pytest.mark.parametrize("package", ["gensim", "barlib"])
def test_no_weights_are_promised_where_the_reader_is_shown_and_nothing_is_torch_s(package):
    text = (
        f'{HEAD}  File "{SITE}/{package}/utils.py", line 4, in unpickle\n    _pickle.load(f)\n'
        f"AttributeError: Can't get attribute 'Vocab' on <module '{package}.models' from 'x'>"
    )
    assert "rescue" not in everything(explain_text(text))


def test_a_vocabulary_is_no_model():
    found = lookup("_default_unk_index", "torchtext.vocab")
    assert "If the file holds the weights of a model besides" in everything(found)


def to_load(class_, line, name):
    return (
        f'{HEAD}  File "t.py", line 59, in <module>\n    net.load_state_dict(torch.load(path))\n'
        f'  File "{SITE}/torch/nn/modules/module.py", line 742, in load_state_dict\n    {line}\n'
        f"{GETATTR}**{ATTRIBUTE.format(class_, name)}**"
    )


@pytest.mark.parametrize("class_", ["FooNet", "DataParallel", "ResNet"])
def test_a_whole_model_where_its_weights_are_wanted(class_):
    for name, line in (
        ("copy", "state_dict = state_dict.copy()"),
        ("items", "for name, param in state_dict.items():"),
    ):
        found = explain_text(to_load(class_, line, name))
        assert "the file holds the whole model" in found.changed
        assert "loaded.state_dict()" in everything(found)
        assert "version" not in everything(found).replace("no version is to blame", "")


def test_no_line_is_said_to_be_missing_that_is_there():
    text = to_load("FooNet", "odd = thing.copy()", "copy")
    found = explain_text(text)
    assert "No line" not in found.changed and "modules/module.py" in found.changed
    assert "the last frame, which is not in this text" not in everything(found)
    assert "No line in the text" in explain_text(text.replace("thing.copy()", "x")).changed


@pytest.mark.parametrize(
    "line, read",
    [
        ("n = hparams.num_channels", 'hparams["num_channels"]'),
        ("n = self.args.num_channels", 'self.args["num_channels"]'),
        ("if model_cfg.num_channels:", 'model_cfg["num_channels"]'),
    ],
)
def test_settings_that_are_a_dictionary_are_no_weights(line, read):
    frame = f'  File "/p/model.py", line 80, in __init__\n    {line}\n'
    error = ATTRIBUTE.format("dict", "num_channels")
    found = explain_text(f"{HEAD}{frame}{error}")
    assert found.changed.startswith("settings stand as a dictionary") and "Lightning" not in str(
        found
    )
    assert read in everything(found) and "argparse.Namespace(**" in everything(found)
    assert "load_state_dict" not in everything(found)
    saving = f'  File "{SITE}/pytorch_lightning/core/saving.py", line 1, in f\n    cls(**kwargs)\n'
    found = explain_text(f"{HEAD}{saving}{frame}{error}")
    assert "install the Lightning for which" in everything(found)
    found = explain_text(f"{HEAD}{saving}{frame.replace(line, 'n = x.num_channels')}{error}")
    assert found.changed.startswith("a dictionary, as a rule settings")


def test_a_dictionary_in_the_place_of_a_model_is_no_settings():
    saving = f'  File "{SITE}/pytorch_lightning/core/saving.py", line 1, in f\n    cls(**kwargs)\n'
    for head, line in ((saving, "f = self.net.eval"), ("", "args.net.eval()")):
        frame = f'  File "/p/model.py", line 80, in __init__\n    {line}\n'
        found = explain_text(f"{HEAD}{head}{frame}{ATTRIBUTE.format('dict', 'eval')}")
        assert "and no model" in found.changed
    for line, name in (("opt.step()", "step"), ("x(opt.param_groups)", "param_groups")):
        frame = f'  File "/p/a.py", line 8, in f\n    {line}\n'
        found = explain_text(f"{HEAD}{frame}{ATTRIBUTE.format('dict', name)}")
        assert "brackets" not in everything(found)
    frame = '  File "/p/a.py", line 8, in f\n    if args.cuda:\n'
    found = explain_text(f"{HEAD}{frame}{ATTRIBUTE.format('dict', 'cuda')}")
    assert found.changed.startswith("settings")


def test_a_file_is_not_cleared_where_the_frame_that_asks_was_cut_off():
    error = "AttributeError: module 'barlib.enums' has no attribute '_FooMode'"
    cut = f'{HEAD}  File "{SITE}/barlib/call.py", line 44, in f\n    return fn(*args)\n'
    found = explain_text(cut + error)
    assert "No file has a part in it" not in found.changed and "wrote it" in everything(found)
    for line in ("enums._FooMode.OFF", "from barlib.enums import (", "from .enums import ("):
        found = explain_text(cut.replace("return fn(*args)", line) + error)
        assert "No file has a part in it" in found.changed


def test_a_kept_method_and_a_base_of_timm_s_are_named_where_no_frame_is():
    found = explain_text(ATTRIBUTE.format("AlexNet", "features"))
    assert "a method that was kept on it" in found.changed and not found.notes
    assert "kept on it" not in explain_text(ATTRIBUTE.format("AlexNet", "_features")).changed
    (note,) = explain_text(ATTRIBUTE.format("FooEncoder", "norm_pre")).notes
    assert "VisionTransformer in timm 0.6.11 and later" in note and "inherits from one" in note
    for many in ("drop_path", "foo_bar", "norm"):
        assert not explain_text(ATTRIBUTE.format("FooEncoder", many)).notes


@pytest.mark.parametrize(
    "class_, attribute, library, says",
    [
        ("Linear", "_lazy_load_hook", "torch_geometric", "not from 2.4 on"),
        ("GATConv", "_user_args", "torch_geometric", "`__user_args__`"),
        ("NNConv", "__user_args__", "torch_geometric", "`_user_args`"),
        ("Linear", "base_layer", "peft", "merge_and_unload"),
        ("Embedding", "lora_A", "peft", "unload_lora_weights"),
        ("Conv2d", "active_adapter", "peft", "wrapper"),
        ("Linear", "set_lora_layer", "diffusers", "0.27"),
        ("Parameter", "SCB", "bitsandbytes", "Int8Params"),
        ("Tensor", "quant_state", "bitsandbytes", "Params4bit"),
        ("XGBClassifier", "use_label_encoder", "xgboost", "1.3"),
        ("XGBModel", "enable_categorical", "xgboost", "1.5"),
    ],
)
def test_an_attribute_tells_the_library_that_its_class_does_not(class_, attribute, library, says):
    found = explain_text(ATTRIBUTE.format(class_, attribute))
    assert f"known of {library}:" in found.changed and says in everything(found)
    assert "timm" not in everything(found) and "source" in found.known_by


@pytest.mark.parametrize(
    "class_, attribute",
    [("FooNet", "base_layer"), ("Linear", "lora_rank_map"), ("Foo", "SCB"), ("Linear", "CBA")],
)
def test_an_attribute_of_another_class_tells_no_library(class_, attribute):
    found = explain_text(ATTRIBUTE.format(class_, attribute))
    assert "is known of" not in found.changed


def test_a_line_that_reads_its_own_object_says_more_than_the_attribute():
    frame = f'  File "{SITE}/barlib/conv.py", line 3, in forward\n    x = self._user_args\n'
    found = explain_text(f"{HEAD}{frame}{ATTRIBUTE.format('BarConv', '_user_args')}")
    assert "barlib's own code" in found.changed
    asked = frame.replace("self._user_args", "layer.base_layer")
    found = explain_text(f"{HEAD}{asked}{ATTRIBUTE.format('Linear', 'base_layer')}")
    assert "known of peft" in found.changed and "Code of barlib asks for it" in found.changed
