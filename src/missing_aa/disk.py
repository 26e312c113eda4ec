"""Put a result in its place: whole or not at all, and never over the source."""

import contextlib
import os
import re
import zlib
from collections.abc import Iterator, Set
from pathlib import Path
from typing import BinaryIO

from missing_aa.errors import CheckpointError, TargetExists

CHANGED = "the file changed while it was read; keep it still and try again"


def stamp(file: BinaryIO) -> list[int]:
    """What differs between an open file and another one, or itself after a change."""
    status = os.fstat(file.fileno())
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns]


FOLDER = {"config.json", "model.safetensors"}
"""What a folder in timm's format holds; one with anything else in it is not replaced."""


@contextlib.contextmanager
def partial(
    source: Path | None, target: Path, force: bool, folder: Set[str] = frozenset()
) -> Iterator[Path]:
    """A free name beside the target, which takes the target's name when all went well.

    A file is made under it, or a folder; one that holds no more than the names in `folder` can be
    replaced. Raises TargetExists, with `force` only where the target is the source by another name
    or a folder of other things; CheckpointError where it cannot be written.
    """
    if not target.name:
        raise TargetExists(f"{target} is a folder with a place of its own; name a new one in it")
    mark = f"{_machine()}-{os.getpid()}-{os.urandom(4).hex()}"
    unfinished = target.with_name(f"{_hidden(target)}{mark}.partial")
    try:
        clear_abandoned(target.parent)
        _check(source, target, force, folder)
        yield unfinished
        _check(source, target, force, folder)  # it can have come, or changed, meanwhile
        _publish(unfinished, target, force)
    except OSError as error:
        raise CheckpointError(unwritable(target, error.strerror or error)) from error
    finally:
        _discard(unfinished)


def left_behind(target: Path) -> list[Path]:
    """Earlier folders of this name, each left by a process that was killed as it replaced one."""
    import glob

    return sorted(target.parent.glob(f"{glob.escape(_hidden(target))}*.old"))


def clear_abandoned(folder: Path) -> list[Path]:
    """Delete what processes of this machine that are gone left unfinished; gives the paths."""
    cleared = []
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            found = name.endswith(".partial") and ABANDONED.search(name)
            if found and found[1] == _machine() and not _is_alive(int(found[2])):
                cleared.append(folder / name)
                _discard(folder / name)
    return cleared


ABANDONED = re.compile(r"\.([0-9a-f]{8})-(\d{1,9})-[0-9a-f]{8}\.partial$")
"""The end of an unfinished thing's name: the machine and the process that makes it."""


def _machine() -> str:
    """Stands for this machine, so that a shared folder's other users are left alone."""
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    return f"{zlib.crc32(name.encode()):08x}"


def _is_alive(process: int) -> bool:
    if os.name == "nt":  # there os.kill(_, 0) would end it; a file in use cannot be deleted
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True


def _hidden(target: Path) -> str:
    return f".{target.name[:40]}."


def unwritable(what: object, reason: object) -> str:
    """The message for what a disk did not take."""
    return f"{what} cannot be written ({reason}); make room there, or name another place"


def _check(source: Path | None, target: Path, force: bool, folder: Set[str]) -> None:
    entries = list(target.iterdir()) if target.is_dir() else []
    if source:
        for place in (target, *entries):
            with contextlib.suppress(OSError):  # one of them is not there
                if source.samefile(place):
                    inside = "" if place is target else "what holds "
                    raise TargetExists(
                        f"{target} is {inside}the source itself; name another target"
                    )
    if os.path.lexists(target) and not force:
        raise _exists(target)
    if target.is_dir() and not (folder and {entry.name for entry in entries} <= folder):
        raise TargetExists(f"{target} is a folder with things of its own; name another target")
    if not target.parent.is_dir():
        raise CheckpointError(f"there is no folder {target.parent}; make it, or name another place")


def _exists(target: Path) -> TargetExists:
    return TargetExists(f"{target} exists already; --force (in Python: force=True) replaces it")


def _publish(unfinished: Path, target: Path, force: bool) -> None:
    if target.is_dir() and not target.is_symlink():
        old = unfinished.with_suffix(".old")
        target.rename(old)
        try:
            unfinished.rename(target)
        except OSError:
            old.rename(target)
            raise
        _discard(old)
    elif force or unfinished.is_dir():
        unfinished.replace(target)
    else:
        try:
            os.link(unfinished, target)  # the one way that never replaces a file made meanwhile
        except FileExistsError:
            raise _exists(target) from None
        except OSError:  # a file system without links
            if os.path.lexists(target):
                raise _exists(target) from None
            unfinished.rename(target)


def _discard(unfinished: Path) -> None:
    with contextlib.suppress(OSError):
        if unfinished.is_dir():
            import shutil

            shutil.rmtree(unfinished)
        else:
            unfinished.unlink(missing_ok=True)
