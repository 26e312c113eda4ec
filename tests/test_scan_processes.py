"""The processes that `scan` works with: the same answers, and none that is left."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from missing_aa import children, scan
from missing_aa.limits import DEFAULT, Limits
from missing_aa.scanner import scan as scanning
from rescue_files import call, torch_zip

unix = pytest.mark.skipif(os.name == "nt", reason="needs what only Unix has")


@pytest.fixture
def many(tmp_path, monkeypatch):
    """A folder to stand in, of files of several kinds, none of which is judged in this process."""
    monkeypatch.chdir(tmp_path)
    save_file({"w": torch.zeros(2)}, "fine.safetensors")
    net = nn.Sequential(nn.Linear(2, 2))
    monkeypatch.setattr("missing_aa.scanner.scan.PATIENCE", 0)
    for number in range(10):
        torch.save(net, f"{number}-whole.pt")
        torch.save(net.state_dict(), f"{number}-weights.pt")
        torch_zip(tmp_path / f"{number}-evil.pt", call("os", "system", ""))
    Path("empty.pt").touch()
    Path("odd\udc80.pt" if os.name != "nt" else "odd.pt").write_bytes(bytes(99))
    return tmp_path


@pytest.fixture(params=[False, True], ids=["started", "forked"])
def way(request, monkeypatch):
    """Both ways in which a process comes about."""
    if request.param and sys.platform != "linux":
        pytest.skip("only Linux forks")
    monkeypatch.setattr(children, "_can_fork", lambda: request.param)


@pytest.fixture
def started():
    """The processes that were started since; other tests may have left some that serve on."""
    before = psutil.Process().children()
    return lambda: [one for one in psutil.Process().children() if one not in before]


def test_more_processes_say_the_same(many, started, way):
    one, two = scan(".", jobs=1), scan(".", jobs=2)
    assert one.checkpoints == two.checkpoints and len(one.checkpoints) == 33
    assert two.judged == two.candidates == 33
    assert not started()


def test_a_program_without_a_guard_for_its_main_part_can_use_them(many):
    Path("program.py").write_text(
        "import missing_aa.scanner.scan as module; from missing_aa import scan\n"
        "module.PATIENCE = 0\n"
        "print(len(scan('.', jobs=2).checkpoints))\n"
    )
    done = subprocess.run([sys.executable, "program.py"], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("33\n", "")


def test_nothing_that_lies_among_the_files_is_imported(many):
    for name in ("json", "queue", "pickletools", "helpers"):
        Path(f"{name}.py").write_text("open('imported', 'w')\n")
    assert len(scan(".", jobs=2).checkpoints) == 33
    assert not Path("imported").exists()


def test_limits_hold_in_other_processes_too(many, way):
    done = scan(".", jobs=2, limits=Limits(opcodes=1))
    assert {entry.verdict for entry in done.checkpoints} >= {"limit", "malformed"}


def test_without_processes_the_scan_is_done_here(many, monkeypatch):
    monkeypatch.setattr(children, "_can_fork", lambda: False)
    for impossible in (["/no/such/python"], [sys.executable, "-c", ""]):
        monkeypatch.setattr(children, "COMMAND", impossible)
        assert len(scan(".", jobs=2).checkpoints) == 33


DYING = """
import os, sys
from missing_aa import children
from missing_aa.scanner import scan, verdict
def judge(path, limits):
    if "7-evil" in path:
        os._exit(9)
    return verdict.judge(path, limits)
scan.judge = judge
os.write(1, b"ready\\n")
children._serve(sys.argv[1])
"""


def test_a_file_that_breaks_a_process_costs_itself_alone(many, monkeypatch, started):
    monkeypatch.setattr(children, "_can_fork", lambda: False)
    monkeypatch.setattr(children, "COMMAND", [sys.executable, "-c", DYING])
    done = scan(".", jobs=2)
    assert len(done.checkpoints) == 33
    broken = [entry.path for entry in done.checkpoints if entry.remark == scanning.BROKE_DOWN]
    assert broken == ["7-evil.pt"]
    assert not started()


@unix
def test_a_scan_that_is_left_ends_its_processes_at_once(many, started, way):
    paths = [str(path) for path in Path().iterdir()] * 9
    judged = scanning._judge_in_children(paths, DEFAULT, 2)
    next(judged)
    for process in started():
        process.suspend()  # now it would never answer
    judged.close()
    assert not started()


@unix
@pytest.mark.parametrize("forks", [False, True])
def test_processes_end_with_the_one_that_started_them(many, forks):
    code = (
        "from missing_aa import children; import psutil, os, signal;"
        f"children._can_fork = lambda: {forks};"
        "pool = children.Pool('missing_aa.scanner.scan:judge_chunk', 2);"
        "print(*[p.pid for p in psutil.Process().children()], flush=True);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    left = [psutil.Process(int(pid)) for pid in done.stdout.split() if psutil.pid_exists(int(pid))]
    assert not psutil.wait_procs(left, timeout=60)[1]
