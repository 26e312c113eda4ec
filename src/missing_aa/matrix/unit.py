"""A unit of work: some models, each written and read by many releases. Runs as a process.

    python -m missing_aa.matrix.unit < UNIT

Reads the unit as JSON and prints a line of JSON for each cell as it comes, at the end one with the
problem that stopped it, if any. All that it needs lies on its own machine; a model's files go when
its readers are done.
"""

import json
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from missing_aa import releases
from missing_aa.errors import Problem
from missing_aa.matrix import tasks
from missing_aa.matrix.cells import NOT_WRITTEN, OK, Cell, Outcome
from missing_aa.matrix.signature import signature
from missing_aa.releases.processes import Ended, Raised, ReleaseProcesses
from missing_aa.rescuer.rescue import rescue_to
from missing_aa.rescuer.session import Session

HELD = 2_000_000_000
"""Bytes of model files above which the readers go to work before another release writes."""

ROOM = 100_000_000
"""Bytes free on the disk below which a file that cannot be written is the disk's fault."""


class DiskFull(Problem):
    """There is no room left for model files."""


@dataclass(frozen=True)
class Task:
    """One model, with the size of its input picture (pixels), and who writes and who reads it."""

    model: str
    size: int
    writers: list[str]
    readers: list[str]


@dataclass(frozen=True)
class Unit:
    """Tasks, and how they are done.

    `seconds` is how long one cell may take, `jobs` how many processes work at once, `alive` how
    many are kept for the next model.
    """

    tasks: list[Task]
    formats: list[str]
    seed: int = 0
    seconds: float = 120
    jobs: int = 2
    alive: int = 8

    def encode(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str) -> "Unit":
        values = json.loads(text)
        return cls(**values | {"tasks": [Task(**task) for task in values["tasks"]]})


def measure(unit: Unit, add: Callable[[Cell], None]) -> None:
    """Measure every cell of a unit; `add` is called with each as it comes, also from other threads.

    Fetches the releases. Raises what `releases.fetch` raises, and DiskFull.
    """
    for release in {name for task in unit.tasks for name in (*task.writers, *task.readers)}:
        releases.fetch(release)
    with ExitStack() as stack:
        processes = stack.enter_context(ReleaseProcesses(unit.alive, unit.seconds))
        session = stack.enter_context(Session())
        pool = stack.enter_context(ThreadPoolExecutor(unit.jobs))
        for task in unit.tasks:
            with tempfile.TemporaryDirectory(prefix="missing-aa-") as folder:
                _Measurement(unit, task, Path(folder), processes, session, pool).run(add)


class _Measurement:
    """One task at work."""

    def __init__(
        self,
        unit: Unit,
        task: Task,
        folder: Path,
        processes: ReleaseProcesses,
        session: Session,
        pool,
    ):
        self.unit = unit
        self.task = task
        self.folder = folder
        self.processes = processes
        self.session = session
        self.pool = pool
        self.first: dict[str, str] = {}
        """Signature -> the first writer of such a file."""
        self.same: dict[str, str] = {}
        """Writer -> an earlier one whose file and code serve as well."""
        self.cells: dict[str, list[Cell]] = {}
        """What was measured, by writer."""

    def run(self, add: Callable[[Cell], None]) -> None:
        waiting: list[str] = []
        for start in range(0, len(self.task.writers), self.unit.jobs):
            writers = self.task.writers[start : start + self.unit.jobs]
            for writer, outcome in zip(writers, self.pool.map(self.write, writers), strict=True):
                if outcome:
                    add(Cell(self.task.model, writer, None, None, outcome))
                elif self.is_new(writer):
                    waiting.append(writer)
            if sum(file.stat().st_size for file in self.folder.rglob("*.*")) > HELD:
                self.read_all(waiting, add)
                waiting = []
        self.read_all(waiting, add)
        for writer, first in self.same.items():
            for cell in self.cells[first]:
                add(replace(cell, writer=writer, same_as=first))

    def write(self, writer: str) -> Outcome | None:
        """Let a release write; what kept it from it, or None."""
        folder = self.folder / writer
        folder.mkdir()
        task = self.task
        try:
            with self.processes.of(writer) as process:
                return process.call(tasks.write, task.model, task.size, self.unit.seed, str(folder))
        except Ended as ended:
            return Outcome(NOT_WRITTEN, text=f"the process {ended.how}")
        except Raised as raised:
            self.check_room()
            return Outcome(NOT_WRITTEN, text=f"cannot be saved: {raised}"[:200])

    def is_new(self, writer: str) -> bool:
        """Whether readers need to see what it wrote; it is deleted where another serves as well.

        The other's file differs in nothing but tensors, and the other's weights give this writer's
        code the other's output: so for any reader the two are the same.
        """
        mark = signature(self.folder / writer / tasks.WHOLE)
        first = self.first.setdefault(mark, writer)
        if first == writer:
            return True
        serves = self.read(writer, first, "state_dict") == Outcome(OK)
        self.forget(writer)
        if not serves:
            return True
        self.same[writer] = first
        shutil.rmtree(self.folder / writer)
        return False

    def read_all(self, writers: list[str], add: Callable[[Cell], None]) -> None:
        """Let every reader read these writers' files, and delete them."""
        unreadable = {writer: self.rescue(writer) for writer in writers}

        def by(reader: str) -> None:
            for writer in writers:
                for form in self.unit.formats:
                    outcome = unreadable[writer] if form == "rescued" else None
                    outcome = outcome or self.read(reader, writer, form)
                    cell = Cell(self.task.model, writer, reader, form, outcome)
                    self.cells.setdefault(writer, []).append(cell)
                    add(cell)
            self.forget(reader)

        list(self.pool.map(by, self.task.readers))
        for writer in writers:
            for large in (tasks.WHOLE, tasks.RESCUED):
                (self.folder / writer / large).unlink(missing_ok=True)

    def rescue(self, writer: str) -> Outcome | None:
        """Get the weights out of a whole pickle; what kept it from it, or None."""
        if "rescued" not in self.unit.formats:
            return None
        folder = self.folder / writer
        try:
            rescue_to(folder / tasks.WHOLE, folder / tasks.RESCUED, session=self.session)
        except Problem as problem:
            self.check_room()
            return Outcome.raised(type(problem).__name__, str(problem), "rescue")
        return None

    def read(self, reader: str, writer: str, form: str) -> Outcome:
        task, folder = self.task, str(self.folder / writer)
        try:
            with self.processes.of(reader) as process:
                return process.call(
                    tasks.run_written, task.model, task.size, self.unit.seed, form, folder
                )
        except Ended as ended:
            return Outcome(ended.how)
        except Raised as raised:
            return Outcome.raised(raised.kind, raised.text, "import")

    def forget(self, release: str) -> None:
        with suppress(Ended), self.processes.of(release) as process:
            process.call(tasks.forget)

    def check_room(self) -> None:
        if shutil.disk_usage(self.folder).free < ROOM:
            raise DiskFull(
                f"no room is left in {self.folder.parent} for model files; what was measured is "
                "kept: make room, or name another folder in TMPDIR, and start again"
            )


def main() -> None:
    """Serve the unit on stdin."""
    lock = threading.Lock()

    def send(line: dict) -> None:
        with lock:
            print(json.dumps(line), flush=True)

    try:
        measure(Unit.decode(sys.stdin.read()), lambda cell: send(cell.as_dict()))
    except Problem as problem:
        send({"problem": str(problem)})


if __name__ == "__main__":
    main()
