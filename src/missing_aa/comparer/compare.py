"""Two versions of a package compared."""

import ast
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from missing_aa import collector
from missing_aa.comparer import sources
from missing_aa.comparer.classes import Classes
from missing_aa.comparer.findings import Finding
from missing_aa.comparer.hidden import traps
from missing_aa.comparer.missing import Missing
from missing_aa.comparer.moved import Moves
from missing_aa.comparer.package import Package
from missing_aa.comparer.sources import About
from missing_aa.comparer.state_rules import changes
from missing_aa.comparer.usage import Use
from missing_aa.errors import LimitReached, UsageProblem
from missing_aa.limits import DEFAULT, Limits

Tick = Callable[[str, int, int], object]
"""Takes what is being done, how much of it is done, and of how much."""


@dataclass
class Comparison:
    """Both versions, and what would break an old pickle in the new one.

    `not_done` says what there was no time for.
    """

    old: About
    new: About
    findings: list[Finding]
    not_done: str = ""


def compare(
    old: str | os.PathLike,
    new: str | os.PathLike,
    package: str | None = None,
    modules_only: bool = False,
    limits: Limits = DEFAULT,
    tick: Tick = lambda *_: None,
) -> Comparison:
    """Compare two versions that a person names: folders, archives, or releases as `timm==1.0.3`.

    `modules_only` leaves out the classes that are no torch.nn.Module; of `limits`, the seconds
    count. Raises what `sources.read_source` raises, UsageProblem where the two cannot be compared,
    LimitReached where the time is over before the first class is compared.
    """
    old, new = os.fspath(old), os.fspath(new)
    if old == new or (Path(old).exists() and Path(old).resolve() == Path(new).resolve()):
        raise UsageProblem(f"OLD and NEW are both {old}; name two versions")
    limits = limits.started()

    def going_on(what: str, done: int, total: int) -> None:
        limits.check("objects", 0, "")  # the clock
        tick(what, done, total)

    with collector.paused():
        return _compare(old, new, package, modules_only, going_on)


def _compare(old: str, new: str, package: str | None, modules_only: bool, tick: Tick) -> Comparison:
    parsed: dict = {}
    before, after = (sources.read_source(named, package, parsed, tick) for named in (old, new))
    if before.about.package != after.about.package:
        raise UsageProblem(
            f"{old} holds {before.about.package} and {new} holds {after.about.package}; a pickle "
            "names the package, so two versions of one are needed"
        )
    flows: dict = {}  # what they share is followed once
    was, now = (Use(Classes(Package(each), flows, modules_only), tick) for each in (before, after))
    comparison = Comparison(before.about, after.about, [*Moves(was, now)])
    _compare_classes(was, now, comparison, tick)
    comparison.findings.sort(key=lambda each: (each.file, each.line, each.class_, each.attribute))
    return comparison


def _compare_classes(was: Use, now: Use, comparison: Comparison, tick: Tick) -> None:
    before, after, missing = was.classes, now.classes, Missing(was, now)
    shared = [
        (module, name, here, there)
        for module, name, here in before.every()
        if (there := after.get(module, name))
    ]
    found, done = comparison.findings, 0
    try:
        for done, (module, name, here, there) in enumerate(shared):
            tick("classes compared", done, len(shared))
            found += missing.of(f"{module}.{name}", here, there)
            for attribute, node, what, remedy in changes(here, there):
                file = after.package.source.files[there.module].path
                where = (f"{module}.{name}", attribute, file, node.lineno)
                found.append(Finding("state", *where, what, remedy))
        found += _traps(before, after)
    except LimitReached as reached:
        comparison.not_done = (
            f"{len(shared) - done:,} of {len(shared):,} classes were not compared: {reached}"
        )


def _traps(before: Classes, after: Classes) -> Iterator[Finding]:
    """Those that the old version does not have as well."""
    for module, name, now in after.every():
        was = before.get(module, name)
        there = {attribute for attribute, _ in traps(before, was)} if was else set()
        for attribute, home in traps(after, now):
            if attribute not in there:
                yield Finding(
                    "hidden",
                    f"{module}.{name}",
                    attribute,
                    after.package.source.files[home.module].path,
                    home.own[attribute].lineno,
                    f"the class attribute {attribute} hides the submodule of that name, also in "
                    "objects that have one",
                    f"take it off the class; in __setstate__: if not hasattr(self, {attribute!r}): "
                    f"self.{attribute} = {ast.unparse(home.own[attribute])}",
                )
