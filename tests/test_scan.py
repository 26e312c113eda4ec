"""What a scan says of single files: checkpoints of every kind, and files that are none."""

import argparse
import enum
import gzip
import io
import lzma
import pickle
import tarfile
import zipfile
from collections import ChainMap, OrderedDict
from functools import partial
from pathlib import Path

import joblib
import numpy
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import missing_aa
from missing_aa.containers.formats import PICKLES as PICKLE_NAMES
from missing_aa.limits import DEFAULT, Limits
from missing_aa.scanner.verdict import EXIT_CODES, judge
from rescue_files import call, mapping, name, tensor, torch_zip, value

LEGACY = {"_use_new_zipfile_serialization": False}


def net():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


@pytest.fixture
def one(tmp_path):
    """Scan a file of that name and content; its verdict, or None if it is passed by."""

    def scan(file, content=b"", **options):
        path = tmp_path / file
        if callable(content):
            content(path)
        else:
            path.write_bytes(content)
        done = missing_aa.scan(path, **options)
        assert done.complete and done.looked_at == 1
        (found,) = done.checkpoints or [None]
        assert done.exit_code == (found.exit_code if found else 0)
        return found

    return scan


def saved(thing, **options):
    return lambda path: torch.save(thing, path, **options)


def pickled(thing, protocol=None):
    return pickle.dumps(thing, protocol)


def whole(thing, **options):
    """As torch.save writes it."""
    held = io.BytesIO()
    torch.save(thing, held, **options)
    return held.getvalue()


def broken(thing, **options):
    """The same, cut in the middle."""
    written = whole(thing, **options)
    return written[: len(written) // 2]


class Learner:
    """As libraries pickle it: an object with a model among its attributes."""

    def __init__(self, model):
        self.model = model


def training(model):
    return {"epoch": 3, "model": model, "optimizer": torch.optim.Adam(net().parameters())}


SEQUENTIAL = "torch.nn.modules.container.Sequential"
WHOLE = {
    "whole": (saved(net()), "whole model", ""),
    "legacy": (saved(net(), **LEGACY), "whole model", ""),
    "bare": (pickled(net()), "whole model", ""),
    "bare, protocol 0": (pickled(net(), 0), "whole model", ""),
    "in a training checkpoint": (saved(training(net())), "training checkpoint", "model"),
    "in a list": (saved([1, net()]), "object with a model inside", "1"),
    "in a learner": (saved(Learner(net())), "object with a model inside", "model"),
}


@pytest.mark.parametrize("what", WHOLE)
def test_a_whole_model_is_a_finding(one, what):
    content, kind, at = WHOLE[what]
    found = one("model.pkl", content)
    assert (found.verdict, found.kind, found.exit_code) == ("finding", kind, 1)
    assert found.models == [{"name": at, "class": SEQUENTIAL}]
    assert found.remark == f"holds {SEQUENTIAL}" + (f" at {at}" if at else "")
    assert missing_aa.inspect(found.path).kind == kind


def test_a_data_parallel_model_is_named_by_what_it_wraps(one):
    assert one("m.pt", saved(nn.DataParallel(net()))).models[0]["class"] == SEQUENTIAL


WEIGHTS = {
    "state_dict": (saved(net().state_dict()), "state_dict"),
    "legacy": (saved(net().state_dict(), **LEGACY), "state_dict"),
    "training": (saved({"epoch": 1, "model": net().state_dict()}), "training checkpoint"),
}


@pytest.mark.parametrize("what", WEIGHTS)
def test_weights_alone_in_a_pickle_are_fine_and_safetensors_better(one, what):
    content, kind = WEIGHTS[what]
    found = one("weights.bin", content)
    assert (found.verdict, found.kind, found.exit_code) == ("fine", kind, 0)
    assert "safetensors" in found.remark
    assert found.models[0]["class"] == ""


def test_weights_beside_an_object_are_fine_with_a_word_about_it(one):
    held = {"model": net().state_dict(), "args": argparse.Namespace(lr=1)}
    found = one("weights.pt", saved(held))
    assert found.verdict == "fine"
    assert "argparse.Namespace" in found.remark and "weights_only=True" in found.remark


class Mode(enum.Enum):
    FAST = 1


BESIDE = {
    "an object of a class": (Mode.FAST, "needs code", 0, "runs their package's code"),
    "a function": (nn.functional.relu, "unjudged", 1, "is not known"),
    "an object in the state of another": (Learner(Learner(1)), "needs code", 0, ""),
    "a class of Python's own": (ChainMap(OrderedDict(a=Learner(1))), "unjudged", 1, ""),
    "a class that is given a function": (partial(Learner, nn.functional.relu), "unjudged", 1, ""),
}


@pytest.mark.parametrize("what", BESIDE)
def test_weights_beside_what_needs_code_or_was_not_judged_are_not_called_fine(one, what):
    thing, verdict, code, remark = BESIDE[what]
    found = one("weights.pt", saved({"model": net().state_dict(), "beside": thing}))
    assert (found.verdict, found.exit_code) == (verdict, code) and remark in found.remark
    names = {name.verdict for name in missing_aa.inspect(found.path).names}
    assert names <= {"fine", "needs code", verdict} and verdict in names


def test_safetensors_are_fine_and_a_local_folder_is_known(tmp_path):
    save_file(net().state_dict(), tmp_path / "model.safetensors")
    save_file(net().state_dict(), tmp_path / "other.safetensors")
    done = missing_aa.scan([tmp_path])
    assert [(f.verdict, f.kind) for f in done.checkpoints] == [("fine", "state_dict")] * 2
    (tmp_path / "config.json").write_text("{}")
    folder, other = missing_aa.scan([tmp_path]).checkpoints
    assert (folder.kind, other.kind) == ("local folder", "state_dict")


def test_torchscript_is_a_program_that_nobody_followed(one):
    with pytest.warns((FutureWarning, DeprecationWarning)):  # before and after torch 2.14
        script = torch.jit.script(net())
    found = one("script.pt", lambda path: script.save(path))
    assert (found.verdict, found.format, found.exit_code) == ("unjudged", "torchscript", 1)
    assert missing_aa.inspect(found.path).is_unjudged


def zipped(files, method=zipfile.ZIP_STORED, comment=b""):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        archive.comment = comment
        for member, content in files.items():
            archive.writestr(member, content)
    return held.getvalue()


def npz():
    held = io.BytesIO()
    numpy.savez(held, x=numpy.arange(9))
    return held.getvalue()


DATASET = {f"{part}/{n}.txt": "text" for part in "ab" for n in range(3)}
ORDINARY = {
    "program.py": b"import os\n" * 100,
    "requirements.txt": b"click\nflask\n",  # as a pickle, it would ask for `lick.flask`
    "requirements.bin": b"click\nflask\n",
    "distutils-precedence.pth": b"import os; var = 'SETUPTOOLS'\n",
    "ola.pt": "olá\n".encode(),
    "latin.pt": "olá\n".encode("latin-1"),
    "photo.jpg": b"\xff\xd8\xff\xe0" + bytes(range(256)) * 20,
    "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "arrays.npz": npz(),
    "data.zip": zipped(DATASET, zipfile.ZIP_DEFLATED),
    "lib.jar": zipped(DATASET, comment=b"what torch would never write"),
    "with data.zip": zipped({"a/b/data.pkl": pickled(1), "b/c.txt": "t"}, zipfile.ZIP_DEFLATED),
    "cut.zip": zipped(DATASET)[:200],
    "random.dat": b"\x80\x04" + bytes(range(200, 256)) * 9,
    "like safetensors.dat": (99).to_bytes(8, "little") + b"{" + bytes(99),
    "zeros.bin": bytes(5000),
    "empty.py": b"",
    "empty.bin": b"",
    "pointer.bin": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    "page.html": b"<!doctype html><title>x</title>",
    "protocol 0.txt": pickled({"a": 1}, 0),
}


@pytest.mark.parametrize("file", ORDINARY)
def test_an_ordinary_file_is_passed_by(one, file):
    assert one(file, ORDINARY[file]) is None


PICKLES = {
    "numbers.pkl": pickled({"a": [1, 2.0]}),
    "python2.pkl": pickled({"a": [1, 2.0]}, 0),
    "arrays.pkl": pickled(numpy.arange(5)),
    "random.pkl": pickled([numpy.random.default_rng(), numpy.random.RandomState(0)]),
    "anything.cache": pickled({"a": [1, 2.0]}),
    "tensor.pt": saved(torch.zeros(3)),
    "packed.pkl": gzip.compress(pickled([1])),
    "regressor.joblib": lambda path: joblib.dump(["coef", numpy.ones(4)], path),
}


@pytest.mark.parametrize("file", PICKLES)
def test_a_pickle_without_a_model_is_no_finding(one, file):
    found = one(file, PICKLES[file])
    assert (found.verdict, found.kind, found.exit_code) == ("other", "other", 0)


def archived(path):
    with tarfile.open(path, "w") as archive:
        archive.add(__file__)


PROMISED = {
    "pointer.safetensors": (ORDINARY["pointer.bin"], "git lfs pull"),
    "page.pth": (ORDINARY["page.html"], "HTML page"),
    "EMPTY.PT": (b"", "empty"),
    "zeros.ckpt": (bytes(5000), "only zeros"),
    "pytorch_model.bin": (gzip.compress(b"x"), "gunzip"),
    "packed.pkl.gz": (gzip.compress(whole(net())), "unpack it first"),
    "packed.joblib.xz": (lzma.compress(whole(net(), **LEGACY)), "unpack it first"),
    "old.pth": (archived, "tar archive"),
    "data.pt": (ORDINARY["data.zip"], "no checkpoint of torch's"),
    "cut.pt": (broken(net()), "cut short"),
    "cut.dat": (broken(net()), "cut short"),  # it begins as torch writes
    "cut.legacy.dat": (broken(net().state_dict(), **LEGACY), "cut short"),
    "cut.pkl": (pickled({"a": ["word"] * 99})[:-50], "breaks off"),
    "cut.dat.2": (pickled(net())[:-50], "breaks off"),  # it asks for torch
    "cut.safetensors": ((99).to_bytes(8, "little") + b"{", "shorter"),
}


@pytest.mark.parametrize("file", PROMISED)
def test_what_promises_a_checkpoint_and_is_none_is_malformed(one, file):
    content, said = PROMISED[file]
    found = one(file, content)
    is_empty_or_pointer = file in ("pointer.safetensors", "EMPTY.PT")
    verdict = "placeholder" if is_empty_or_pointer else "malformed"
    assert (found.verdict, found.exit_code) == (verdict, 4)
    assert said in found.remark
    assert found.size == Path(found.path).stat().st_size


HOSTILE = {
    "evil.pt": lambda path: torch_zip(
        path, mapping({"w": tensor(), "x": call("os", "system", "")})
    ),
    "cut.pt": lambda path: torch_zip(path, call("os", "system", "") + b"\xff"),
    "bare.pkl": b"\x80\x02" + call("os", "system", "") + b".",
    "bare and cut.dat": b"\x80\x02" + call("os", "system", ""),
    "text.pkl": b"cos\nsystem\n(S''\ntR.",
}


@pytest.mark.parametrize("file", HOSTILE)
def test_a_dangerous_name_is_told_before_anything_else(one, file):
    found = one(file, HOSTILE[file])
    assert (found.verdict, found.exit_code) == ("dangerous", 3)
    assert found.dangerous == [{"name": "os.system", "reason": "starts programs"}]
    assert found.remark == "asks for os.system, which starts programs"


def test_a_zip_that_can_be_read_in_two_ways_is_refused(one):
    held = io.BytesIO()
    torch.save(net(), held)
    found = one("model.pt", held.getvalue() + b"more")
    assert (found.verdict, found.exit_code) == ("refused", 3)


def test_a_limit_is_told_where_a_model_may_lie_behind_it(one):
    small = Limits(opcodes=50)
    found = one("model.pt", saved(net()), limits=small)
    assert (found.verdict, found.exit_code) == ("limit", 6)
    assert "--max-opcodes" in found.remark
    assert one("model.pkl", pickled(net()), limits=small).verdict == "limit"
    assert one("words.pkl", pickled(["word"] * 99), limits=small).verdict == "limit"


def test_a_pickle_too_large_to_read_is_judged_by_the_names_at_its_beginning(one):
    small = Limits(pickle_bytes=2000)
    assert one("model.pkl", pickled(net()) + bytes(3000), limits=small).verdict == "limit"
    words = [f"word {number}" for number in range(999)]
    assert one("words.pkl", pickled(words), limits=small).verdict == "limit"
    evil = b"\x80\x02" + call("os", "system", "") + value(words)
    assert one("evil.pkl", evil, limits=small).verdict == "dangerous"


def test_a_file_that_is_gone_is_no_checkpoint(tmp_path):
    assert judge(str(tmp_path / "model.pt"), DEFAULT) is None


def test_a_name_that_is_put_together_is_dangerous(one):
    program = b"\x80\x04" + value("os") + name("a", "b") + b"\x93."
    assert one("model.pkl", program).verdict == "dangerous"


def test_the_reference_names_every_verdict_and_every_name_that_counts():
    said = (Path(__file__).parents[1] / "docs" / "reference" / "scan.md").read_text()
    for verdict, code in EXIT_CODES.items():
        assert f"| `{verdict}` | {code} |" in said
    for suffix in PICKLE_NAMES:
        parts = [f"`.{part}`" in said for part in suffix[1:].split(".")]  # `.pkl` and `.gz`
        assert f"`{suffix}`" in said or all(parts)
