"""The report on learners' notebooks, for a person and as JSON."""

import json
import os
from collections import Counter
from dataclasses import asdict

from helpers.report.collect import ABSENT, OPEN, SOLVED, WRONG, Report, Sheet
from missing_aa.cli.output import console, print_text
from missing_aa.cli.render.tables import print_table
from missing_aa.text import clean, clean_all

WORDS = {SOLVED: "solved", WRONG: "not yet", OPEN: "not attempted", ABSENT: "not in it"}
STYLES = {SOLVED: "green", WRONG: "red", OPEN: "", ABSENT: "yellow"}


def print_report(report: Report, as_json: bool, only_summary: bool) -> None:
    """Print it to stdout."""
    if as_json:
        print_text(_as_json(report))
        return
    sheets = report.sheets
    if not only_summary:
        for sheet in sheets:
            _of_one(sheet)
    if sheets and (len(sheets) > 1 or only_summary):
        _by_notebook(sheets)
    if len({sheet.number for sheet in sheets}) < len(sheets):
        _by_exercise(sheets)
    for path, reason, _ in report.passed_over:
        print_text(f"Passed over: {clean(path, 1000)}: {clean(reason, 1000)}")
    if not sheets:
        print_text("There is no lesson of this course among them.")


def _as_json(report: Report) -> str:
    """All of it for a program; docs/reference/report.md has the schema."""
    sheets = [
        {**asdict(sheet), "solved": sheet.solved, "of": len(sheet.exercises)}
        for sheet in report.sheets
    ]
    passed = [{"path": path, "reason": reason} for path, reason, _ in report.passed_over]
    document = {"schema": 1, "notebooks": sheets, "passed_over": passed}
    return json.dumps(clean_all(document | {"exit_code": report.exit_code}), indent=2)


def _of_one(sheet: Sheet) -> None:
    """A notebook's exercises, each with its hint."""
    remark = f"; {sheet.remark}" if sheet.remark else ""
    rows = [
        [one.title, one.name, (WORDS[one.status], STYLES[one.status]), one.hint]
        for one in sheet.exercises
    ]
    print_table(
        console(),
        ("exercise", "check", "state", "hint"),
        rows,
        title=f"{sheet.number} · {sheet.title}\n{clean(sheet.path, 1000)}",
        caption=f"{sheet.solved} of {len(sheet.exercises)} solved{remark}",
    )


def _by_notebook(sheets: list[Sheet]) -> None:
    done = sum(sheet.complete for sheet in sheets)
    folder = _common_folder(sheets)
    rows = []
    for sheet in sheets:
        counts = Counter(one.status for one in sheet.exercises)
        name = os.path.relpath(sheet.path, folder) if folder else sheet.path
        rows.append(_row(clean(name, 1000), sheet.number, counts, sheets))
    words = _words(sheets)
    print_table(
        console(),
        ("notebook", "lesson", *words),
        rows,
        words,
        f"Notebooks in {clean(folder, 1000)}" if folder else "Notebooks",
        f"{done} of {len(sheets)} have every exercise solved",
    )


def _by_exercise(sheets: list[Sheet]) -> None:
    """How many learners are how far with each exercise: what to go through again."""
    counts: dict[tuple[str, str], Counter] = {}
    for sheet in sorted(sheets, key=lambda sheet: sheet.number):
        for one in sheet.exercises:
            counts.setdefault((sheet.number, one.name), Counter())[one.status] += 1
    rows = [_row(name, number, found, sheets) for (number, name), found in counts.items()]
    words = _words(sheets)
    print_table(console(), ("check", "lesson", *words), rows, words, "Exercises")


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


def _row(name: str, number: str, counts: Counter, sheets: list[Sheet]) -> list[str]:
    return [name, number, *(str(counts[state] or "") for state in _shown(sheets))]
