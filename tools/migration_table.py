"""What the newest release makes of files of each era: the measured part of docs/migration.md.

    python -m tools.migration_table

replaces it there, between two marks, from the atlas.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from missing_aa.matrix import atlas
from missing_aa.matrix.cells import DIFFERENT, ERROR, FORMATS, NO_MODEL, OK, Cell
from missing_aa.matrix.summary import share
from missing_aa.releases import CURRENT, KNOWN

TARGET = Path("docs/migration.md")
MARKS = ("<!-- measured: python -m tools.migration_table -->\n", "<!-- end of measured -->\n")
FIRSTS = ("0.4.12", "0.6.2.dev0", "0.8.2.dev0", "0.9.0", "1.0.3", "1.0.7", "1.0.12")
"""The first release of each era: there a large part of what older files hold was moved or read
in another way."""
MOST = 2
"""Errors that are listed of an era."""

HEAD = """\
Read by timm {newest}: {models} architectures, one of each of timm's model files and a few more,
as every older release of the {releases} in the atlas wrote them. Counted are the files that give
the writer's output.

| written by | as it is | what it says most often | state_dict, strictly | rescued |
|---|---|---|---|---|
"""


def measured(full: atlas.Atlas) -> str:
    """The table, a line for each era, and by name what rescued weights do not bring over."""
    newest = full.releases[-1]
    cells = [cell for cell in full.cells if cell.reader == newest and cell.writer != newest]
    order = list(KNOWN)
    firsts = [order.index(first) for first in FIRSTS]
    by_era = defaultdict(list)
    for cell in cells:
        by_era[sum(order.index(cell.writer) >= first for first in firsts) - 1].append(cell)
    ends = [order[first - 1] for first in firsts[1:]] + [full.releases[-2]]
    lines = [HEAD.format(newest=newest, models=len(full.models), releases=len(full.releases))]
    for number, (first, end) in enumerate(zip(FIRSTS, ends, strict=True)):
        name = first if first == end else f"{first} to {end}"
        shares = {form: _share(by_era[number], form) for form in FORMATS}
        errors = "<br>".join(_errors(by_era[number]))
        row = (name, shares["whole"], errors, shares["state_dict"], shares["rescued"])
        lines.append(f"| {' | '.join(row)} |\n")
    return "".join([*lines, "\n", _sum(cells)])


def _share(cells: Iterable[Cell], form: str) -> str:
    found = share(cell for cell in cells if cell.format == form)
    return f"{found.ok} of {found.cells}"


def _errors(cells: Iterable[Cell]) -> list[str]:
    """The most frequent errors of whole pickles, with their number; modules by their package."""
    met = Counter(
        _kind(cell.outcome.text)
        for cell in cells
        if cell.format == "whole" and cell.outcome.result == ERROR
    )
    return [f"`{text}` ({count})" for text, count in met.most_common(MOST)]


def _kind(text: str) -> str:
    text = re.sub(r" on <module.*", "", text)
    return re.sub(r"(No module named 'timm\.models\.layers)\..*'", r"\1…'", text)


def _sum(cells: list[Cell]) -> str:
    """Of all older files: how many come over, and which do not, by model."""
    rescued = [cell for cell in cells if cell.format == "rescued"]
    total = share(rescued)
    lines = [
        f"In all, {total.ok:,} of {total.cells:,} rescued files give the writer's output, and "
        f"{share(c for c in cells if c.format == 'whole').ok:,} do as they are.",
        "",
    ]
    kinds = {
        ERROR: "do not fit, and say so",
        DIFFERENT: "fit, and give another output",
        NO_MODEL: f"are of a model that {CURRENT} does not have",
    }
    for result, words in kinds.items():
        models = defaultdict(list)
        for cell in rescued:
            if cell.outcome.result == result:
                models[cell.model].append(cell.writer)
        if not models:
            continue
        count = sum(map(len, models.values()))
        named = ", ".join(f"`{model}` {_span(those)}" for model, those in sorted(models.items()))
        lines.append(f"- {count} {words}: {named}.")
    other = {cell.outcome.result for cell in rescued} - {OK, *kinds}
    lines += [f"- some are {', '.join(sorted(other))}."] if other else []
    return "\n".join([*lines, ""])


def _span(writers: list[str]) -> str:
    those = sorted(writers, key=list(KNOWN).index)
    if len(those) == 1:
        return f"from {those[0]}"
    return f"from {those[0]} to {those[-1]}"


def renewed(page: str, text: str) -> str:
    """The page with that text between the marks. Raises ValueError where they are missing."""
    before, _, rest = page.partition(MARKS[0])
    _, mark, after = rest.partition(MARKS[1])
    if not mark:
        raise ValueError(f"the page has no {MARKS[0].strip()} … {MARKS[1].strip()}")
    return "".join([before, MARKS[0], "\n", text, "\n", MARKS[1], after])


if __name__ == "__main__":
    TARGET.write_text(
        renewed(TARGET.read_text(encoding="utf-8"), measured(atlas.load())), encoding="utf-8"
    )
    print(TARGET)
