"""One version of a package as syntax trees, from whatever a person names."""

import ast
import os
import re
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

from missing_aa.comparer.names import parse
from missing_aa.errors import Problem, UsageProblem
from missing_aa.releases.sources import MOST_BYTES as MOST_IN_ALL
from missing_aa.releases.sources import fetch_source, members

APART = {"tests", "test", "docs", "doc", "examples", "benchmarks", "bench", "scripts", "tools"}
"""Folders beside a package that are often packages as well, and that no pickle names."""

Files = dict[str, Callable[[], bytes]]
"""Path inside a package's folder -> what reads it."""


@dataclass
class File:
    """One parsed module: its path as a person knows it; `package` if it is an `__init__`."""

    path: str
    tree: ast.Module
    package: bool


@dataclass
class About:
    """What is shown of a version: how it was named, its package, how many modules were parsed, and
    what was left out and why, a line each."""

    named: str
    package: str
    version: str | None
    modules: int = 0
    left_out: list[str] = field(default_factory=list)


@dataclass
class Source:
    """One version of a package.

    `files` holds the parsed modules by dotted name, `hidden` the names of those that are there and
    cannot be looked into (compiled, left out).
    """

    about: About
    files: dict[str, File] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)


def read_source(
    named: str,
    package: str | None = None,
    parsed: dict | None = None,
    tick: Callable[[str, int, int], object] = lambda *_: None,
) -> Source:
    """Read a folder, an archive, or a release as `timm==1.0.3`, of any package on the index.

    `package` chooses one of several that are in it. `parsed` keeps syntax trees by text, so that
    what two versions share is parsed once; `tick` gets how many modules of how many are parsed.
    Raises UsageProblem for what is not there or not a package, Unreadable for what is broken, and
    what `fetch_source` raises.
    """
    label, version, found = _open(named)
    name = _choose(named, found, package)
    source = Source(About(label, name, version))
    _parse(source, *found[name], {} if parsed is None else parsed, tick)
    about = source.about
    about.modules = len(source.files)
    if not source.files:
        raise Unreadable(f"{label}: none of its modules can be parsed; {about.left_out[0]}")
    about.version = version or _version(source)
    return source


def _open(named: str) -> tuple[str, str | None, dict[str, tuple[str, Files]]]:
    """Its label, its version if that is known, and the packages in it."""
    if release := re.fullmatch(r"([\w.-]+)==(.+)", named):
        name = re.sub(r"[-.]", "_", release[1]).lower()
        found = packages(fetch_source(release[1], release[2]))
        found = {own: (own, files) for own, (_, files) in found.items()}
        own = {each: found[each] for each in found if each.lower() == name}
        return f"{release[1]} {release[2]}", release[2], own or found
    path = Path(named)
    if not named or not path.exists():
        raise UsageProblem(f"{named or 'an empty name'}: there is no such file or folder")
    version = re.match(r"[\w.]+?-v?(\d[^-]*?)(-.*\.whl|\.tar\.\w+|\.tgz|\.zip)$", path.name)
    return named, version and version[1], packages(path)


def _choose(named: str, found: dict, wanted: str | None) -> str:
    names = [wanted] if wanted else [name for name in found if name not in APART] or list(found)
    if len(names) == 1 and names[0] in found:
        return names[0]
    there = ", ".join(sorted(found)) or "none"
    if wanted:
        raise UsageProblem(f"{named}: holds no package {wanted!r}; it holds {there}")
    if names:
        raise UsageProblem(f"{named}: holds several packages ({there}); name one with --package")
    raise UsageProblem(
        f"{named}: not a package; give the folder with its __init__.py, the one above it, a wheel "
        "or a source archive"
    )


def _parse(
    source: Source, folder: str, files: Files, parsed: dict[bytes, ast.Module], tick
) -> None:
    """Parse the files into the source; what cannot be parsed is hidden, and listed as left out."""
    for done, path in enumerate(sorted(files)):
        tick(f"modules of {source.about.named} parsed", done, len(files))
        parts = PurePosixPath(path).parts
        stem = parts[-1].partition(".")[0]
        if not all(map(str.isidentifier, (*parts[:-1], stem))):
            continue  # a script, a template: nobody can import it
        package = stem == "__init__"
        module = ".".join([source.about.package, *parts[:-1], *([] if package else [stem])])
        if not path.endswith(SOURCE):
            source.hidden.add(module)
            continue
        shown = f"{folder}/{path}"
        try:
            text = files[path]()
            if text not in parsed:
                parsed[text] = parse(text)
            source.files[module] = File(shown, parsed[text], package)
        except SyntaxError as error:
            why = f"line {error.lineno or 1} is not Python {_PYTHON}: {error.msg}"
        except (OSError, ValueError, RecursionError, MemoryError) as error:
            why = f"it cannot be parsed: {error}"
        else:
            continue
        source.hidden.add(module)
        source.about.left_out.append(f"{shown} is left out, because {why}")


_PYTHON = ".".join(map(str, sys.version_info[:2]))


def _version(source: Source) -> str | None:
    """A literal `__version__` in the package, or in its module for that."""
    for name in ("", ".version", "._version", ".__version__", ".__about__"):
        file = source.files.get(f"{source.about.package}{name}")
        for node in file.tree.body if file else ():
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                names = {getattr(target, "id", "") for target in node.targets}
                if names & {"__version__", "version"}:
                    return str(node.value.value)
    return None


SOURCE = ".py"
COMPILED = (".so", ".pyd", ".pyc", ".pyx")


class Unreadable(Problem):
    """A source that is broken, or of which nothing can be parsed."""

    exit_code = 4


def packages(path: Path) -> dict[str, tuple[str, Files]]:
    """Name -> its folder, as a person knows it, and its files.

    Raises UsageProblem for what is neither a folder nor an archive, and Unreadable.
    """
    try:
        return _in_folder(path) if path.is_dir() else _among(_members(path))
    except (OSError, EOFError, RuntimeError, zlib.error) as error:
        raise Unreadable(f"{path}: cannot be read ({error})") from error
    except (zipfile.BadZipFile, tarfile.TarError) as error:
        raise Unreadable(f"{path}: a broken archive ({error}); fetch it again") from error


def _in_folder(folder: Path) -> dict[str, tuple[str, Files]]:
    """The packages of a folder: itself, or those right in it or in its `src`."""
    if _is_package(folder):
        roots = [folder]
    else:
        homes = [home for home in (folder, folder / "src") if home.is_dir()]
        roots = [path for home in homes for path in sorted(home.iterdir()) if _is_package(path)]
    return {root.resolve().name: (root.as_posix(), _walk(root)) for root in roots}


def _is_package(folder: Path) -> bool:
    return (folder / "__init__.py").is_file()


def _walk(root: Path) -> Files:
    """Its modules; links to folders are not followed."""

    def stop(error: OSError):
        raise error

    found = {}
    for folder, below, names in os.walk(root, onerror=stop):
        below[:] = [name for name in below if name.isidentifier() and name != "__pycache__"]
        for name in names:
            if name.endswith((SOURCE, *COMPILED)):
                path = Path(folder, name)
                found[path.relative_to(root).as_posix()] = path.read_bytes
    return found


def _members(path: Path) -> Files:
    """The modules in an archive."""
    # A pipe would keep whoever opens it waiting.
    if not path.is_file() or not (zipfile.is_zipfile(path) or tarfile.is_tarfile(path)):
        raise UsageProblem(f"{path}: neither a folder nor a wheel, zip or tar archive")
    found: Files = {}
    left = MOST_IN_ALL
    for name, size, read in members(path):
        if _is_module(name):
            left -= size
            if left < 0:
                raise Unreadable(f"{path}: holds more bytes of modules than any library does")
            found[name] = partial(bytes, read())
    return found


def _is_module(name: str) -> bool:
    return name.endswith((SOURCE, *COMPILED)) and "__pycache__" not in name


def _among(members: Files) -> dict[str, tuple[str, Files]]:
    """The packages at an archive's top, in its only folder, or there in `src`."""
    inits = {PurePosixPath(name).parent for name in members if name.endswith("/__init__.py")}
    tops = [home for home in inits if home.parent not in inits]
    least = min((len(home.parts) for home in tops), default=0)
    found = {}
    for home in tops:
        if len(home.parts) == least or home.parent.name == "src":
            inside = {
                name.removeprefix(f"{home}/"): read
                for name, read in members.items()
                if name.startswith(f"{home}/")
            }
            found[home.name] = (str(home), inside)
    return found
