"""The floors of the house hold, and a program that uses the public face type-checks against it."""

import subprocess
import sys
from pathlib import Path

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

WRONG = {
    "number: int = check('model.pt').answer": "Incompatible types",
    "scan(['.'], exclud=['x'])": 'Unexpected keyword argument "exclud"',
    "missing_aa.rescu": 'has no attribute "rescu"',
}


def type_checked(tmp_path, program):
    (tmp_path / "program.py").write_text(program)
    words = ["--follow-imports=silent", "--ignore-missing-imports", "--cache-dir"]
    return subprocess.run(
        [sys.executable, "-m", "mypy", *words, ROOT / "build" / "mypy", "program.py"],
        cwd=tmp_path,
        env={"MYPYPATH": str(ROOT / "src"), "PATH": ""},
        capture_output=True,
        text=True,
    )


def test_imports_go_down_only():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_program_that_uses_the_public_face_type_checks(tmp_path):
    done = type_checked(tmp_path, PROGRAM)
    assert done.returncode == 0, done.stdout


def test_a_wrong_use_of_the_public_face_does_not(tmp_path):
    done = type_checked(tmp_path, PROGRAM + "\n".join(WRONG))
    assert done.returncode == 1
    assert all(said in done.stdout for said in WRONG.values()), done.stdout
