"""Child processes that answer requests: one that breaks down, or takes too long, costs one answer.

A child is forked where that is safe, from a process of one thread on Linux; elsewhere a plain
Python is started, which imports nothing of the folder that it is started in. Either way it ends
when the process that started it does. What goes through the pipes is JSON, a line each.
"""

import contextlib
import gc
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO

from missing_aa.errors import Problem, unforeseen

if TYPE_CHECKING:
    import subprocess

COMMAND = [sys.executable, "-P", "-m", "missing_aa.children"]
"""-P: nothing that lies in the current folder, beside a file to be read, is imported."""

Report = Callable[[Any], object]
"""Takes what a child says before its answer."""


class NotStarted(Exception):
    """A child process does not start here."""


class Died(Exception):
    """The child ended without an answer: what it was given broke it down."""


class Overdue(Exception):
    """The child did not answer in time, and was ended."""


class Child:
    """A process in which `function`, named as "module:name", answers one request after the other.

    The function gets the request, and a callable for what it reports before its answer. As a
    context manager it leaves no process behind. The process starts with the first request, and
    again after one that it did not survive.
    """

    def __init__(self, function: str):
        self._function = function
        self._process: _Forked | subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def start(self) -> None:
        """Start the process unless it is there. Raises NotStarted."""
        if self._process and self._process.poll() is None:
            return
        self.close()
        self._process = _fork(self._function) if _can_fork() else _spawn(self._function)

    def ask(
        self, request: object, report: Report = lambda _: None, seconds: float | None = None
    ) -> Any:
        """The answer. Raises the Problem that the function raised, Died, Overdue, NotStarted."""
        self.start()
        process, overdue = self._process, threading.Event()
        assert process

        def give_up() -> None:
            overdue.set()
            process.kill()

        timer = threading.Timer(seconds or 0, give_up)
        timer.daemon = True
        if seconds:
            timer.start()
        try:
            message = _talk(process, request, report)
        except BaseException:
            self.close()
            raise
        finally:
            timer.cancel()
        if message is None or overdue.is_set():
            self.close()
            raise Overdue if overdue.is_set() else Died
        if "problem" in message:
            raise _problem(**message["problem"])
        return message["answer"]

    def kill(self) -> None:
        """End the process at once; whoever waits for its answer is woken."""
        if self._process:
            self._process.kill()

    def close(self) -> None:
        """End the process, and whatever it was doing."""
        if self._process:
            self._process.kill()
            with contextlib.suppress(OSError), self._process:  # closes the pipes and waits
                pass
            self._process = None


class Pool:
    """So many children, all started. Raises NotStarted. However its use ends, none is left."""

    def __init__(self, function: str, size: int):
        import queue

        self._children = [Child(function) for _ in range(size)]
        self._idle: queue.SimpleQueue[Child] = queue.SimpleQueue()
        self._closed = False
        try:
            for child in self._children:
                child.start()
                self._idle.put(child)
        except NotStarted:
            self.close()
            raise

    def map(self, requests: Sequence, died: Callable) -> Generator:
        """The answers in order; `died(request, ask)` gives one for what broke a child down."""
        from concurrent.futures import ThreadPoolExecutor

        threads = ThreadPoolExecutor(len(self._children))
        try:
            yield from threads.map(lambda request: self._ask_next(request, died), requests)
        finally:
            self._closed = True
            for child in self._children:
                child.kill()  # so that no thread waits for it any longer
            threads.shutdown(cancel_futures=True)
            self.close()

    def close(self) -> None:
        for child in self._children:
            child.close()

    def _ask_next(self, request: object, died: Callable) -> Any:
        child = self._idle.get()
        try:
            return child.ask(request)
        except Died:
            return None if self._closed else died(request, child.ask)
        finally:
            self._idle.put(child)


def _talk(process, request: object, report: Report) -> dict | None:
    """The last message about a request; None where the process ended without one."""
    with contextlib.suppress(OSError, ValueError):  # a pipe that is broken, or was closed meanwhile
        process.stdin.write(_line(request))
        process.stdin.flush()
        for line in process.stdout:
            message = json.loads(line)
            if "report" not in message:
                return message
            report(message["report"])
    return None


def _problem(module: str, name: str, text: str, rest: dict) -> Problem:
    """The error that a child met, as an error here."""
    kind = getattr(import_module(module), name)
    if not issubclass(kind, Problem):
        raise TypeError(f"{module}.{name} is no problem that a child may name")
    problem = kind(text)
    vars(problem).update(rest)
    return problem


# The two ways to start one.


def _can_fork() -> bool:
    """A process of several threads, such as torch's, is not forked: a lock could stay locked."""
    if sys.platform != "linux":
        return False
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/task")) == 1
    return False


class _Forked:
    """A forked child, with as much of `subprocess.Popen` as is used here."""

    def __init__(self, pid: int, stdin: BinaryIO, stdout: BinaryIO):
        self.pid = pid
        self.stdin = stdin
        self.stdout = stdout
        self._ended = False

    def __enter__(self) -> "_Forked":
        return self

    def __exit__(self, *_) -> None:
        self.stdout.close()
        try:
            self.stdin.close()
        finally:
            self._wait(0)

    def poll(self) -> int | None:
        """None while it runs."""
        return 0 if self._ended or self._wait(os.WNOHANG) else None

    def kill(self) -> None:
        if not self._ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _wait(self, options: int) -> bool:
        if not self._ended:
            try:
                self._ended = os.waitpid(self.pid, options)[0] != 0
            except ChildProcessError:
                self._ended = True
        return self._ended


def _fork(function: str) -> _Forked:
    there_in, here_in = os.pipe()
    here_out, there_out = os.pipe()
    try:
        pid = os.fork()
    except OSError as error:
        for end in (there_in, here_in, here_out, there_out):
            os.close(end)
        raise NotStarted from error
    if not pid:
        try:
            os.dup2(there_in, 0)
            os.dup2(there_out, 1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # other children's pipes among them
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            _serve(function)
        finally:
            os._exit(0)
    os.close(there_in)
    os.close(there_out)
    return _Forked(pid, open(here_in, "wb"), open(here_out, "rb"))


def _spawn(function: str) -> "subprocess.Popen[bytes]":
    import subprocess

    try:
        process = subprocess.Popen(
            [*COMMAND, function],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        raise NotStarted from error
    if not (process.stdout and process.stdout.readline()):
        process.kill()
        with process:
            pass
        raise NotStarted
    return process


# The child's side.


def _serve(function: str) -> None:
    """Answer requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the caller, who then ends this
    # What a pickle describes is built whole, then dropped: to look for circles is in vain.
    gc.set_threshold(100_000)
    module, _, name = function.partition(":")
    answer = getattr(import_module(module), name)
    with open(0, "rb", closefd=False) as requests, open(1, "wb", closefd=False) as answers:

        def send(message: dict) -> None:
            answers.write(_line(message))
            answers.flush()

        for line in requests:
            send(_answer(answer, json.loads(line), lambda report: send({"report": report})))


def _answer(answer: Callable, request: object, report: Report) -> dict:
    try:
        return {"answer": answer(request, report)}
    except Exception as error:
        problem = error if isinstance(error, Problem) else unforeseen(error)
        kind = type(problem)
        named = {"module": kind.__module__, "name": kind.__qualname__, "text": str(problem)}
        return {"problem": {**named, "rest": vars(problem)}}


def _line(message: object) -> bytes:
    return json.dumps(message).encode() + b"\n"


if __name__ == "__main__":
    # Whatever else prints must not stand between the answers.
    sys.stdout = sys.stderr
    os.write(1, b"ready\n")
    _serve(sys.argv[1])
