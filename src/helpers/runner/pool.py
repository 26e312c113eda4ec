"""Lessons at work, as many at once as cores and memory allow."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from helpers.runner.catalogue import Lesson
from helpers.runner.memory import available_mb
from missing_aa.limits import cores

PATIENCE = 15
"""Seconds that stopped lessons get to end in order, before their processes are killed."""


@dataclass(frozen=True)
class Outcome:
    """How a lesson ended; `error` is None if all is well."""

    lesson: Lesson
    done: int
    total: int
    seconds: float
    error: str | None


class Watcher:
    """Is called as lessons start, get on and end; this one shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error) -> None: ...
    def started(self, lesson: Lesson) -> None: ...
    def cell(self, lesson: Lesson, done: int, total: int) -> None: ...
    def ended(self, outcome: Outcome) -> None: ...


class Worker:
    """The process that executes one lesson; its events arrive in a queue, None as the last."""

    def __init__(
        self, lesson: Lesson, parameters: dict, output: Path, events: queue.Queue, threads: int
    ):
        self.lesson = lesson
        self.done, self.total = 0, lesson.cells
        self.error: str | None = "its process ended before the lesson did"
        self._started = time.monotonic()
        # Whatever the lesson and its kernels leave lying about goes with this folder. Its name is
        # short, since the path of a socket in it must be.
        self._temp = tempfile.TemporaryDirectory(prefix="aa-", ignore_cleanup_errors=True)
        places = dict.fromkeys(("TMPDIR", "TEMP", "TMP", "JUPYTER_RUNTIME_DIR"), self._temp.name)
        self._log = Path(self._temp.name, "log")
        job = {
            "notebook": str(lesson.path),
            "output": str(output),
            "temp": self._temp.name,
            "parameters": parameters,
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "helpers.runner.worker", json.dumps(job)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={"OMP_NUM_THREADS": str(threads)} | os.environ | places,
                # Ctrl-C reaches this process alone, which then stops the workers in order.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        threading.Thread(target=self._listen, args=[events], daemon=True).start()

    def _listen(self, events: queue.Queue) -> None:
        for line in self.process.stdout:
            events.put((self, json.loads(line)))
        events.put((self, None))

    def outcome(self) -> Outcome:
        """How it ended; call it once, after its last event."""
        if self.process.wait() and (log := self._log.read_text(errors="replace").strip()):
            self.error = log.splitlines()[-1]
        seconds = time.monotonic() - self._started
        self.clear()
        return Outcome(self.lesson, self.done, self.total, seconds, self.error)

    def clear(self) -> None:
        """Close its pipes and delete its temporary files."""
        self.process.stdin.close()
        self._temp.cleanup()


def run(
    lessons: list[Lesson],
    parameters: dict[str, dict[str, object]],
    output: Path,
    jobs: int | None,
    watcher: Watcher,
) -> list[Outcome]:
    """Execute lessons into a folder, at most `jobs` at once; as many as there are cores if None.

    Fewer at once where their memory would not suffice, but always one. However this ends, no
    process that a lesson started is left.
    """
    jobs = min(jobs or cores(), len(lessons))
    # Lessons that share cores wait long for each other's threads, unless each has its own.
    threads = max(1, cores() // jobs)
    budget = available_mb()
    waiting, workers, outcomes = list(lessons), [], []
    events = queue.Queue()
    try:
        while waiting or workers:
            while waiting and len(workers) < jobs:
                taken = sum(worker.lesson.memory_mb for worker in workers)
                fitting = [one for one in waiting if taken + one.memory_mb <= budget]
                if workers and not fitting:
                    break
                lesson = (fitting or waiting)[0]
                waiting.remove(lesson)
                workers.append(Worker(lesson, parameters[lesson.name], output, events, threads))
                watcher.started(lesson)
            worker, event = _next(events)
            if event is None:
                workers.remove(worker)
                outcomes.append(worker.outcome())
                watcher.ended(outcomes[-1])
            elif "done" in event:
                worker.done, worker.total = event["done"], event["total"]
                watcher.cell(worker.lesson, worker.done, worker.total)
            else:
                worker.error = event["error"]
    finally:
        stop(workers)
    return sorted(outcomes, key=lambda outcome: outcome.lesson.name)


def stop(workers: list[Worker]) -> None:
    """End workers and all that they started: in order if they manage to, else by force."""
    processes = [psutil.Process(worker.process.pid) for worker in workers]
    processes += [below for process in processes for below in process.children(recursive=True)]
    try:
        for worker in workers:
            worker.process.stdin.close()
        psutil.wait_procs(processes, timeout=PATIENCE)
    finally:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=5)
        for worker in workers:
            worker.clear()


def _next(events: queue.Queue) -> tuple[Worker, dict | None]:
    """The next event. Never waits long at a stretch: on Windows, Ctrl-C would wait as well."""
    while True:
        try:
            return events.get(timeout=0.5)
        except queue.Empty:
            pass
