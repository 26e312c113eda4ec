"""missing-aa explain, as it is typed, and what it makes of checkpoints."""

import io
import json
import os
import shlex
import subprocess
import sys
from importlib.metadata import version

import pytest
import torch
from torch import nn

from missing_aa.cli import main
from missing_aa.errors import Malformed, Refused
from missing_aa.explainer.checkpoint import explain_file
from missing_aa.explainer.model_classes import classes, most_alike
from missing_aa.matrix import atlas
from missing_aa.matrix.models import known_models
from rescue_files import call, torch_zip

AA = "AttributeError: 'ConvNormAct' object has no attribute 'aa'"


def explain(capsys, *words):
    code = main(["explain", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def stdin(monkeypatch):
    def give(raw: bytes):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))

    return give


def test_the_answer_is_printed_and_fine(capsys):
    code, out, err = explain(capsys, AA)
    assert (code, err) == (0, "")
    for heading in ("What it is: ", "Raised: ", "Measured:", "Backed by: ", "Works again: "):
        assert heading in out
    assert "written by 0.8.10.dev0 to 1.0.3 and read by 1.0.7 to 1.0.11" in out
    assert "missing-aa rescue model.pt model.safetensors" in out
    assert "pip install timm==" in out and "getattr(self, 'aa', None)" in out


def test_words_that_the_shell_took_apart_are_one_text(capsys):
    assert explain(capsys, *AA.replace("'", "").split())[1] == explain(capsys, AA)[1]


@pytest.mark.parametrize("text", ["KeyError", "'MyNet' object has no attribute 'aa'"])
def test_what_the_atlas_has_not_met_is_exit_code_one(capsys, text):
    assert explain(capsys, text)[0] == 1


def test_json_has_the_answer_and_nothing_else(capsys):
    code, out, err = explain(capsys, "--json", AA)
    said = json.loads(out)
    assert (code, err, said["schema"], said["of"], said["exit_code"]) == (0, "", 1, "error", 0)
    assert said["kind"] == "atlas" and said["error"] == AA
    assert said["windows"][0]["readers"] == "1.0.7 to 1.0.11"
    assert said["again"]["release"] == "1.0.12"
    assert said["ways"][0]["share"].keys() == {"ok", "cells"}


def test_a_traceback_that_begins_with_dashes_is_no_option(capsys):
    text = f"---------------------\nAttributeError   Traceback (most recent call last)\n{AA}"
    assert explain(capsys, text)[0] == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("way", ["file", "stdin"])
def test_a_traceback_comes_from_a_file_or_a_pipe(capsys, tmp_path, stdin, way, encoding):
    raw = f"Traceback (most recent call last):\n{AA}\n".encode(encoding)
    file = tmp_path / "error.txt"
    file.write_bytes(raw)
    stdin(raw)
    code, out, _ = explain(capsys, str(file) if way == "file" else "-")
    assert code == 0 and out.startswith(AA)


def test_of_a_long_log_the_end_is_read(capsys, tmp_path):
    log = tmp_path / "run.log"
    log.write_text("epoch 1\n" * 400_000 + AA)
    assert explain(capsys, str(log))[0] == 0


def test_a_long_log_of_powershell_s_is_still_text(capsys, tmp_path):
    log = tmp_path / "run.log"
    log.write_bytes(("epoch 1\n" * 400_000 + AA).encode("utf-16"))
    assert explain(capsys, str(log))[0] == 0


@pytest.mark.parametrize(
    "words, raw, said",
    [
        (["-"], b"", "paste the error"),
        (["-"], b"\x80\x02}q\x00.", "has to be named as a file"),
        ([""], b"", "paste the error"),
        (["nowhere/model.pt"], b"", "there is no file nowhere/model.pt"),
        (["nowhere.log"], b"", "there is no file"),
        (["resnet50"], b"", "is no model of the atlas; the nearest are res2next50, resnet"),
        (["convnext_enormous"], b"", "is no model of the atlas; the nearest are convnext"),
        (["zzz9.foo"], b"", "zzz9.foo is no model of the atlas"),
        (["."], b"", "is a folder"),
        (["/dev/null"], b"", "neither a file nor a pipe"),
    ],
)
def test_what_is_off_is_one_line_and_usage(capsys, stdin, words, raw, said):
    stdin(raw)
    code, out, err = explain(capsys, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_no_words_are_usage(capsys):
    with pytest.raises(SystemExit) as end:
        main(["explain"])
    assert end.value.code == 2


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-16"])
def test_any_terminal_can_show_it(encoding):
    text = "'Conv…→\N{SNOWMAN}' object has no attribute 'aa'"
    done = subprocess.run(
        [sys.executable, "-m", "missing_aa", "explain", text],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    assert done.returncode == 1 and not done.stderr
    assert "What it is" in done.stdout.decode(encoding)


def test_a_closed_stdin_is_usage():
    command = f"{shlex.quote(sys.executable)} -m missing_aa explain - <&-"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1


def test_nothing_but_the_standard_library_is_needed():
    heavy = ["torch", "timm", "numpy", "rich", "platformdirs"]
    program = (
        "import sys, missing_aa.cli\n"
        f"code = missing_aa.cli.main(['explain', {AA!r}])\n"
        f"sys.exit(code or any(m in sys.modules for m in {heavy}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def fates(found, form):
    return {
        stretch.readers: stretch.result
        for fate in found.formats[form]
        for stretch in fate.stretches
    }


def test_a_checkpoint_is_told_what_each_release_makes_of_it(written):
    found = explain_file(written / "1.0.3-regnetx_002.pt")
    assert found.kind == "atlas" and "regnetx_002" in found.holds
    whole = fates(found, "whole")
    assert whole["1.0.7 to 1.0.11"] == f"{AA} (forward)"
    assert whole["1.0.12 to 1.0.31"] == "the writer's output"
    assert set(fates(found, "state_dict").values()) == {"the writer's output"}
    assert set(fates(found, "rescued").values()) == {"the writer's output"}
    assert f"timm {version('timm')} is installed" in found.here
    assert found.ways[0].commands[0].startswith("missing-aa rescue ")


def test_an_old_checkpoint_meets_the_module_that_moved(written):
    whole = fates(explain_file(written / "0.6.13-regnetx_002.pt"), "whole")
    assert any("No module named 'timm.models.layers" in result for result in whole.values())
    assert whole["0.6.5 to 0.6.13"] == "the writer's output"


def test_legacy_files_are_told_the_same(written):
    for form in ("whole", "state_dict", "rescued"):
        found, legacy = (
            fates(explain_file(written / f"1.0.3-regnetx_002.{ending}"), form)
            for ending in ("pt", "legacy.pt")
        )
        assert found == legacy


def test_a_checkpoint_of_another_architecture_gets_the_nearest(tmp_path, capsys):
    import timm

    path = tmp_path / "a b.pt"
    torch.save(timm.create_model("regnety_002"), path)
    code, out, _ = explain(capsys, str(path))
    assert code == 1
    assert "regnetx_002, written by" in out and "the architecture itself was not measured" in out
    assert f"missing-aa rescue '{path}'" in out


def test_rescued_weights_are_told_by_the_architecture_that_the_rescue_noted(written, tmp_path):
    from missing_aa import rescue_to

    target = tmp_path / "weights.safetensors"
    rescue_to(written / "1.0.3-regnetx_002.pt", target)
    found = explain_file(target)
    assert found.kind == "atlas"
    assert list(found.formats) == ["state_dict"]


def test_of_several_models_in_a_file_the_first_is_told(written, tmp_path):
    path = tmp_path / "both.pt"
    model = torch.load(written / "1.0.31-regnetx_002.pt", weights_only=False)
    torch.save({"model": model, "ema": model.state_dict()}, path)
    found = explain_file(path)
    assert found.kind == "atlas" and "the first of 2 models in it" in found.holds


def test_weights_without_a_name_are_told_to_ask_by_name(tmp_path, capsys):
    path = tmp_path / "weights.pt"
    torch.save(nn.Linear(2, 2).state_dict(), path)
    code, out, _ = explain(capsys, str(path))
    assert code == 1 and "missing-aa explain dpn68" in out


class Net(nn.Module):
    pass


def test_a_class_of_one_s_own_gets_the_general_way(tmp_path):
    path = tmp_path / "net.pt"
    net = Net()
    net.layer = nn.Linear(2, 2)
    torch.save(net, path)
    found = explain_file(path)
    assert found.kind == "general" and "no class of timm's" in found.notes[0]
    assert found.ways


def test_a_model_of_the_atlas_can_be_asked_for_by_name(capsys):
    code, out, _ = explain(capsys, "--json", "regnetx_002")
    said = json.loads(out)
    assert (code, said["of"]) == (0, "model")
    results = [s["result"] for fate in said["formats"]["whole"] for s in fate["stretches"]]
    assert f"{AA} (forward)" in results


def test_a_dangerous_file_is_refused_and_a_damaged_one_malformed(tmp_path, capsys):
    bad = torch_zip(tmp_path / "bad.pt", call("os", "system", "true"))
    with pytest.raises(Refused, match="do not load it"):
        explain_file(bad)
    assert explain(capsys, str(bad))[0] == 3
    cut = tmp_path / "cut.pt"
    cut.write_bytes(bad.read_bytes()[:100])
    with pytest.raises(Malformed):
        explain_file(cut)
    assert explain(capsys, str(cut))[0] == 4


def test_every_model_of_the_atlas_has_its_classes():
    assert set(classes()) >= set(atlas.load().models)
    assert set(classes()) == set(known_models())


def test_kin_are_of_the_same_class():
    assert most_alike("RegNet", ["Bottleneck", "ConvNormAct", "SEModule"]) == ["regnetx_002"]
    assert most_alike("XCiT", ["ClassAttentionBlock"]) == ["xcit_nano_12_p8_224"]
    assert most_alike("ResNet", ["BasicBlock", "BlurPool2d"]) == ["resnetblur18"]
    assert most_alike("NoSuchClass", ["ConvNormAct"]) == []


@pytest.mark.long
def test_the_record_of_classes_is_what_the_releases_say():
    from tools import model_classes

    assert model_classes.collect() == model_classes.TARGET.read_text("utf-8")
