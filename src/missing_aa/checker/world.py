"""All packages of an environment as one: what stands under a dotted path, parsed when asked for.

`comparer` reads one package whole; here the same look-up goes through as many as it meets.
"""

import ast
import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from missing_aa.checker.environment import NAMESPACE, SOURCE, Environment
from missing_aa.checker.lazy import Module
from missing_aa.comparer.classes import Class, Classes
from missing_aa.comparer.names import Definition, Names, dotted, origin
from missing_aa.comparer.package import Package, Place

MODULE = "torch.nn.modules.module.Module"

PATCH = (
    rb"\bsetattr\(\s*(?:\w+\.)*(\w+)\s*,\s*['\"]%s['\"]"
    rb"|\b(?!self\b)(\w+)\.%s\s*(?::[^=\n]+)?=(?!=)"
)
"""`setattr(Name, "attribute", …)` and `Name.attribute = …`."""

COMPUTED = re.compile(rb"\bsetattr\(\s*(?:\w+\.)*(\w+)\s*,\s*(?!['\"])")
"""`setattr(Name, name, …)`: a name that is made on the way."""


parsed = lru_cache(maxsize=1024)(Module)
"""Modules by name, file and text: a second file that asks for the same ones finds them parsed."""


class Modules(Mapping[str, Names]):
    """Dotted name -> the names of a module, read when it is asked for."""

    def __init__(self, environment: Environment):
        self.environment = environment
        self.read: dict[str, Module | None] = {}
        self.unreadable: dict[str, str] = {}
        """Modules that are there and cannot be parsed, and why."""

    def module(self, name: str) -> Module | None:
        if name not in self.read:
            self.read[name] = None  # for a module that leads back to itself
            self.read[name] = self._read(name)
        return self.read[name]

    def _read(self, name: str) -> Module | None:
        file = self.environment.find(name)
        if file is None or file.kind != SOURCE:
            return None
        try:
            return parsed(name, file.path, file.package, Path(file.path).read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self.unreadable[name] = f"{self.environment.shown(file.path)}: {error}"
            return None

    def __getitem__(self, name: str) -> Names:
        found = self.module(name)
        if found is None:
            raise KeyError(name)
        return found.names

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.module(name) is not None

    def __iter__(self) -> Iterator[str]:
        return (name for name, found in self.read.items() if found)

    def __len__(self) -> int:
        return sum(found is not None for found in self.read.values())


class World(Package):
    """Every package that can be imported in an environment."""

    modules: Modules

    def __init__(self, environment: Environment):
        self.environment = environment
        self.modules = Modules(environment)
        self.installed: dict[str, str] = {}
        self._searched: set[str] = set()
        self._texts: dict[str, list[tuple[str, bytes]]] = {}
        self._setters: dict[str, list[tuple[str, str]]] = {}
        self._places: dict[tuple[str, str], Place | None] = {}
        self._patched: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self.changes: dict[tuple[str, bytes], bool] = {}
        """Whether a text of a package may change what stands under a name."""

    def has(self, module: str) -> bool:
        """Whether a module can be imported."""
        if self.environment.find(module) or self.environment.is_hidden(module):
            return True
        return module in self.installed or any(
            f"{above}.*" in self.installed for above in _above(module)
        )

    def resolve(self, path: str, seen: frozenset = frozenset()) -> Place | None:
        """What a dotted path leads to, from the longest part of it that is a module of a file."""
        for module in (path, *_above(path)):
            if self.environment.find(module) or module in self.installed:
                return self.find(module, path[len(module) + 1 :], seen)
        return None

    def find(self, module: str, name: str, seen: frozenset = frozenset()) -> Place | None:
        if seen:
            return self._find(module, name, seen)
        key = (module, name)
        if key not in self._places:
            self._places[key] = self._find(module, name, seen)
        return self._places[key]

    def _find(self, module: str, name: str, seen: frozenset) -> Place | None:
        if names := self.modules.get(module):
            self.installed |= names.installed
        elif name and self.is_namespace(module):
            inner, _, rest = name.partition(".")
            below = f"{module}.{inner}"
            return self._find(below, rest, seen) if self.environment.find(below) else None
        place = super().find(module, name, seen)
        if place is None or place.node is not None or not name:
            return place
        # A module that makes its names when they are asked for often says where they come from, to
        # type checkers.
        found = self.modules.module(place.module)
        origin = found and _for_type_checkers(found, place.path.removeprefix(f"{found.name}."))
        return (origin and self.resolve(origin, seen | {(module, name)})) or place

    def is_namespace(self, module: str) -> bool:
        """Whether a module is a folder without an `__init__`: it has its submodules alone."""
        file = self.environment.find(module)
        put = any(above in self.installed for above in (module, f"{module}.*"))
        return file is not None and file.kind == NAMESPACE and not put

    def search_installed(self, module: str) -> None:
        """Read the modules of a package that put something into `sys.modules`."""
        top = module.partition(".")[0]
        if top in self._searched:
            return
        self._searched.add(top)
        for name, text in self.texts(top):
            if b"sys.modules" in text and (names := self.modules.get(name)):
                self.installed |= names.installed
        self._places.clear()

    def texts(self, top: str) -> list[tuple[str, bytes]]:
        """Every module of a package that is there as source, and its text; unparsed."""
        if top not in self._texts:
            self._texts[top] = list(self._read_texts(top))
        return self._texts[top]

    def _read_texts(self, top: str) -> Iterator[tuple[str, bytes]]:
        home = self.environment.find(top)
        if home is None:
            return
        if not home.below:
            if home.kind == SOURCE:
                yield top, Path(home.path).read_bytes()
            return
        for root in home.below:
            for folder, below, files in os.walk(root):
                below[:] = sorted(name for name in below if name.isidentifier())
                parts = [top, *Path(folder).relative_to(root).parts]
                for file in sorted(files):
                    stem, ending = os.path.splitext(file)
                    if ending != ".py":
                        continue
                    try:
                        text = Path(folder, file).read_bytes()
                    except OSError:
                        continue
                    yield ".".join(parts if stem == "__init__" else [*parts, stem]), text

    def patches(self, top: str, name: str) -> list[tuple[str, str]]:
        """Module and class of every statement of a package that may put an attribute on a class."""
        if (top, name) not in self._patched:
            wanted = name.encode()
            pattern = re.compile(PATCH % (re.escape(wanted), re.escape(wanted)))
            found = [
                (module, (match[1] or match[2]).decode())
                for module, text in self.texts(top)
                if wanted in text
                for match in pattern.finditer(text)
            ]
            self._patched[top, name] = found + self._computed(top)
        return self._patched[top, name]

    def _computed(self, top: str) -> list[tuple[str, str]]:
        """The same for names that are made on the way; torch does so for its backends alone."""
        if top not in self._setters:
            self._setters[top] = [
                (module, match[1].decode())
                for module, text in (self.texts(top) if top != "torch" else ())
                if b"setattr(" in text
                for match in COMPUTED.finditer(text)
            ]
        return self._setters[top]

    def homes(self, module: str, name: str) -> list[str]:
        """Where else in its package something of that name is defined, in whatever case."""
        wanted = re.compile(rb"^(?:class|def)[ \t]+(%s)\b" % re.escape(name).encode(), re.M | re.I)
        found = []
        for home, text in self.texts(module.partition(".")[0]):
            found += [f"{home}.{match.decode()}" for match in wanted.findall(text)]
        return [path for path in found if path != f"{module}.{name}"]

    def why_not(self, module: str) -> str:
        """What Python says of a module that is not there."""
        parts = module.split(".")
        for end in range(1, len(parts) + 1):
            name = ".".join(parts[:end])
            if self.has(name):
                continue
            above = self.environment.find(".".join(parts[: end - 1])) if end > 1 else None
            plain = above is not None and not above.below
            tail = f"; {'.'.join(parts[: end - 1])!r} is not a package" if plain else ""
            return f"No module named {name!r}{tail}"
        return f"No module named {module!r}"

    def shown(self, module: str) -> str:
        """The file of a module, as a person knows it."""
        file = self.environment.find(module)
        return self.environment.shown(file.path) if file else module


class AllClasses(Classes):
    """The classes of a world, and what a search of their bodies found."""

    def __init__(self, world: World):
        super().__init__(world)
        self._by_path: dict[str, Class | None] = {}
        self._found: dict[tuple[int, str], tuple[Class, Definition | ast.expr] | None] = {}

    def at(self, path: str) -> Class | None:
        """The class that a dotted path leads to."""
        if path not in self._by_path:
            place = self.package.resolve(path)
            self._by_path[path] = self.of(place) if place else None
        return self._by_path[path]

    def of(self, place: Place) -> Class | None:
        if not isinstance(place.node, ast.ClassDef):
            return None
        return self.get(place.module, place.path.removeprefix(f"{place.module}."))

    def find(self, cls: Class, name: str) -> tuple[Class, Definition | ast.expr] | None:
        """`cls.find(name)`, remembered."""
        key = (id(cls), name)
        if key not in self._found:
            self._found[key] = cls.find(name)
        return self._found[key]


def is_torch_module(cls: Class) -> bool:
    """Whether a class is, or inherits from, torch.nn.Module."""
    return any(each.path == MODULE for each in cls.order)


def _for_type_checkers(module: Module, name: str) -> str | None:
    """Where `if TYPE_CHECKING:` at a module's top imports a name from."""
    for node in module.tree.body:
        if isinstance(node, ast.If) and dotted(node.test).endswith("TYPE_CHECKING"):
            for part in (each for statement in node.body for each in ast.walk(statement)):
                if not isinstance(part, ast.ImportFrom):
                    continue
                for alias in part.names:
                    if (alias.asname or alias.name) == name:
                        return f"{origin(part, module.name, module.package)}.{alias.name}"
    return None


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition(".")[0]:
        yield path
