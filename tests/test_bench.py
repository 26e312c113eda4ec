"""Each figure that `make bench` prints can still be made."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = sorted(path.stem for path in ROOT.glob("bench/*.py"))


@pytest.mark.long
@pytest.mark.parametrize(
    "part", [name for name in PARTS if name not in ("__init__", "__main__", "big")]
)
def test_a_figure_is_made_once_of_little(part):
    command = [sys.executable, "-m", "bench", "--small", part]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()
