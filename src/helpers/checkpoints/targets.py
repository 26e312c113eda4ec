"""Put a result in its place: whole or not at all, and never over the source."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator, Set
from pathlib import Path

from helpers.checkpoints.errors import CheckpointError, TargetExists

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
    _check(source, target, force)
    if target.is_dir() and not (folder and {entry.name for entry in target.iterdir()} <= folder):
        raise TargetExists(f"{target} is a folder with things of its own; name another target")
    unfinished = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.partial")
    try:
        yield unfinished
        _publish(unfinished, target, force)
    except OSError as error:
        raise CheckpointError(unwritable(target, error.strerror or error)) from error
    finally:
        _discard(unfinished)


def unwritable(what: object, reason: object) -> str:
    """The message for what a disk did not take."""
    return f"{what} cannot be written ({reason}); make room there, or name another place"


def _check(source: Path | None, target: Path, force: bool) -> None:
    with contextlib.suppress(OSError):  # a source that is not there is told of when it is read
        if source and target.exists() and source.samefile(target):
            raise TargetExists(f"{target} is the source itself; name another target")
    if os.path.lexists(target) and not force:
        raise _exists(target)
    if not target.parent.is_dir():
        raise CheckpointError(f"there is no folder {target.parent}; make it, or name another place")


def _exists(target: Path) -> TargetExists:
    return TargetExists(f"{target} exists already; --force (in Python: force=True) replaces it")


def _publish(unfinished: Path, target: Path, force: bool) -> None:
    if target.is_dir() and not target.is_symlink():
        old = unfinished.with_suffix(".old")
        target.rename(old)
        unfinished.rename(target)
        shutil.rmtree(old)
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
            shutil.rmtree(unfinished)
        else:
            unfinished.unlink(missing_ok=True)
