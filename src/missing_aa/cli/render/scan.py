"""A scan as text, as JSON, as SARIF and as annotations for GitHub."""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from urllib.parse import quote

from missing_aa import __version__
from missing_aa.cli.output import print_text
from missing_aa.cli.render.annotations import annotation, relative
from missing_aa.cli.terminal import paint
from missing_aa.containers.formats import FOREIGN
from missing_aa.scanner.scan import Scan
from missing_aa.scanner.verdict import (
    DANGEROUS,
    FINDING,
    FINE,
    LIMIT,
    MALFORMED,
    NEEDS_CODE,
    OTHER,
    PICKLED,
    PLACEHOLDER,
    REFUSED,
    UNJUDGED,
    UNREADABLE,
    Checkpoint,
)
from missing_aa.scanner.walk import UNASKED
from missing_aa.text import clean, clean_all, few, shell_path, shell_word

WORDS = {
    FINE: "fine",
    OTHER: "of another kind",
    NEEDS_CODE: "needing code",
    UNJUDGED: "unjudged",
    FINDING: "with a whole model",
    UNREADABLE: "unreadable",
    LIMIT: "beyond a limit",
    PLACEHOLDER: "only a placeholder",
    MALFORMED: "malformed",
    REFUSED: "refused",
    DANGEROUS: "dangerous",
}
"""The verdicts that are shown, from the best to the worst, as they are counted."""

MEANS = {
    UNJUDGED: "A function or class in the file does what nobody followed: look before you load it.",
    FINDING: "A whole model is in the file, which is tied to the code that wrote it: save weights "
    "instead, and take those of this file out with missing-aa rescue.",
    UNREADABLE: "The system does not let the file or the folder be read.",
    LIMIT: "The file is larger than the limits of the scan: if you trust it, raise them.",
    PLACEHOLDER: "The file is empty or a Git LFS pointer: what it stands for is somewhere else.",
    MALFORMED: "The file is no checkpoint, though its name or its beginning promises one.",
    REFUSED: "The file is built in a way that two readers could see differently: do not load it.",
    DANGEROUS: "The file asks for a name that no checkpoint needs: do not load it.",
}
"""What a verdict that is no good one means, as a rule of SARIF says it."""

STYLES = {
    FINE: "good",
    OTHER: "dim",
    PLACEHOLDER: "dim",
    REFUSED: "bad",
    DANGEROUS: "bad",
}
"""The colours of the verdicts; all others are warnings."""

LASTING = "Weights alone in a pickle last; they need torch's own reader, safetensors does not."
TIED = """
A whole model is tied to the code that wrote it: under another version it may fail, or run wrong."""
RESCUE = """\
Get the weights out, without that code and without running the file:
  missing-aa rescue {source} {target}{root}"""
SAVING = """\
Where such files are written, save weights instead, and build the model from code to load them:
  torch.save(model.state_dict(), "weights.pt")
  missing_aa.save_portable(model, "folder")  # with its arguments and all versions"""
LISTED = 4
"""So many paths stand for all of their kind."""


def print_scan(scan: Scan, form: str = "text") -> None:
    """Print it to stdout, in characters that stdout can take; `form` is one of FORMS."""
    print_text(FORMS[form](scan))


def _as_json(scan: Scan) -> str:
    """All of it for a program; docs/reference/scan.md has the schema."""
    files = [clean_all({**asdict(f), "exit_code": f.exit_code}) for f in scan.checkpoints]
    passed = [{"path": path, "reason": reason} for path, reason in scan.passed_over]
    document = {"schema": 1, "files": files, "passed_over": clean_all(passed)}
    counts = {"looked_at": scan.looked_at, "candidates": scan.candidates, "judged": scan.judged}
    return json.dumps(document | counts | {"complete": scan.complete}, indent=2)


def _lines(scan: Scan) -> Iterator[str]:
    """A line for each checkpoint, the worst last; how many; what was passed over; what to do."""
    shown = [found for found in scan.checkpoints if not _holds_none(found)]
    shown.sort(key=lambda found: list(WORDS).index(found.verdict))
    width = max((len(_what(found)) for found in shown), default=0)
    first = max([10, *(len(found.verdict) for found in shown)])
    for found in shown:
        word = f"{found.verdict:<{first}}"
        verdict = paint(word, STYLES.get(found.verdict, "warning"), sys.stdout)
        yield f"{verdict} {_what(found):<{width}}  {_where(found)}{_why(found)}"
    yield from [""] if shown else []
    yield _counted(scan, shown)
    if others := len(scan.checkpoints) - len(shown):
        yield f"{others:,} pickle{'' if others == 1 else 's'} without a model (--json lists them)."
    yield from _passed_over(scan)
    if any(found.remark == PICKLED for found in shown):
        yield LASTING
    yield from _advice([found for found in shown if found.verdict == FINDING])


def _as_annotations(scan: Scan) -> str:
    """A workflow command of GitHub for each file that is not fine, and how many there are."""
    bad = [found for found in scan.checkpoints if found.exit_code]
    lines = [
        annotation(_level(found), found.remark, f"checkpoint: {found.verdict}", found.path)
        for found in bad
    ]
    return "\n".join([*lines, _counted(scan, [f for f in scan.checkpoints if not _holds_none(f)])])


def _as_sarif(scan: Scan) -> str:
    """SARIF 2.1.0, as code scanning takes it: a rule for each verdict, a result for each file."""
    bad = [found for found in scan.checkpoints if found.exit_code]
    rules = [
        {"id": verdict, "shortDescription": {"text": means}, "help": {"text": means}}
        for verdict, means in MEANS.items()
    ]
    driver = {"name": "missing-aa", "version": __version__, "rules": rules}
    results = [
        {
            "ruleId": found.verdict,
            "level": _level(found),
            "message": {"text": clean(found.remark or WORDS[found.verdict], 2000)},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(found.path)}}}],
        }
        for found in bad
    ]
    head = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0"}
    return json.dumps(head | {"runs": [{"tool": {"driver": driver}, "results": results}]}, indent=2)


def _level(found: Checkpoint) -> str:
    return "error" if found.verdict in (FINDING, DANGEROUS, REFUSED) else "warning"


def _uri(path: str) -> str:
    return quote(os.fsencode(relative(path)))


FORMS = {
    "text": lambda scan: "\n".join(_lines(scan)),
    "json": _as_json,
    "github": _as_annotations,
    "sarif": _as_sarif,
}


def _holds_none(found: Checkpoint) -> bool:
    """Whether it is only a pickle of something else, of which there can be thousands."""
    return found.verdict == OTHER and found.format not in FOREIGN


def _what(found: Checkpoint) -> str:
    if found.kind:
        return f"{found.kind} ({'safetensors' if found.format == 'safetensors' else 'pickle'})"
    return found.format


def _where(found: Checkpoint) -> str:
    also = f" (also {few(found.also, 1)})" if found.also else ""
    return clean(found.path, 1000) + also


def _why(found: Checkpoint) -> str:
    return f": {clean(found.remark, 2000)}" if found.remark not in ("", PICKLED) else ""


def _counted(scan: Scan, shown: list[Checkpoint]) -> str:
    counts = Counter(found.verdict for found in shown)
    number = len(shown) - counts[UNREADABLE]
    shares = ", ".join(
        f"{counts[verdict]:,} {words}" for verdict, words in WORDS.items() if counts[verdict]
    )
    head = f"{number:,} checkpoint{'' if number == 1 else 's'}" if number else "No checkpoint"
    line = f"{head} among {scan.looked_at:,} file{'' if scan.looked_at == 1 else 's'}"
    line += f": {shares}." if shares else "."
    if scan.complete:
        return line
    return f"{line} Stopped early: {scan.judged:,} of {scan.candidates:,} candidates looked into."


def _passed_over(scan: Scan) -> Iterator[str]:
    by_reason: dict[str, list[str]] = {}
    for path, reason in scan.passed_over:
        by_reason.setdefault(reason, []).append(path)
    for reason, paths in by_reason.items():
        switch = "; --all looks there too" if reason == UNASKED else ""
        yield f"Passed over ({reason}{switch}): {few(paths, LISTED)}."


def _advice(tied: list[Checkpoint]) -> Iterator[str]:
    if not tied:
        return
    yield TIED
    found = tied[0]
    target = shell_path(os.path.splitext(found.path)[0] + ".safetensors")
    root = f" --root {shell_word(found.models[0]['name'])}" if len(found.models) > 1 else ""
    yield RESCUE.format(source=shell_path(found.path), target=target, root=root)
    yield SAVING
