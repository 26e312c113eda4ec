"""Measure a matrix: plan units of work, have them done, keep every cell that comes back."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Executor, as_completed
from contextlib import closing, suppress
from dataclasses import dataclass, field

from missing_aa.errors import Problem
from missing_aa.matrix.cells import FORMATS, Cell
from missing_aa.matrix.results import Results
from missing_aa.matrix.unit import Task, Unit

BATCH = 8
"""Models in a unit: its processes start once for all of them."""

LONGEST_PATH = 70
"""Characters of a folder's path, for sockets in folders in it: systems allow about 100."""

WAITING = 300_000_000
"""Bytes that a release's process holds while it waits; an eighth of the memory goes into them."""

GIVEN_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536"}
"""Has glibc give freed weights back at once: with a model of 350 MB, 31 releases' processes took
22 GB, and take 6 with it."""

UNIT = [sys.executable, "-m", "missing_aa.matrix.unit"]


class Stopped(Problem):
    """A unit did not come to its end."""


@dataclass(frozen=True)
class Plan:
    """What is to be measured: writers × readers × models × formats."""

    models: dict[str, int]
    """Name -> size of the picture."""
    writers: list[str]
    readers: list[str]
    formats: list[str] = field(default_factory=lambda: list(FORMATS))
    seed: int = 0
    seconds: float = 120

    @property
    def cells(self) -> int:
        return len(self.models) * len(self.writers) * len(self.readers) * len(self.formats)

    def done(self, results: Results) -> int:
        """How many of the cells stand in the results; a writer without a file settles its row."""
        return sum(len(self._settled(results, model)) for model in self.models)

    def missing(self, results: Results) -> list[Task]:
        """What is left to measure, for each model the writers and readers of open cells."""
        tasks = []
        for model, size in self.models.items():
            settled = self._settled(results, model)
            left = [
                (writer, reader)
                for writer in self.writers
                for reader in self.readers
                if any((writer, reader, form) not in settled for form in self.formats)
            ]
            if left:
                writers = [w for w in self.writers if any(w == writer for writer, _ in left)]
                readers = [r for r in self.readers if any(r == reader for _, reader in left)]
                tasks.append(Task(model, size, writers, readers))
        return tasks

    def _settled(self, results: Results, model: str) -> set[tuple]:
        return {
            (writer, reader, form)
            for writer in self.writers
            for reader in self.readers
            for form in self.formats
            if (model, writer, reader, form) in results.cells
            or (model, writer, None, None) in results.cells
        }


def run(
    plan: Plan,
    results: Results,
    wrote: Callable[[Cell], object] = lambda cell: None,
    executor: Executor | None = None,
) -> None:
    """Measure what is missing in the results; `wrote` is called with each cell once it is kept.

    Units go to the executor, if one is given, and their cells come back together; without one they
    are measured here, one after the other, and each cell is kept as it comes. Raises Stopped where
    a unit could not go on, and ResultsProblem.
    """

    def keep(line: dict) -> None:
        if problem := line.get("problem"):
            raise Stopped(problem)
        cell = Cell.from_dict(line)
        if cell.key not in results.cells:
            results.add(cell)
            wrote(cell)

    units = list(_units(plan, plan.missing(results), 1 if executor else BATCH))
    if executor is None:
        for unit in units:
            with closing(_lines_of(unit)) as lines:
                for line in lines:
                    keep(line)
    else:
        runs = [executor.submit(run_unit, unit.encode()) for unit in units]
        try:
            for done in as_completed(runs):
                for line in done.result():
                    keep(line)
        finally:
            for left in runs:
                left.cancel()
    results.tidy()


def run_unit(unit: str) -> list[dict]:
    """Measure an encoded unit in a process of its own; its lines, in the end."""
    return list(_lines_of(Unit.decode(unit)))


def _units(plan: Plan, tasks: list[Task], batch: int) -> Iterator[Unit]:
    jobs = os.cpu_count() or 1
    alive = max(jobs, _memory() // 8 // WAITING)
    for start in range(0, len(tasks), batch):
        these = tasks[start : start + batch]
        yield Unit(these, plan.formats, plan.seed, plan.seconds, jobs, alive)


def _memory() -> int:
    """Bytes of this machine's memory; 8 GB where the system does not tell."""
    if not hasattr(os, "sysconf"):
        return 8_000_000_000
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _lines_of(unit: Unit) -> Generator[dict]:
    """Start a unit's process and give its lines as they come; it ends with the caller."""
    # The folder is this side's, so that it goes also when the process is killed.
    with (
        tempfile.TemporaryDirectory(prefix="missing-aa-", ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryFile(dir=folder) as complaints,
    ):
        if len(folder) > LONGEST_PATH:
            raise Stopped(
                f"the path of {folder} is too long for the sockets in it; name a folder with a "
                "shorter one in TMPDIR"
            )
        process = subprocess.Popen(
            UNIT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            env=GIVEN_BACK | os.environ | {"TMPDIR": folder, "TEMP": folder},
            process_group=None if os.name == "nt" else 0,
        )
        with process:
            assert process.stdin and process.stdout
            try:
                process.stdin.write(unit.encode())
                process.stdin.close()
                yield from map(json.loads, process.stdout)
                if process.wait():
                    complaints.seek(0)
                    last = complaints.read().decode(errors="replace").strip().splitlines()[-1:]
                    raise Stopped(f"a process that measures broke down: {''.join(last)}")
            finally:
                _kill(process)


def _kill(process: subprocess.Popen) -> None:
    """End a process and all that it started."""
    with suppress(ProcessLookupError):
        if os.name == "nt":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
