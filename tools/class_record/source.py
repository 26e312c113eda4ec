"""The classes of a package, read from its source without importing it, and what they carry.

For every class two sets of attribute names: `may` holds those that its instances can have, `must`
those that every instance has. Where the source does not tell, `may` is open and `must` leaves the
name out: both err on the side of saying less.
"""

import ast
from dataclasses import dataclass, field
from pathlib import Path

from tools.class_record.stores import (
    MADE,
    MADE_REGISTERED,
    always_stores,
    given_from_outside,
    may_store,
    removed,
)

LISTS = ("Sequential", "ModuleList", "ModuleDict")
BARE = {"nn.Module", "torch.nn.Module", "object", "ABC", "abc.ABC"}
"""Bases outside the package that give instances no attribute that a class might store as well."""

MODULE_LISTS = {f"{home}nn.{name}" for home in ("", "torch.") for name in LISTS}
"""Bases outside the package that give instances modules of any name, and nothing else."""

OWN_STATE = {"__getstate__", "__reduce__", "__reduce_ex__", "__setattr__", "__new__"}


@dataclass
class Traits:
    """What instances of one class carry, and its text.

    `open`: they may carry anything; `open_to_registered`: modules, parameters and buffers of any
    name. `properties` are names that an assignment does not store under.
    """

    text: str
    may: set[str] = field(default_factory=set)
    must: set[str] = field(default_factory=set)
    properties: set[str] = field(default_factory=set)
    open: bool = False
    open_to_registered: bool = False


class Package:
    """All modules of a package's folder, parsed.

    `given` and `removed` are attribute names that it stores on, or deletes from, any object.
    Raises SyntaxError where a module cannot be parsed.
    """

    def __init__(self, folder: Path):
        self.texts: dict[str, list[str]] = {}
        self.names: dict[str, dict[str, ast.ClassDef | str]] = {}
        self.given: set[str] = set()
        self.removed: set[str] = set()
        for path in sorted(folder.rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            tree = ast.parse(text)
            parts = path.relative_to(folder.parent).with_suffix("").parts
            package = parts[-1] == "__init__"
            module = ".".join(parts[:-1] if package else parts)
            self.texts[module] = text.splitlines(keepends=True)
            self.names[module] = dict(_bindings(tree, module, package))
            self.given |= given_from_outside(tree)
            self.removed |= removed(tree)
        self._known: dict[str, Traits] = {}

    def classes(self) -> dict[str, Traits]:
        """Path -> Traits of every class at the top of a module."""
        for module, bound in self.names.items():
            for name, node in bound.items():
                if isinstance(node, ast.ClassDef):
                    self._read(module, name)
        return self._known

    def _read(self, module: str, name: str, under: tuple[str, ...] = ()) -> Traits:
        path = f"{module}.{name}"
        if path in self._known:
            return self._known[path]
        node = self.names[module][name]
        parents, traits = [], Traits(self._text(module, node))
        for base in map(ast.unparse, node.bases):
            home = self._resolve(module, base)
            if home and ".".join(home) not in under:
                parents.append(self._read(*home, (*under, path)))
            elif base in MODULE_LISTS:
                traits.open_to_registered = True
            elif base not in BARE:
                traits.open = True
        _fill(traits, node, parents)
        self._known[path] = traits
        return traits

    def _text(self, module: str, node: ast.ClassDef) -> str:
        first = node.decorator_list[0].lineno if node.decorator_list else node.lineno
        return "".join(self.texts[module][first - 1 : node.end_lineno])

    def _resolve(self, module: str, written: str) -> tuple[str, str] | None:
        """Module and name of the class that a name or dotted path stands for in a module."""
        for _ in range(20):  # a chain of imports
            if module not in self.names:
                return None
            head, _, rest = written.partition(".")
            found = self.names[module].get(head)
            if isinstance(found, ast.ClassDef):
                return (module, head) if not rest else None
            if not isinstance(found, str):
                return None
            path = f"{found}.{rest}" if rest else found
            module, _, written = path.rpartition(".")
        return None


def _fill(traits: Traits, node: ast.ClassDef, parents: list[Traits]) -> None:
    methods = {part.name: part for part in node.body if isinstance(part, ast.FunctionDef)}
    stored = may_store(node)
    traits.may = stored - {MADE, MADE_REGISTERED}
    traits.properties = {name for name, method in methods.items() if method.decorator_list}
    for parent in parents:
        traits.may |= parent.may
        traits.properties |= parent.properties
        traits.open |= parent.open
        traits.open_to_registered |= parent.open_to_registered
    dataclass_ = any("dataclass" in ast.unparse(mark) for mark in node.decorator_list)
    traits.open_to_registered |= MADE_REGISTERED in stored
    traits.open |= MADE in stored or dataclass_ or not OWN_STATE.isdisjoint(methods)
    # With several bases, which __init__ comes next depends on the class of the instance.
    above = parents[0].must if len(node.bases) == len(parents) == 1 else set()
    init = methods.get("__init__")
    must = above if init is None else always_stores(init.body, above) or set()
    if MADE not in removed(node) and OWN_STATE.isdisjoint(methods):
        traits.must = must - traits.properties


def _bindings(tree: ast.Module, module: str, package: bool):
    """Name and either the class that it is, or the path that it was imported from."""
    for node in _statements(tree.body):
        if isinstance(node, ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name, alias.name)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: len(module.split(".")) - node.level + package]
            origin = ".".join([*above, node.module or ""] if node.level else [node.module])
            for alias in node.names:
                yield alias.asname or alias.name, f"{origin.rstrip('.')}.{alias.name}"
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id != node.value.id:
                    yield target.id, f"{module}.{node.value.id}"


def _statements(body: list[ast.stmt]):
    """The statements of a module's top, those under `if`, `try` and `with` among them."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            for part in (node.body, getattr(node, "orelse", []), getattr(node, "finalbody", [])):
                yield from _statements(part)
            for handler in getattr(node, "handlers", []):
                yield from _statements(handler.body)
