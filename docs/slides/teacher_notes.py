"""What stands in the teacher's own window beside a slide, from the pages for teachers."""

import re
from collections.abc import Iterable
from pathlib import Path

TEACHING = Path(__file__).resolve().parents[1] / "teaching"


def read_plan() -> dict:
    """What the half-day plan says, by (lesson, section) and by the time at which it begins."""
    plan = {}
    page = (TEACHING / "plans.md").read_text(encoding="utf-8")
    table = page.split("## Half a day")[1].split("\n## ")[0]
    for line in re.findall(r"^\| (−?\d:\d\d .+) \|$", table, re.MULTILINE):
        at, minutes, what, lesson = (part.strip() for part in f"{line} ".split("|"))
        plan[at] = said = f"**{at}**, {minutes} minutes: {what}"
        plan.setdefault((lesson, what.split(". ")[0]), said)
    return plan


def hints(number: str, exercises: Iterable[str], section: str, title: str) -> list[str]:
    """What the lesson's page says to ask in a section, and which wrong answers to expect."""
    path = TEACHING / f"lesson_{number}.md"
    if not section or not path.exists():
        return []
    page = path.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| (.+) \| (.+) \|$", page.split("## Wrong answers")[1], re.M)
    if title in exercises:
        names = list(dict.fromkeys(re.findall(r"^\| `(\w+)`:", page, re.M)))
        check = names[list(exercises).index(title)]
        return [
            f"- {answer} → {what}" for answer, _, what in rows if answer.startswith(f"`{check}`")
        ]
    asked = page.split("## Ask\n")[1].split("\n## ")[0].split("\n\n")
    asked = [
        text
        for text in asked
        if (on := re.match(r"\s*\*(.+?)\*", text)) and section.startswith(on[1])
    ]
    votes = [
        f"- {answer.removeprefix(on[0])} → {what}"
        for answer, _, what in rows
        if (on := re.match(r"\*(.+?)\*: ", answer)) and section.startswith(on[1])
    ]
    return [*asked, *votes]
