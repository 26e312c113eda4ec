"""A check as text, and as JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from missing_aa.checker.check import Check
from missing_aa.checker.findings import MAY_FAIL, NOTHING, WILL_FAIL, Finding
from missing_aa.checker.ways import ways
from missing_aa.errors import Problem
from missing_aa.text import clean, clean_all, few

DANGEROUS = 3
SHOWN = 12
"""So many findings of a kind are printed; --json has all."""

NEVER = (
    "shapes and numbers",
    "what the modules themselves import",
    "compiled code",
    "training",
)
"""What no check follows."""

CAVEAT = "Whether the output is what it was, no check can tell: compare it with one that you know."


@dataclass
class Outcome:
    """What became of one file; with `strict` what may fail counts as what will."""

    path: str
    result: Check | Problem
    strict: bool = False

    @property
    def exit_code(self) -> int:
        if isinstance(self.result, Problem):
            return self.result.exit_code
        if self.result.dangerous:
            return DANGEROUS
        answer = self.result.answer
        fails = answer == WILL_FAIL or (self.strict and answer == MAY_FAIL)
        return int(fails)


def as_json(outcomes: list[Outcome]) -> str:
    """All of it for a program; docs/reference/check.md has the schema."""
    return json.dumps({"schema": 1, "files": [clean_all(_entry(o)) for o in outcomes]}, indent=2)


def _entry(outcome: Outcome) -> dict:
    check = outcome.result
    if isinstance(check, Problem):
        error = {"kind": type(check).__name__, "message": str(check)}
        return {"path": outcome.path, "exit_code": outcome.exit_code, "error": error}
    return {
        "path": check.path,
        "kind": check.kind,
        "answer": check.answer,
        "enough": check.enough,
        "environment": check.environment,
        "packages": [asdict(package) for package in check.packages],
        "models": [_renamed(asdict(model)) for model in check.models],
        "findings": [_renamed(asdict(finding)) for finding in check.findings],
        "not_followed": check.notes,
        "never_followed": list(NEVER),
        "dangerous": check.dangerous,
        "ways": [asdict(way) for way in ways(check)],
        "steps": check.steps,
        "exit_code": outcome.exit_code,
        "error": None,
    }


def _renamed(entry: dict) -> dict:
    return {name.rstrip("_"): value for name, value in entry.items()}


def lines(check: Check) -> Iterator[str]:
    """What a person reads."""
    for line in _answer(check):
        yield clean(line, 1000)


def _answer(check: Check) -> Iterator[str]:
    yield f"{check.path}: {_headline(check)}"
    for model in check.models:
        where = f" at {model.model}" if model.model else ""
        yield f"  {model.class_}{where}"
    yield f"  in {_environment(check)}"
    if check.dangerous:
        yield f"  Do not load this file: it asks for {', '.join(check.dangerous[:3])}."
    certain = [finding for finding in check.findings if finding.certain]
    possible = [finding for finding in check.findings if not finding.certain]
    yield from _group("", certain)
    yield from _group("It may also miss:" if certain else "It may miss:", possible)
    yield ""
    yield from _walked(check)
    if check.notes:
        yield "Of this file was not followed:"
        yield from (f"  {note}" for note in check.notes[:SHOWN])
        if len(check.notes) > SHOWN:
            yield f"  and {len(check.notes) - SHOWN} more (--json)"
    yield f"Never followed: {', '.join(NEVER)}. {CAVEAT}"
    yield from _ways(check)


def _headline(check: Check) -> str:
    if check.answer == WILL_FAIL:
        return f"{WILL_FAIL} {check.certain[0].when}"
    if not check.enough:
        return "may fail: too little of it could be walked to tell"
    if check.answer == NOTHING and not check.models and check.kind == "state_dict":
        also = f"; of the names that it asks for {NOTHING}" if check.packages else ""
        return f"holds weights alone, a state_dict, and no whole model{also}"
    if check.answer == NOTHING and not check.models:
        return "holds no whole model that is known here; of the names that it asks for " + NOTHING
    return check.answer


def _environment(check: Check) -> str:
    parts = [check.environment]
    for package in check.packages:
        version = package.version or "of unknown version"
        text = f"{package.name} {version}" if package.found else f"no {package.name}"
        if package.distribution:
            text += f" of {package.distribution}"
        if package.recorded:
            text += f" (the file: {package.recorded})"
        parts.append(text)
    return ", ".join(parts)


def _group(title: str, findings: list[Finding]) -> Iterator[str]:
    if findings:
        yield ""
    if findings and title:
        yield title
    together: dict[object, list[Finding]] = {}
    for finding in findings:
        bare = not (finding.file or finding.places or finding.hint or finding.doubts)
        alike = (finding.error, finding.message, finding.when) if bare else id(finding)
        together.setdefault(alike, []).append(finding)
    shown = list(together.values())[:SHOWN]
    for finding, *others in shown:
        yield f"  {finding.text}"
        more = f" and {len(others)} more" if others else ""
        yield f"      {_where(finding)}{more}"
        if finding.hint:
            yield f"      {finding.hint}"
        if not finding.certain and finding.doubts:
            yield f"      only possible: {finding.doubts[0]}"
    if left := len(findings) - sum(map(len, shown)):
        yield f"  and {left} more (--json)"


def _where(finding: Finding) -> str:
    parts = [finding.when]
    if finding.file:
        parts.append(f"{finding.file}:{finding.line}")
    if finding.places:
        first, *others = finding.places
        parts.append(f"{first} and {len(others)} more" if others else first)
    elif not finding.file and finding.class_:
        how = "fetched by getattr" if finding.attribute else "asked for by its name"
        parts.append(f"{how}, {finding.class_}")
    return ", ".join(parts)


def _walked(check: Check) -> Iterator[str]:
    for model in check.models:
        name = f" of {model.model}" if model.model else ""
        left = [each for each in model.defaults if not each.startswith("*")]
        left += ["further arguments"] if len(left) < len(model.defaults) else []
        without = f", forward called without {few(left)}" if left else ""
        yield f"Walked {model.walked} of {model.modules} modules{name}{without}."


def _ways(check: Check) -> Iterator[str]:
    found = ways(check)
    if found:
        yield ""
        yield "Ways out:"
    for number, way in enumerate(found, 1):
        yield f"  {number}. {way.text}"
        yield from (f"     {command}" for command in way.commands)
