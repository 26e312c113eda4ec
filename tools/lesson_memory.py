"""What lessons take of a machine: `python -m tools.lesson_memory [LESSON…]`.

The peak memory belongs in the notebook's metadata, as `missing_aa.memory_mb`.
"""

import sys
import tempfile
from pathlib import Path

from helpers.runner import catalogue, pool
from helpers.runner.memory import PeakMemory


class Unwatched:
    """A watcher that looks away."""

    def started(self, lesson: catalogue.Lesson) -> None: ...

    def cell(self, lesson: catalogue.Lesson, done: int, total: int) -> None: ...

    def ended(self, outcome: pool.Outcome) -> None: ...


def measure(lesson: catalogue.Lesson) -> tuple[pool.Outcome, int]:
    """Execute one lesson, alone; how it ended, and the peak memory of all its processes in MB."""
    with tempfile.TemporaryDirectory(prefix="aa-") as output, PeakMemory() as peak:
        outcomes = pool.run([lesson], {lesson.name: {}}, Path(output), 1, Unwatched())
    return outcomes[0], peak.mb


if __name__ == "__main__":
    for lesson in catalogue.choose(catalogue.lessons(catalogue.root()), sys.argv[1:]):
        outcome, mb = measure(lesson)
        print(f"{lesson.name}: {mb} MB, {outcome.seconds:.1f} s, {outcome.error or 'passed'}")
