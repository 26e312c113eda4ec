"""What a person sees of lessons at work: a bar each on a terminal, else a line as each ends."""

import re
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from helpers.runner.catalogue import Lesson
from helpers.runner.pool import Outcome, Watcher
from missing_aa.cli.render.tables import print_table

# Escape sequences, and then what is left of control characters: an error's text may hold any.
UNPRINTABLE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x1f\x7f-\x9f]")


class Lines(Watcher):
    """Where no terminal is: one plain line for each lesson as it ends."""

    def __init__(self, console: Console):
        self._console = console

    def ended(self, outcome: Outcome) -> None:
        self._console.print(
            f"{outcome.lesson.name} {'failed' if outcome.error else 'passed'}: "
            f"{outcome.done} of {outcome.total} cells, {outcome.seconds:.1f} s",
            markup=False,
            soft_wrap=True,
        )


class Bars(Watcher):
    """On a terminal: a bar for each lesson with its cells and seconds, gone when all have ended."""

    def __init__(self, console: Console, lessons: list[Lesson]):
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            _Seconds(),
            TextColumn("{task.fields[state]}"),
            console=console,
            transient=True,
        )
        self._tasks = {
            lesson.name: self._progress.add_task(
                lesson.name, total=lesson.cells, start=False, state="waiting"
            )
            for lesson in lessons
        }

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *error) -> None:
        self._progress.stop()

    def started(self, lesson: Lesson) -> None:
        self._progress.start_task(self._tasks[lesson.name])
        self._progress.update(self._tasks[lesson.name], state="")

    def cell(self, lesson: Lesson, done: int, total: int) -> None:
        self._progress.update(self._tasks[lesson.name], completed=done, total=total)

    def ended(self, outcome: Outcome) -> None:
        task = self._tasks[outcome.lesson.name]
        self._progress.stop_task(task)
        self._progress.update(task, state="[red]failed" if outcome.error else "[green]passed")


class _Seconds(ProgressColumn):
    """How long a lesson has been at work."""

    def render(self, task: Task) -> Text:
        return Text("" if task.elapsed is None else f"{task.elapsed:.0f} s", justify="right")


def summary(console: Console, outcomes: list[Outcome]) -> None:
    """The closing table, and below it each failure in full."""
    rows = []
    for outcome in outcomes:
        result = ("failed", "red") if outcome.error else ("passed", "green")
        cells = f"{outcome.done}/{outcome.total}"
        rows.append([outcome.lesson.name, cells, f"{outcome.seconds:.1f}", result])
    print_table(console, ("lesson", "cells", "seconds", "result"), rows, ("cells", "seconds"))
    for outcome in outcomes:
        if outcome.error:
            failure = UNPRINTABLE.sub("", f"{outcome.lesson.name}: {outcome.error}")
            console.print(failure, markup=False, highlight=False, soft_wrap=True)
