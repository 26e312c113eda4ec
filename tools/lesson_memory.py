"""What lessons take of a machine: `python -m tools.lesson_memory [LESSON…]`.

The peak memory belongs in the notebook's metadata, as `missing_aa.memory_mb`.
"""

import sys
import tempfile
from pathlib import Path

from helpers.runner import catalogue, pool
from helpers.runner.memory import PeakMemory


def measure(lesson: catalogue.Lesson) -> tuple[pool.Outcome, int]:
    """Execute one lesson, alone; how it ended, and the peak memory of all its processes in MB."""
    with tempfile.TemporaryDirectory(prefix="aa-") as output, PeakMemory() as peak:
        outcomes = pool.run([lesson], {lesson.name: {}}, Path(output), 1, pool.Watcher())
    return outcomes[0], peak.mb


if __name__ == "__main__":
    for lesson in catalogue.choose(catalogue.lessons(catalogue.root()), sys.argv[1:]):
        outcome, mb = measure(lesson)
        print(f"{lesson.name}: {mb} MB, {outcome.seconds:.1f} s, {outcome.error or 'passed'}")
