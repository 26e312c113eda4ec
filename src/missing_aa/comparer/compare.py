"""Two versions of a package held against each other."""

import ast
import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from missing_aa.comparer import sources
from missing_aa.comparer.classes import Class, Classes
from missing_aa.comparer.findings import Finding
from missing_aa.comparer.hidden import traps
from missing_aa.comparer.missing import Missing
from missing_aa.comparer.moved import Moves
from missing_aa.comparer.package import Package
from missing_aa.comparer.sources import About, Source
from missing_aa.comparer.state_rules import changes
from missing_aa.comparer.usage import Use
from missing_aa.errors import UsageProblem


@dataclass
class Comparison:
    """Both versions, and what would break an old pickle in the new one."""

    old: About
    new: About
    findings: list[Finding]


def compare(
    old: str | os.PathLike, new: str | os.PathLike, package: str | None = None
) -> Comparison:
    """Compare two versions that a person names: folders, archives, or `timm==1.0.3`.

    Raises what `sources.read_source` raises, and UsageProblem where the two cannot be compared.
    """
    old, new = os.fspath(old), os.fspath(new)
    if old == new or (Path(old).exists() and Path(old).resolve() == Path(new).resolve()):
        raise UsageProblem(f"OLD and NEW are both {old}; name two versions")
    with _no_collection():
        return _compare(old, new, package)


def _compare(old: str, new: str, package: str | None) -> Comparison:
    parsed: dict = {}
    before, after = (sources.read_source(named, package, parsed) for named in (old, new))
    if before.about.package != after.about.package:
        raise UsageProblem(
            f"{old} holds {before.about.package} and {new} holds {after.about.package}; a pickle "
            "names the package, so two versions of one are needed"
        )
    return Comparison(before.about, after.about, findings(before, after))


def findings(old: Source, new: Source) -> list[Finding]:
    """What would break, by place in the new version."""
    flows: dict = {}  # what they share is followed once
    before, after = (Classes(Package(source), flows) for source in (old, new))
    was, now = Use(before), Use(after)
    found, missing = [*Moves(was, now)], Missing(was, now)
    for module, name in before.names():
        if there := after.get(module, name):
            here = before.get(module, name)
            found += missing.of(f"{module}.{name}", here, there)
            found += _changes(f"{module}.{name}", here, there, new)
    found += _traps(before, after)
    return sorted(found, key=lambda each: (each.file, each.line, each.class_, each.attribute))


def _changes(path: str, was: Class, now: Class, new: Source) -> Iterator[Finding]:
    for attribute, node, what, remedy in changes(was, now):
        file = new.files[now.module].path
        yield Finding("state", path, attribute, file, node.lineno, what, remedy)


def _traps(before: Classes, after: Classes) -> Iterator[Finding]:
    """Those that the old version does not have as well."""
    for module, name in after.names():
        now, was = after.get(module, name), before.get(module, name)
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
                    f"self.{attribute} = {_text(home, attribute)}",
                )


def _text(home: Class, attribute: str) -> str:
    return ast.unparse(home.own[attribute])


@contextmanager
def _no_collection():
    """Without the garbage collector, which would go through all syntax trees again and again: that
    takes three times as long as making them, and they are free of cycles."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
