"""Processes that judge files for a scan, and the two sides of their pipes.

They are plain Pythons: started alike on every system, importing nothing of the folder that they are
started in, gone when the caller is; and a file that breaks one down costs that one file.
"""

import contextlib
import gc
import json
import queue
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from missing_aa.limits import Limits
from missing_aa.scanner.verdict import MALFORMED, Checkpoint, judge

COMMAND = [sys.executable, "-P", "-m", "missing_aa.scanner.workers"]
"""-P: nothing that lies in the current folder, beside the files, is imported."""

CHUNK = 16
"""Files in one request."""

BROKE_DOWN = (
    "judging it broke the process that did: it is damaged, was made to do that, or needs more "
    "memory than there is"
)


class NoCrew(Exception):
    """The processes do not start here."""


class Crew:
    """So many processes, judging within these limits. Raises NoCrew."""

    def __init__(self, size: int, limits: Limits):
        self._size = size
        self._closed = False
        self._command = [*COMMAND, json.dumps(asdict(limits))]
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._workers: list[_Worker] = []
        try:
            for _ in range(size):
                self._workers.append(_Worker(self._command))
            for worker in self._workers:
                worker.await_ready()
                self._idle.put(worker)
        except NoCrew:
            self._close()
            raise

    def judge(self, paths: Sequence[str]) -> Iterator[Checkpoint | None]:
        """What `judging.judge` says of each, in order. However this ends, no process is left."""
        chunks = [paths[at : at + CHUNK] for at in range(0, len(paths), CHUNK)]
        threads = ThreadPoolExecutor(self._size)
        try:
            for said in threads.map(self._ask_next, chunks):
                yield from said
        finally:
            self._closed = True
            for worker in self._workers:
                worker.kill()  # so that no thread waits for it any longer
            threads.shutdown(cancel_futures=True)
            self._close()

    def _close(self) -> None:
        for worker in self._workers:
            worker.close()

    def _ask_next(self, paths: Sequence[str]) -> list[Checkpoint | None]:
        worker = self._idle.get()
        try:
            return self._ask(worker, paths)
        finally:
            self._idle.put(worker)

    def _ask(self, worker: "_Worker", paths: Sequence[str]) -> list[Checkpoint | None]:
        said = worker.ask(paths)
        if said is not None or self._closed:
            return said or []
        worker.close()
        worker.start()
        worker.await_ready()
        if len(paths) == 1:
            return [Checkpoint(paths[0], verdict=MALFORMED, remark=BROKE_DOWN)]
        return [found for path in paths for found in self._ask(worker, [path])]


class _Worker:
    """One of the processes, which answers one request after the other."""

    def __init__(self, command: list[str]):
        self._command = command
        self.start()

    def start(self) -> None:
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise NoCrew from error

    def await_ready(self) -> None:
        if not self._process.stdout.readline():
            raise NoCrew

    def ask(self, paths: Sequence[str]) -> list[Checkpoint | None] | None:
        """A verdict, or None, for each path; None where the process did not live to say it."""
        try:
            self._process.stdin.write(_line(list(paths)))
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except (OSError, ValueError):  # a pipe that is broken, or was closed meanwhile
            return None
        return [said and Checkpoint(**said) for said in json.loads(answer)] if answer else None

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.kill()
        with contextlib.suppress(OSError), self._process:  # closes the pipes and waits
            pass


def work(limits: Limits) -> None:
    """The other side of the pipes: answer requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the caller, who then ends this
    # A pickle's objects are many and hold no circles: the collector would only walk them.
    gc.set_threshold(100_000)
    _say("ready")
    for line in sys.stdin.buffer:
        judged = [judge(path, limits) for path in json.loads(line)]
        _say([found and asdict(found) for found in judged])


def _say(message: object) -> None:
    sys.stdout.buffer.write(_line(message))
    sys.stdout.buffer.flush()


def _line(message: object) -> bytes:
    return json.dumps(message).encode() + b"\n"


if __name__ == "__main__":
    work(Limits(**json.loads(sys.argv[1])))
