import json
import os
import pickle
import re
import subprocess
import sys
from collections import OrderedDict

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import missing_aa
from missing_aa.cli import main
from missing_aa.contents.find_models import WhichRoot
from missing_aa.errors import LimitReached, Malformed
from missing_aa.limits import Limits
from rescue_files import (
    MODELS,
    RELEASES,
    call,
    mapping,
    module,
    name,
    tensor,
    text,
    torch_zip,
    value,
)


@pytest.fixture
def saved(tmp_path):
    """Save an object as torch.save does, and inspect the file."""

    def inspect(thing, **options):
        path = tmp_path / "model.pt"
        torch.save(thing, path, **options)
        return missing_aa.inspect(path)

    return inspect


def net():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 2))


FORMS = [{}, {"_use_new_zipfile_serialization": False}]


@pytest.mark.parametrize("form", ["pt", "legacy.pt"])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("release", RELEASES)
def test_a_real_model_is_described(written, release, model, form):
    found = missing_aa.inspect(written / f"{release}-{model}.{form}")
    state = torch.load(written / f"{release}-{model}.sd.pt", weights_only=True)
    (described,) = found.models
    assert (found.kind, described.name) == ("whole model", "")
    assert described.class_.startswith("timm.models.")
    assert described.architecture == model
    assert described.num_classes == 1000
    assert described.tensors == len(state)
    assert described.bytes == sum(tensor.nbytes for tensor in state.values())
    learned = [key for key in state if "running" not in key and "num_batches" not in key]
    assert described.parameters == sum(state[key].numel() for key in learned)
    assert not found.dangerous
    assert {name.verdict for name in found.names} == {"fine", "needs code"}


@pytest.mark.parametrize("options", FORMS)
def test_a_state_dict_is_described(saved, options):
    state = net().state_dict()
    found = saved(state, **options)
    (described,) = found.models
    assert (found.kind, described.class_, described.parameters) == ("state_dict", "", None)
    assert described.tensors == found.tensors == len(state)
    assert described.elements == sum(tensor.numel() for tensor in state.values())
    assert {name.verdict for name in found.names} == {"fine"}
    assert found.writer is None


@pytest.mark.parametrize("options", FORMS)
def test_a_training_checkpoint_names_what_is_in_it(saved, options):
    model = net()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.zeros(1, 3, 8, 10)).sum().backward()
    optimizer.step()
    held = {"epoch": 3, "model": nn.DataParallel(model), "ema": {"weights": model.state_dict()}}
    found = saved({**held, "optimizer": optimizer.state_dict()}, **options)
    assert found.kind == "training checkpoint"
    wrapped, ema = found.models
    assert (wrapped.name, wrapped.prefix) == ("model", "module.")
    assert wrapped.class_ == "torch.nn.modules.container.Sequential"
    assert (ema.name, ema.class_) == ("ema.weights", "")
    assert found.whole_models == [wrapped]


class Learner:
    """As libraries pickle it: an object with a model among its attributes."""

    def __init__(self):
        self.model = net()


def test_a_learner_is_an_object_with_a_model_inside(saved):
    found = saved(Learner())
    assert found.kind == "object with a model inside"
    assert [model.name for model in found.models] == ["model"]
    assert [(n.name, n.verdict) for n in found.names][0] == (f"{__name__}.Learner", "needs code")


@pytest.mark.parametrize("thing", [{"lr": 0.1}, [1, 2], torch.zeros(3), "text"], ids=str)
def test_what_holds_no_model_is_something_else(saved, thing):
    found = saved(thing)
    assert (found.kind, found.models) == ("other", [])
    assert found.tensors == isinstance(thing, torch.Tensor)


def test_the_models_found_are_those_that_rescue_finds(saved, tmp_path):
    model = net()
    held = {"a": model, "b": [model.state_dict()], "c": OrderedDict(d=Learner()), "again": model}
    found = saved(held)
    with pytest.raises(WhichRoot) as caught:
        missing_aa.rescue(tmp_path / "model.pt")
    assert len(found.models) == 3
    for described in found.models:
        assert f"{described.name} (" in str(caught.value)
        state = missing_aa.rescue(tmp_path / "model.pt", described.name).state_dict
        assert described.tensors == len(state)
        assert described.bytes == sum(tensor.nbytes for tensor in state.values())


def test_tied_and_shared_tensors_are_counted_as_they_are_saved(saved):
    model = nn.Module()
    model.one = nn.Linear(4, 4, bias=False)
    model.two = model.one
    model.tied = nn.Linear(4, 4, bias=False)
    model.tied.weight = model.one.weight
    (described,) = saved(model).models
    assert described.parameters == 16
    assert described.tensors == 3
    assert described.bytes == 3 * 64


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.int8])
def test_bytes_follow_the_type(saved, dtype):
    (described,) = saved({"w": torch.zeros(3, 5, dtype=dtype)}).models
    assert described.bytes == 15 * dtype.itemsize


def test_types_that_came_late_are_counted_too(saved):
    (described,) = saved({"w": torch.zeros(6, dtype=torch.float8_e4m3fn)}).models
    assert described.bytes == 6


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_protocols_that_torch_itself_does_not_take_are_read(saved, protocol):
    found = saved(net(), pickle_protocol=protocol)
    assert (found.protocol, found.kind, found.models[0].tensors) == (protocol, "whole model", 9)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_bare_pickle_is_described(tmp_path, protocol):
    path = tmp_path / "bare.pkl"
    path.write_bytes(pickle.dumps(net(), protocol))
    found = missing_aa.inspect(path)
    assert (found.format, found.kind) == ("pickle", "whole model")
    state = net().state_dict()
    assert found.models[0].tensors == len(state)
    assert found.models[0].bytes == sum(tensor.nbytes for tensor in state.values())
    assert not found.dangerous


def test_safetensors_is_described(tmp_path):
    state = {"w": torch.zeros(3, 2), "steps": torch.tensor(1)}
    save_file(state, tmp_path / "m.safetensors", metadata={"made": "here"})
    found = missing_aa.inspect(tmp_path / "m.safetensors")
    assert (found.format, found.kind) == ("safetensors", "state_dict")
    assert (found.tensors, found.bytes) == (2, 32)
    assert found.metadata == {"made": "here"}


@pytest.fixture
def made(tmp_path):
    return lambda program, storages=None: torch_zip(tmp_path / "model.pt", program, storages)


def test_a_hostile_file_is_described_and_not_run(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = missing_aa.inspect(
        made(mapping({"w": tensor(), "x": call("os", "system", "touch touched")}))
    )
    assert [name.name for name in found.dangerous] == ["os.system"]
    assert not (tmp_path / "touched").exists()


def test_a_hostile_file_that_breaks_off_is_still_called_hostile(made):
    found = missing_aa.inspect(made(call("os", "system", "x") + b"\xff"))
    assert found.dangerous
    assert "breaks off" in found.notes[0]


def storage(count=b"K\x10", view=b"N") -> bytes:
    """A storage that stands alone, without a tensor."""
    described = value("storage") + name("torch", "FloatStorage") + value("0") + value("cpu")
    return b"(" + described + count + view + b"tQ"


BROKEN = {
    "a storage of no number": storage(count=b"N"),
    "a view of a storage that is none": storage(view=value(5)),
    "a view of a storage from nowhere": storage(view=value(("a", -1, 2))),
    "more elements than can be counted": tensor((2**31,) * 3, (0,) * 3),
    "an empty one whose other lengths cannot be": tensor((0, 2**62, 2**62), (1, 1, 1)),
    "a shape of text": tensor(shape="44"),
    "a negative shape": tensor(shape=(-4, 4)),
    "beyond its storage": tensor(shape=(99, 4)),
    "no such storage": tensor(key="7"),
    "a storage smaller than claimed": tensor(count=10**6),
    "a call without arguments": name("torch._utils", "_rebuild_tensor_v2") + b")R",
    "arguments that are none": name("torch._utils", "_rebuild_parameter") + b"NR",
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_tensor_that_cannot_be_is_malformed(made, what):
    with pytest.raises(Malformed):
        missing_aa.inspect(made(mapping({"w": BROKEN[what]})))


def test_modules_that_hold_themselves_come_to_an_end(saved):
    knot = nn.Linear(2, 2)
    knot._modules["me"] = knot
    (described,) = saved(knot).models
    assert "--max-depth" in described.notes[0]


def test_values_nested_beyond_all_measure_reach_a_limit(made):
    with pytest.raises(LimitReached, match="nested"):
        missing_aa.inspect(made(b"N" + b"\x85" * 100_000))
    chain = b"]" + b"](" * 0 + b"".join([b"]"] * 5000) + b"a" * 5000
    with pytest.raises(LimitReached, match="--max-depth"):
        missing_aa.inspect(made(chain))


def listed(parts: bytes, times: int) -> bytes:
    return b"](" + parts * times + b"e"


def filled(items: int) -> bytes:
    """A list of so many pairs, memorised under 1 and taken from the stack again."""
    return b"](" + b"".join(value(str(n)) + b"N\x86" for n in range(items)) + b"eq\x010"


BOMBS = {
    "dictionaries made of one list": filled(2000)
    + listed(name("collections", "OrderedDict") + b"h\x01\x85R", 2000),
    "objects given one list": filled(2000)
    + listed(name("a", "B") + b"(h\x01" + b"2" * 1500 + b"tR", 1500),
    "objects of one state": b"}("
    + b"".join(value(str(n)) + b"N" for n in range(2000))
    + b"uq\x010"
    + listed(name("timm.a", "B") + b")\x81h\x01b", 2000),
}


@pytest.mark.parametrize("what", BOMBS)
def test_what_many_objects_share_is_counted_for_each(made, what):
    with pytest.raises(LimitReached, match="--max-objects"):
        missing_aa.inspect(made(BOMBS[what]))


def test_long_names_within_each_other_are_a_limit(made):
    long = b"X" + (10**6).to_bytes(4, "little") + b"n" * 10**6 + b"q\x050"
    inner = module({"w": tensor()})
    for _ in range(30):
        held = mapping(
            {"_parameters": b"}", "_buffers": b"}", "_modules": b"}h\x05" + inner + b"s"}
        )
        inner = name("a", "B") + b")\x81" + held + b"b"
    (described,) = missing_aa.inspect(made(long + inner)).models
    assert "100 MB" in described.notes[0]
    state = b"}h\x05" + mapping({"w": tensor()}) + b"s"
    with pytest.raises(LimitReached, match="way to a model"):
        missing_aa.inspect(made(long + state))


def test_time_is_a_limit(made):
    with pytest.raises(LimitReached, match="--max-seconds"):
        missing_aa.inspect(made(listed(b"]", 1000)), Limits(seconds=1e-9))


LEGACY_HEAD = [pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {})]
KEYS_OF_STORAGES = {
    "a number too long to print": b"\x8b" + (3000).to_bytes(4, "little") + b"\x01" * 3000,
    "a tuple too deep to print": b"N" + b"\x85" * 100_000,
    "a tuple too wide to print": b"N" + b"".join(b"q%c0h%ch%c\x86" % (n, n, n) for n in range(40)),
    "a text that stands twice": value("1") + b"a" + value("1"),
}


@pytest.mark.parametrize("what", KEYS_OF_STORAGES)
def test_keys_of_a_legacy_files_storages_are_text_each_once(tmp_path, what):
    keys = b"\x80\x02]" + KEYS_OF_STORAGES[what] + b"a."
    path = tmp_path / "model.pt"
    path.write_bytes(b"".join(LEGACY_HEAD) + b"\x80\x02N." + keys + bytes(100))
    with pytest.raises(Malformed, match="not listed the way torch does"):
        missing_aa.inspect(path)


def test_what_nobody_foresaw_is_malformed_too(made, monkeypatch):
    monkeypatch.setattr("missing_aa.contents.read.read_contents", lambda *_: 1 / 0)
    with pytest.raises(Malformed, match="ZeroDivisionError"):
        missing_aa.inspect(made(value(1)))


@pytest.mark.parametrize("limit", ["pickle_bytes", "opcodes", "objects"])
def test_each_limit_names_its_switch(made, limit):
    path = made(mapping({str(n): value([n]) for n in range(50)}))
    assert missing_aa.inspect(path).kind == "other"
    with pytest.raises(LimitReached, match="--max-"):
        missing_aa.inspect(path, Limits(**{limit: 20}))


def test_inspect_needs_neither_torch_nor_timm(written):
    code = (
        "import sys; from missing_aa.cli import main; main(['inspect', sys.argv[1]]);"
        "heavy = {'torch', 'timm', 'numpy', 'safetensors', 'rich'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    path = written / f"0.6.13-{MODELS[0]}.pt"
    shown = subprocess.run(
        [sys.executable, "-c", code, path], check=True, capture_output=True, text=True
    ).stdout
    assert re.search(r"made by timm +0\.6", shown), shown


# The command.


def files(output):
    said = json.loads(output)
    assert said["schema"] == 2
    return said["files"]


KEYS = (
    "path format description kind size protocol opcodes tensors bytes models names dangerous "
    "writer metadata notes exit_code error"
)


def test_json_carries_what_was_found(written, capsys):
    path = str(written / f"1.0.3-{MODELS[0]}.pt")
    assert main(["inspect", "--json", path]) == 0
    (entry,) = files(capsys.readouterr().out)
    assert set(entry) == set(KEYS.split())
    assert (entry["path"], entry["format"], entry["error"]) == (path, "torch-zip", None)
    (model,) = entry["models"]
    assert model["class"] == "timm.models.regnet.RegNet"
    assert model["architecture"] == MODELS[0]
    writer = entry["writer"]
    assert (writer["package"], writer["newest"]) == ("timm", "1.0.3")
    assert "1.0.3" in writer["releases"]
    assert {"name": "builtins.set", "verdict": "fine", "reason": ""} in entry["names"]


def test_the_table_tells_a_person(written, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    path = str(written / f"0.6.13-{MODELS[0]}.pt")
    assert main(["inspect", path]) == 0
    told = capsys.readouterr().out
    for part in (
        "whole model",
        "timm.models.regnet.RegNet",
        "regnetx_002, 1000 classes",
        "2,684,792 parameters, 266 tensors, 10.8 MB",
        "0.6.2.dev0 to 0.8.0.dev0",
        "torch.nn.modules.conv.Conv2d",
        f"missing-aa rescue {path} TARGET.safetensors",
    ):
        assert part in told


def test_many_files_give_a_line_each_and_the_highest_exit_code(made, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    torch.save(net(), "net.pt")
    torch.save(net().state_dict(), "weights.pt")
    made(call("os", "system", "x")).rename("bad.pt")
    assert main(["inspect", "net.pt", "weights.pt", "bad.pt"]) == 3
    told = capsys.readouterr().out
    for part in ("Sequential", "state_dict", "bad.pt: asks for os.system, which starts programs"):
        assert part in told
    (tmp_path / "empty.pt").touch()
    assert main(["inspect", "bad.pt", "net.pt", "empty.pt", "missing.pt"]) == 4
    told = capsys.readouterr().out
    assert "empty.pt: this file is empty" in told
    assert "missing.pt: cannot be read: No such file" in told
    assert main(["inspect", "--json", "net.pt", "empty.pt", "missing.pt"]) == 4
    sound, empty, missing = files(capsys.readouterr().out)
    assert sound["exit_code"] == 0
    assert (empty["format"], empty["exit_code"]) == ("empty", 4)
    assert (missing["error"]["kind"], missing["exit_code"]) == ("Unreadable", 2)


def test_one_bad_file_is_one_line_on_stderr(tmp_path, capsys):
    path = tmp_path / "page.pt"
    path.write_text("<!doctype html><title>Sign in</title>")
    assert main(["inspect", str(path)]) == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"missing-aa inspect: {path}: this is an HTML page")
    assert captured.err.count("\n") == 1


def test_a_hostile_file_gives_exit_code_3(made, capsys):
    assert main(["inspect", str(made(call("os", "system", "x")))]) == 3
    told = capsys.readouterr().out
    assert "os.system: starts programs" in told
    assert "Do not load this file" in told


@pytest.mark.parametrize("many", [False, True])
def test_a_terminal_without_the_letters_of_a_name_gets_their_numbers(tmp_path, many):
    path = tmp_path / "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n\N{SNOWMAN}.pt"
    path.touch()
    ran = subprocess.run(
        [sys.executable, "-m", "missing_aa", "inspect", *[path] * (1 + many)],
        env=os.environ | {"PYTHONIOENCODING": "ascii", "COLUMNS": "300"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 4
    assert "gr\\xfcn\\u2603.pt: this file is empty" in (ran.stdout if many else ran.stderr)


def test_a_pipe_is_refused(capsys):
    assert main(["inspect", "-"]) == 2
    assert "save it to a file" in capsys.readouterr().err


def test_the_line_that_is_shown_can_be_copied(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"my model": net(), "ema": net()}, "a b.pt")
    assert main(["inspect", "a b.pt"]) == 0
    assert "rescue 'a b.pt' TARGET.safetensors --root 'my model'" in capsys.readouterr().out


def test_a_limit_gives_exit_code_6_and_can_be_raised(made, capsys):
    path = str(made(value(list(range(100)))))
    assert main(["inspect", path, "--max-opcodes", "50"]) == 6
    assert "--max-opcodes" in capsys.readouterr().err
    assert main(["inspect", path, "--max-opcodes", "1K"]) == 0


NASTY = "a\x1b[31m\x07\n[link=http://x]b[/link]\u202e[/bold]\udc80"


def test_names_of_a_file_reach_no_terminal_as_they_are(made, tmp_path, capsys):
    raw = NASTY.encode("utf-8", "surrogatepass")
    kind = b"\x80\x04\x8c" + bytes([len(raw)]) + raw + b"\x8c" + bytes([len(raw)]) + raw + b"\x93"
    program = kind + b")\x81" + module({"w": tensor()}).partition(b")\x81")[2]
    path = made(b"}" + text(raw) + program + b"s")
    for words in (["inspect", str(path)], ["inspect", str(path), str(path)]):
        main(words)
        told = capsys.readouterr().out
        for bad in ("\x1b", "\x07", "\u202e", "\udc80"):
            assert bad not in told
    main(["inspect", "--json", str(path)])
    (entry,) = files(told := capsys.readouterr().out)
    assert "\\u001b" not in told
    assert entry["models"][0]["name"].startswith("a\\x1b[31m\\x07\\n[link")


def test_the_command_imports_nothing_heavy_for_json(written):
    code = (
        "import sys; from missing_aa.cli import main\n"
        "assert main(['inspect', '--json', sys.argv[1]])"
        " == 0; heavy = {'torch', 'timm', 'numpy', 'rich'} & set(sys.modules); assert not heavy"
    )
    path = written / f"1.0.3-{MODELS[0]}.pt"
    subprocess.run(
        [sys.executable, "-c", code, path], check=True, stdout=subprocess.DEVNULL, env=os.environ
    )
