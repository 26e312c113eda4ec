"""A command that is printed is one for a shell, whatever the file is called."""

import os
import subprocess

import pytest
import torch
from torch import nn

from missing_aa.cli import main


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Far(nn.Linear):
    """A model whose forward misses something."""

    def __init__(self):
        super().__init__(2, 2)

    def forward(self, x):
        return x + self.away


def net():
    return nn.Sequential(nn.Linear(2, 2))


@pytest.mark.skipif(os.name == "nt", reason="needs bash, and names that Windows refuses")
@pytest.mark.parametrize(
    "name", ["-dash.pt", "new\nline.pt", "it's\t\\\x1b[31m é.pt", "b\udcff.pt"]
)
@pytest.mark.parametrize("command", ["scan", "check", "inspect", "rescue"])
def test_the_command_that_is_printed_is_one_for_a_shell(here, capsys, name, command):
    saved = {"check": Far(), "rescue": net().state_dict()}.get(command, net())
    with open(name, "wb") as file:
        torch.save(saved, file)
    words = {"scan": ["."], "rescue": [f"./{name}", "out.safetensors"]}.get(command, [f"./{name}"])
    main([command, *words])
    told = capsys.readouterr().out
    line = told[told.index("missing-aa rescue") :].splitlines()[0]
    shown = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True)
    words = list(map(os.fsdecode, shown.stdout.split(b"\0")))
    assert any(os.path.exists(word) and not word.startswith("-") for word in words), line


def test_a_file_with_a_dash_in_front_is_no_option_in_the_commands(here, capsys):
    torch.save(nn.Linear(2, 2), "-dash.pt")
    main(["explain", "--", "-dash.pt"])
    out = capsys.readouterr().out
    assert out.startswith("./-dash.pt: ") and "missing-aa rescue" in out
    assert " -dash" not in out
