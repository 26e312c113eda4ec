import hashlib
import json
import os
import subprocess
import sys
from collections import OrderedDict

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from missing_aa import rescue, rescue_to
from missing_aa.contents.find_models import WhichRoot
from missing_aa.errors import Malformed
from missing_aa.rescuer import extract
from missing_aa.rescuer.messages import Request
from rescue_files import MODELS, RELEASES


@pytest.fixture
def saved(tmp_path):
    """Save an object as torch.save does, in the zip format or the legacy one."""

    def save(thing, legacy=False):
        path = tmp_path / "model.pt"
        torch.save(thing, path, _use_new_zipfile_serialization=not legacy)
        return path

    return save


def same(given, wanted):
    """Names, order, types, shapes and bits."""
    assert list(given) == list(wanted)
    for name, tensor in wanted.items():
        other = given[name]
        assert (other.dtype, other.shape) == (tensor.dtype, tensor.shape), name
        bits = [t.contiguous().reshape(-1).view(torch.uint8) for t in (other, tensor)]
        assert torch.equal(*bits), name


@pytest.mark.parametrize("form", ["pt", "legacy.pt"])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("release", RELEASES)
def test_a_real_file_gives_the_state_dict_that_its_release_saved(
    written, session, tmp_path, release, model, form
):
    source = written / f"{release}-{model}.{form}"
    wanted = torch.load(written / f"{release}-{model}.sd.pt", weights_only=True)
    found = rescue(source, session=session)
    same(found.state_dict, wanted)
    assert (found.report.architecture, found.report.num_classes) == (model, 1000)
    rescue_to(source, tmp_path / "out.safetensors", session=session)
    out = load_file(tmp_path / "out.safetensors")
    same({name: out[name] for name in wanted}, wanted)
    with safe_open(tmp_path / "out.safetensors", "pt") as file:
        assert json.loads(file.metadata()["order"]) == list(wanted)


def test_nothing_of_the_file_is_imported_and_timm_need_not_be_there(written, tmp_path):
    trap = tmp_path / "timm"
    trap.mkdir()
    (trap / "__init__.py").write_text("raise SystemExit('timm was imported')")
    command = [sys.executable, "-m", "missing_aa", "rescue"]
    source = written / f"0.6.13-{MODELS[0]}.pt"
    done = subprocess.run(
        [*command, source, "out.safetensors"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.safetensors").exists()


class Net(nn.Module):
    """Tied weights, a view, buffers saved and not, what is None, a child that is shared."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = nn.Linear(4, 4, bias=False)
        self.second.weight = self.first.weight
        self.norm = nn.BatchNorm1d(4)
        self.gone = None
        self.again = self.norm
        self.register_buffer("kept", torch.arange(6.0)[2:5])
        self.register_buffer("scratch", torch.ones(2), persistent=False)
        self.register_parameter("none", None)
        self.a = nn.Parameter(torch.ones(()))


@pytest.mark.parametrize("legacy", [False, True])
def test_a_module_gives_what_its_own_state_dict_gives(saved, session, tmp_path, legacy):
    net = Net()
    path = saved(net, legacy)
    found = rescue(path, session=session)
    same(found.state_dict, net.state_dict())
    assert (
        found.report.aliases
        == [
            ["first.weight", "second.weight"],
            ["norm.weight", "again.weight"],
            ["norm.bias", "again.bias"],
            ["norm.running_mean", "again.running_mean"],
            ["norm.running_var", "again.running_var"],
            ["norm.num_batches_tracked", "again.num_batches_tracked"],
        ]
        or legacy
    )
    # Tied in memory too, and written in full under every name.
    tied = found.state_dict["first.weight"], found.state_dict["second.weight"]
    assert tied[0].data_ptr() == tied[1].data_ptr()
    rescue_to(path, tmp_path / "out.safetensors", session=session)
    Net().load_state_dict(load_file(tmp_path / "out.safetensors"), strict=True)


LAYOUTS = {
    "channels_last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
    "expanded": torch.randn(3, 1).expand(3, 7),
    "transposed": torch.arange(40, dtype=torch.int16).view(5, 8).t(),
    "step": torch.arange(20.0, dtype=torch.float64)[1::3],
    "large_transposed": torch.randn(700, 900).t(),
    "bfloat16": torch.randn(5).bfloat16(),
    "float16": torch.randn(3, 3).half(),
    "float8": torch.randn(4).to(torch.float8_e4m3fn),
    "uint16": torch.tensor([1, 65535], dtype=torch.uint16),
    "bool": torch.tensor([[True, False]]),
    "complex": torch.randn(3, dtype=torch.complex64),
    "scalar": torch.tensor(7),
    "empty": torch.empty(0, 3),
    "nan": torch.tensor([0x7FC0_1234, 0x7F80_0001], dtype=torch.int32).view(torch.float32),
}


@pytest.mark.parametrize("legacy", [False, True])
def test_every_layout_and_type_comes_out_bit_for_bit(saved, session, tmp_path, legacy):
    path = saved(OrderedDict(LAYOUTS), legacy)
    found = rescue(path, session=session).state_dict
    same(found, LAYOUTS)
    assert all(found[name].stride() == tensor.stride() for name, tensor in LAYOUTS.items())
    rescue_to(path, tmp_path / "out.safetensors", session=session)
    out = load_file(tmp_path / "out.safetensors")
    same({name: out[name] for name in LAYOUTS}, LAYOUTS)


def test_the_header_says_where_it_comes_from(saved, session, tmp_path):
    path = saved(Net())
    report = rescue_to(path, tmp_path / "out.safetensors", session=session)
    with safe_open(tmp_path / "out.safetensors", "pt") as file:
        said = file.metadata()
    assert said["source"] == "model.pt"
    assert said["source_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest() == report.sha256
    assert said["kind"] == "whole model" and said["model_class"].endswith("test_rescue.Net")
    assert ["first.weight", "second.weight"] in json.loads(said["aliases"])
    assert said["format"] == "pt" and said["rescued_by"].startswith("missing-aa ")


@pytest.mark.parametrize(
    "wrap, prefix",
    [
        (nn.DataParallel, "module."),
        (lambda net: {f"module.{k}": v for k, v in net.state_dict().items()}, "module."),
        (lambda net: {f"_orig_mod.module.{k}": v for k, v in net.state_dict().items()}, None),
    ],
)
def test_a_wrappers_prefix_is_taken_off_and_said(saved, session, wrap, prefix):
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    found = rescue(saved(wrap(net)), session=session)
    same(found.state_dict, net.state_dict())
    assert found.report.prefix == (prefix or "_orig_mod.module.")


def test_a_compiled_model_gives_the_weights_of_the_one_inside(saved, session):
    net = nn.Sequential(nn.Linear(2, 2))
    same(rescue(saved(torch.compile(net)), session=session).state_dict, net.state_dict())


class Learner:
    def __init__(self, model):
        self.history = [1, 2]
        self.inner = {"net": model, "loss": nn.CrossEntropyLoss()}


def test_a_pickled_learner_gives_its_model(saved, session):
    net = nn.Linear(3, 3)
    found = rescue(saved(Learner(net)), session=session)
    same(found.state_dict, net.state_dict())
    assert (found.report.root, found.report.model_class) == (
        "inner.net",
        "torch.nn.modules.linear.Linear",
    )


def test_of_several_models_one_is_chosen_by_name(saved, session):
    model, ema = nn.Linear(2, 2), nn.Linear(2, 2)
    path = saved({"model": model, "ema": ema.state_dict(), "epoch": 3})
    with pytest.raises(WhichRoot, match=r"--root.*model \(torch\S*Linear\), ema \(state_dict\)"):
        rescue(path, session=session)
    with pytest.raises(WhichRoot, match="no model 'other'"):
        rescue(path, root="other", session=session)
    same(rescue(path, root="model", session=session).state_dict, model.state_dict())
    same(rescue(path, root="ema", session=session).state_dict, ema.state_dict())


def test_a_training_checkpoint_gives_its_weights_and_not_the_optimizers(saved, session):
    net = nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(net.parameters())
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    states = {"state_dict": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 1}
    found = rescue(saved(states | {"best": torch.tensor(0.5)}), session=session)
    same(found.state_dict, net.state_dict())
    assert (found.report.root, found.report.kind) == ("state_dict", "state_dict")
    whole = rescue(saved({"model": net, "optimizer": optimizer}), session=session)
    same(whole.state_dict, net.state_dict())


class Tagged(nn.Parameter):
    pass


def test_a_tensor_subclass_gives_its_data(saved, session):
    tagged = {"w": Tagged(torch.ones(2, 2)), "b": torch.zeros(2)}
    tagged["b"].note = "an attribute"
    same(rescue(saved(tagged), session=session).state_dict, tagged)


class Unready(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.UninitializedParameter()


def quantised():
    return torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)


def packed():
    net = nn.Sequential(nn.Linear(4, 4))
    return torch.ao.quantization.quantize_dynamic(net, {nn.Linear}, dtype=torch.qint8)


@pytest.mark.parametrize(
    "make, why",
    [
        (lambda: {"w": torch.ones(3).to_sparse(), "v": torch.ones(1)}, "'w' is no plain tensor"),
        (lambda: {"w": quantised()}, "'w' is no plain tensor"),
        (packed, "a quantised model"),
        (lambda: packed().state_dict(), "a quantised model"),
        (Unready, "not yet initialised"),
        (lambda: [1, 2, 3], "no model and no state_dict"),
        (lambda: torch.ones(3), "no model and no state_dict"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_rescued_is_said(saved, session, make, why):
    with pytest.raises(Malformed, match=why):
        rescue(saved(make()), session=session)


def test_a_module_that_saves_in_its_own_way_is_pointed_out(saved, session):
    net = nn.Sequential(nn.Linear(2, 2))
    net[0]._register_state_dict_hook(_hook)
    notes = rescue(saved(net), session=session).report.notes
    assert len(notes) == 1 and "'0' (torch.nn.modules.linear.Linear)" in notes[0]


def _hook(module, state_dict, prefix, metadata):
    state_dict[f"{prefix}more"] = torch.ones(1)


def test_safetensors_are_taken_too(session, tmp_path):
    from safetensors.torch import save_file

    tensors = {"b": torch.randn(3), "a": torch.ones(2, 2, dtype=torch.float16)}
    save_file(tensors, tmp_path / "in.safetensors")
    found = rescue(tmp_path / "in.safetensors", session=session)
    same(dict(sorted(found.state_dict.items())), dict(sorted(tensors.items())))


def test_the_callers_torch_is_left_as_it_was(saved):
    from torch import _weights_only_unpickler as reader

    before = reader._get_allowed_globals(), list(torch.serialization.get_safe_globals())
    rescue(saved(Net()))
    assert (reader._get_allowed_globals(), torch.serialization.get_safe_globals()) == before


@pytest.mark.parametrize("shape", [(1, 3, 500, 700), (3, 1, 1, 600_000), (1, 1_000_000)])
def test_what_has_to_be_put_in_order_is_gathered_piece_by_piece(saved, session, tmp_path, shape):
    wide = torch.arange(torch.Size(shape).numel(), dtype=torch.float32).reshape(shape[::-1])
    tensors = {
        "w": wide.permute(*range(len(shape))[::-1]),
        "e": torch.ones(1, 1).expand(1, 600_000),
    }
    rescue_to(saved(tensors), tmp_path / "out.safetensors", session=session)
    out = load_file(tmp_path / "out.safetensors")
    same({name: out[name] for name in tensors}, tensors)


def test_a_file_that_changes_while_it_is_written_gives_nothing(saved, tmp_path):
    path = saved({"w": torch.zeros(2**19), "v": torch.zeros(3)})

    def touch(*_):
        os.utime(path, ns=(1, 1))

    request = Request(str(path), partial=str(tmp_path / "out"))
    with pytest.raises(Malformed, match="changed while it was read"):
        extract.run(request, touch)


def test_what_is_rescued_does_not_hang_on_the_file(saved, session):
    path = saved({"w": torch.arange(4.0)})
    found = rescue(path, session=session).state_dict
    path.write_bytes(b"")
    assert found["w"].tolist() == [0, 1, 2, 3]
