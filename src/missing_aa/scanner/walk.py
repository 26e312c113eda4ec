"""Every regular file below some paths, each once, by however many links and names it is met."""

import errno
import os
import stat
from collections import deque
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import PurePath

from missing_aa.errors import UsageProblem
from missing_aa.text import clean

AnyPath = str | bytes | os.PathLike

OF_TOOLS = ("node_modules", "__pycache__")
ENVIRONMENT = {"pyvenv.cfg", "conda-meta"}
"""One of these lies in the folder of an environment of packages."""

EXCLUDED = "excluded"
UNASKED = "hidden, of a tool, or an environment of packages"
CIRCLE = "a link back to where it lies"
NOWHERE = "a link that leads nowhere"


class Walk:
    """A way through folders; links are followed after all that lies in its own place.

    `exclude` are globs that a name or a path must not fit; `everything` leads into hidden folders,
    those of tools and environments too. As the files come, three more things fill: `passed_over`
    and `unreadable` with a path and why, `again` with a file's first path -> its further ones.
    """

    def __init__(self, exclude: Sequence[str] = (), everything: bool = False):
        self.exclude = [pattern.rstrip("/") for pattern in exclude]
        self.everything = everything
        self.passed_over: list[tuple[str, str]] = []
        self.unreadable: list[tuple[str, str]] = []
        self.again: dict[str, list[str]] = {}
        self._seen: dict[object, str] = {}
        self._links: deque[str] = deque()

    def files(self, paths: Sequence[AnyPath]) -> Iterator[tuple[str, int]]:
        """Path and size of each. Raises UsageProblem for a path that cannot be reached, at once."""
        given = [str(PurePath(os.fsdecode(path))) for path in paths]
        for path in given:
            if not os.path.isabs(path) and not _is_here():
                raise UsageProblem(f"the folder in which {clean(path)} would be is gone")
            if not os.path.lexists(path):
                raise UsageProblem(f"there is no {clean(path)}: name a file or a folder")
            if not os.path.exists(path):
                raise UsageProblem(f"nothing can be read behind the link {clean(path)}")
        for path in given:
            if any(map(self._is_excluded, _steps(path))):
                self.passed_over.append((path, EXCLUDED))
            else:
                yield from self._at(path, given=True)
        while self._links:
            yield from self._at(self._links.popleft())

    def _at(self, top: str, given: bool = False) -> Iterator[tuple[str, int]]:
        waiting = [top]
        while waiting:
            path = waiting.pop()
            status = self._status(path)
            asked = given and path == top
            if not status:
                continue
            if stat.S_ISDIR(status.st_mode):
                if (asked or self._is_asked(path)) and self._is_new(path, status):
                    waiting += self._inside(path, asked)
            elif stat.S_ISREG(status.st_mode):
                if self._is_new(path, status):
                    yield path, status.st_size
            elif asked:
                self.unreadable.append((path, "neither a file nor a folder"))

    def _status(self, path: str) -> os.stat_result | None:
        try:
            return os.stat(path)
        except OSError as error:
            if error.errno == errno.ELOOP:
                self.passed_over.append((path, CIRCLE))
            elif not isinstance(error, FileNotFoundError):
                self.note(path, error)
            elif os.path.islink(path):  # anything else has just been deleted
                self.passed_over.append((path, NOWHERE))
            return None

    def _is_asked(self, folder: str) -> bool:
        name = os.path.basename(folder)
        if not self.everything and (name.startswith(".") or name in OF_TOOLS):
            self.passed_over.append((folder, UNASKED))
            return False
        if os.path.islink(folder) and _leads_back(folder):
            self.passed_over.append((folder, CIRCLE))
            return False
        return True

    def _is_new(self, path: str, status: os.stat_result) -> bool:
        # Some file systems give no numbers.
        known = (status.st_dev, status.st_ino) if status.st_ino else os.path.realpath(path)
        if known not in self._seen:
            self._seen[known] = path
            return True
        first = self._seen[known]
        if first != path and stat.S_ISREG(status.st_mode):
            self.again.setdefault(first, []).append(path)
        return False

    def _inside(self, folder: str, asked: bool) -> list[str]:
        """What lies in a folder and is to be looked at, the last first; links are put off."""
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            if not isinstance(error, FileNotFoundError | NotADirectoryError):
                self.note(folder, error)
            return []
        if not (asked or self.everything) and any(entry.name in ENVIRONMENT for entry in entries):
            self.passed_over.append((folder, UNASKED))
            return []
        paths = []
        for entry in entries:
            path = entry.name if folder == os.curdir else entry.path
            if self.exclude and self._is_excluded(path):
                self.passed_over.append((path, EXCLUDED))
            elif entry.is_symlink():
                self._links.append(path)
            else:
                paths.append(path)
        return paths

    def _is_excluded(self, path: str) -> bool:
        name = os.path.basename(path)
        return any(fnmatch(name, glob) or fnmatch(path, glob) for glob in self.exclude)

    def note(self, path: str, error: OSError) -> None:
        self.unreadable.append((path, f"cannot be read: {error.strerror or error}"))


def _is_here() -> bool:
    """Whether the current folder is still there."""
    try:
        return bool(os.getcwd())
    except FileNotFoundError:
        return False


def _steps(path: str) -> list[str]:
    """A given path and the folders that it names on its way; of an absolute one, itself alone."""
    whole = PurePath(path)
    steps = [whole] if whole.is_absolute() else [whole, *whole.parents]
    return [str(step) for step in steps if step.name not in ("", "..")]


def _leads_back(link: str) -> bool:
    real = os.path.realpath(link)
    here = os.path.realpath(os.path.dirname(link))
    return here == real or here.startswith(real.rstrip(os.sep) + os.sep)
