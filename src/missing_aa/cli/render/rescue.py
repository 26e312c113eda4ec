"""A rescue as text, and as JSON."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from missing_aa.cli.output import complain, print_text
from missing_aa.cli.render.tables import Cell, print_table
from missing_aa.errors import Problem
from missing_aa.text import clean, clean_all, few, shell_path, size

if TYPE_CHECKING:
    from rich.console import Console

    from missing_aa.rescuer.fit_timm import Fit
    from missing_aa.rescuer.messages import Report
    from missing_aa.rescuer.verify import Verdict


@dataclass
class Outcome:
    """What became of one source."""

    source: Path
    target: Path
    report: "Report | None" = None
    fit: "Fit | None" = None
    verdict: "Verdict | None" = None
    problem: Problem | None = None

    @property
    def exit_code(self) -> int:
        if self.problem:
            return self.problem.exit_code
        return int(self.verdict is not None and not self.verdict.passed)


def print_outcome(outcome: Outcome) -> None:
    """One file: what it was, what became of it, and how to go on."""
    report, target = outcome.report, outcome.target
    if report:
        print_text(f"{_name(outcome.source)}: {describe(report)}")
        what = "a folder for timm" if outcome.fit else "safetensors, bit for bit"
        print_text(
            f"{_name(target)}: {what}, {report.tensors} tensor{'s' * (report.tensors != 1)}, "
            f"{size(report.nbytes)}, read without running any of the file's code"
        )
        for note in notes(report, outcome.fit):
            print_text(f"  note: {note}")
    if outcome.verdict:
        print_text(_verdict(outcome.verdict))
    if outcome.problem:
        complain("missing-aa rescue", f"{_name(outcome.source)}: {_text(outcome.problem)}")
    if report:
        print_text("")
        for line in next_steps(outcome, report):
            print_text(line)


def describe(report: "Report") -> str:
    """What the file is, in a line."""
    parts = [report.kind]
    if report.root:
        parts.append(f"at {clean(report.root)}")
    if report.model_class:
        parts.append(clean(report.model_class))
    named = [report.architecture] if report.architecture else []
    if report.num_classes is not None:
        named.append(f"{report.num_classes} classes")
    if named:
        parts.append(f"({', '.join(named)})")
    if report.writer:
        parts.append(f"written by timm {report.writer}")
    return " ".join(parts)


def notes(report: "Report", fit: "Fit | None") -> list[str]:
    """What a person should know of the result."""
    lines = [clean(note, 400) for note in report.notes]
    if report.dangers:
        lines.insert(0, _dangers(report.dangers))
    if report.prefix:
        lines.append(f"the wrapper's prefix {report.prefix!r} was taken off every name")
    for group in report.aliases:
        lines.append(
            f"these share memory in the file and are each written in full: {few(group, 4, 60)}"
        )
    if fit:
        lines.append(_fit(fit))
    return lines


def _dangers(dangers: list[str]) -> str:
    from missing_aa.rescuer.messages import AS_THEY_LIE

    return (
        f"DANGEROUS: the file asks for {few(dangers)}. Do not load it. {AS_THEY_LIE.capitalize()}"
    )


def _fit(fit: "Fit") -> str:
    parts = [f"{fit.fitted} tensors fitted timm's {fit.architecture} as they are"]
    if fit.remapped:
        new, old = next(iter(fit.remapped.items()))
        parts.append(
            f"{len(fit.remapped)} under another name (such as {clean(old)} → {clean(new)})"
        )
    if fit.changed:
        parts.append(f"{len(fit.changed)} were made by timm from others ({_some(fit.changed)})")
    if fit.unused:
        parts.append(f"{len(fit.unused)} have no place in it ({_some(fit.unused)})")
    return "; ".join(parts)


def _some(names: list[str]) -> str:
    return ", ".join(clean(name, 60) for name in names[:3]) + (", …" if len(names) > 3 else "")


def _verdict(verdict: "Verdict") -> str:
    tensors = {True: "tensors equal, ", False: "tensors DIFFER, ", None: ""}[verdict.tensors_equal]
    end = "so it is as the original" if verdict.passed else "so it is NOT as the original"
    return (
        f"loaded by timm {verdict.release}: {tensors}largest relative difference of the output "
        f"{verdict.difference:.2g}, {end}"
    )


def next_steps(outcome: Outcome, report: "Report") -> list[str]:
    """The lines of Python that load the result."""
    target = str(outcome.target)
    if outcome.fit:
        lines = [
            "Load it:",
            "    import timm",
            f"    model = timm.create_model({f'local-dir:{target}'!r}, pretrained=True).eval()",
        ]
        if outcome.verdict:
            return lines
        return [
            *lines,
            "That all tensors fit does not promise the same output: if you trust the file, "
            "--verify-with RELEASE --trust compares.",
        ]
    load = [
        "Load it:",
        "    from safetensors.torch import load_file",
        f"    state_dict = load_file({target!r})",
    ]
    if not report.architecture:
        return [*load, *_for_a_model_of_ones_own(outcome.source, report)]
    classes = "" if report.num_classes is None else f", num_classes={report.num_classes}"
    return [
        *load,
        "and, with timm (pip install timm):",
        "    import timm",
        f"    model = timm.create_model({report.architecture!r}{classes})",
        "    model.load_state_dict(state_dict)",
        "    model.eval()  # to use it, not to train it",
        "If timm has renamed something since, that fails; then this makes what it takes today:",
        f"    missing-aa rescue {shell_path(str(outcome.source))} FOLDER --format timm",
    ]


def _for_a_model_of_ones_own(path: Path, report: "Report") -> list[str]:
    """How to go on where the file does not say which model its weights are for."""
    name = clean(report.model_class)
    lines = [
        f"and, into a model that you make with the code that defines {name or 'it'}:",
        "    model.load_state_dict(state_dict)",
    ]
    if name.startswith("timm.") or not name:
        what = "If it is one of timm's" if not name else "It is one of timm's; if"
        source = shell_path(str(path))
        lines.append(
            f"{what} and you know timm's name for it: "
            f"missing-aa rescue {source} FOLDER --format timm --architecture NAME"
        )
    return lines


def table(console: "Console", outcomes: list[Outcome]) -> None:
    """Many files: a line each, and below what a line cannot hold."""
    rows: list[list[Cell]] = []
    for outcome in outcomes:
        report = outcome.report
        what = (report.architecture or clean(report.model_class) or report.kind) if report else ""
        numbers = (str(report.tensors), size(report.nbytes)) if report else ("", "")
        result = type(outcome.problem).__name__ if outcome.problem else clean(outcome.target.name)
        style = "red" if outcome.exit_code else "green"
        rows.append([_name(outcome.source), what, *numbers, (result, style)])
    head = ("file", "what it is", "tensors", "bytes", "result")
    print_table(console, head, rows, ("tensors", "bytes"))
    for outcome in outcomes:
        lines = notes(outcome.report, outcome.fit) if outcome.report else []
        lines += [_verdict(outcome.verdict)] if outcome.verdict else []
        lines += [_text(outcome.problem)] if outcome.problem else []
        for line in lines:
            print_text(f"{_name(outcome.source)}: {line}")
    done = next((outcome for outcome in outcomes if outcome.report), None)
    if done and done.report:
        print_text("")
        for line in next_steps(done, done.report):
            print_text(line)


def as_json(outcomes: list[Outcome]) -> str:
    """All of it for a program; docs/reference/rescue.md has the schema."""
    return json.dumps({"schema": 1, "files": [clean_all(_entry(o)) for o in outcomes]}, indent=2)


def _entry(outcome: Outcome) -> dict:
    problem = outcome.problem
    return {
        "source": str(outcome.source),
        "target": str(outcome.target) if outcome.report else None,
        "report": asdict(outcome.report) if outcome.report else None,
        "fit": asdict(outcome.fit) if outcome.fit else None,
        "verdict": asdict(outcome.verdict) if outcome.verdict else None,
        "error": {
            "kind": type(problem).__name__,
            "message": str(problem),
            "exit_code": problem.exit_code,
        }
        if problem
        else None,
    }


def _text(problem: Problem) -> str:
    return clean(str(problem), 2000)


def _name(path: Path) -> str:
    return clean(str(path))
