"""The tool type-checks; so does a program that uses its public face, against the built wheel."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

PROGRAM = """
import missing_aa
from missing_aa import check, compat, inspect, load_portable, require, rescue, save_portable, scan

require(timm=">=1.0")
names: list[str] = list(rescue("model.pt").state_dict)
code: int = scan(["."]).exit_code
answer: str = check("model.pt").answer
lacking: list[str] = [finding.attribute for finding in compat("old", "new").findings]
what: str = inspect("model.pt").kind
model = load_portable("folder")
try:
    save_portable(model, "again")
except missing_aa.Refused as problem:
    print(problem.exit_code)
"""

CALLS = ("[attr-defined]", "[call-arg]")
WRONG = {
    "number: int = check('model.pt').answer": "Incompatible types",
    "scan(['.'], exclud=['x'])": 'Unexpected keyword argument "exclud"',
    "missing_aa.rescu": 'has no attribute "rescu"',
}


@pytest.mark.xdist_group("mypy")  # they share its cache
def test_the_tool_type_checks():
    mypy = [sys.executable, "-m", "mypy"]
    done = subprocess.run(mypy, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.xdist_group("mypy")
def test_tools_call_what_is_there():
    """Most of them take too long to be run by a test."""
    mypy = [sys.executable, "-m", "mypy", "src/missing_aa", "tools"]
    done = subprocess.run(mypy, cwd=ROOT, capture_output=True, text=True)
    found = [line for line in done.stdout.splitlines() if line.endswith(CALLS)]
    assert done.stdout and not found, "\n".join(found) + done.stderr


def type_checked(text, bare, folder):
    """mypy over a program in a folder of its own, with what the wheel's environment has."""
    (folder / "program.py").write_text(text)
    words = ["--strict", "--config-file=", "--cache-dir=cache", "--python-executable", bare]
    mypy = [sys.executable, "-m", "mypy", *words, "program.py"]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(mypy, cwd=folder, env=env, capture_output=True, text=True)


@pytest.mark.long
@pytest.mark.xdist_group("bare")
def test_a_program_type_checks_against_the_wheel(bare, tmp_path):
    done = type_checked(PROGRAM, bare, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.xdist_group("bare")
def test_a_wrong_use_of_the_public_face_does_not(bare, tmp_path):
    done = type_checked(PROGRAM + "\n".join(WRONG), bare, tmp_path)
    assert done.returncode == 1
    assert all(message in done.stdout for message in WRONG.values()), done.stdout
