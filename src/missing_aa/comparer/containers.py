"""The packages that a folder or an archive holds; archives are read in memory, never unpacked."""

import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from missing_aa.errors import Problem, UsageProblem

SOURCE = ".py"
COMPILED = (".so", ".pyd", ".pyc", ".pyx")

MOST_BYTES = 5_000_000
"""A longer module is left out: people do not write such."""

MOST_IN_ALL = 500_000_000
"""So many bytes of source are in no library."""

Files = dict[str, Callable[[], bytes]]
"""Path inside a package's folder -> what reads it."""


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
    regular = path.is_file()  # a pipe would keep whoever opens it waiting
    if regular and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            wanted = [info for info in archive.infolist() if _is_module(info.filename)]
            _check(path, [info.file_size for info in wanted])
            read = {info.filename: archive.read(info) for info in wanted}
    elif regular and tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            members = [each for each in archive if each.isfile() and _is_module(each.name)]
            _check(path, [each.size for each in members])
            read = {each.name: archive.extractfile(each).read() for each in members}
    else:
        raise UsageProblem(f"{path}: neither a folder nor a wheel, zip or tar archive")
    return {name: lambda text=text: text for name, text in read.items()}


def _is_module(name: str) -> bool:
    return name.endswith((SOURCE, *COMPILED)) and "__pycache__" not in name


def _check(path: Path, sizes: list[int]) -> None:
    if sum(sizes) > MOST_IN_ALL:
        raise Unreadable(f"{path}: holds {sum(sizes):,} bytes of modules, which no library does")


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
