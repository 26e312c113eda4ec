"""A comparison as text, as JSON and as annotations for GitHub."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby

from packaging.version import InvalidVersion, Version

from missing_aa.cli.output import complain
from missing_aa.cli.render.annotations import annotation
from missing_aa.comparer.compare import Comparison
from missing_aa.comparer.findings import KINDS, Finding
from missing_aa.comparer.missing import UNKNOWN
from missing_aa.text import clean, clean_all


def warn(comparison: Comparison) -> None:
    """Say on stderr what was left out, and when the two are the wrong way round."""
    old, new = comparison.old, comparison.new
    warnings = [*old.left_out, *new.left_out]
    if comparison.not_done:
        warnings.append(comparison.not_done)
    if old.version and new.version and _is_newer(old.version, new.version):
        warnings.append(
            f"OLD ({old.version}) is newer than NEW ({new.version}): this says what breaks when "
            "somebody goes back"
        )
    for line in warnings:
        complain("missing-aa compat", clean(line, 1000), "warning")


def _is_newer(one: str, other: str) -> bool:
    try:
        return Version(one) > Version(other)
    except InvalidVersion:
        return False


def as_json(comparison: Comparison, exit_code: int) -> str:
    """All of it for a program; docs/reference/compat.md has the schema."""
    document = {
        "schema": 1,
        "old": asdict(comparison.old),
        "new": asdict(comparison.new),
        "findings": [_entry(finding) for finding in comparison.findings],
        "not_done": comparison.not_done,
        "exit_code": exit_code,
    }
    return json.dumps(clean_all(document), indent=2)


def _entry(finding: Finding) -> dict:
    entry = asdict(finding)
    return {"kind": entry.pop("kind"), "class": entry.pop("class_"), **entry}


def annotations(comparison: Comparison, chosen: list[Finding]) -> Iterator[str]:
    """Workflow commands, which GitHub shows beside the lines that they name."""
    for finding in chosen:
        yield annotation(
            "error" if finding.certain else "warning",
            f"{finding.message}; {finding.remedy}",
            f"old pickles: {_headline(finding)}",
            finding.file,
            finding.line,
        )
    yield clean(_summary(comparison, chosen), 1000)


def lines(comparison: Comparison, chosen: list[Finding]) -> Iterator[str]:
    """What a person reads: by place in the new version, and then what has moved."""
    for line in (*_in_place(chosen), *_moved(chosen), _summary(comparison, chosen)):
        yield clean(line, 2000)


def _in_place(chosen: list[Finding]) -> Iterator[str]:
    """Findings of one line and attribute, in a class and those that inherit from it, are one."""
    found = [each for each in chosen if each.kind != "moved"]
    for _, group in groupby(found, key=lambda each: (each.file, each.line, each.attribute)):
        first, *others = group
        yield f"{first.file}:{first.line}: {_headline(first)}"
        yield f"    {first.message}"
        if others:
            yield f"    the same in {', '.join(each.class_ for each in others)}"
        yield f"    → {first.remedy}"


def _moved(chosen: list[Finding]) -> Iterator[str]:
    """A group for all that went the same way."""
    found = [each for each in chosen if each.kind == "moved"]
    ways = [(each.class_.rpartition(".")[0], each.message) for each in found]
    for way in dict.fromkeys(ways):
        group = [each for each, its in zip(found, ways, strict=True) if its == way]
        names = ", ".join(each.class_.rpartition(".")[2] for each in group)
        yield f"{way[0]}: {names}: {way[1]}"
        yield f"    → {_joined([each.remedy for each in group])}"


def _joined(remedies: list[str]) -> str:
    """Lines for one module as one."""
    place = remedies[0].partition(": ")[0]
    rest = [each.partition(": ")[2] for each in remedies]
    origins = {each.partition(" import ")[0] for each in rest}
    if len(origins) == 1 and rest[0].startswith("from "):
        names = ", ".join(each.partition(" import ")[2] for each in rest)
        return f"{place}: {origins.pop()} import {names}"
    return f"{place}: {'; '.join(rest)}"


def _headline(finding: Finding) -> str:
    if finding.kind == "missing":
        return f"{finding.class_} lacks {finding.attribute}"
    return ".".join(filter(None, (finding.class_, finding.attribute)))


def _summary(comparison: Comparison, chosen: list[Finding]) -> str:
    kinds = [each.kind for each in chosen]
    counts = [f"{what}: {kinds.count(kind)}" for kind, what in KINDS.items() if kind in kinds]
    parts = [", ".join(counts) or "nothing that breaks old pickles"]
    if more := len(comparison.findings) - len(chosen):
        parts.append(f"possible besides: {more} (--possible)")
    if any(each.remedy.endswith(UNKNOWN) for each in chosen):
        parts.append(f"{UNKNOWN} stands for the value with which objects do what they did before")
    return f"{comparison.old.named} → {comparison.new.named}: {'; '.join(parts)}"
