"""Are executed lessons still what a run would give? Asked by what is built from them."""

import signal
import subprocess
import sys
from pathlib import Path

import nbformat

import helpers
from helpers.runner.catalogue import Lesson

PACKAGES = Path(helpers.__file__).parents[1]
"""What the lessons import of ours: `helpers` and `missing_aa`."""


def stale(lessons: list[Lesson], folder: Path, package: Path = PACKAGES) -> list[str]:
    """The names of the lessons that have to be executed into `folder`, again or for the first time.

    Because they are not there, failed, were run with other parameters, are not the lesson as it
    is now, or are older than a file of the package.
    """
    files = (path for path in package.rglob("*.*") if path.parent.name != "__pycache__")
    newest = max(path.stat().st_mtime for path in files if path.is_file())
    return [
        lesson.name
        for lesson in lessons
        if not _is_fresh(lesson.path, folder / lesson.path.name, newest)
    ]


def refresh(lessons: list[Lesson], folder: Path) -> int:
    """Execute those that are stale into `folder`; the exit code of that run, 0 if none is."""
    names = stale(lessons, folder)
    if not names:
        return 0
    run = [sys.executable, "-m", "helpers", "run", *names, "--output", folder]
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # to end the run in order, too
    try:
        with subprocess.Popen(run, cwd=lessons[0].path.parent) as child:
            try:
                return child.wait()
            except BaseException:
                child.terminate()
                raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _is_fresh(lesson: Path, done: Path, since: float) -> bool:
    if not done.exists() or done.stat().st_mtime < since:
        return False
    found = nbformat.read(done, 4)
    record = found.metadata.get("papermill", {})
    sources = {cell.id: cell.source for cell in found.cells}
    return (
        record.get("exception", True) is None
        and not record.get("parameters")
        and all(sources.get(cell.id) == cell.source for cell in nbformat.read(lesson, 4).cells)
    )
