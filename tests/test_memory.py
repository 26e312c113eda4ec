"""How much memory a run may take, and takes; control groups as Linux writes them."""

import subprocess
import sys

import psutil
import pytest

from helpers.runner.memory import MB, available_mb

FILES = {
    2: ("memory.max", "memory.current", "inactive_file"),
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def group(folder, version, limit, used, reclaimable):
    """Write one control group's files; sizes in MB, limit None for no limit."""
    folder.mkdir(parents=True, exist_ok=True)
    most, usage, row = FILES[version]
    (folder / most).write_text("max\n" if limit is None else f"{limit * MB}\n")
    (folder / usage).write_text(f"{used * MB}\n")
    (folder / "memory.stat").write_text(f"anon 1\n{row} {reclaimable * MB}\n")


@pytest.mark.parametrize(
    "version, line, mounted", [(2, "0::/a/b\n", ""), (1, "4:cpu,memory:/a/b\n", "memory")]
)
def test_a_groups_limit_bounds_what_is_available(tmp_path, version, line, mounted):
    (tmp_path / "groups").write_text(line)
    group(tmp_path / mounted / "a" / "b", version, 100, 40, 10)
    assert available_mb(tmp_path / "groups", tmp_path) == 70


def test_the_tightest_of_the_groups_above_counts(tmp_path):
    (tmp_path / "groups").write_text("0::/a/b\n")
    group(tmp_path / "a" / "b", 2, None, 1, 0)
    group(tmp_path / "a", 2, 50, 20, 0)
    group(tmp_path, 2, 90, 20, 0)
    assert available_mb(tmp_path / "groups", tmp_path) == 30


def test_without_a_limit_the_machine_counts(tmp_path):
    machine = psutil.virtual_memory().total / MB
    assert 0 < available_mb(tmp_path / "none", tmp_path) <= machine


MEASURE = """
import subprocess, sys
from helpers.runner.memory import PeakMemory

program = "block = bytearray(300 * 2**20); print(flush=True); input(); del block; input()"
with PeakMemory(every=0.01) as peak:
    taker = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    taker.stdout.readline()
    while peak.mb < 300 and taker.poll() is None:
        pass
    taker.communicate(b"\\n\\n", timeout=30)
print(peak.mb)
"""


def test_the_peak_holds_what_a_process_took_and_gave_back():
    # In a process of its own: beside this one, kernels of other tests may be running.
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True)
    assert 300 <= int(done.stdout) < 400, done.stderr
