"""A package's source as its pickles see it: what stands under a dotted path."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from missing_aa.comparer.names import Definition, Names, dotted, read_names

if TYPE_CHECKING:
    from missing_aa.comparer.sources import Source


@dataclass(frozen=True)
class Place:
    """Where a dotted path leads: a definition and its home.

    `node` is None where something stands that the source does not show: a value, or a name from
    outside the package (`path` is then its dotted path there).
    """

    module: str
    path: str
    node: Definition | ast.expr | None = None


class Package:
    """The modules of one version of a package."""

    def __init__(self, source: "Source"):
        self.source = source
        self.name = source.about.package
        self.modules: Mapping[str, Names] = {
            module: read_names(file.tree, module, file.package)
            for module, file in source.files.items()
        }
        self.installed: dict[str, str] = {}
        for names in self.modules.values():
            self.installed |= names.installed

    def has(self, module: str) -> bool:
        """Whether a module can be imported."""
        return (
            module in self.modules
            or module in self.installed
            or module in self.source.hidden
            or any(f"{above}.*" in self.installed for above in _above(module))
        )

    def resolve(self, path: str, seen: frozenset = frozenset()) -> Place | None:
        """What a dotted path leads to, with the longest part of it that is a module first."""
        if path.partition(".")[0] != self.name:
            return Place("", path)
        for module in (path, *_above(path)):
            if self.has(module):
                return self.find(module, path[len(module) + 1 :], seen)
        return None

    def find(self, module: str, name: str, seen: frozenset = frozenset()) -> Place | None:
        """What `name` (which may have dots) is in a module; None if nothing is there by that name.

        As pickle looks it up: the module is imported first, so an alias of the parent is no help.
        """
        if not self.has(module) or (module, name) in seen:
            return None
        seen |= {(module, name)}
        if module not in self.modules or module in self.installed:
            return self._find_installed(module, name, seen)
        if not name:
            return Place(module, module)
        names, (head, _, rest) = self.modules[module], name.partition(".")
        found = names.bound.get(head, names)
        if isinstance(found, str):
            path = f"{found}.{rest}" if rest else found
            return self.resolve(path, seen)
        if isinstance(found, ast.ClassDef) and rest:
            return self._inside(found, module, f"{module}.{head}", rest, seen)
        if not isinstance(found, Names):
            return Place(module, f"{module}.{name}", None if rest else found)
        if self.has(f"{module}.{head}"):
            return self.find(f"{module}.{head}", rest, seen)
        for star in names.stars:
            if self._is_public(star, head) and (place := self.resolve(f"{star}.{name}", seen)):
                return place
        if names.open or (names.hook and answers(names.hook, head)):
            return Place(module, f"{module}.{name}")
        return None

    def _find_installed(self, module: str, name: str, seen: frozenset) -> Place | None:
        """In a module that something else was put in place of, or whose source is not there."""
        target = self.installed.get(module, "")
        if target and (place := self.resolve(target, seen)) and place.path in self.modules:
            return self.find(place.path, name, seen)
        return Place(module, f"{module}.{name}")

    def _inside(
        self, of: ast.ClassDef, module: str, path: str, rest: str, seen: frozenset
    ) -> Place | None:
        """A class, method or value in the body of a class, which stands under that path.

        What the body does not give, a base may: one that is not read counts as having every name.
        """
        head, _, deeper = rest.partition(".")
        for node in of.body:
            if isinstance(node, Definition) and node.name == head:
                if deeper and isinstance(node, ast.ClassDef):
                    return self._inside(node, module, f"{path}.{head}", deeper, seen)
                return Place(module, f"{path}.{head}", node)
            if isinstance(node, ast.Assign | ast.AnnAssign) and head in bound_by(node):
                return Place(module, f"{path}.{head}")
        if hasattr(type, head):  # as every class has it
            return Place(module, f"{path}.{head}")
        for base in of.bases:
            name = dotted(base.value if isinstance(base, ast.Subscript) else base)
            if name == "object":
                continue
            above = self.find(module, name, seen) if name else None
            if above is None or not isinstance(above.node, ast.ClassDef) or above.path in seen:
                return Place(module, f"{path}.{head}")
            known = seen | {above.path}
            if found := self._inside(above.node, above.module, above.path, rest, known):
                return found
        return None

    def _is_public(self, module: str, name: str) -> bool:
        names = self.modules.get(module)
        if names is None:  # from outside, or hidden: it may be
            return True
        return not name.startswith("_") if names.public is None else name in names.public


def _above(path: str):
    """`a.b`, `a` for `a.b.c`."""
    while path := path.rpartition(".")[0]:
        yield path


def bound_by(node: ast.Assign | ast.AnnAssign) -> set[str]:
    """The plain names that an assignment gives a value."""
    if node.value is None:
        return set()
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def answers(hook: ast.FunctionDef, name: str) -> bool:
    """Whether a `__getattr__` may answer for a name: it contains it, or passes all of them on."""
    return any(
        (isinstance(part, ast.Constant) and part.value == name)
        or (isinstance(part, ast.Call) and dotted(part.func) in ("getattr", "globals"))
        for part in ast.walk(hook)
    )
