"""The tool beside other people's code called `helpers`, as training repositories have it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[1]
UV = [sys.executable, "-m", "uv"]
THEIRS = "mine = True\n"
USES_BOTH = (
    "import helpers\n"
    "from missing_aa import inspect, scan\n"
    "print(helpers.mine, inspect('model.pt').kind)\n"
)

pytestmark = pytest.mark.xdist_group("bare")


def run(*words, at, **places):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | places
    return subprocess.run(words, cwd=at, capture_output=True, text=True, env=environment)


def command(python):
    return python.with_name("missing-aa" + python.suffix)


@pytest.fixture(params=["helpers.py", "helpers/__init__.py"])
def project(request, tmp_path):
    """A project with its own `helpers`, and a whole model."""
    path = tmp_path / request.param
    path.parent.mkdir(exist_ok=True)
    path.write_text(THEIRS)
    torch.save(torch.nn.Linear(2, 3), tmp_path / "model.pt")
    return tmp_path


def test_a_wheel_holds_the_tool_alone(tmp_path):
    done = run(*UV, "build", "--wheel", "--out-dir", tmp_path, ROOT, at=tmp_path)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        tops = {name.partition("/")[0] for name in packed.namelist()}
        metadata = packed.read("missing_aa-0.1.0.dist-info/METADATA").decode()
        entry = packed.read("missing_aa-0.1.0.dist-info/entry_points.txt").decode()
    assert tops == {"missing_aa", "missing_aa-0.1.0.dist-info"}
    assert "helpers" not in entry
    assert not [line for line in metadata.partition("\n\n")[0].splitlines() if "helpers" in line]


def test_a_program_uses_its_own_helpers_and_the_tool(bare, project):
    (project / "program.py").write_text(USES_BOTH)
    done = run(bare, "program.py", at=project)
    assert done.stdout == "True whole model\n", done.stderr


@pytest.mark.parametrize("path", [".", ":", "=."])
def test_the_command_passes_by_what_lies_in_the_folder(bare, project, path):
    done = run(command(bare), "scan", ".", at=project, PYTHONPATH=path)
    assert done.returncode == 1 and "whole model" in done.stdout, done.stderr
    done = run(command(bare), "--version", at=project, PYTHONPATH=path)
    assert done.returncode == 0 and done.stdout.startswith("missing-aa 0."), done.stderr


@pytest.mark.parametrize("way", [["--editable"], []], ids=["editable", "wheel"])
def test_somebodys_installed_helpers_and_the_tool_leave_each_other_alone(bare, tmp_path, way):
    theirs = tmp_path / "theirs"
    (theirs / "helpers").mkdir(parents=True)
    (theirs / "helpers" / "__init__.py").write_text(THEIRS)
    (theirs / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "helpers-of-theirs"\nversion = "1"\n'
        '[tool.hatch.build.targets.wheel]\npackages = ["helpers"]\n'
    )
    torch.save(torch.nn.Linear(2, 3), tmp_path / "model.pt")
    done = run(*UV, "pip", "install", "--quiet", "--python", bare, *way, theirs, at=tmp_path)
    assert done.returncode == 0, done.stderr
    try:
        done = run(bare, "-c", USES_BOTH, at=tmp_path)
        assert done.stdout == "True whole model\n", done.stderr
        assert run(command(bare), "--version", at=tmp_path).returncode == 0
    finally:
        run(*UV, "pip", "uninstall", "--quiet", "--python", bare, "helpers-of-theirs", at=tmp_path)
    assert run(command(bare), "scan", "model.pt", at=tmp_path).returncode == 1
