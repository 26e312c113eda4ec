import subprocess
import sys
from importlib.metadata import version

import pytest

from missing_aa.cli import main

HEAVY = ["torch", "timm", "matplotlib", "rich", "papermill", "numpy", "psutil", "jupyter_client"]


@pytest.mark.parametrize("module", ["helpers", "missing_aa.cli", "missing_aa.releases"])
def test_importing_loads_nothing_heavy(module):
    program = f"import sys, {module}; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_help_needs_nothing_heavy_either():
    program = (
        "import sys, missing_aa.cli\n"
        "try:\n    missing_aa.cli.main(['--help'])\nexcept SystemExit: pass\n"
        f"sys.exit(any(m in sys.modules for m in {HEAVY}))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 0


def test_version_names_the_package_torch_and_timm(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    for package in ("missing-aa", "torch", "timm"):
        assert f"{package} {version(package)}" in out


@pytest.mark.parametrize("words", [["nonsense"], [], ["fetch", "--list", "--remove"]])
def test_words_that_are_off_are_usage(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "usage: missing-aa" in capsys.readouterr().err


def test_an_unknown_release_is_one_line_and_usage(capsys):
    assert main(["fetch", "9.9.9"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "9.9.9" in error and "nearest" in error


def test_the_installed_command_is_the_same():
    command = [sys.executable.replace("python", "missing-aa"), "--version"]
    if not sys.executable.endswith("python"):
        pytest.skip("the interpreter has another name here")
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("missing-aa ")
