"""Our machine sees every name that C's unpickler or Python's own would import, in any program."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).with_name("pickle_programs.py")


@pytest.mark.skipif(sys.platform != "linux", reason="bounds the memory of what C allocates")
@pytest.mark.parametrize(
    "count", [4_000, pytest.param(100_000, marks=pytest.mark.long)], ids="{:,}".format
)
def test_no_program_asks_for_a_name_that_we_do_not_see(count):
    done = subprocess.run(
        [sys.executable, PROGRAMS, str(count), "1"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout)
    assert result["found"] == []
    assert result["ended"] > count / 20, "programs that never end prove little"
