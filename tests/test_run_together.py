"""`python -m helpers run`: lessons beside each other, and what is left when it ends."""

import os
import signal
import subprocess
import tempfile
from pathlib import Path

import psutil
import pytest

from helpers.runner import catalogue, pool
from missing_aa.releases import warm
from tiny_lessons import COMMAND, notebook, run

pytestmark = pytest.mark.xdist_group("run")

posix = pytest.mark.skipif(os.name != "posix", reason="pipes and signals are others there")


@pytest.fixture
def temp():
    """A folder for temporary files, with a name as short as the path of a socket wants it."""
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        yield Path(folder)


@posix
def test_lessons_run_at_once_and_leave_no_temporary_file(tmp_path, temp):
    # Each end of a pipe waits for the other: alone, neither lesson would come to its end.
    notebook(
        tmp_path, "01_reads", "open('pipe').close()", "%load_ext helpers.magics", "%%timm 1.0.3\n1"
    )
    notebook(tmp_path, "02_writes", "open('pipe', 'w').close()")
    os.mkfifo(tmp_path / "notebooks" / "pipe")
    done = run(tmp_path, "--jobs", "2", TMPDIR=str(temp))
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list(temp.iterdir())


class Log:
    """A watcher that writes down what it is told."""

    def __init__(self):
        self.told = []

    def started(self, lesson):
        self.told.append(("started", lesson.name))

    def cell(self, lesson, done, total):
        pass

    def ended(self, outcome):
        self.told.append(("ended", outcome.lesson.name))


@pytest.mark.parametrize(
    "memory_mb, told",
    [
        (10**9, ["started 01", "ended 01", "started 02", "ended 02"]),
        (1, ["started 01", "started 02"]),
    ],
)
def test_lessons_that_memory_cannot_hold_together_run_one_after_another(
    tmp_path, monkeypatch, memory_mb, told
):
    monkeypatch.setenv(warm.SWITCH, "0")
    for name in ("01", "02"):
        notebook(tmp_path, f"{name}_x", "1", memory_mb=memory_mb)
    lessons, log = catalogue.lessons(tmp_path), Log()
    pool.run(lessons, {lesson.name: {} for lesson in lessons}, tmp_path, 2, log)
    assert [f"{what} {name[:2]}" for what, name in log.told][: len(told)] == told


@posix
@pytest.mark.parametrize("ending, code", [("SIGINT", 130), ("SIGTERM", 143), ("SIGKILL", -9)])
def test_a_run_that_is_stopped_leaves_no_kernel_and_no_temporary_file(tmp_path, temp, ending, code):
    notebook(
        tmp_path,
        "01_blocking",
        "size = 1",
        "%load_ext helpers.magics",
        "%%timm 1.0.3\nprint('ready')",
        "open('begun', 'w').close()\nimport threading\nthreading.Event().wait()",
    )
    os.mkfifo(tmp_path / "notebooks" / "begun")
    command = subprocess.Popen(
        COMMAND,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"TMPDIR": str(temp)},
    )
    with open(tmp_path / "notebooks" / "begun"):  # opens when the lesson opens its end
        below = psutil.Process(command.pid).children(recursive=True)
    kernels = [
        process
        for process in below
        if "ipykernel_launcher" in process.cmdline()
        or process.cmdline() == process.parent().cmdline()  # forked
    ]
    assert len(kernels) == 2, "the lesson's own, and that of timm 1.0.3"
    command.send_signal(getattr(signal, ending))
    try:
        assert command.wait(timeout=60) == code
    finally:
        command.kill()
    if ending == "SIGKILL":  # nobody is left who could wait for them
        psutil.wait_procs(below, timeout=30)
    assert not [process for process in below if process.is_running()]
    assert not list(temp.iterdir())
