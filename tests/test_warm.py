"""Kernels forked from one warm process are as those that are started anew, and end with it.

With MISSING_AA_FORK=0 the same kernels are started anew, and have to pass the same tests.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from helpers.kernels import KernelDied, ReleaseKernel
from lesson_shell import Lesson
from missing_aa.releases import warm
from missing_aa.releases.processes import Trials

pytestmark = pytest.mark.xdist_group("magics")  # one warm process for all of them

forked_only = pytest.mark.skipif(not warm.wanted(), reason="processes are not forked here")

SECONDS = 5
"""In which nothing is left of an owner that was killed."""


@pytest.fixture(scope="module")
def kernel():
    kernel = ReleaseKernel("1.0.3")
    yield kernel
    kernel.shutdown()


def value(kernel, expression):
    """What an expression gives in a kernel, as JSON carries it."""
    kernel.run(f"import gc, os, random, sys, warnings\nimport numpy, torch\n_ = {expression}", fail)
    return kernel.get(["_"])["_"]


def fail(kind, content):
    assert kind != "error", content["evalue"]


def fresh(expression):
    """What an expression gives in a Python that was started anew."""
    program = f"import json, torch\nprint(json.dumps({expression}))"
    return json.loads(subprocess.check_output([sys.executable, "-c", program]))


def pid(kernel):
    return value(kernel, "os.getpid()")


# What the warm process is.


@forked_only
def test_the_warm_process_has_one_thread_and_sets_no_variable(kernel):
    parent = psutil.Process(pid(kernel)).parent()
    assert "Threads:\t1\n" in Path(f"/proc/{parent.pid}/status").read_text()
    assert parent.parent().pid == os.getpid()
    for env in (parent.environ(), value(kernel, "dict(os.environ)")):
        assert {name for name in env if "THREADS" in name} <= os.environ.keys()


@forked_only
def test_its_children_begin_with_torch_loaded_frozen_and_without_cuda(kernel):
    assert value(kernel, "gc.get_freeze_count()") > 100_000
    assert not value(kernel, "torch.cuda.is_initialized()")


def start_owner(program, folder, preloaded):
    """A process that owns a warm one, which imports this besides."""
    (folder / "preloaded.py").write_text(preloaded)
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-c", OWNER + program],
        env=os.environ | {"PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


OWNER = """
import os
from missing_aa.releases import warm
from helpers.kernels import ReleaseKernel
warm.PRELOAD.append("preloaded")
kernel = ReleaseKernel("1.0.3")
def tell_parent():
    kernel.run("import os; print(os.getppid())", tell)
def tell(kind, content):
    if kind == "stream":
        print(content["text"].strip(), os.getpid(), flush=True)
"""


@forked_only
def test_one_that_has_threads_forks_nothing_and_says_so(tmp_path):
    thread = (
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()"
    )
    owner = start_owner("tell_parent()", tmp_path, thread)
    told, complaints = owner.communicate()
    parent, itself = told.split()
    assert parent == itself
    assert "has 2 threads; each release loads it itself" in complaints


@forked_only
def test_nobody_waits_for_it_before_a_cell_and_an_interrupt_leaves_it_at_work(tmp_path):
    ready, go = tmp_path / "ready", tmp_path / "go"
    os.mkfifo(ready)
    os.mkfifo(go)
    owner = start_owner(
        "print('goes on', flush=True)\ntry: input()\nexcept KeyboardInterrupt: tell_parent()",
        tmp_path,
        f"open({str(ready)!r}, 'w').close()\nopen({str(go)!r}).read()",
    )
    assert owner.stdout.readline() == "goes on\n"  # while the warm process is held up
    ready.read_text()
    os.killpg(owner.pid, signal.SIGINT)
    go.write_text("")
    told, complaints = owner.communicate()
    parent, itself = told.split()
    assert parent != itself and not complaints


# A kernel is as one that was started anew.


@pytest.mark.parametrize("threads", [None, "3"])
def test_torch_has_as_many_threads_as_in_a_fresh_process(monkeypatch, threads):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if threads:  # set when the warm process has read it already
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
    kernel = ReleaseKernel("1.0.3")
    assert value(kernel, "torch.get_num_threads()") == fresh("torch.get_num_threads()")
    kernel.shutdown()


def test_it_does_not_run_the_program_that_started_it(tmp_path):
    program = tmp_path / "without_a_guard.py"
    program.write_text(
        "print('begun', flush=True)\nfrom helpers.kernels import ReleaseKernel\n"
        "kernel = ReleaseKernel('1.0.3')\n"
        "kernel.run('import multiprocessing', print)\n"
        "kernel.run('parent = multiprocessing.parent_process()', print)\n"
        "assert kernel.get(['parent']) == {'parent': None}"
    )
    told = subprocess.check_output([sys.executable, program], text=True)
    assert told.count("begun\n") == 1


@forked_only
def test_where_torch_would_read_other_variables_the_kernel_is_started_anew(kernel, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    other = ReleaseKernel("1.0.3")
    assert psutil.Process(pid(other)).parent().pid == os.getpid()
    assert psutil.Process(pid(kernel)).parent().pid != os.getpid()
    other.shutdown()


def test_no_two_kernels_draw_the_same_numbers(kernel):
    other = ReleaseKernel("1.0.11")
    for drawn in ("random.random()", "float(numpy.random.random())", "float(torch.rand(1))"):
        assert value(kernel, drawn) != value(other, drawn)
    other.shutdown()


def test_it_has_the_path_the_folder_and_the_environment_of_now(monkeypatch, tmp_path):
    monkeypatch.setenv("SET_AFTERWARDS", "1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["/a/lessons/own", *sys.path])
    path = subprocess.check_output([sys.executable, "-P", "-c", "import sys; print(sys.path)"])
    kernel = ReleaseKernel("1.0.3")
    assert value(kernel, "os.getcwd()") == str(tmp_path)
    assert value(kernel, "os.environ['SET_AFTERWARDS']") == "1"
    seen = value(kernel, "sys.path")
    assert Path(seen[0]).name == "timm-1.0.3"
    assert [entry for entry in seen[1:] if entry] == [entry for entry in eval(path) if entry]
    kernel.shutdown()


def test_its_warnings_are_those_of_a_plain_kernel(kernel):
    told = []
    kernel.run(
        "import warnings\nwarnings.warn('this', UserWarning)\nwarnings.warn('not', FutureWarning)",
        lambda kind, content: told.append(content.get("text", "")),
    )
    assert "UserWarning: this" in "".join(told) and "FutureWarning: not" not in "".join(told)
    assert value(kernel, "sys.warnoptions")[0] == "ignore::FutureWarning"


def test_nothing_of_one_release_is_seen_by_another(kernel):
    value(kernel, "[__import__('timm') and torch.manual_seed(7) and torch.set_num_threads(1)]")
    kernel.run("import builtins\nbuiltins.left = os.environ['LEFT'] = 'behind'", fail)
    other = ReleaseKernel("1.0.11")
    assert value(other, "'timm' in sys.modules") is False
    assert value(other, "torch.initial_seed()") != 7
    assert value(other, "torch.get_num_threads()") == fresh("torch.get_num_threads()")
    assert value(other, "[hasattr(__import__('builtins'), 'left'), 'LEFT' in os.environ]") == [
        False,
        False,
    ]
    other.shutdown()


# Its end.


def test_a_crash_of_one_leaves_the_others(kernel):
    kernel.run("kept = 1", fail)
    other = ReleaseKernel("1.0.11")
    with pytest.raises(KernelDied):
        other.run("import ctypes; ctypes.string_at(0)", fail)
    assert value(kernel, "kept") == 1


def test_an_interrupt_reaches_one_kernel_only(kernel, tmp_path):
    other = ReleaseKernel("1.0.11")
    go = tmp_path / "go"
    os.mkfifo(go)
    waits = threading.Thread(target=other.run, args=[f"done = open({str(go)!r}).read()", fail])
    waits.start()
    with pytest.raises(KeyboardInterrupt):
        kernel.run(
            "print('begun', flush=True)\nimport threading\nthreading.Event().wait()",
            lambda kind, content: signal.raise_signal(signal.SIGINT) if kind == "stream" else None,
        )
    assert kernel.alive
    go.write_text("undisturbed")
    waits.join()
    assert other.get(["done"]) == {"done": "undisturbed"}
    other.shutdown()


@forked_only
def test_a_killed_warm_process_takes_its_kernels_along_and_the_next_cell_says_so():
    lesson = Lesson()
    assert (
        lesson.run("%%timm 1.0.12 --out number\nstate = 1\nimport os\nnumber = os.getpid()") is None
    )
    kernel = psutil.Process(lesson["number"])
    kernel.parent().kill()
    _, alive = psutil.wait_procs([kernel], timeout=SECONDS)
    assert not alive
    error = lesson.run("%%timm 1.0.12\nprint(state)")
    assert "the kernel of timm 1.0.12 has ended" in str(error)
    assert "its variables are gone" in str(error) and "Run All Above" in str(error)
    assert lesson.run("%%timm 1.0.12\nprint('state' in globals())") is None
    assert lesson.text == "False\n"


# What a cell started ends with a forked kernel; ipykernel's own watch ends a plain one alone.
STARTED = "import subprocess; left = subprocess.Popen(['sleep', '99'])" if warm.wanted() else ""

OWNERS = {
    "kernels": (
        "from helpers.kernels import ReleaseKernel\n"
        "kernels = [ReleaseKernel(name) for name in ('1.0.3', '1.0.11')]\n"
        f"for kernel in kernels: kernel.run({STARTED!r}, print)\n"
    ),
    "trials": (
        "import time\nfrom missing_aa.releases.processes import Trials\n"
        "trials = Trials(1)\ntrials.under('1.0.3', print, 'at work').result()\n"
        "for _ in range(2): trials.under('1.0.3', time.sleep, 99)\n"
    ),
}


@pytest.mark.skipif(os.name != "posix", reason="processes are killed another way there")
@pytest.mark.parametrize("owner", OWNERS)
def test_an_owner_that_is_killed_leaves_no_process_behind(owner):
    program = OWNERS[owner] + "print('ready', flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    ) as process:
        while process.stdout.readline() not in ("ready\n", ""):
            pass
        below = psutil.Process(process.pid).children(recursive=True)
        assert len(below) >= 2
        process.kill()
        _, alive = psutil.wait_procs(below, timeout=SECONDS)
        for left in alive:
            left.kill()
        assert not alive


def test_it_can_be_restarted_and_shut_down_as_any_kernel(tmp_path):
    from helpers.kernels import ThisPython

    manager = ThisPython()
    manager.start_kernel(cwd=str(tmp_path))
    first = manager.provisioner.pid
    manager.restart_kernel(now=True)
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    assert manager.is_alive() and manager.provisioner.pid != first
    farewell = tmp_path / "farewell"
    leave = "import atexit, pathlib\natexit.register(pathlib.Path('farewell').touch)"
    client.execute(leave, reply=True)
    client.stop_channels()
    manager.shutdown_kernel()
    assert not manager.is_alive() and farewell.exists()


def test_trials_draw_no_number_twice():
    with Trials(2) as trials:
        drawn = [trials.under("1.0.3", _draw).result() for _ in range(2)]
    assert drawn[0] != drawn[1]


def _draw():
    import numpy

    return float(numpy.random.random())
