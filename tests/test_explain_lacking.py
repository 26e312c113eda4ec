"""What a file or a registry lacks: a head, a part, the first layer, a token's place, a name."""

import shlex

import pytest
import timm
import torch
from torch import nn

from missing_aa.cli import main
from missing_aa.explainer.explain import explain_text

SITE = "/e/lib/python3.9/site-packages"
HEAD = "Traceback (most recent call last):\n"


def everything(answer):
    ways = [f"{way.text} {' '.join(way.commands)}" for way in answer.ways]
    return " ".join([answer.changed, *ways, *answer.notes])


def misfit(class_, missing=(), unexpected=(), end=". "):
    listed = (
        f"\t{what} key(s) in state_dict: {', '.join(map(repr, names))}{end}\n"
        for what, names in (("Missing", missing), ("Unexpected", unexpected))
        if names
    )
    text = f"RuntimeError: Error(s) in loading state_dict for {class_}:\n{''.join(listed)}"
    return text.replace("'", '"')


@pytest.mark.parametrize(
    "before",
    [
        "weights = 'timm/model.pt'\n",
        f'{HEAD}  File "{SITE}/timm/models/_helpers.py", line 75, in load_checkpoint\n'
        "    model.load_state_dict(state_dict, strict=strict)\n",
    ],
)
def test_a_class_that_timm_never_had_is_not_timm_s_whatever_else_is_said(before):
    for text in (misfit("MyNet", (), ["grid_pos"]), misfit("MyNet", ["a.b.c"], ["b.weight"])):
        assert "timm" not in everything(explain_text(before + text))
    assert "timm" in everything(explain_text(before + misfit("ResNet", ["a.b"], ["b.weight"])))


@pytest.mark.parametrize("prefix", ["", "module.", "model."])
@pytest.mark.parametrize("class_", ["VisionTransformer", "MyNet"])
def test_where_nothing_but_the_head_is_missing_the_file_has_none(prefix, class_):
    names = [f"{prefix}{part}.{last}" for part in ("head", "fc") for last in ("weight", "bias")]
    found = explain_text(misfit(class_, names))
    assert "has no head" in found.changed and "strict=False" in everything(found)
    assert ("--num-classes 0" in everything(found)) == (class_ == "VisionTransformer")


@pytest.mark.parametrize(
    "names, unexpected",
    [
        (["head.weight", "norm.weight"], []),
        (["layers.0.attn.fc.weight"], []),
        (["head.weight"], ["classifier.weight"]),
        (["attn.out_proj.weight"], []),
        (["head.norm.weight"], []),
    ],
)
def test_more_than_a_head_is_no_matter_of_one(names, unexpected):
    assert "has no head" not in explain_text(misfit("MyNet", names, unexpected)).changed


def test_timm_takes_a_file_without_a_head_as_it_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = timm.create_model("vit_tiny_patch16_224", num_classes=0)
    torch.save(made.state_dict(), "model.pt")
    with pytest.raises(RuntimeError) as caught:
        timm.create_model("vit_tiny_patch16_224", checkpoint_path="model.pt", num_classes=3)
    shell, python = explain_text(str(caught.value)).ways[0].commands
    assert main(shlex.split(shell.replace("NAME", "vit_tiny_patch16_224"))[1:]) == 0
    loaded = eval(python.replace("num_classes=N", "num_classes=3"))
    assert loaded.num_classes == 3
    weights = loaded.state_dict()
    assert all(torch.equal(weights[name], one) for name, one in made.state_dict().items())


def test_what_the_model_has_besides_is_to_be_switched_off_or_trained():
    names = ["depth_projection.weight", "depth_projection.bias", "depth_norm.weight"]
    found = explain_text(misfit("FooNet", names))
    assert "the model has parts besides: depth_projection, depth_norm" in found.changed
    assert "prefix" not in found.changed and "Switch off" in found.ways[0].text
    assert "strict=False" in everything(found)
    for other in (misfit("FooNet", names, end=", ..."), misfit("FooNet", names, ["b.weight"])):
        assert "parts besides" not in explain_text(other).changed
    fenced = f"```\n{misfit('FooNet', names).strip()}\n```"
    assert "parts besides" in explain_text(fenced).changed


@pytest.mark.parametrize(
    "text",
    [
        misfit("FooNet", ["stem.0.weight"], end=" ...."),
        misfit("DenseNet", ["features.conv0.weight"], end=", …"),
        misfit("FooNet", ["conv1.weight", "bn1.bias", "layer1.0.bias"], ["blocks.0.w", "out.w"]),
    ],
)
def test_a_model_whose_first_layer_is_missing_is_as_a_rule_of_another_architecture(text):
    found = explain_text(text)
    assert "another architecture was built" in found.changed and "--arch" in found.ways[0].text


@pytest.mark.parametrize(
    "text",
    [
        misfit("FooNet", ["layer4.0.weight"], end=" ...."),
        misfit("FooNet", ["conv1.weight", "bn1.bias", "fc.bias"], ["epoch", "state_dict"]),
        misfit("FooNet", ["conv1.weight", "bn1.bias", "fc.bias"], ["net.conv1.weight", "n.bn1.a"]),
        misfit("FooNet", ["conv1.weight"], ["conv1.0.weight"]),
    ],
)
def test_other_names_say_nothing_of_the_architecture(text):
    assert "another architecture was built" not in explain_text(text).changed


def place(name, file, model):
    return (
        f"Error(s) in loading state_dict for FooModel:\n\tsize mismatch for {name}: copying a "
        f"param with shape torch.Size({file}) from checkpoint, the shape in current model is "
        f"torch.Size({model})."
    )


@pytest.mark.parametrize(
    "name, file, model, is_one",
    [
        ("vision.position_embedding.weight", [256, 64], [257, 64], True),
        ("pos_embed", [1, 198, 192], [1, 196, 192], True),
        ("pos_embed", [1, 197, 192], [1, 577, 192], False),
        ("pos_embed", [1, 150, 192], [1, 151, 192], False),
        ("text.position_embedding.weight", [256, 64], [257, 64], False),
        ("blocks.0.weight", [256, 64], [257, 64], False),
        ("pos_embed", [1, 197, 192], [1, 196, 384], False),
    ],
)
def test_one_or_two_places_more_than_a_square_are_for_tokens(name, file, model, is_one):
    found = explain_text(place(name, file, model))
    assert ("class token" in found.changed) == is_one
    assert not is_one or "picture is not what differs" in " ".join(found.changed.split())


@pytest.mark.parametrize(
    "name, first", [("resnet999x", "pip install --upgrade timm"), ("zzznet_b", "")]
)
def test_a_name_that_a_registry_lacks_is_newer_or_a_project_s(name, first):
    found = explain_text(f"RuntimeError: Unknown model ({name})")
    assert found.kind == "other" and "@register_model" in everything(found)
    assert "timm.__file__" in everything(found) and first in " ".join(found.ways[0].commands)
    assert ("registers it" in found.ways[0].text) == (name == "zzznet_b")


def test_a_prefix_is_no_part_of_a_model_s_name():
    found = explain_text("I got `Unknown model (foo/barnet_tiny.in1k)` with timm 1.0")
    assert "'barnet_tiny.in1k'" in found.changed and "0.5.4" in found.changed
    assert "hf-hub:foo/barnet_tiny.in1k" in everything(found)


@pytest.mark.parametrize("registry", ["models registry", "mmfoo::model registry"])
def test_a_name_that_a_config_asks_for_and_nobody_registered(registry):
    found = explain_text(f"KeyError: 'FooHead is not in the {registry}. Please check it'")
    assert "'FooHead'" in found.changed and "custom_imports" in everything(found)


def table(line, call="foo.make('barnet-b4', depth=3)", file=f"{SITE}/foonet/zoo/__init__.py"):
    return (
        f'{HEAD}  File "run.py", line 3, in <module>\n    {call}\n  File "{file}", line 32, in f\n'
        f"    {line}\nKeyError: 'barnet-b4'"
    )


def test_a_name_that_a_package_s_own_table_lacks_is_as_a_rule_newer():
    for line in ('Net = backbones[name]["cls"]', "return _ZOO[arch](**kwargs)"):
        found = explain_text(table(line))
        assert "in a table of its own" in found.changed
        assert "pip install --upgrade foonet" in everything(found)
        assert "from foonet.zoo import" in everything(found)


@pytest.mark.parametrize(
    "text",
    [
        table("return self.columns[name]"),
        table("value = kwargs[name]"),
        table("Net = backbones['barnet-b4']"),
        table("Net = backbones[name]", call="main()"),
        table("Net = backbones[name]", file="/home/u/zoo.py"),
    ],
)
def test_other_subscripts_are_no_registry(text):
    assert "table of its own" not in explain_text(text).changed


def python_2(key, library="pickle"):
    return (
        f'{HEAD}  File "run.py", line 3, in <module>\n    {library}.load(file)\n'
        '  File "/usr/lib/python2.7/pickle.py", line 864, in load\n    dispatch[key](self)\n'
        f"KeyError: {key}"
    )


def test_the_reader_of_python_2_names_a_byte_as_a_character():
    assert "begins no instruction" in explain_text(python_2(r"'\x05'")).changed
    assert "joblib" in everything(explain_text(python_2(r"'\xff'", "joblib")))
    assert "Git LFS" in everything(explain_text(python_2("'v'")))
    assert "begins no instruction" not in explain_text(python_2("'weight'")).changed


def test_nobody_is_asked_for_a_traceback_that_he_gave():
    text = python_2("'foo'", "joblib").replace("dispatch[key](self)", "raise Foo")
    for one in (text, text.replace(HEAD, "")):
        assert "whole" not in explain_text(one).changed
        assert "names no pickle" not in explain_text(one).changed
    assert "names no pickle" not in explain_text("joblib.load, pickle: FooError: bar").changed
    assert "names no pickle" in explain_text("FooError: bar").changed


@pytest.mark.parametrize(
    "warning", ["do not match exactly", "missing keys in source state_dict: a"]
)
def test_an_entry_that_a_file_of_another_model_lacks(warning):
    text = f'{HEAD}  File "run.py", line 3, in f\n    checkpoint["foo"].get("x")\nKeyError: \'foo\''
    assert "load_state_dict(weights)" in everything(explain_text(text))
    found = explain_text(f"The model and loaded state dict {warning}\n{text}")
    assert "did not match the model" in found.changed
    assert "load_state_dict" not in everything(found)
    other = explain_text(f"got an unexpected keyword argument\n{text}")
    assert "did not match" not in other.changed


def test_a_name_of_no_release_is_of_a_branch_or_a_fork():
    text = "AttributeError: Can't get attribute 'FooBlock' on <module '{}' from '/x/a.py'>"
    assert "a branch or a fork" in everything(explain_text(text.format("ultralytics.nn.foo")))
    assert "a branch or a fork" in everything(explain_text(text.format("mmdet.models")))
    for module in ("models.foo", "torch.nn", "numpy.core"):
        assert "a branch or a fork" not in everything(explain_text(text.format(module)))


def test_a_module_that_later_releases_dropped_is_not_sought_in_newer_ones_first():
    text = "AttributeError: Can't get attribute 'Foo' on <module 'ultralytics.yolo.bar' from 'x'>"
    found = everything(explain_text(text))
    assert "newer one first" not in found and "ultralytics<8.0.136" in found
    found = everything(explain_text("ModuleNotFoundError: No module named 'ultralytics.yolo.bar'"))
    assert "8.0.186" in found and "pip install 'ultralytics<8.0.136'" in found


def test_a_zip_that_torch_did_not_write_can_be_google_s_vit():
    text = "RuntimeError: Expected hasRecord('version') to be true, but got false."
    assert "load_pretrained" not in everything(explain_text(text))
    assert "load_pretrained" in everything(explain_text(f"timm, vit_small_patch32_224: {text}"))


class Headed(nn.Module):
    def __init__(self, *names):
        super().__init__()
        for name in names:
            self.add_module(name, nn.Linear(1, 1))


NOT_SET = (
    "Some weights of FooForBar were not initialized from the model checkpoint at x and are newly"
)
NOT_SET += " initialized: {}"
NOT_USED = "Some weights of the model checkpoint at x were not used when initializing FooForBar: {}"
OLD = (
    "Weights of FooForBar not initialized from pretrained model: {}\nWeights from pretrained model "
)
OLD += "not used in FooForBar: {}"
MMCV = "unexpected key in source state_dict: {}\n\nmissing keys in source state_dict: {}"
TIMM = "Missing keys ({}) discovered while loading.\nUnexpected keys ({}) found while loading."


@pytest.mark.parametrize(
    "text",
    [
        OLD.format("['classifier.weight']", "['cls.predictions.bias']"),
        f"{NOT_SET.format(['classifier.weight'])}\n{NOT_USED.format(['lm_head.bias'])}",
        MMCV.format("fc.weight, fc.bias", "bbox_head.fc.weight, ...."),
        TIMM.format("head.weight, head.bias", "fc.weight"),
        "FooForBar LOAD REPORT from: x\nKey | Status |\ncls.a.weight | UNEXPECTED |\n"
        "classifier.weight | MISSING |\n",
        str(Headed("a", "head").load_state_dict(Headed("a", "fc").state_dict(), strict=False)),
    ],
)
def test_a_message_of_a_new_head_is_no_error_and_the_head_is_random(text):
    found = explain_text(text)
    assert "no error" in found.changed and "random" in found.changed
    assert "normal" in found.changed and "not used" in found.changed
    assert "fine-tuning" in everything(found) and "trained for this task" in everything(found)
    raised = f"{text}\nTraceback (most recent call last):\nZeroDivisionError: division by zero"
    assert "no error" not in explain_text(raised).changed


@pytest.mark.parametrize("text", [NOT_SET.format(["encoder.0.a.weight", "classifier.weight"]),
                                  "missing keys: ['body.weight']",
                                  MMCV.format("fc.weight", "neck.0.conv.weight")])  # fmt: skip
def test_a_message_of_a_body_that_is_random_means_another_file(text):
    found = explain_text(text)
    assert "no part of a head" in found.changed and "another architecture" in found.changed
    assert "Nothing is to be mended" not in everything(found)


@pytest.mark.parametrize(
    "text, said",
    [
        ("unexpected key in source state_dict: ema_backbone_a_weight, ema_b, ....", "(EMA)"),
        ("Unexpected keys: ['a.num_batches_tracked']", "counters"),
        ("keys that are in the model state dict but not in the checkpoint: ['a.position_ids']",
         "nothing that was learned"),
        (str(Headed("a").load_state_dict(Headed("a").state_dict(), strict=False)), "same names"),
    ],
)  # fmt: skip
def test_what_a_message_names_without_need_is_harmless(text, said):
    found = explain_text(text)
    assert said in found.changed and "random" not in found.changed


def test_a_message_of_names_with_a_prefix_says_that_the_weights_were_not_loaded():
    weights = Headed("a", "b").state_dict()
    outer = nn.ModuleDict({"net": Headed("a", "b")})
    for model, loaded in (
        (outer, weights),
        (Headed("a", "b"), {f"net.{name}": tensor for name, tensor in weights.items()}),
    ):
        found = explain_text(str(model.load_state_dict(loaded, strict=False)))
        assert "did not reach the model" in found.changed and "'net.'" in found.changed
        exec("\n".join(found.ways[0].commands), {"weights": loaded, "model": model})


def test_shapes_that_a_message_names_are_read():
    head = (
        f"{NOT_SET[:-4]} because the shapes did not match:\n- {{}}: found shape torch.Size([{{}}])"
    )
    text = f"{head} in the checkpoint and torch.Size([3, 8]) in the model instantiated"
    found = explain_text(text.format("classifier.weight", "9, 8"))
    assert "[9,8] in the file and [3,8]" in found.changed and "head" in found.changed
    assert "not gathered" in explain_text(text.format("body.weight", "0")).changed
