import json
import os
import signal
import subprocess
import sys

import pytest
import torch
from safetensors import safe_open
from torch import nn

from missing_aa import disk
from missing_aa.cli import main
from missing_aa.errors import TargetExists
from rescue_files import call, mapping, module, name, tensor, torch_zip


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, with one sound model.pt."""
    monkeypatch.chdir(tmp_path)
    torch.save(nn.Linear(2, 2), "model.pt")
    return tmp_path


def rescue(*words) -> int:
    return main(["rescue", *map(str, words)])


def names(folder) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_the_output_says_what_to_do_and_the_lines_it_shows_run(here, capsys):
    assert rescue("model.pt", "out.safetensors") == 0
    out = capsys.readouterr().out
    assert "model.pt: whole model torch.nn.modules.linear.Linear" in out
    lines = [line.strip() for line in out.splitlines() if line.startswith("    ")]
    shown = {"model": nn.Linear(2, 2)}
    exec("\n".join(lines), shown)
    saved = torch.load("model.pt", weights_only=False)
    assert shown["model"].weight.equal(saved.weight)


def test_a_target_that_is_there_is_kept_unless_forced(here, capsys):
    (here / "out.safetensors").write_text("mine")
    assert rescue("model.pt", "out.safetensors") == 5
    assert (here / "out.safetensors").read_text() == "mine"
    assert "--force" in capsys.readouterr().err
    assert rescue("model.pt", "out.safetensors", "--force") == 0
    assert (here / "out.safetensors").read_bytes()[8:9] == b"{"
    assert names(here) == ["model.pt", "out.safetensors"]


@pytest.mark.parametrize("how", ["the file itself", "symbolic link", "hard link", "another way"])
def test_the_source_is_never_written(here, how, capsys):
    source, target = here / "model.safetensors", here / "out.safetensors"
    (here / "model.pt").rename(source)
    before = source.read_bytes()
    if how == "the file itself":
        target = source
    elif how == "symbolic link":
        target.symlink_to(source)
    elif how == "hard link":
        target.hardlink_to(source)
    else:
        (here / "folder").mkdir()
        target = here / "folder" / ".." / "model.safetensors"
    for force in ([], ["--force"]):
        assert rescue(source, target, *force) == 5
    assert "is the source itself" in capsys.readouterr().err
    assert source.read_bytes() == before and target.exists()


@pytest.mark.parametrize("link", [False, True])
def test_a_folder_that_holds_the_source_is_kept(here, link, capsys):
    folder = here / "folder"
    folder.mkdir()
    source = (here / "model.pt").rename(folder / "model.safetensors")
    if link:
        (here / "link").symlink_to(source)
    given = here / "link" if link else source
    assert rescue(given, folder, "--format", "timm", "--force") == 5
    assert "holds the source itself" in capsys.readouterr().err
    assert source.exists()


def test_a_folder_that_came_meanwhile_is_kept(tmp_path):
    out = tmp_path / "out"
    with (
        pytest.raises(TargetExists),
        disk.partial(None, out, False, disk.FOLDER) as unfinished,
    ):
        unfinished.mkdir()
        out.mkdir()
        (out / "precious").write_text("mine")
    (out / "precious").rename(tmp_path / "kept")
    with (
        pytest.raises(TargetExists, match="things of its own"),
        disk.partial(None, out, True, disk.FOLDER) as unfinished,
    ):
        unfinished.mkdir()
        (tmp_path / "kept").rename(out / "precious")
    assert names(tmp_path) == ["out"] and names(tmp_path / "out") == ["precious"]


def test_a_forced_target_that_links_elsewhere_leaves_that_place_alone(here):
    (here / "precious").write_text("mine")
    (here / "out.safetensors").symlink_to(here / "precious")
    assert rescue("model.pt", "out.safetensors", "--force") == 0
    assert (here / "precious").read_text() == "mine"
    assert not (here / "out.safetensors").is_symlink()


@pytest.mark.parametrize(
    "words",
    [
        ["model.pt"],
        ["model.pt", "b.safetensors", "c.safetensors"],
        ["model.pt", "out.pt"],
        ["model.pt", "out.safetensors", "--verify-with", "1.0.3"],
        ["model.pt", "out.safetensors", "--verify-with", "9.9.9", "--trust"],
        ["model.pt", "--to", "model.pt"],
        ["-", "out.safetensors"],
    ],
)
def test_words_that_are_off_are_usage(here, words, capsys):
    assert rescue(*words) == 2
    assert capsys.readouterr().err.startswith("missing-aa rescue: ")
    assert names(here) == ["model.pt"]


@pytest.mark.parametrize("words", [["--max-bytes", "-1"], ["--max-seconds", "0"], ["--root"]])
def test_so_are_limits_that_are_none(here, words):
    with pytest.raises(SystemExit) as end:
        rescue("model.pt", "out.safetensors", *words)
    assert end.value.code == 2


def test_a_place_that_is_not_there_or_cannot_be_written_is_one_line(here, capsys):
    assert rescue("model.pt", "nowhere/out.safetensors") == 1
    assert "there is no folder nowhere" in capsys.readouterr().err
    assert rescue("gone.pt", "out.safetensors") == 2
    assert "gone.pt: cannot be read" in capsys.readouterr().err
    assert rescue("model.pt", "x" * 300 + ".safetensors") == 1
    assert "cannot be written (File name too long)" in capsys.readouterr().err
    (here / "folder.safetensors").mkdir()
    assert rescue("model.pt", "folder.safetensors", "--force") == 5
    assert names(here) == ["folder.safetensors", "model.pt"]


def test_many_files_are_kept_apart_and_one_that_fails_does_not_stop_the_rest(here, capsys):
    for folder in ("a", "b", "c"):
        (here / folder).mkdir()
    torch.save({"w": torch.ones(1)}, "a/model.pt")
    torch.save({"w": torch.zeros(1)}, "b/MODEL.pth")
    torch_zip(here / "c" / "bad.pt", call("os", "system", "true"))
    (here / "c" / "cut.pt").write_bytes((here / "model.pt").read_bytes()[:500])
    sources = ["a/model.pt", "c/bad.pt", "c/cut.pt", "gone.pt", "b/MODEL.pth"]
    assert rescue(*sources, "--to", "out") == 4
    assert names(here / "out") == ["MODEL-2.safetensors", "model.safetensors"]
    out = capsys.readouterr().out
    for said in ("Refused", "Malformed", "Unreadable", "os.system (starts programs)"):
        assert said in out


def test_what_a_killed_process_left_is_cleared_and_what_is_at_work_is_kept(here):
    code = (
        "import os, signal, sys; from pathlib import Path; from missing_aa import disk\n"
        "with disk.partial(None, Path('other.safetensors'), False) as unfinished:\n"
        "    unfinished.touch(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=here)
    (left,) = here.glob(".*.partial")
    elsewhere = left.with_name(left.name.replace(disk._machine(), "0123abcd"))
    elsewhere.touch()
    with disk.partial(None, here / "third.safetensors", False) as working:
        working.touch()
        assert rescue("model.pt", "out.safetensors") == 0
        assert set(here.glob(".*.partial")) == {working, elsewhere}


def test_a_dangerous_file_can_be_rescued_all_the_same_and_everything_says_so(here, capsys):
    held = module({"w": tensor()}, run=call("os", "system", "true"))
    torch_zip(here / "bad.pt", mapping({"model": held}))
    assert rescue("bad.pt", "out.safetensors") == 3
    said = capsys.readouterr().err
    assert "at model.run in a.B" in said and "--even-if-dangerous" in said
    assert "someone you trust" not in said
    assert rescue("bad.pt", "out.safetensors", "--even-if-dangerous") == 0
    assert "DANGEROUS: the file asks for os.system" in capsys.readouterr().out
    with safe_open("out.safetensors", "pt") as file:
        assert "os.system (starts programs" in file.metadata()["dangers"]
        assert "not necessarily what a load" in file.metadata()["dangers"]
    for words in (["--trust"], ["--verify-with", "1.0.3", "--trust"]):
        assert rescue("bad.pt", "x.safetensors", "--even-if-dangerous", *words) == 2
        assert "does not go with" in capsys.readouterr().err


def test_the_highest_exit_code_counts(here):
    torch_zip(here / "bad.pt", call("os", "system", "true"))
    assert rescue("model.pt", "bad.pt", "--to", "out") == 3
    assert rescue("model.pt", "bad.pt", "--to", "out") == 5


def test_json_stands_alone_on_stdout(here, capsys):
    torch_zip(here / "bad.pt", call("os", "system", "true"))
    assert rescue("model.pt", "bad.pt", "--to", "out", "--json") == 3
    said = json.loads(capsys.readouterr().out)
    assert said["schema"] == 1
    good, bad = said["files"]
    assert good["target"] == os.path.join("out", "model.safetensors") and good["error"] is None
    assert good["report"]["model_class"] == "torch.nn.modules.linear.Linear"
    assert (bad["target"], bad["report"]) == (None, None)
    assert bad["error"]["kind"] == "Refused" and bad["error"]["exit_code"] == 3


def test_a_root_is_picked_by_name(here, capsys):
    torch.save({"model": nn.Linear(2, 2), "ema": nn.Linear(2, 2)}, "both.pt")
    assert rescue("both.pt", "out.safetensors") == 2
    assert "model (torch.nn.modules.linear.Linear), ema (" in capsys.readouterr().err
    assert rescue("both.pt", "out.safetensors", "--root", "ema") == 0
    assert rescue("model.pt", "other.safetensors", "--root", "ema") == 2
    assert "no --root is needed: the file itself (" in capsys.readouterr().err


ESCAPE = "\x1b]8;;http://x\x07[link=http://y]:bomb:\u202e"


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_names_out_of_a_file_cannot_command_a_terminal(here, words, capsys):
    weights = {f"{ESCAPE}{number}": tensor() for number in range(2)}
    held = {"epoch": b"K\x01", ESCAPE: module(weights, kind=(f"a{ESCAPE}", f"B{ESCAPE}"))}
    torch_zip(here / "odd.pt", mapping(held))
    torch_zip(here / "bad.pt", name(f"os{ESCAPE}", "system") + b")R")
    torch_zip(here / "two.pt", mapping({f"{ESCAPE}1": held[ESCAPE], f"{ESCAPE}2": module(weights)}))
    rescue("odd.pt", "bad.pt", "two.pt", "--to", "out", *words)
    rescue("odd.pt", "odd.safetensors", *words)
    said = "".join(capsys.readouterr())
    assert "[link=http://y]:bomb:" in said
    assert all(letter.isprintable() or letter == "\n" for letter in said)


def test_limits_can_be_raised_from_the_command(here, capsys):
    torch_zip(here / "wide.pt", mapping({"w": tensor((2**20,), (0,))}))
    assert rescue("wide.pt", "out.safetensors", "--max-bytes", "1M") == 6
    assert "--max-bytes" in capsys.readouterr().err
    assert rescue("wide.pt", "out.safetensors", "--max-bytes", "4M") == 0


def test_a_name_as_long_as_the_system_takes_is_written(here):
    target = "\N{SNOWMAN}" * 80 + ".safetensors"
    assert rescue("model.pt", target) == 0
    assert names(here) == ["model.pt", target]


def test_a_place_without_a_name_is_no_target(here, capsys):
    (here / "empty").mkdir()
    os.chdir("empty")
    assert rescue("../model.pt", ".", "--format", "timm", "--force") == 5
    assert "name a new one in it" in capsys.readouterr().err


def test_what_is_ended_leaves_nothing_behind(here, monkeypatch):
    from missing_aa import children

    def ended(*_):
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(children, "_talk", ended)
    with pytest.raises(SystemExit) as end:
        rescue("model.pt", "out.safetensors")
    signal.signal(signal.SIGTERM, before)
    assert end.value.code == 143
    assert names(here) == ["model.pt"]


def test_what_is_interrupted_leaves_nothing_behind(here, monkeypatch):
    from missing_aa import children

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(children, "_talk", interrupted)
    assert rescue("model.pt", "out.safetensors") == 130
    assert names(here) == ["model.pt"]


def test_a_source_alone_is_usage_that_names_a_target(here, capsys):
    (source,) = list(here.glob("*.pt"))[:1]
    assert main(["rescue", str(source)]) == 2
    assert str(source.with_suffix(".safetensors")) in capsys.readouterr().err
