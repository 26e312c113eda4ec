"""Classes and functions that old files look for in vain."""

import ast
from collections.abc import Iterator

from missing_aa.comparer.findings import Finding
from missing_aa.comparer.usage import Use

NEVER_PICKLED = {"typing.Protocol", "typing.TypedDict"}


class Moves:
    """Compares the names that old files can ask for with those of the new version."""

    def __init__(self, old: Use, new: Use):
        self.use, self.old, self.new = old, old.classes, new.classes
        self._homes: dict[tuple[str, type], list[tuple[str, str]]] = {}
        for module, names in self.new.package.modules.items():
            for name, node in names.bound.items():
                self._homes.setdefault((name.casefold(), type(node)), []).append((module, name))

    def __iter__(self) -> Iterator[Finding]:
        for module, name, class_ in self.old.every():
            there = self.new.package.find(module, name)
            if there is None:
                if NEVER_PICKLED.isdisjoint(class_.foreign):
                    yield self._gone(module, name)
            elif isinstance(there.node, ast.FunctionDef):
                yield Finding(
                    "moved",
                    f"{module}.{name}",
                    "",
                    self.new.package.source.files[there.module].path,
                    there.node.lineno,
                    "was a class and is a function now",
                    f"give the function another name, and keep a class {name} for old files",
                )
        for module, name in sorted(self._stored_functions()):
            if self.new.package.find(module, name) is None:
                yield self._gone(module, name)

    def _stored_functions(self) -> set[tuple[str, str]]:
        """Functions of the package that its objects store when they are made."""
        found = set()
        for _, _, class_ in self.old.every():
            for home, written in self.use.made(class_).stored:
                place = self.old.package.find(home, written)
                if place and isinstance(place.node, ast.FunctionDef):
                    found.add((place.module, place.path.removeprefix(f"{place.module}.")))
        return found

    def _gone(self, module: str, name: str) -> Finding:
        home = self._new_home(module, name)
        message = "gone, or has another name"
        if home:
            message = f"now in {home[0]}" if home[0] != module else f"now called {home[1]}"
        place = f"in {module}"
        if not self.new.package.has(module):
            message += f"; the module {module} is gone"
            place = f"keep a module {module}"
        file, line = self._nearest(module)
        remedy = f"{place}: {_alias(module, name, home)}"
        return Finding("moved", f"{module}.{name}", "", file, line, message, remedy)

    def _new_home(self, module: str, name: str) -> tuple[str, str] | None:
        """Where the name can have gone to: a place in which it was not before.

        Of several, one whose module has kept its own name; None if that is not clear.
        """
        before, after = self.old.package.find, self.new.package.find
        was = before(module, name)
        assert was  # it is a name of the old version
        kind = type(was.node)
        homes = [home for home in self._homes.get((name.casefold(), kind), []) if not before(*home)]
        alike = [home for home in homes if _last(home[0]) == _last(module)]
        aliases = [
            (other, name)
            for other in self.new.package.modules
            if _last(other) == _last(module) and not before(other, name) and after(other, name)
        ]
        for found in (alike, homes, aliases):
            if len(found) == 1:
                return found[0]
        return None

    def _nearest(self, module: str) -> tuple[str, int]:
        """The file of the new version in which, or below which, the name is missing."""
        files = self.new.package.source.files
        while module not in files and "." in module:
            module = module.rpartition(".")[0]
        return (files[module].path if module in files else ""), 1


def _alias(module: str, name: str, home: tuple[str, str] | None) -> str:
    """The line that makes an old name lead to the new place."""
    if home is None:
        return f"{name} = <its successor>"
    if home[0] == module:
        return f"{name} = {home[1]}"
    return f"from {home[0]} import {home[1]}" + (f" as {name}" if home[1] != name else "")


def _last(module: str) -> str:
    return module.rpartition(".")[2].lstrip("_")
