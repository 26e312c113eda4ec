"""The ways out of what a file will miss, and how they are said."""

import subprocess
import sys
from dataclasses import replace

import numpy
import pytest
import torch
from safetensors.torch import save_file

from missing_aa.checker.check import Check, Package, check, environment
from missing_aa.checker.findings import ATTRIBUTE, LOAD, NAME, PACKAGE, RAISED, Finding, Walked
from missing_aa.checker.names import GONE
from missing_aa.checker.ways import ways
from missing_aa.cli import main
from missing_aa.cli.render.check import lines


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


def test_a_package_is_named_with_the_distribution_that_brings_it(tmp_path):
    data = tmp_path / "python_doctr2-0.6.0.dist-info"
    data.mkdir()
    (data / "RECORD").write_text("doctr2/__init__.py,sha256=abc,110\ndoctr2/parts.py,,\n")
    (tmp_path / "doctr2").mkdir()
    (tmp_path / "doctr2" / "__init__.py").write_text("__version__ = 'v0.6.0'\n")
    (tmp_path / "alone.py").write_text("__version__ = 'v1.2'\n")
    where = environment(paths=[tmp_path])
    assert where.brought_by("doctr2") == ("python-doctr2", "0.6.0")
    assert where.version_of("doctr2") == "0.6.0"
    assert where.brought_by("alone") is None and where.version_of("alone") == "1.2"


def test_the_writers_version_is_installed_by_the_name_that_pip_knows():
    found = missing("torch")
    finding = Finding(ATTRIBUTE, "AttributeError", "'A' object has no attribute 'b'", "doctr.A")
    package = Package("doctr", "1.1.0", True, "0.6.0", "python-doctr")
    given = replace(found, findings=[finding], packages=[package])
    assert ways(given)[-1].commands == ("pip install 'python-doctr==0.6.0'",)


def test_further_arguments_of_forward_are_said_in_words():
    given = missing()
    given.models[0].defaults = ["mask", "*args", "**kwargs"]
    said = "\n".join(lines(given))
    assert "forward called without mask, further arguments." in said


def a_part_misses(kind, class_, root="torch.nn.modules.container.Sequential", **more):
    """A check of a model of parts, one of which misses something."""
    finding = Finding(kind, "AttributeError", "missing", class_, when=LOAD, **more)
    packages = [Package(name, "2.0", True) for name in ("torch", "parts")]
    return Check("model.pt", "Python 3.11", [finding], [Walked("", root, None, 2, 2)], packages)


def test_a_container_of_torchs_is_made_again_by_the_package_of_its_parts():
    (way,) = ways(a_part_misses(ATTRIBUTE, "parts.Head"))
    assert "the installed parts" in way.text and "installed torch" not in way.text


@pytest.mark.parametrize("root", ["parts.Head", "torch.nn.modules.container.Sequential"])
def test_nothing_is_made_again_of_a_class_that_is_gone(root):
    (way,) = ways(a_part_misses(NAME, "parts.Head", root, hint=GONE))
    assert "with the installed" not in way.text and "has no Head" in way.text
    (way,) = ways(a_part_misses(NAME, "parts.Head", root, hint="it may now be parts.other.Head"))
    assert "with the installed parts" in way.text


def test_what_has_no_weights_is_sent_to_no_rescue(tmp_path):
    (tmp_path / "losses.py").write_text(
        "import torch\n\nclass Loss(torch.nn.Module):\n"
        "    def forward(self, x):\n        return x * self.scale\n"
    )
    write = "import torch, losses; torch.save(losses.Loss(), 'loss.pt')"
    subprocess.run([sys.executable, "-c", write], cwd=tmp_path, check=True)
    found = check(tmp_path / "loss.pt", paths=[tmp_path])
    assert found.findings and [way for way in ways(found) if way.kind == "rescue"] == []


def test_an_error_without_a_message_has_no_colon():
    assert Finding(RAISED, "AssertionError", "").text == "AssertionError"
    assert Finding(RAISED, "ValueError", "why").text == "ValueError: why"
