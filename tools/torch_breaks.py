"""What torch's own modules began to read: `python -m tools.torch_breaks`, into docs/measured.

Of each class in `torch.nn`, from the source of each minor release on the package index: an
attribute that a method reads, that its constructor sets, and that the release before did not set.
An object that was pickled whole before lacks it. Where `__setstate__` supplies it, the class mends
that itself, from that release on.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard

from missing_aa.releases.sources import fetch_source

PAGE = Path(__file__).parents[1] / "docs" / "measured" / "torch_breaks.md"
RELEASES = [*(f"1.{minor}.0" for minor in range(14)), *(f"2.{minor}.0" for minor in range(16))]
NOT_RUN = ("__init__", "__setstate__", "extra_repr", "__repr__", "reset_parameters")
"""Methods that no forward pass of an old object calls."""
HEAD = """\
# What torch's own modules began to read

A model that was saved whole carries the attributes that its classes set when it was made. These are
attributes that a class of `torch.nn` reads since a release, and did not set before it: an object
pickled before lacks them. *Supplied since* is the release from which the class's own `__setstate__`
gives old objects the attribute, so that nothing fails there.

From the sources of torch {first} to {last} ({count} minor releases), by
`python -m tools.torch_breaks`. A class that is new in a release does not count, nor does what a
method reads only with a default, or what is `Module`'s own.

| class | attribute | read since | constructor's default in {last} | supplied since |
|---|---|---|---|---|
"""


@dataclass
class Class:
    """A class of `torch.nn`: its bases by name, what it sets, reads and gives old objects."""

    bases: list[str]
    sets: dict[str, str] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)
    supplies: set[str] = field(default_factory=set)
    has: set[str] = field(default_factory=set)


def classes_of(release: str) -> dict[str, Class]:
    """The classes in torch/nn/modules of a release, what they inherit there included."""
    found: dict[str, Class] = {}
    for path in sorted((fetch_source("torch", release) / "torch/nn/modules").glob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef):
                found[node.name] = _read_class(node)
    return {name: _inherited(name, found) for name in found}


def _read_class(node: ast.ClassDef) -> Class:
    read = Class([base.id for base in node.bases if isinstance(base, ast.Name)])
    for part in node.body:
        if isinstance(part, ast.FunctionDef):
            read.has.add(part.name)
            _read_method(part, read)
        for target in getattr(part, "targets", []):
            read.has |= {target.id} if isinstance(target, ast.Name) else set()
        if isinstance(part, ast.AnnAssign) and part.value and isinstance(part.target, ast.Name):
            read.has.add(part.target.id)
    return read


def _read_method(method: ast.FunctionDef, read: Class) -> None:
    defaults = _defaults(method)
    for node in ast.walk(method):
        if isinstance(node, ast.Assign) and method.name == "__init__":
            for target in filter(_is_own, node.targets):
                read.sets[target.attr] = defaults.get(getattr(node.value, "id", ""), "")
        elif method.name not in NOT_RUN and _is_own(node) and isinstance(node.ctx, ast.Load):
            read.reads.add(node.attr)
        if method.name == "__setstate__":
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                read.supplies.add(node.value)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                read.supplies.add(node.attr)


def _is_own(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "self"


def _defaults(method: ast.FunctionDef) -> dict[str, str]:
    names = [argument.arg for argument in method.args.args]
    values = [ast.unparse(value) for value in method.args.defaults]
    return dict(zip(names[len(names) - len(values) :], values, strict=True))


def _inherited(name: str, all_: dict[str, Class]) -> Class:
    own = all_[name]
    merged = Class(own.bases, dict(own.sets), set(own.reads), set(own.supplies), set(own.has))
    for base in own.bases:
        if base in all_ and base != name:
            above = _inherited(base, all_)
            merged.sets = above.sets | {key: value for key, value in merged.sets.items() if value}
            merged.sets |= {key: value for key, value in own.sets.items() if key not in above.sets}
            merged.reads |= above.reads
            merged.supplies |= above.supplies
            merged.has |= above.has
    return merged


def breaks() -> Iterator[tuple[str, str, str, str, str]]:
    """Class, attribute, the release that began to read it, its default now, who supplies it."""
    read = {release: classes_of(release) for release in RELEASES}
    newest = read[RELEASES[-1]]
    modules = [classes["Module"] for classes in read.values()]
    module_s_own = {name for each in modules for name in (*each.sets, *each.supplies)}
    since: dict[tuple[str, str], str] = {}
    supplied: dict[tuple[str, str], str] = defaultdict(str)
    for before, after in zip(RELEASES, RELEASES[1:], strict=False):
        for name, new in read[after].items():
            for attribute in new.reads & new.sets.keys() - new.has:
                key = (name, attribute)
                if attribute in new.supplies:
                    supplied[key] = supplied[key] or after
                if name in read[before] and attribute not in read[before][name].sets:
                    since.setdefault(key, after)
    for (name, attribute), release in sorted(since.items()):
        is_read = name in newest and attribute in newest[name].reads
        if is_read and not name.startswith("_") and attribute not in module_s_own:
            default = newest[name].sets.get(attribute, "")
            yield name, attribute, release, default, supplied[name, attribute]


def main() -> None:
    """Write the page; with `--print` to the terminal instead."""
    rows = [f"| {' | '.join(f'`{cell}`' if cell else '' for cell in row)} |" for row in breaks()]
    head = HEAD.format(first=RELEASES[0], last=RELEASES[-1], count=len(RELEASES))
    text = head + "\n".join(rows) + "\n"
    print(text) if "--print" in sys.argv[1:] else PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
