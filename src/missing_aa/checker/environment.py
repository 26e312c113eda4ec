"""Which modules an environment has: looked up as files, as Python's importer would, importing none.

A module is a file on the search path. What lies below a compiled module cannot be seen, and is
taken to be there.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from missing_aa.errors import Problem, UsageProblem

SOURCE, COMPILED, NAMESPACE = "source", "compiled", "namespace"
"""Kinds of a module: a .py file, one that cannot be read, a folder without an `__init__`."""

ENDINGS = re.compile(r"(\.[\w-]+)?\.(so|pyd|pyc)")
"""What stands behind a compiled module's name."""

METADATA = re.compile(r"(.+?)-([^-]+)(-[^-]+)?\.(dist|egg)-info")
"""The folder of a distribution's own data: its name, its version."""

VERSION = re.compile(r"^(?:__version__|version)\s*(?::\s*str\s*)?=\s*['\"]v?([^'\"]+)", re.M)
"""A literal version in a module."""

ASKED = """
import importlib.util, json, sys
print(json.dumps({
    "version": "%d.%d.%d" % sys.version_info[:3],
    "path": [entry for entry in sys.path[1:] if entry],
    "built_in": sorted(sys.builtin_module_names),
}))
"""
"""What another Python is asked; with -c, its first entry of the path is the current folder."""


@dataclass(frozen=True)
class ModuleFile:
    """A module that can be imported: its file (a folder for a namespace), and its kind.

    `below` are the folders in which its submodules lie; none for a module that is no package.
    """

    name: str
    path: str
    kind: str
    below: tuple[str, ...] = ()

    @property
    def package(self) -> bool:
        """Whether it is an `__init__`."""
        return bool(self.below) and self.kind != NAMESPACE


@dataclass
class Environment:
    """A search path, and what Python brings itself.

    `first` are the folders that the person named, `path` those of the Python. `script` is the file
    that stands for `__main__`. `python` is the interpreter, None for the one that runs.
    """

    first: list[str]
    path: list[str]
    built_in: frozenset[str]
    version: str
    python: str | None = None
    script: str | None = None
    _found: dict[str, ModuleFile | None] = field(default_factory=dict)
    _listed: dict[str, dict[str, bool]] = field(default_factory=dict)

    def find(self, name: str) -> ModuleFile | None:
        """The module of a dotted name; None if there is none."""
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def is_hidden(self, name: str) -> bool:
        """Whether it may lie in a compiled module or a built-in one, where nobody can look."""
        while name:
            found = self.find(name)
            if found is not None:
                return found.kind == COMPILED
            name = name.rpartition(".")[0]
        return False

    def _find(self, name: str) -> ModuleFile | None:
        above, _, last = name.rpartition(".")
        if not above:
            return self._find_top(name)
        parent = self.find(above)
        return parent and self._search(name, last, parent.below)

    def _find_top(self, name: str) -> ModuleFile | None:
        if name == "__main__":
            return ModuleFile(name, self.script, SOURCE) if self.script else None
        found = self._search(name, name, self.first)
        if found is None or found.kind == NAMESPACE:
            if name in self.built_in:
                return ModuleFile(name, "", COMPILED)
            found = self._search(name, name, [*self.first, *self.path])
            if found is None or found.kind == NAMESPACE:
                asked = self._ask(name)  # an installed project may be found before such a folder
                found = asked if found is None or (asked and asked.package) else found
        return found

    def _search(self, name: str, last: str, folders: Sequence[str]) -> ModuleFile | None:
        """The first module of that name in these folders; else a namespace made of them all."""
        spaces = []
        for folder in folders:
            listed = self._list(folder)
            if listed.get(last):
                below = os.path.join(folder, last)
                inside = self._list(below)
                if "__init__.py" in inside:
                    return ModuleFile(name, os.path.join(below, "__init__.py"), SOURCE, (below,))
                if compiled := _compiled("__init__", inside):
                    return ModuleFile(name, os.path.join(below, compiled), COMPILED, (below,))
            if compiled := _compiled(last, listed):
                return ModuleFile(name, os.path.join(folder, compiled), COMPILED)
            if f"{last}.py" in listed:
                return ModuleFile(name, os.path.join(folder, f"{last}.py"), SOURCE)
            if listed.get(last):
                spaces.append(os.path.join(folder, last))
        return ModuleFile(name, spaces[0], NAMESPACE, tuple(spaces)) if spaces else None

    def _list(self, folder: str) -> dict[str, bool]:
        """The names in a folder, and whether each is a folder itself."""
        if folder not in self._listed:
            try:
                with os.scandir(folder) as entries:
                    self._listed[folder] = {entry.name: entry.is_dir() for entry in entries}
            except OSError:
                self._listed[folder] = {}
        return self._listed[folder]

    def _ask(self, name: str) -> ModuleFile | None:
        """What the importer itself finds for a top-level name, which imports nothing.

        It knows of packages that were installed in a way that leaves no folder on the path.
        """
        if not name.isidentifier():
            return None
        if self.python is None:
            try:
                spec = importlib.util.find_spec(name)
            except (ImportError, ValueError, AttributeError):
                spec = None
            if spec is None:
                return None
            return _module(name, spec.origin, list(spec.submodule_search_locations or ()))
        text = (
            "import importlib.util, json; s = importlib.util.find_spec(%r); "
            "print(json.dumps(s and [s.origin, list(s.submodule_search_locations or ())]))"
        )
        found = json.loads(_run(self.python, text % name))
        return found and _module(name, *found)

    @cached_property
    def distributions(self) -> dict[str, str]:
        """Name of a distribution, in lower case with `_`, -> its version, of the whole path."""
        found: dict[str, str] = {}
        for folder in (*self.first, *self.path):
            for name in self._list(folder):
                if match := METADATA.fullmatch(name):
                    found.setdefault(_plain(match[1]), match[2])
        return found

    def version_of(self, package: str) -> str | None:
        """The version of a top-level package, as far as it is known without importing it."""
        home = self.find(package)
        if home is None:
            return None
        brought = self.brought_by(package)
        if brought:
            return brought[1]
        return _written_version(home) or self.distributions.get(_plain(package))

    def brought_by(self, package: str) -> tuple[str, str] | None:
        """Name and version of the distribution that brings a top-level package, by what lies beside
        it: that of its name, else one that lists it."""
        home = self.find(package)
        if home is None:
            return None
        beside = os.path.dirname(home.below[0] if home.below else home.path)
        those = [match for name in self._list(beside) if (match := METADATA.fullmatch(name))]
        own = [match for match in those if _plain(match[1]) == _plain(package)]
        lists = (each for each in those if _lists(os.path.join(beside, each[0]), package))
        found = own[0] if own else next(lists, None)
        return found and (_plain(found[1]).replace("_", "-"), found[2])

    def shown(self, path: str) -> str:
        """A file as a person knows it: below the folder of the search path that it lies in."""
        for folder in (*self.first, *self.path):
            if folder and path.startswith(os.path.join(folder, "")):
                return path[len(os.path.join(folder, "")) :].replace(os.sep, "/")
        return path


def of_this_python(first: Sequence[str | os.PathLike] = (), script: str | None = None):
    """The environment that this process runs in, with these folders before it."""
    here = [entry for entry in sys.path if entry and os.path.isdir(entry)]
    version = ".".join(map(str, sys.version_info[:3]))
    built_in = frozenset(sys.builtin_module_names)
    return Environment([os.fspath(each) for each in first], here, built_in, version, None, script)


def of_python(
    python: str | os.PathLike, first: Sequence[str | os.PathLike] = (), script: str | None = None
) -> Environment:
    """The environment of another Python: a program, or the folder of a virtual environment.

    It is started once to tell its search path. Raises UsageProblem for what is none, Problem where
    it cannot be run.
    """
    program = _program(Path(python))
    answer = json.loads(_run(program, ASKED))
    path = [entry for entry in answer["path"] if os.path.isdir(entry)]
    names = [os.fspath(each) for each in first]
    return Environment(
        names, path, frozenset(answer["built_in"]), answer["version"], program, script
    )


def _program(python: Path) -> str:
    if python.is_dir():
        for inside in ("bin/python", "Scripts/python.exe", "python.exe", "bin/python3"):
            if (python / inside).is_file():
                return str(python / inside)
        raise UsageProblem(f"{python}: a folder without a Python; name the program itself")
    if not python.is_file():
        raise UsageProblem(f"{python}: there is no such Python")
    return str(python)


def _run(python: str, text: str) -> str:
    try:
        done = subprocess.run(
            [python, "-c", text],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Problem(f"{python}: cannot be run ({error})") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["nothing"]
        raise Problem(
            f"{python}: does not answer as a Python does; its last line: {lines[-1][:200]}"
        )
    return done.stdout.strip().splitlines()[-1]


def _module(name: str, origin: str | None, below: list[str]) -> ModuleFile | None:
    if origin and origin.endswith(".py"):
        return ModuleFile(name, origin, SOURCE, tuple(below))
    if below and not origin:
        return ModuleFile(name, below[0], NAMESPACE, tuple(below))
    return ModuleFile(name, origin or "", COMPILED, tuple(below))


def _compiled(name: str, listed: dict[str, bool]) -> str | None:
    start = f"{name}."
    for entry in listed:
        if entry.startswith(start) and ENDINGS.fullmatch(entry, len(name)):
            return entry
    return None


def _lists(folder: str, package: str) -> bool:
    """Whether a distribution says that it brings a top-level package."""
    for name, start in (("top_level.txt", package), ("RECORD", f"{package}/")):
        try:
            lines = Path(folder, name).read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        return any(line == start or line.startswith(f"{package}/") for line in lines)
    return False


def _plain(name: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "_", name).lower()


def _written_version(home: ModuleFile) -> str | None:
    """A literal `__version__` in the package, or in its module for that."""
    files = [home.path] if home.kind == SOURCE else []
    for name in ("version", "_version", "__version__", "__about__"):
        files += [os.path.join(folder, f"{name}.py") for folder in home.below]
    for file in files:
        try:
            text = Path(file).read_text("utf-8", "replace")
        except OSError:
            continue
        found = VERSION.search(text)
        if found:
            return found[1]
    return None
