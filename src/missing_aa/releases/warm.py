"""One warm process per owner: torch, torchvision and ipykernel imported, nothing computed.

Children are forked from it, over the standard library's fork server, and each is like a newly
started process. It ends with its owner, and its children with either.
Linux only; elsewhere, with MISSING_AA_FORK=0, or where the warm process would have threads,
processes are started as usual.
"""

import atexit
import logging
import multiprocessing
import os
import pickle
import runpy
import signal
import sys
import threading
import warnings
import weakref
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, resource_tracker
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Windows has no ForkServerContext
    from multiprocessing.context import ForkServerContext, SpawnContext

SWITCH = "MISSING_AA_FORK"
"""The variable that switches forking off, if it is 0."""

PRELOAD = ["missing_aa.releases.preload"]
"""Modules that the warm process imports."""

READ_ON_IMPORT = ("OMP_", "MKL_", "OPENBLAS_", "KMP_", "GOMP_", "TORCH_", "PYTORCH_", "HF_")
"""How the variables begin that what is imported reads once, on import."""

_lock = threading.Lock()
_read: dict[str, str] | None = None
"""Those variables, as the warm process has them."""
_threads: int | None = None
"""How many threads the warm process was found to have; 0 if it broke down."""


def wanted() -> bool:
    """Whether this system can fork, and nobody switched it off."""
    return sys.platform == "linux" and os.environ.get(SWITCH) != "0"


def forks(env: Mapping[str, str] = os.environ) -> bool:
    """Whether a process with this environment is forked; waits until the warm one is there.

    Not if what was imported read other variables. Logs a warning, once, where none can be, since
    the warm process has threads: a lock that one holds would stay locked in every child.
    """
    global _threads, _read
    if not wanted():
        return False
    with _lock:
        if _threads is None:
            multiprocessing.set_forkserver_preload(PRELOAD)
            if _read is None:
                _read = _read_on_import(os.environ)
            _threads = _count_threads()
            if _threads != 1:
                found = f"has {_threads} threads" if _threads else "broke down"
                reason = f"the process that loads torch once for all releases {found}"
                logging.getLogger(__name__).warning("%s; each release loads it itself", reason)
    return _threads == 1 and _read_on_import(env) == _read


def _read_on_import(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(READ_ON_IMPORT)}


def context() -> "SpawnContext | ForkServerContext":
    """How processes are started: forked from the warm one, or as usual."""
    if forks():
        return multiprocessing.get_context("forkserver")
    return multiprocessing.get_context("spawn")


def _count_threads() -> int:
    try:
        return max(0, Forked(_Probe()).wait() - _Probe.SHIFT)
    except Exception:
        return 0


@contextmanager
def _no_interrupt():
    """Ctrl-C, which reaches a whole group of processes, is kept from a warm one started in here."""
    resource_tracker.ensure_running()  # it would undo the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Forked:
    """A forked process, with as much of `subprocess.Popen` as a kernel's manager uses."""

    stdin = stdout = stderr = None

    def __init__(self, program: "Program | _Probe"):
        from multiprocessing import forkserver

        with _no_interrupt():
            # As multiprocessing does for a Process, but this process's own main module, which the
            # child would import again, is not named.
            self._status, self._life = forkserver.connect_to_new_process([])
            with open(self._life, "wb", closefd=False) as pipe:
                pipe.write(pickle.dumps({}) + pickle.dumps(program))
            # Kept open, also while this process ends: the child ends when it does.
            weakref.finalize(self, _close, self._status, self._life).atexit = False
            self.pid = forkserver.read_signed(self._status)
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        if self._code is None and connection.wait([self._status], 0):
            self.wait()
        return self._code

    def wait(self) -> int:
        """Its exit code, once it has ended; 255 if the warm process has, which alone knows it."""
        from multiprocessing import forkserver

        if self._code is None:
            try:
                self._code = forkserver.read_signed(self._status)
            except EOFError:
                self._code = 255
        return self._code

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


# The child's side.


@dataclass(frozen=True)
class Program:
    """What a forked process does: as `python -m module arguments…` with `env`, in `folder`."""

    module: str
    arguments: list[str]
    env: dict[str, str]
    folder: str

    def _bootstrap(self, owner: int) -> int:
        """What the fork server calls in the child; the pipe `owner` ends with its owner."""
        os.setsid()  # an interrupt reaches this one and what it started, and nobody else
        end_with_others(owner)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.clear()
        os.environ.update(self.env)
        os.chdir(self.folder)
        _share()
        _see_warnings(self.env.get("PYTHONWARNINGS", ""))
        given = filter(None, self.env.get("PYTHONPATH", "").split(os.pathsep))
        plain = sys.modules[PRELOAD[0]].PATH
        sys.path[:] = [os.getcwd(), *map(os.path.abspath, given), *plain]
        sys.argv[1:] = self.arguments
        code: object = 0
        try:
            runpy.run_module(self.module, run_name="__main__", alter_sys=True)
        except SystemExit as end:
            code = end.code
        except BaseException:
            sys.excepthook(*sys.exc_info())
            code = 1
        # What an interpreter does at its end, and a forked process does not.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        return code if isinstance(code, int) else int(code is not None)


class _Probe:
    """Its exit code says how many threads the warm process has."""

    SHIFT = 100

    def _bootstrap(self, owner: int) -> int:
        # Looked at after a fork: NumPy's OpenBLAS starts threads on import, and stops them before.
        return self.SHIFT + len(os.listdir(f"/proc/{os.getppid()}/task"))


def end_with_others(owner: int | None = None) -> None:
    """Let this child process end as soon as its owner does, or the warm process it came from."""
    if owner is None:
        parent = multiprocessing.parent_process()
        assert parent  # this is a child
        owner = parent.sentinel
    ends = [owner]
    if preload := sys.modules.get(PRELOAD[0]):
        ends.append(preload.ALIVE)
    threading.Thread(target=_end_with, args=[ends], daemon=True).start()


def _end_with(ends: list[int]) -> None:
    """End this process when one of the pipes does, and its session with it if it leads one."""
    connection.wait(ends)
    if hasattr(os, "getsid") and os.getsid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _share() -> None:
    """Let this process fork from the warm one that it came from, instead of starting its own."""
    from multiprocessing import forkserver

    global _read
    _read = _read_on_import(os.environ)
    # It is there as long as this process is: see `end_with_others`.
    forkserver._forkserver.ensure_running = lambda: None  # type: ignore[method-assign]


def _see_warnings(options: str) -> None:
    sys.warnoptions[:] = filter(None, options.split(","))
    warnings._processoptions(sys.warnoptions)  # type: ignore[attr-defined]
