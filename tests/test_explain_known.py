"""What libraries say of their own files, as they say it, and what such errors are not."""

import os
import pathlib
import traceback
import zipfile

import pytest
import torch
from torch import nn

from missing_aa import rescue
from missing_aa.explainer.explain import explain_text
from missing_aa.explainer.known_libraries import LIBRARIES

HEAD = "Traceback (most recent call last):\n"
SITE = "/e/lib/python3.9/site-packages"
PHI = "/home/u/.cache/huggingface/modules/transformers_modules/foo/modeling_foo.py"
UNPACKED = (
    f'{HEAD}  File "{SITE}/torch/serialization.py", line 1002, in _legacy_load\n'
    "    magic_number = pickle_module.load(f, **pickle_load_args)\n"
    "_pickle.UnpicklingError: A load persistent id instruction was encountered,\n"
    "but no persistent_load function was specified."
)
DECODE = (
    f'{HEAD}  File "{SITE}/keras/engine/saving.py", line 1004, in load_weights\n'
    "    original_keras_version = f.attrs['keras_version'].decode('utf8')\n"
    "AttributeError: 'str' object has no attribute 'decode'"
)
REMOTE = (
    f'{HEAD}  File "{PHI}", line 1292, in prepare\n    n = past.get_max_length()\n'
    "AttributeError: 'DynamicCache' object has no attribute 'get_max_length'"
)
FAIRSEQ = (
    f'{HEAD}  File "{SITE}/fairseq/checkpoint_utils.py", line 420, in _upgrade_state_dict\n'
    '    state["args"].task = "translation"\n'
    "AttributeError: 'NoneType' object has no attribute 'task'"
)
TOLD = {
    "persistent id": (UNPACKED, "unpacked"),
    "persistent id, not trusted": (
        f'{HEAD}  File "{SITE}/torch/serialization.py", line 1640, in load\n    raise X\n'
        "_pickle.UnpicklingError: Weights only load failed. In PyTorch 2.6, we changed it.\n"
        "Please file an issue: WeightsUnpickler error: \n\nunsupported persistent id encountered\n",
        "unpacked",
    ),
    "no file": (
        "AttributeError: 'FooNet' object has no attribute 'seek'. You can only torch.load from a "
        "file that is seekable. Please pre-load the data into a buffer like io.BytesIO and try to "
        "load from it instead.",
        "that is no file",
    ),
    "busy": (
        "RuntimeError: CUDA error: all CUDA-capable devices are busy or unavailable",
        "cannot be used now",
    ),
    "decode": (DECODE, "h5py 3"),
    "remote code": (REMOTE, "from its repository"),
    "fairseq": (FAIRSEQ, "as a rule a newer fairseq"),
    "IR": (
        "onnxruntime.capi.onnxruntime_pybind11_state.Fail: [ONNXRuntimeError] : 1 : FAIL : Load "
        "model from a.onnx failed:/onnxruntime_src/onnxruntime/core/graph/model.cc:179 Unsupported "
        "model IR version: 10, max supported IR version: 9",
        "newer onnx",
    ),
    "export": ("ValueError: Unsupported ONNX opset version: 18", "exporter"),
    "opset": (
        "RuntimeError: ONNX Runtime only *guarantees* support for models stamped with official "
        "released onnx opset versions. Opset 19 is under development and support for this is "
        "limited. Current official support for domain ai.onnx is till opset 18.",
        "opset",
    ),
    "architecture": (
        "llama_model_load: error loading model: error loading model architecture: unknown model "
        "architecture: 'chatglm'",
        "llama.cpp is older",
    ),
    "GGML": (
        "error loading model: unknown (magic, version) combination: 67676a74, 00000003; is this "
        "really a GGML file?",
        "GGUF",
    ),
    "GGUF": ("gguf_init_from_file: invalid magic characters 'tjgg'", "GGUF"),
    "transformers 5": (
        "ValueError: Tokenizer class TokenizersBackend does not exist or is not currently "
        "imported.",
        "transformers 5 wrote",
    ),
    "tokenizer": (
        "ValueError: Tokenizer class FooTokenizer does not exist or is not currently imported.",
        "repository",
    ),
    "own code": (
        "ValueError: Loading /m/foo requires you to execute the configuration file in that repo "
        "on your local machine. Make sure you have read the code there to avoid malicious use, "
        "then set the option `trust_remote_code=True` to remove this error.",
        "code of its own repository",
    ),
    "a type": (
        "ValueError: The checkpoint you are trying to load has model type `foo` but Transformers "
        "does not recognize this architecture.",
        "older than the model",
    ),
    "Lightning's struct": (
        f'{HEAD}  File "t.py", line 1, in f\n    m.load_from_checkpoint(path, config=config)\n'
        "omegaconf.errors.ConfigKeyError: Key 'config' is not in struct",
        "hyperparameters",
    ),
    "fairseq's key": (
        "omegaconf.errors.ConfigKeyError: Key 'eval_wer' not in 'AudioPretrainingConfig'\n"
        "        full_key: eval_wer",
        "settings have a key",
    ),
    "pandas": (
        f'{HEAD}  File "{SITE}/pandas/core/internals/blocks.py", line 2400, in new_block\n'
        "    return klass(values, ndim=ndim, placement=placement, refs=refs)\n"
        "TypeError: Argument 'placement' has incorrect type (expected "
        "pandas._libs.internals.BlockPlacement, got slice)",
        "an older pandas",
    ),
    "post_init": (
        "AttributeError: 'FooModel' object has no attribute 'all_tied_weights_keys'",
        "written for transformers 4",
    ),
    "a setting": (
        "TypeError: FooConfig.__init__() got an unexpected keyword argument 'corda_config'",
        "a newer version of the library wrote it",
    ),
    "a setting, in an older Python": (
        f'{HEAD}  File "{SITE}/peft/config.py", line 133, in from_pretrained\n'
        "    config = config_cls(**kwargs)\n"
        "TypeError: __init__() got an unexpected keyword argument 'corda_config'",
        "a newer version of the library wrote it",
    ),
    "numpy's generator": (
        "TypeError: __randomstate_ctor() takes from 0 to 1 positional arguments but 2 were given",
        "a newer numpy pickled",
    ),
    "stable-baselines": (
        f"{SITE}/stable_baselines3/common/save_util.py:166: UserWarning: Could not deserialize "
        "object lr_schedule. Consider using `custom_objects` argument to replace this object.",
        "parts of its file as pickles",
    ),
    "safetensors": ("safetensors_rust.SafetensorError: device cuda:0 is invalid", "device"),
}
"""A text -> words of the answer."""


def ways(answer):
    return " ".join(f"{way.text} {' '.join(way.commands)}" for way in answer.ways)


@pytest.mark.parametrize("name", TOLD)
def test_a_text_is_known_by_its_message(name):
    text, said = TOLD[name]
    found = explain_text(text)
    assert said in found.changed and found.ways and found.kind == "other"
    assert "rescue" not in ways(found) and "timm" not in str(found)


def test_every_row_has_its_own_text():
    answered = {explain_text(text).changed for text, _ in TOLD.values()}
    assert [known.pattern for known in LIBRARIES if known.what not in answered] == []


@pytest.mark.parametrize(
    "text",
    [
        DECODE.replace(f"{SITE}/keras/engine", "/home/u/keras").replace("f.attrs['k", "f['k"),
        REMOTE.replace("'DynamicCache'", "'NoneType'"),
        f'{HEAD}  File "{PHI}", line 3, in f\n    g()\n  File "a.py", line 3, in g\n    b.c\n'
        "AttributeError: 'FooNet' object has no attribute 'c'",
        UNPACKED.replace("torch/serialization", "barlib/reader"),
        FAIRSEQ.replace("fairseq", "barlib"),
        "RuntimeError: Invalid magic number; corrupt file?",
        "KeyError: \"Key 'a' is not in struct\"",
        "Argument 'placement' has incorrect type",
        "device cuda:0 is invalid",
        "TypeError: fit() got an unexpected keyword argument 'x'",
        "TypeError: Net.__init__() got an unexpected keyword argument 'x'",
        "UserWarning: Could not deserialize object a",
        "AutoModel.from_pretrained(x, trust_remote_code=True)\nRuntimeError: CUDA out of memory",
    ],
)
def test_another_library_s_error_of_such_words_is_left_alone(text):
    assert explain_text(text).changed not in {known.what for known in LIBRARIES}


@pytest.mark.parametrize("trusted", [True, False])
def test_an_unpacked_archive_is_told_and_zipped_again(trusted, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"a": torch.ones(3)}, "net.tar")
    zipfile.ZipFile("net.tar").extractall("out")
    with pytest.raises(Exception) as caught:
        torch.load("out/net/data.pkl", weights_only=not trusted)
    found = explain_text("".join(traceback.format_exception(caught.value)))
    assert "unpacked" in found.changed and "persistent id" in found.error
    assert not trusted or "A load persistent id" in found.error
    assert "specified" in found.error or not trusted
    with zipfile.ZipFile("again.pt", "w", zipfile.ZIP_STORED) as again:
        for folder, _, files in os.walk("out"):
            for file in files:
                path = pathlib.Path(folder, file)
                again.write(path, path.relative_to("out"))
    assert torch.load("again.pt")["a"].tolist() == [1, 1, 1]


def test_the_whole_message_is_the_headline():
    assert "encountered, but no persistent_load function was" in explain_text(UNPACKED).error


class Foo(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.step = self.__step

    def __step(self):
        pass


@pytest.mark.parametrize("saved", [Foo, lambda: Foo().state_dict])
def test_a_private_method_that_was_pickled_is_no_matter_of_versions(saved, tmp_path):
    path = tmp_path / "a.pt"
    torch.save(saved(), path)
    with pytest.raises(AttributeError) as caught:
        torch.load(path, weights_only=False)
    found = explain_text("".join(traceback.format_exception(caught.value)))
    assert "without brackets" in found.changed and "do not read it either" in found.changed
    assert "versions that wrote it" not in ways(found) and "state_dict()" in ways(found)
    assert "--even-if-dangerous" in ways(found)
    state = rescue(path, even_if_dangerous=True).state_dict
    assert {*state} == {"layer.weight", "layer.bias"}
    with pytest.raises(Exception) as refused:
        torch.load(path, weights_only=True)
    assert "rescue" in ways(explain_text(str(refused.value)))


def test_a_method_that_torch_refuses_may_be_a_state_dict_without_brackets(tmp_path):
    torch.save(nn.Linear(1, 1).state_dict, tmp_path / "a.pt")
    with pytest.raises(Exception) as refused:
        torch.load(tmp_path / "a.pt", weights_only=True)
    assert "without brackets" in explain_text(str(refused.value)).changed


@pytest.mark.parametrize(
    "name", ["__dict__", "__setstate_cython__", "items", "_step", "_Foo_step", "___"]
)
def test_other_names_are_of_no_private_method(name):
    text = (
        f'{HEAD}  File "{SITE}/torch/serialization.py", line 882, in _load\n    unpickler.load()\n'
        f"AttributeError: 'RACNN' object has no attribute '{name}'"
    )
    assert "private method" not in explain_text(text).changed
    assert "private method" in explain_text(text.replace(f"'{name}'", "'_RACNN__step'")).changed


def asked_of(wrapper):
    net = wrapper(nn.Linear(1, 1))
    with pytest.raises(AttributeError) as caught:
        net.encoder  # noqa: B018
    return "".join(traceback.format_exception(caught.value))


def test_a_wrapper_is_not_the_model_inside():
    for text in (
        asked_of(nn.DataParallel),
        "AttributeError: 'DistributedDataParallel' object has no attribute 'encoder'",
    ):
        found = explain_text(text)
        assert "model.module.encoder" in ways(found) and "no matter of versions" in found.changed
        assert "rescue" not in ways(found) and "another version" not in found.changed
    found = explain_text("'OptimizedModule' object has no attribute 'encoder'")
    assert "model._orig_mod.encoder" in ways(found)


@pytest.mark.parametrize("name", ["module", "_buffers", "_is_full_backward_hook"])
def test_what_a_wrapper_has_of_its_own_is_not_asked_of_the_model(name):
    found = explain_text(f"'DataParallel' object has no attribute '{name}'")
    assert f"model.module.{name}" not in ways(found)


def test_what_torch_s_code_reads_of_a_wrapper_is_the_wrapper_s():
    text = (
        f'{HEAD}  File "{SITE}/torch/nn/parallel/data_parallel.py", line 150, in forward\n'
        "    if t.device != self.src_device_obj:\n"
        "AttributeError: 'DataParallel' object has no attribute 'src_device_obj'"
    )
    assert "model.module" not in ways(explain_text(text))


@pytest.mark.parametrize(
    "text",
    [
        f'{HEAD}  File "/usr/lib/python3.9/pickle.py", line 1246, in load_build\n'
        "    for k, v in slotstate.items():\n"
        "AttributeError: 'mtrand.RandomState' object has no attribute 'items'",
        f'{HEAD}  File "p.py", line 3, in f\n    pickle.load(file)\n'
        f'  File "{SITE}/pandas/core/internals/blocks.py", line 2, in g\n    h()\n'
        "TypeError: odd",
        f'{HEAD}  File "p.py", line 3, in f\n    pickle.load(file)\n'
        "AttributeError: Can't get attribute 'foo' on <module 'numpy.random._pickle' from 'x'>",
        f'{HEAD}  File "p.py", line 3, in f\n    cloudpickle.load(file)\n'
        "AttributeError: Can't get attribute 'clean' on <module '__main__' from 'p.py'>",
    ],
)
def test_no_weights_are_promised_where_nothing_is_torch_s(text):
    assert "rescue" not in str(explain_text(text)) and "weights" not in ways(explain_text(text))
    with_torch = text.replace("pickle.load(", "torch.load(").replace("slotstate.", "torch.")
    assert "rescue" in str(explain_text(with_torch)) or "pandas" in text


def test_a_whole_traceback_is_not_asked_for_again():
    text = f'{HEAD}  File "a.py", line 3, in f\n    g()\n  File "b.py", line 3, in g\n    h()\n'
    assert "whole traceback" not in explain_text(f"{text}ValueError: odd").changed
    assert "whole traceback" in explain_text("ValueError: odd").changed
