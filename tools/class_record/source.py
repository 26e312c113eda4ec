"""The classes of a package, read from its source without importing it, and what they carry.

For every class two sets of attribute names: `may` holds those that its instances can have, `must`
those that every instance has. Where the source does not tell, `may` is open and `must` leaves the
name out: both err on the side of saying less.
"""

import ast
from dataclasses import dataclass, field
from pathlib import Path

from missing_aa.comparer import package
from missing_aa.comparer.names import dotted
from missing_aa.comparer.sources import read_source
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
        source = read_source(str(folder))
        if source.about.left_out:
            raise SyntaxError(source.about.left_out[0])
        self.names = package.Package(source)
        self.texts: dict[str, list[str]] = {}
        self.given: set[str] = set()
        self.removed: set[str] = set()
        for module, file in source.files.items():
            self.texts[module] = Path(file.path).read_text("utf-8").splitlines(keepends=True)
            self.given |= given_from_outside(file.tree)
            self.removed |= removed(file.tree)
        self._known: dict[str, Traits] = {}

    def classes(self) -> dict[str, Traits]:
        """Path -> Traits of every class at the top of a module."""
        for module, names in self.names.modules.items():
            for name, node in names.bound.items():
                if isinstance(node, ast.ClassDef):
                    first = self.texts[module][node.lineno - 1]
                    if first.lstrip().startswith("class "):  # not what namedtuple(…) makes
                        self._read(module, name, node)
        return self._known

    def _read(
        self, module: str, name: str, node: ast.ClassDef, under: tuple[str, ...] = ()
    ) -> Traits:
        path = f"{module}.{name}"
        if path in self._known:
            return self._known[path]
        parents, traits = [], Traits(self._text(module, node))
        for base in node.bases:
            home, written = self.names.find(module, dotted(base)), ast.unparse(base)
            if home and isinstance(home.node, ast.ClassDef) and home.path not in under:
                name = home.path.removeprefix(f"{home.module}.")
                parents.append(self._read(home.module, name, home.node, (*under, path)))
            elif written in MODULE_LISTS:
                traits.open_to_registered = True
            elif written not in BARE:
                traits.open = True
        _fill(traits, node, parents)
        self._known[path] = traits
        return traits

    def _text(self, module: str, node: ast.ClassDef) -> str:
        first = node.decorator_list[0].lineno if node.decorator_list else node.lineno
        return "".join(self.texts[module][first - 1 : node.end_lineno])


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
