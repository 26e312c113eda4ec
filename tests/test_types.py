"""The tool type-checks, and so does a program that uses its public face."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.xdist_group("mypy")  # they share its cache

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

WRONG = {
    "number: int = check('model.pt').answer": "Incompatible types",
    "scan(['.'], exclud=['x'])": 'Unexpected keyword argument "exclud"',
    "missing_aa.rescu": 'has no attribute "rescu"',
}


def type_checked(*files):
    """mypy with the project's settings, over these files or over the whole tool."""
    return subprocess.run(
        [sys.executable, "-m", "mypy", *files], cwd=ROOT, capture_output=True, text=True
    )


@pytest.fixture
def program(tmp_path):
    return tmp_path / "program.py"


def test_the_tool_type_checks():
    done = type_checked()
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_program_that_uses_the_public_face_type_checks(program):
    program.write_text(PROGRAM)
    done = type_checked(program)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_use_of_the_public_face_does_not(program):
    program.write_text(PROGRAM + "\n".join(WRONG))
    done = type_checked(program)
    assert done.returncode == 1
    assert all(message in done.stdout for message in WRONG.values()), done.stdout
