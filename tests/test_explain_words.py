"""Errors that are known by their words: real ones, in the forms in which tracebacks are printed."""

import inspect
import io
import pathlib
import pickle
import sys
import traceback
import warnings
import zipfile
from collections import OrderedDict

import pytest
import torch
from rich.console import Console
from rich.traceback import Traceback
from safetensors import safe_open
from safetensors.torch import save
from torch import nn
from torch.jit.mobile import _load_for_lite_interpreter

from missing_aa import rescue, rescue_to
from missing_aa.explainer.explain import explain_text
from missing_aa.explainer.known_files import OF_OTHER_FORMATS
from missing_aa.explainer.known_libraries import LIBRARIES
from missing_aa.explainer.known_texts import TEXTS

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n"
PYTHON_2 = b"\x80\x02}q\x00U\x04nameq\x01U\x02\xd1\xc3q\x02s."


def ways(answer):
    return " ".join(f"{way.text} {' '.join(way.commands)}" for way in answer.ways)


def saved(tmp_path, **more):
    path = tmp_path / "a.pt"
    torch.save({"weight": torch.ones(3), **more}, path)
    return path


def program(tmp_path):
    path = tmp_path / "program.pt"
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), path)
    return path


def written(tmp_path, data):
    path = tmp_path / "file"
    path.write_bytes(data)
    return path


def inner_pickle(tmp_path):
    with zipfile.ZipFile(saved(tmp_path)) as file:
        name = next(name for name in file.namelist() if name.endswith("data.pkl"))
        return written(tmp_path, file.read(name))


def in_form(tmp_path, version):
    """A file of torch's that says of itself another version of its form."""
    path = tmp_path / "form.pt"
    with zipfile.ZipFile(saved(tmp_path)) as file, zipfile.ZipFile(path, "w") as new:
        for name in file.namelist():
            new.writestr(name, version if name.endswith("/version") else file.read(name))
    return path


def optimizer(*sizes):
    return torch.optim.SGD([torch.ones(size, requires_grad=True) for size in sizes], lr=0.1)


class Unready(nn.Module):
    def __init__(self):
        self.layer = nn.Linear(1, 1)


def read_header(path):
    with safe_open(path, "pt"):
        pass


def read_as_text(path):
    with open(path, encoding="utf-8") as file:
        pickle.load(file)


REAL = {
    "constants.pkl": (lambda tmp: torch.jit.load(saved(tmp)), "that torch.save wrote"),
    "bytecode.pkl": (
        lambda tmp: _load_for_lite_interpreter(str(program(tmp))),
        "mobile interpreter",
    ),
    "a cut file": (
        lambda tmp: torch.load(written(tmp, saved(tmp).read_bytes()[:-200])),
        "cut off or damaged",
    ),
    "an empty file": (lambda tmp: torch.load(written(tmp, b"")), "cut off or damaged"),
    "another byte": (lambda tmp: torch.load(written(tmp, b"\xe0\x05"), weights_only=False),
                     "cut off or damaged"),
    "another byte, not trusted": (lambda tmp: torch.load(written(tmp, b"\xfe\x05")),
                                  "cut off or damaged"),
    "a pointer as safetensors": (
        lambda tmp: read_header(written(tmp, LFS)), "pointer of Git LFS",
    ),
    "a page as safetensors": (
        lambda tmp: read_header(written(tmp, b"<!DOCTYPE html><html>")), "a web page",
    ),
    "a cut safetensors": (
        lambda tmp: read_header(written(tmp, save({"a": torch.ones(1)})[:-2])), "cut off",
    ),
    "a program": (lambda tmp: torch.load(program(tmp), weights_only=True), "TorchScript program"),
    "a newer form": (lambda tmp: torch.load(in_form(tmp, b"99\n")), "a newer torch wrote"),
    "an older form": (lambda tmp: torch.load(in_form(tmp, b"0\n")), "an older torch wrote"),
    "a pickle alone": (
        lambda tmp: pickle.loads(inner_pickle(tmp).read_bytes()), "another reader",
    ),
    "a pickle as text": (lambda tmp: read_as_text(inner_pickle(tmp)), "opened as text"),
    "Python 2, by torch": (
        lambda tmp: torch.load(written(tmp, PYTHON_2), weights_only=False),
        "byte strings of Python 2",
    ),
    "Python 2, not trusted": (
        lambda tmp: torch.load(written(tmp, PYTHON_2)), "byte strings of Python 2",
    ),
    "Python 2, by pickle": (
        lambda tmp: pickle.loads(written(tmp, PYTHON_2).read_bytes()), "byte strings of Python 2",
    ),
    "a class without source": (lambda tmp: inspect.getsource(int), "finds no source"),
    "a model as weights": (
        lambda tmp: nn.Linear(1, 1).load_state_dict(nn.Linear(1, 1)), "holds a whole model",
    ),
    "weights as a model": (lambda tmp: OrderedDict()(1), "holds weights"),
    "another system's path": (
        lambda tmp: (pathlib.PosixPath if sys.platform == "win32" else pathlib.WindowsPath)(),
        "path object",
    ),
    "memory": (lambda tmp: torch.empty(1 << 60), "does not suffice"),
    "another optimizer": (
        lambda tmp: optimizer(2).load_state_dict(optimizer(2, 3).state_dict()), "optimizer",
    ),
    "a class without super": (lambda tmp: Unready(), "before torch's"),
}  # fmt: skip
"""What raises -> words of the answer."""
TOLD = {
    "npz": ("RuntimeError: file in archive is not in a subdirectory: a.npy", "is a zip"),
    "h5": ("OSError: Unable to open file (file signature not found)", "HDF5"),
    "transformers": (
        "During handling of the above exception, another exception occurred:\n\nOSError: Unable to "
        "load weights from pytorch checkpoint file for 'x/pytorch_model.bin' at 'x'. If you tried "
        "to load a PyTorch model from a TF 2.0 checkpoint, please set from_tf=True.",
        "in the place of the reason",
    ),
    "tokenizers": (
        '  File "/e/site-packages/transformers/tokenization_utils_fast.py", line 111, in __init__\n'
        "    fast_tokenizer = TokenizerFast.from_file(fast_tokenizer_file)\n"
        "Exception: data did not match any variant of untagged enum ModelWrapper at line 1",
        "tokenizer.json",
    ),
    "memory, in the frame that loads": (
        '  File "/e/torch/serialization.py", line 1396, in persistent_load\n'
        "    typed_storage = load_tensor(dtype, nbytes, key, _maybe_decode_ascii(location))\n"
        "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 392.00 MiB",
        "does not suffice",
    ),
    "a tree of scikit-learn": (
        "ValueError: node array from the pickle has an incompatible dtype:\n- expected: {'names': "
        "['left_child', 'missing_go_to_left']}\n- got     : [('left_child', '<i8')]",
        "between its versions",
    ),
    "the form of pytest": (
        "/e/torch/serialization.py:1396: in persistent_load\n    typed_storage = load_tensor(\n"
        "E   MemoryError",
        "does not suffice",
    ),
    "protocol 4": ("ValueError: unsupported pickle protocol: 4", "since 3.4"),
    "protocol 5": ("ValueError: unsupported pickle protocol: 5", "since 3.8"),
    "a part": (
        'RuntimeError: Need to initialize default process group using "init_process_group" before '
        "loading ShardedTensor",
        "several",
    ),
    "Lightning": (
        '  File "t.py", line 18, in test\n    model = FooNet.load_from_checkpoint(path)\n'
        "TypeError: __init__() missing 1 required positional argument: 'hparams'",
        "save_hyperparameters",
    ),
    "Keras": (
        '  File "t.py", line 1, in <module>\n    from keras.models import load_model\n'
        '  File "t.py", line 2, in <module>\n    model = load_model(path)\n'
        "TypeError: __init__() got an unexpected keyword argument 'ragged'",
        "as a rule a newer one",
    ),
    "another card": (
        "RuntimeError: CUDA error: no kernel image is available for execution on the device",
        "No file has a part in it",
    ),
    "joblib's arrays": (
        '  File "/e/site-packages/joblib/numpy_pickle.py", line 506, in _unpickle\n'
        "    obj = unpickler.load()\n"
        '  File "/usr/lib/python3.7/pickle.py", line 1088, in load\n    dispatch[key[0]](self)\n'
        "KeyError: 10",
        "a newer joblib wrote the file",
    ),
    "no instruction": (
        '  File "/usr/lib/python3.7/pickle.py", line 1088, in load\n    dispatch[key[0]](self)\n'
        "KeyError: 0",
        "begins no instruction: the file is damaged",
    ),
    "the library's own word, older": (
        "ValueError: This index was generated with an earlier version of barlib.",
        "an older version of it wrote",
    ),
    "the library's own word, newer": (
        "ValueError: the model was saved using a more recent version of Foo",
        "a newer version of it wrote",
    ),
    "another output": ("after the upgrade of barlib the accuracy drops", "another output"),
}
"""A text -> words of the answer; of libraries that are not installed here, as they say it."""


def by_python(error):
    return "".join(traceback.format_exception(error))


def by_a_process_of_several(error):
    return "".join(f"[rank0]: {line}\n" for line in by_python(error).splitlines())


def by_rich(error):
    console = Console(file=io.StringIO(), width=100)
    console.print(Traceback.from_exception(type(error), error, error.__traceback__))
    return console.file.getvalue()


def by_ipython(error):
    from IPython.core.ultratb import VerboseTB

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = VerboseTB(color_scheme="NoColor", include_vars=False)
        return made.text(type(error), error, error.__traceback__)


FORMS = [by_python, by_a_process_of_several, by_rich, by_ipython]


def raised(call, tmp_path):
    with pytest.raises(BaseException) as caught, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        call(tmp_path)
    return caught.value


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", REAL)
def test_a_real_error_is_known_by_its_message_in_every_form(name, form, tmp_path):
    call, said = REAL[name]
    error = raised(call, tmp_path)
    found = explain_text(form(error))
    assert said in found.changed, form(error)
    assert found.known_by == "the words of the error" and "in persistent_load" not in found.error


@pytest.mark.parametrize("name", TOLD)
def test_a_text_is_known_by_its_message(name):
    text, said = TOLD[name]
    assert said in explain_text(text).changed


def test_every_entry_has_its_own_error(tmp_path):
    texts = [by_python(raised(call, tmp_path)) for call, _ in REAL.values()]
    texts += [text for text, _ in TOLD.values()]
    texts += [
        f"load.py --weights a.{format.endings.partition('|')[0]}\n{by_python(damaged(tmp_path))}"
        for format in OF_OTHER_FORMATS
    ]
    answered = {explain_text(text).changed for text in texts}
    known = [known for known in TEXTS if known not in LIBRARIES]
    assert [one.pattern for one in known if one.what not in answered] == []


def damaged(tmp_path):
    return raised(lambda tmp: torch.load(written(tmp, bytes(9)), weights_only=False), tmp_path)


@pytest.mark.parametrize("format", OF_OTHER_FORMATS)
def test_a_file_of_another_format_is_not_called_damaged(format, tmp_path):
    for ending in format.endings.split("|"):
        for before in (f"run.py --weights net.{ending}", f"in 'C:\\nets\\net.{ending}',"):
            found = explain_text(f"{before}\n{by_python(damaged(tmp_path))}")
            assert format.name in found.changed and format.reader in ways(found)
            assert "etch" not in ways(found) and "rescue" not in ways(found)
    for other in (f"from barlib.{format.endings.partition('|')[0]}.data import f", "net.pt"):
        assert "damaged" in explain_text(f"{other}\n{by_python(damaged(tmp_path))}").changed


def test_an_intact_file_is_not_to_be_fetched_again(tmp_path):
    error = raised(REAL["constants.pkl"][0], tmp_path)
    assert "etch" not in ways(explain_text(by_python(error)))
    short = "PytorchStreamReader failed locating file constants.pkl: file not found"
    assert explain_text(short).changed == explain_text(by_python(error)).changed


@pytest.mark.parametrize(
    "text",
    [
        "Traceback (most recent call last):\n  File 'p.py', line 4, in <module>\n"
        "    m.predict(x)\nValueError: Input X contains NaN.",
        "ValueError: FooNet was built with an other accuracy",
        "epoch 3: accuracy dropped\nepoch 4: loss nan\nRuntimeError: 3 of them",
        "epoch 3: other results\nKeyboardInterrupt",
        "epoch 3: loss nan\nSegmentation fault (core dumped)",
    ],
)
def test_what_ended_with_an_error_is_not_said_to_have_had_none(text):
    assert "no error" not in explain_text(text).changed


@pytest.mark.parametrize(
    "text",
    [
        "ValueError: odd",
        "h5py: KeyError: 'Unable to open object'",
        "optimizer.step() KeyError: 3",
        "tokenizer = AutoTokenizer.from_pretrained(x)\nKeyError: 'FooTokenizer'",
        "safetensors_rust.SafetensorError: odd",
    ],
)
def test_a_text_without_a_pickle_is_offered_no_way_for_one(text):
    found = explain_text(text)
    assert found.kind == "general" and not found.ways and "way out" not in str(found)
    frame = '  File "/e/site-packages/torch/serialization.py", line 9, in load\n    return f()\n'
    for other in (f"{frame}{text}", f"torch.load(path)\n{text}", f"_pickle.Odd: {text}"):
        assert "rescue" in ways(explain_text(other))


def test_the_file_of_python_2_is_read_as_the_answer_says(tmp_path):
    path = written(tmp_path, PYTHON_2)
    found = explain_text(by_python(raised(lambda tmp: torch.load(path), tmp_path)))
    scope = {"path": path, "torch": torch, "pickle": pickle}
    plain = next(one for one in found.ways[0].commands if one.startswith("pickle"))
    assert eval(plain, scope) == {"name": "\xd1\xc3"}
    path = tmp_path / "old.pt"
    torch.save({"a": torch.ones(2), "b": "xx"}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"X\x02\0\0\0xx", b"U\x02\xd1\xc3"))
    scope["path"] = path
    (by_torch,) = (one for one in found.ways[0].commands if one.startswith("torch"))
    assert eval(by_torch, scope)["b"] == "\xd1\xc3"
    assert rescue(path).state_dict["a"].tolist() == [1, 1]


def test_text_that_is_read_is_no_file_of_python_2():
    text = (
        '  File "a.py", line 1, in <module>\n    net = torch.load(path)\n'
        '  File "b.py", line 2, in read\n    return file.read()\n'
        '  File "/usr/lib/python3.11/codecs.py", line 322, in decode\n'
        "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 7: invalid start byte"
    )
    assert "Python 2" not in explain_text(text).changed


def test_weights_come_out_of_a_file_of_a_newer_form(tmp_path):
    path = in_form(tmp_path, b"99\n")
    rescue_to(path, tmp_path / "a.safetensors")
    assert read_header(tmp_path / "a.safetensors") is None
    old = "version_ <= kMaxSupportedFileFormatVersion INTERNAL ASSERT FAILED at inline_container.cc"
    assert "newer torch" in ways(explain_text(f"RuntimeError: {old}"))
