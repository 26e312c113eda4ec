"""What a person, or a program, is told of learners' notebooks."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from helpers.report.collect import ABSENT, OPEN, SOLVED, WRONG, Report, Sheet
from missing_aa.cli.output import print_text
from missing_aa.text import clean, clean_all

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

WORDS = {SOLVED: "solved", WRONG: "not yet", OPEN: "not attempted", ABSENT: "not in it"}
STYLES = {SOLVED: "green", WRONG: "red", OPEN: "", ABSENT: "yellow"}


def print_report(report: Report, as_json: bool, only_summary: bool) -> None:
    """Print it to stdout."""
    if as_json:
        print_text(_as_json(report))
        return
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    for part in _parts(report, only_summary):
        console.print(part)


def _as_json(report: Report) -> str:
    """All of it for a program; docs/reference/report.md has the schema."""
    sheets = [
        {**asdict(sheet), "solved": sheet.solved, "of": len(sheet.exercises)}
        for sheet in report.sheets
    ]
    passed = [{"path": path, "reason": reason} for path, reason, _ in report.passed_over]
    said = {"schema": 1, "notebooks": sheets, "passed_over": passed}
    return json.dumps(clean_all(said | {"exit_code": report.exit_code}), indent=2)


def _parts(report: Report, only_summary: bool) -> Iterator["RenderableType"]:
    sheets = report.sheets
    if not only_summary:
        yield from map(_of_one, sheets)
    if sheets and (len(sheets) > 1 or only_summary):
        yield _by_notebook(sheets)
    if len({sheet.number for sheet in sheets}) < len(sheets):
        yield _by_exercise(sheets)
    for path, reason, _ in report.passed_over:
        yield f"Passed over: {clean(path, 1000)}: {clean(reason, 1000)}"
    if not sheets:
        yield "There is no lesson of this course among them."


def _of_one(sheet: Sheet) -> "Table":
    """A notebook's exercises, each with its hint."""
    from rich.text import Text

    remark = f"; {sheet.remark}" if sheet.remark else ""
    table = _table(
        Text(f"{sheet.number} · {sheet.title}\n{clean(sheet.path, 1000)}"),
        Text(f"{sheet.solved} of {len(sheet.exercises)} solved{remark}"),
        ("exercise", "check", "state", "hint"),
    )
    for one in sheet.exercises:
        state = Text(WORDS[one.status], STYLES[one.status])
        table.add_row(Text(one.title), Text(one.name), state, Text(one.hint))
    return table


def _by_notebook(sheets: list[Sheet]) -> "Table":
    from rich.text import Text

    done = sum(sheet.complete for sheet in sheets)
    folder = _common_folder(sheets)
    table = _table(
        Text(f"Notebooks in {clean(folder, 1000)}" if folder else "Notebooks"),
        Text(f"{done} of {len(sheets)} have every exercise solved"),
        ("notebook", "lesson", *_words(sheets)),
    )
    for sheet in sheets:
        counts = Counter(one.status for one in sheet.exercises)
        name = os.path.relpath(sheet.path, folder) if folder else sheet.path
        table.add_row(Text(clean(name, 1000)), sheet.number, *_numbers(counts, sheets))
    return table


def _by_exercise(sheets: list[Sheet]) -> "Table":
    """How many learners are how far with each exercise: what to go through again."""
    from rich.text import Text

    counts: dict[tuple[str, str], Counter] = {}
    for sheet in sorted(sheets, key=lambda sheet: sheet.number):
        for one in sheet.exercises:
            counts.setdefault((sheet.number, one.name), Counter())[one.status] += 1
    table = _table(Text("Exercises"), None, ("check", "lesson", *_words(sheets)))
    for (number, name), found in counts.items():
        table.add_row(Text(name), number, *_numbers(found, sheets))
    return table


def _common_folder(sheets: list[Sheet]) -> str:
    """The folder that all of them lie below; empty where there is none to name."""
    try:
        return os.path.commonpath([os.path.dirname(sheet.path) for sheet in sheets])
    except ValueError:  # absolute and relative paths, or several drives
        return ""


def _shown(sheets: list[Sheet]) -> list[str]:
    """The states that have a column; the last only if it occurs."""
    occur = {one.status for sheet in sheets for one in sheet.exercises}
    return [state for state in WORDS if state != ABSENT or state in occur]


def _words(sheets: list[Sheet]) -> list[str]:
    return [WORDS[state] for state in _shown(sheets)]


def _numbers(counts: Counter, sheets: list[Sheet]) -> list[str]:
    return [str(counts[state] or "") for state in _shown(sheets)]


def _table(title, caption, head: tuple[str, ...]) -> "Table":
    from rich.table import Table

    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    for name in head:
        justify = "right" if name in WORDS.values() else "left"
        table.add_column(name, justify=justify, overflow="fold")
    return table
