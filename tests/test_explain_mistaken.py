"""Errors whose words point elsewhere than at what is behind them."""

import io
import traceback
import zipfile

import pytest
import torch

from missing_aa.explainer.explain import explain_text

HEAD = "Traceback (most recent call last):\n"
SITE = "/e/lib/python3.9/site-packages"
NO_CUDA = "AttributeError: module 'torch._C' has no attribute '_cuda_getDevice'"
RESTORED = (
    f'  File "{SITE}/torch/serialization.py", line 70, in _cuda_deserialize\n'
    "    return obj.cuda(device)\n"
    f'  File "{SITE}/torch/cuda/__init__.py", line 225, in __enter__\n'
    "    self.prev_idx = torch._C._cuda_getDevice()\n"
)
CALLED = '  File "main.py", line 9, in <module>\n    {}\n'
REFUSED = (
    "_pickle.UnpicklingError: Weights only load failed. Re-running `torch.load` with "
    "`weights_only` set to `False` will likely succeed, but it can result in arbitrary code "
    "execution. Do it only if you got the file from a trusted source.\n Please file an issue with "
    "the following so that we can make `weights_only=True` compatible with your use case: "
    "WeightsUnpickler error: {}\n\nCheck the documentation of torch.load to learn more."
)
BUSY = "CUDA error: CUDA-capable device(s) is/are busy or unavailable"
FUSED = (
    'File "…/trainer.py", line 630, in final_eval\n    self.metrics = self.validator(model=f)\n'
    'File "…/g2l.py", line 36, in dilated_conv\n    bn = self.dcv.bn\n'
)


def ways(answer):
    return " ".join(f"{way.text} {' '.join(way.commands)}" for way in answer.ways)


def everything(answer):
    return f"{answer.changed} {ways(answer)}"


def test_a_torch_without_cuda_is_told_from_a_missing_import():
    alone = explain_text(NO_CUDA)
    assert "built without it" in alone.changed and "'cpu'" in ways(alone)
    assert "map_location" not in ways(alone) and "older one" not in everything(alone)
    read = explain_text(HEAD + CALLED.format("x = torch.load(path)") + RESTORED + NO_CUDA)
    assert "saved on a card" in read.changed and "map_location='cpu'" in ways(read)
    assert "Here it is the file" in read.changed
    loads = explain_text(HEAD + CALLED.format("m = load_model(path).cuda()") + NO_CUDA)
    assert "may be the file" in loads.changed and "map_location='cpu'" in ways(loads)


def test_a_file_is_not_acquitted_where_one_is_loaded():
    error = "AttributeError: module 'barlib._utils' has no attribute 'is_primitive'"
    line = CALLED.format("old = _utils.is_primitive")
    assert "No file has a part" in explain_text(HEAD + line + error).changed
    loading = HEAD + CALLED.format("state = load_checkpoint(path)") + line + error
    assert "No file has a part" not in explain_text(loading).changed


@pytest.mark.parametrize(
    "met, said",
    [
        (BUSY, "another process has it"),
        ("CUDA error: invalid device ordinal", "graphics card or its driver"),
        ("HIP error: invalid argument", "graphics card or its driver"),
        ("CUDA out of memory. Tried to allocate 2 GiB", "does not suffice"),
        ("String is too long", "unless this names a class"),
        ("\n\nString is too long", "gave up at this while it read the file: String is too long"),
    ],
)
def test_what_torch_gave_up_at_is_read_and_not_called_distrust(met, said):
    found = explain_text(REFUSED.format(met))
    assert said in found.changed and "weights_only is not the cause" in found.changed
    assert met.strip() in found.error and "does not show" not in found.changed
    assert "weights_only=False" not in ways(found) and "TORCH_FORCE" not in ways(found)


def test_only_a_text_without_it_does_not_show_it():
    for met in ("", "\\n\\n", "Unsupported"):
        assert "does not show what it met" in explain_text(REFUSED.format(met)).changed
    refused = "Can only build Tensor or types allowlisted via `add_safe_globals`, but got X"
    found = explain_text(REFUSED.format(refused))
    assert "but got X" in found.changed and "weights_only=False" in ways(found)


def test_a_card_that_is_busy_is_no_matter_of_a_file():
    assert "No file and no version" in explain_text(f"RuntimeError: {BUSY}").changed


class Stream(io.RawIOBase):
    def read(self, size=-1):
        return b""

    def readline(self, size=-1):
        return b""


@pytest.mark.parametrize("given", [torch.nn.Linear(1, 1), {}, [], Stream()])
def test_what_is_given_to_torch_load_in_the_place_of_a_file_is_no_version(given):
    with pytest.raises((AttributeError, io.UnsupportedOperation)) as caught:
        torch.load(given)
    for text in (caught.exconly(), "".join(traceback.format_exception(caught.value))):
        found = explain_text(text)
        assert "No version is the cause" in found.changed
        assert "swapped" in ways(found) and "io.BytesIO" in ways(found)
        assert "rescue" not in ways(found)


@pytest.mark.parametrize("class_, attribute", [("Conv", "bn"), ("RepConvN", "bn1")])
def test_a_norm_that_was_folded_away_is_no_other_version(class_, attribute):
    error = f"AttributeError: '{class_}' object has no attribute '{attribute}'"
    found = explain_text(HEAD + FUSED + error)
    assert "fuse() folds" in found.changed and "do not fuse" in ways(found)
    assert "timm" not in everything(found)
    assert "fuse" not in explain_text(error).changed
    for other in ("Conv2d", "ConvNormAct"):  # torch's, timm's
        text = f"{HEAD}{FUSED}AttributeError: '{other}' object has no attribute '{attribute}'"
        assert "fuse()" not in explain_text(text).changed
    asks = CALLED.format("x = sdpa(q) if self.fused_attn else self.conv.bn(q)")
    assert "fuse()" not in explain_text(HEAD + asks + error).changed


def test_timm_is_not_named_where_nothing_speaks_of_it():
    error = "AttributeError: 'FooDetect' object has no attribute 'grid'"
    text = HEAD + CALLED.format("x = m.grid") + error
    assert "timm" not in explain_text(text).changed
    assert "outside timm" in explain_text(f"timm 1.0.9\n{text}").changed


@pytest.mark.parametrize("text", ["it does not work", "KeyError: 'pos_embed'", "?", "ValueError"])
def test_anything_else_gets_the_general_way(text):
    found = explain_text(text)
    assert found.kind == "general" and "nothing that is known here" in found.changed
    assert not found.ways and "timm" not in str(found)
    found = explain_text(f"torch.load(path)\n{text}")
    assert found.kind == "general" and "says nothing" in found.changed
    assert "rescue model.pt model.safetensors" in str(found) and "timm" not in str(found)
    assert not explain_text(f"with timm: {text}").ways
    rescue, writer = explain_text(f"with timm, torch.load(path): {text}").ways
    assert (rescue.kind, writer.kind) == ("rescue", "writer")
    assert rescue.share.cells > 100


def test_timm_alone_is_no_file():
    made = (
        f'{HEAD}  File "{SITE}/timm/models/_factory.py", line 117, in create_model\n'
        "    model = create_fn(\n"
        "TypeError: __init__() got an unexpected keyword argument 'pretrained_cfg'"
    )
    assert "rescue" not in str(explain_text(made))
    assert explain_text(made.replace("create_fn(", "torch.load(")).ways
    runs = '  File "/e/site-packages/torch/nn/modules/module.py", line 9, in _call_impl\nTypeError'
    assert explain_text(made.replace("TypeError", runs)).ways


def test_a_library_of_keras_promises_no_tensors_of_torch():
    text = (
        f'{HEAD}  File "{SITE}/ktrain/text/ner/preprocessing.py", line 72, in __setstate__\n'
        "    if self.te_model is not None:\n"
        "AttributeError: 'IndexTransformer' object has no attribute 'te_model'"
    )
    found = explain_text(text)
    assert "version of ktrain that wrote" in ways(found) and "rescue" not in ways(found)


def test_numpy_has_its_own_reader_of_generators_since_1_17():
    found = explain_text("ImportError: No module named 'numpy.random._pickle'")
    assert "since 1.17" in found.changed and "--upgrade numpy" in ways(found)


def test_a_zip_that_torch_did_not_write_is_not_called_cut_off(tmp_path):
    path = tmp_path / "weights.npz"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a.npy", b"0" * 64)
    with pytest.raises(RuntimeError) as caught:
        torch.load(path)
    for text in (str(caught.value), 'RuntimeError: Expected hasRecord("version") to be true'):
        found = explain_text(text)
        assert "the file is a zip" in found.changed and "numpy.load" in ways(found)
        assert "cut off" not in everything(found)


@pytest.mark.parametrize("count, data", [(80, "COCO"), (1000, "ImageNet"), (12, "")])
def test_weights_for_a_public_number_of_classes_may_be_the_wrong_file(count, data):
    text = (
        "RuntimeError: Error(s) in loading state_dict for FooX:\n\tsize mismatch for head.bias: "
        f"copying a param with shape torch.Size([{count}]) from checkpoint, the shape in current "
        "model is torch.Size([6])."
    )
    found = ways(explain_text(text))
    assert f"number of classes that the file has ({count})" in found
    assert ("trained for the model's number (6)" in found) == bool(data) and data in found


ARGUMENT = "TypeError: {}() got an unexpected keyword argument 'token'"
CALLS = f'  File "{SITE}/barlib/base.py", line 9, in __init__\n    {{}}\n'
IMPORT = "      1 from foolib.models import A, FooNet\n----> 2 model = FooNet('base')\n"


def told(found):
    return " ".join([found.changed, *(f"{way.text} {way.commands}" for way in found.ways)])


def test_two_packages_that_do_not_fit_are_both_named():
    text = IMPORT + CALLS.format("x = self._make(") + ARGUMENT.format("FooNet._make")
    found = explain_text(text)
    assert "code of barlib calls `FooNet._make` with `token`" in found.changed
    assert "comes from foolib" in found.changed and "do not fit" in found.changed
    assert "older barlib" in told(found) and "pip install --upgrade foolib" in told(found)


@pytest.mark.parametrize("name", ["FooNet._make", "BazNet.forward", "_make"])
def test_a_callee_that_is_not_seen_is_said_to_be_unknown(name):
    found = explain_text(HEAD + CALLS.format("x = self._make(y, token=1)") + ARGUMENT.format(name))
    assert f"code of barlib calls `{name}` with `token`" in found.changed
    assert "Whose it is, is not known" in found.changed and "no file has a part" in found.changed


def test_of_the_words_alone_neither_side_is_known():
    found = explain_text(ARGUMENT.format("FooNet._make"))
    assert "neither is whose code calls it" in found.changed
    assert "whole traceback" in told(found) and "rescue" not in told(found)


def test_a_line_of_one_s_own_is_no_library_s():
    text = HEAD + CALLED.format("x = foolib.make(token=1)") + ARGUMENT.format("make")
    found = explain_text(text)
    assert "a line of your own or of a project (main.py)" in found.changed
    assert "leave `token` out" in told(found)


def test_an_argument_that_the_line_does_not_name_can_come_from_a_file():
    text = HEAD + CALLS.format("return cls(**settings)") + ARGUMENT.format("FooNet.__init__")
    found = explain_text(text)
    assert "hands `token` on to `FooNet.__init__`" in found.changed
    assert "settings that a file keeps" in found.changed
    assert "settings that a file" not in explain_text(text.replace("__init__()", "run()")).changed
    setting = ARGUMENT.format("FooConfig.__init__")
    assert "does not know" in explain_text(setting).changed  # the row of settings comes first
