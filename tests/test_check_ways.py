"""The ways out of what a file will miss, and how they are said."""

import numpy
import pytest
import torch
from safetensors.torch import save_file

from missing_aa.checker.check import Check, Package
from missing_aa.checker.findings import LOAD, PACKAGE, Finding, Walked
from missing_aa.checker.ways import ways
from missing_aa.cli import main


def missing(*names, architecture="resnet18", path="model.pt"):
    """A check of a timm model where these packages are not installed."""
    findings = [
        Finding(
            PACKAGE, "ModuleNotFoundError", f"No module named {top!r}", f"{top}.{what}", when=LOAD
        )
        for top in names
        for what in ("One", "Another")
    ]
    packages = [Package(name, "1.0.31", name not in names) for name in ("timm", "torch")]
    model = Walked("", "timm.models.resnet.ResNet", architecture, 1, 1)
    return Check(path, "Python 3.11", findings, [model], packages)


def test_several_packages_that_are_known_are_one_way():
    install, rescue = ways(missing("torch", "timm"))
    assert install.text.startswith("torch and timm are not installed here: install them")
    assert install.commands == ("pip install torch timm",)
    assert "folder" not in install.text and rescue.kind == "rescue"


@pytest.mark.parametrize("absent", [["timm"], ["torch"], ["torch", "timm"]])
def test_a_timm_that_is_not_there_is_asked_for_nothing(absent):
    way = ways(missing(*absent))[-1]
    assert "installed timm" not in way.text and "needs no torch and no timm" in way.text
    assert way.commands[0] == "missing-aa rescue model.pt model.safetensors"


def test_packages_that_nobody_knows_may_be_folders():
    (way, _) = ways(missing("ours", "theirs"))
    assert way.text.startswith("ours and theirs are not installed: if they are folders of the")
    (way, _) = ways(missing("ours"))
    assert way.text.startswith("ours is not installed: if it is a folder of the project")


def test_of_weights_alone_it_speaks_of_a_state_dict(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_file({"w": torch.zeros(2)}, "a.safetensors")
    torch.save({"w": torch.zeros(2), "n": numpy.float64(1)}, "b.pt")
    assert main(["check", "a.safetensors", "b.pt"]) == 0
    first, second = (line for line in capsys.readouterr().out.splitlines() if ": holds" in line)
    assert first == "a.safetensors: holds weights alone, a state_dict, and no whole model"
    assert second.startswith("b.pt: holds")
