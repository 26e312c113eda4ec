"""The progress bars of commands that work through much."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from missing_aa.cli.output import console
from missing_aa.cli.terminal import NARROW
from missing_aa.text import clean

if TYPE_CHECKING:
    from rich.console import Console

LARGE = 100_000_000
"""Bytes from which there is a progress bar, also for a single file."""


def bar_for(sources: list[Path]) -> "Bar | NoBar":
    """A progress bar on a terminal, for what is large or many; elsewhere nothing."""
    sizes = {source: _size(source) for source in sources}
    if not _is_shown() or (len(sources) == 1 and sum(sizes.values()) < LARGE):
        return NoBar()
    return Bar(console(stderr=True), sizes)


def _is_shown() -> bool:
    """Whether stderr is a terminal; it is None where it was closed."""
    return sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def counting() -> Iterator[Callable[[str, int, int], None]]:
    """Takes what is being done, how much and of how much; a terminal shows it."""
    if not _is_shown():
        yield lambda what, done, total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        task = progress.add_task("")

        def tick(what: str, done: int, total: int) -> None:
            progress.update(task, description=clean(what, 60), completed=done, total=total)

        yield tick


class NoBar:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        pass

    @contextmanager
    def file(self, source: Path) -> Iterator[Callable[[int, int], None]]:
        yield lambda done, total: None


class Bar:
    """A progress bar over the bytes of some files."""

    def __init__(self, console: "Console", sizes: dict[Path, int]):
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._sizes = sizes
        total = sum(sizes.values())
        columns = [TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn()]
        if console.width >= NARROW:
            columns.append(TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, transient=True)
        many = len(sizes) > 1
        self._all = self._progress.add_task("all files", total=total, visible=many)
        self._done = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_) -> None:
        self._progress.stop()

    @contextmanager
    def file(self, source: Path) -> Iterator[Callable[[int, int], None]]:
        """While one file is at work; gives what takes the bytes written, and of how many."""
        task = self._progress.add_task(clean(source.name, 40), total=self._sizes[source])

        def wrote(done: int, total: int) -> None:
            self._progress.update(task, completed=done, total=total)
            self._progress.update(self._all, completed=self._done + done)

        yield wrote
        self._done += self._sizes[source]
        self._progress.update(self._all, completed=self._done)
        self._progress.remove_task(task)


def _size(source: Path) -> int:
    try:
        return source.stat().st_size
    except OSError:
        return 0
