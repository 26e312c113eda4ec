"""The hook for pre-commit, as a repository of somebody else's would use it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file
from torch import nn

from missing_aa.cli import main

ROOT = Path(__file__).parents[1]
HOOK = "no-whole-model-pickles"


def git(*words, at=".", **options):
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    line = ["git", *who, *words]
    return subprocess.run(line, cwd=at, capture_output=True, text=True, check=True, **options)


def save_whole(path):
    torch.save(nn.Sequential(nn.Linear(2, 2)), path)


def test_the_hook_refuses_a_whole_model_by_its_staged_name(tmp_path, monkeypatch, capsys):
    """What pre-commit makes of the entry: its words, and then the files' names."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["id"] == HOOK and hook["language"] == "python"
    program, *words = [*hook["entry"].split(), *hook["args"]]
    assert program == "missing-aa"
    monkeypatch.chdir(tmp_path)
    save_file({"w": torch.zeros(2)}, "fine.safetensors")
    Path("--help").write_text("a file that would turn the hook into its help")
    Path("words.txt").write_text("words")
    assert main([*words, "--help", "fine.safetensors", "words.txt"]) == 0
    save_whole("--json")
    assert main([*words, "--help", "--json", "fine.safetensors"]) == 1
    assert "finding    whole model (pickle)      --json" in capsys.readouterr().out


@pytest.mark.long
def test_pre_commit_itself_refuses_a_whole_model_and_lets_weights_pass(tmp_path):
    """Installs the last commit of this repository as a hook: needs the package index."""
    source, theirs = tmp_path / "source", tmp_path / "theirs"
    git("clone", "--quiet", str(ROOT), str(source))
    git("init", "--quiet", str(theirs))
    revision = git("rev-parse", "HEAD", at=source).stdout.strip()
    repository = {"repo": str(source), "rev": revision, "hooks": [{"id": HOOK}]}
    (theirs / ".pre-commit-config.yaml").write_text(yaml.dump({"repos": [repository]}))
    program = Path(sys.executable).with_name("pre-commit")
    environment = os.environ | {"PRE_COMMIT_HOME": str(tmp_path / "home"), "COLUMNS": "80"}
    environment.pop("VIRTUAL_ENV", None)

    def commit():
        git("add", "--all", at=theirs)
        line = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-m", "m"]
        return subprocess.run(line, cwd=theirs, capture_output=True, text=True, env=environment)

    installed = [program, "install", "--install-hooks"]
    subprocess.run(installed, cwd=theirs, env=environment, check=True, capture_output=True)
    environment["PYTHONPATH"] = "."  # as in a project whose tests need it, with helpers of its own
    (theirs / "helpers.py").write_text("raise SystemExit('not the ones of the hook')")
    (theirs / "words.txt").write_text("words")
    save_file({"w": torch.zeros(2)}, theirs / "fine.safetensors")
    torch.save({"w": torch.zeros(2)}, theirs / "weights.pth")
    done = commit()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stderr

    (theirs / "models").mkdir()
    save_whole(theirs / "models" / "old.pt")
    done = commit()
    assert done.returncode == 1
    told = done.stderr
    assert "Failed" in told and "- exit code: 1" in told
    assert "models/old.pt: holds torch.nn.modules.container.Sequential" in told
    assert "missing-aa rescue models/old.pt models/old.safetensors" in told
    assert git("log", "--oneline", at=theirs).stdout.count("\n") == 1
