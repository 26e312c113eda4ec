"""An inspection as text, and as JSON."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from missing_aa.cli import output
from missing_aa.cli.render.tables import print_table
from missing_aa.cli.terminal import paint
from missing_aa.errors import Problem
from missing_aa.pickles.policy import DANGEROUS, FINE, NEEDS_CODE, UNJUDGED, VERDICTS
from missing_aa.text import clean, clean_all, shell_path, shell_word, size

if TYPE_CHECKING:
    from missing_aa.inspector import Findings, Model

STYLES = {FINE: "good", UNJUDGED: "warning", DANGEROUS: "bad"}

INDENT = 14
"""Columns of a heading; what belongs to it stands behind them."""

MOST_NAMES = 50
"""So many names of a verdict are printed."""

MEANING = {
    FINE: "inert, as it is used here",
    NEEDS_CODE: "classes: loading runs the code of their package",
    UNJUDGED: "what they do is not known here",
    DANGEROUS: "no checkpoint needs them",
}
REFUSED = 3


@dataclass
class Outcome:
    """What became of one file."""

    path: str
    result: "Findings | Problem"

    @property
    def exit_code(self) -> int:
        if isinstance(self.result, Problem):
            return self.result.exit_code
        return REFUSED if self.result.dangerous else int(self.result.is_unjudged)


def as_json(outcomes: list[Outcome]) -> str:
    """All of it for a program; docs/reference/inspect.md has the schema."""
    import json

    return json.dumps({"schema": 2, "files": [clean_all(_entry(o)) for o in outcomes]}, indent=2)


def _entry(outcome: Outcome) -> dict:
    result = outcome.result
    if not isinstance(result, Problem):
        return {**result.as_dict(), "exit_code": outcome.exit_code, "error": None}
    return {
        "path": outcome.path,
        "format": getattr(result, "format", "") or None,
        "exit_code": outcome.exit_code,
        "error": {"kind": type(result).__name__, "message": str(result)},
    }


def print_findings(outcomes: list[Outcome]) -> None:
    """One file: all that was found out. Many: a line each, and below what needs attention."""
    result = outcomes[0].result
    if len(outcomes) > 1:
        _print_many(outcomes)
    elif isinstance(result, Problem):
        output.complain("missing-aa inspect", _problem(outcomes[0].path, result))
    else:
        _print_one(result)


def _print_one(findings: "Findings") -> None:
    rows = [line for heading, lines in _rows(findings) for line in _row(heading, lines)]
    names = [line for verdict in reversed(VERDICTS) for line in _names(findings, verdict)]
    output.print_text("\n".join([*rows, *names, "", clean(_next_step(findings), 2000)]).rstrip())


def _row(heading: str, lines: list[str]) -> list[str]:
    """Lines that come out of a file, beside their heading, or below one that is long."""
    first, *others = [clean(line, 400) for line in lines]
    heading = clean(heading, 400)
    below = [f"{'':{INDENT}}{line}" for line in others]
    if len(heading) < INDENT:
        return [f"{heading:{INDENT}}{first}", *below]
    return [heading, f"{'':{INDENT}}{first}", *below]


def _names(findings: "Findings", verdict: str) -> list[str]:
    """The names that got this verdict, below what it means; none, if there are none."""
    names = [name for name in findings.names if name.verdict == verdict]
    if not names:
        return []
    shown = [f"{n.name}: {n.reason}" if n.reason else n.name for n in names[:MOST_NAMES]]
    if len(names) > MOST_NAMES:
        shown.append(f"and {len(names) - MOST_NAMES:,} more (--json)")
    heading = f"{verdict} names ({len(names)})"
    if verdict in STYLES:
        heading = paint(heading, STYLES[verdict], sys.stdout)
    return [f"{heading}: {MEANING[verdict]}", *(f"{'':{INDENT}}{clean(n, 400)}" for n in shown)]


def _rows(findings: "Findings"):
    from missing_aa.containers.formats import FORMATS

    yield "file", [f"{findings.path}, {size(findings.size)}"]
    yield "format", [FORMATS[findings.format]]
    if findings.kind:
        yield "holds", [findings.kind]
    for model in findings.models:
        yield f"at {model.name}" if model.name else "model", _model(model)
    if findings.tensors and not findings.models:
        yield "tensors", [f"{findings.tensors}, {size(findings.bytes)}"]
    if findings.writer:
        yield "made by timm", [str(findings.writer), *findings.writer.evidence]
    if findings.metadata:
        yield "metadata", [f"{key}: {text}" for key, text in findings.metadata.items()]
    for note in findings.notes:
        yield "note", [note]


def _model(model: "Model") -> list[str]:
    lines = [model.class_ or "state_dict"]
    named = [model.architecture] if model.architecture else []
    named += [] if model.num_classes is None else [f"{model.num_classes} classes"]
    if named:
        lines.append(", ".join(named))
    if model.tensors is not None and model.bytes is not None:
        count = f"{model.tensors} tensor{'s' * (model.tensors != 1)}, {size(model.bytes)}"
        if model.parameters is not None:
            count = f"{model.parameters:,} parameters, {count}"
        lines.append(count)
    if model.prefix:
        lines.append(f"wrapped: {model.prefix} stands before every name")
    return [*lines, *model.notes]


def _next_step(findings: "Findings") -> str:
    from missing_aa.containers.formats import FOREIGN, PROGRAM, RUNS_PROGRAM

    if findings.dangerous:
        warning = "Do not load this file: it asks for what no checkpoint needs."
        if not findings.models:
            return warning
        rescue = (
            f"missing-aa rescue --even-if-dangerous {shell_path(findings.path)} TARGET.safetensors"
        )
        return f"{warning} Its weights come out without running it: {rescue}"
    if findings.format == PROGRAM:
        return f"It is {RUNS_PROGRAM}: only if you trust it, {FOREIGN[PROGRAM]}."
    if findings.format in FOREIGN:
        return f"To use it, {FOREIGN[findings.format]}."
    if findings.is_unjudged and not findings.whole_models:
        return "Look at what the unjudged names do before you load it with weights_only=False."
    if findings.whole_models:
        which = f" --root {shell_word(findings.models[0].name)}" if len(findings.models) > 1 else ""
        return (
            "A whole model is tied to the code that wrote it. Get the weights out with: "
            f"missing-aa rescue {shell_path(findings.path)} TARGET.safetensors{which}"
        )
    if findings.kind == "state_dict":
        return "Only weights: they can be loaded into a model that you make."
    return ""


def _print_many(outcomes: list[Outcome]) -> None:
    head = ("file", "what it is", "model", "tensors", "bytes", "names", "made by timm")
    rows = [[clean(cell, 400) for cell in _line(outcome)] for outcome in outcomes]
    print_table(output.console(), head, rows, ("tensors", "bytes"))
    for outcome in outcomes:
        if isinstance(outcome.result, Problem):
            output.print_text(_problem(outcome.path, outcome.result))
            continue
        for judged in outcome.result.dangerous:
            path = paint(f"{clean(outcome.path)}:", "bad", sys.stdout)
            reason = f"asks for {judged.name}, which {judged.reason}"
            output.print_text(f"{path} {clean(reason, 400)}")


def _line(outcome: Outcome) -> list[str]:
    findings = outcome.result
    if isinstance(findings, Problem):
        return [outcome.path, type(findings).__name__, *[""] * 5]
    models = [
        m.architecture or m.class_.rpartition(".")[2] or "state_dict" for m in findings.models
    ]
    worst = max((VERDICTS.index(name.verdict) for name in findings.names), default=0)
    return [
        outcome.path,
        findings.kind or findings.format,
        ", ".join(models),
        str(findings.tensors or ""),
        size(findings.bytes) if findings.tensors else "",
        VERDICTS[worst] if findings.names else "",
        str(findings.writer or ""),
    ]


def _problem(path: str, problem: Problem) -> str:
    return f"{clean(path)}: {clean(str(problem), 2000)}"
