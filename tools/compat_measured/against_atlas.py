"""The findings on two releases, held against the errors that the atlas saw between them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from missing_aa.comparer.findings import KINDS, Finding
from missing_aa.matrix.cells import DIFFERENT, OK, Cell
from tools.compat_measured.meet import MISSING

WRITTEN_WITH = {("0.6.13", "1.0.31"): {"moved"}, ("0.9.16", "1.0.31"): set(KINDS)}
"""Spans of releases that were looked at while compat was written, and for which kinds of findings.

Between the first two every file fails at a name, so that no missing attribute could be seen. The
other pairs of that time lie inside the second.
"""

MET, NOT_MET, BEHIND, NOT_HELD = "met", "not met", "behind another error", "not held"


@dataclass(frozen=True)
class Error:
    """What a model met: a class of that name (one of `classes`) lacks an attribute, or is gone.

    Of a module that is gone, `classes` is empty. `said` is how the error names it.
    """

    kind: str
    said: str
    attribute: str
    classes: frozenset[str]

    def is_found(self, findings: Iterable[Finding]) -> bool:
        return any(self.is_about(finding) for finding in findings)

    def is_about(self, finding: Finding) -> bool:
        if (finding.kind, finding.attribute) != (self.kind, self.attribute):
            return False
        if self.classes:
            return finding.class_ in self.classes
        if self.kind == "moved":
            return f"{finding.class_}.".startswith(f"{self.said}.")
        return finding.class_.rpartition(".")[2] == self.said

    def __str__(self) -> str:
        said = " or ".join(sorted(self.classes)) or self.said
        return f"{said}.{self.attribute}" if self.attribute else said


@dataclass
class Seen:
    """A pair of releases: the errors of whole pickles, of another kind too, and the findings.

    `held` holds for each model the names that its file asks for, `ran` the models whose forward
    pass came to its end.
    """

    pair: tuple[str, str]
    findings: list[Finding]
    held: dict[str, set[str]]
    models: int = 0
    errors: set[Error] = field(default_factory=set)
    other: set[str] = field(default_factory=set)
    ran: set[str] = field(default_factory=set)

    def verdict(self, finding: Finding) -> str:
        """What the matrix says of a finding.

        It is not met where a model holds the class and ran to its end; behind another error where
        none of those that hold it did.
        """
        if any(error.is_about(finding) for error in self.errors):
            return MET
        holders = {model for model, names in self.held.items() if finding.class_ in names}
        return NOT_MET if holders & self.ran else BEHIND if holders else NOT_HELD

    def was_looked_at(self, kind: str) -> bool:
        """Whether findings of this kind on these releases were known while compat was written."""
        from missing_aa.releases import KNOWN

        order = list(KNOWN).index
        old, new = map(order, self.pair)
        return any(
            kind in kinds and order(first) <= old and new <= order(last)
            for (first, last), kinds in WRITTEN_WITH.items()
        )


def seen(
    pair: tuple[str, str],
    cells: Iterable[Cell],
    findings: list[Finding],
    held: dict[str, set[str]],
) -> Seen:
    """What cells, of whole pickles of this pair, show."""
    row = Seen(pair, findings, held)
    for cell in cells:
        row.models += 1
        if cell.outcome.result in (OK, DIFFERENT):
            row.ran.add(cell.model)
        elif error := _error(cell.outcome.text or "", held.get(cell.model, set())):
            row.errors.add(error)
        else:
            row.other.add(f"{cell.outcome.error or cell.outcome.result}: {cell.outcome.text}")
    return row


def _error(text: str, held: set[str]) -> Error | None:
    if missing := MISSING.match(text):
        named = frozenset(name for name in held if name.rpartition(".")[2] == missing[1])
        return Error("missing", *missing.groups(), named)
    if lost := re.match(r"Can't get attribute '([\w.]+)' on <module '([\w.]+)'", text):
        path = f"{lost[2]}.{lost[1]}"
        return Error("moved", path, "", frozenset({path}))
    if lost := re.match(r"No module named '([\w.]+)'", text):
        return Error("moved", lost[1], "", frozenset())
    return None
