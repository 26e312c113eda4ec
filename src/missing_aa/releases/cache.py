"""Published timm releases side by side: fetched into a cache, checked, located, removed.

A timm release is one pure-Python wheel. Unpacked into a folder of its own and put first on the
path, it runs over the torch that is installed. The cache is the user's, unless the environment
brings one along; MISSING_AA_CACHE moves it.
"""

import compileall
import difflib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path

import platformdirs

from missing_aa.errors import Problem, UsageProblem
from missing_aa.releases import installer
from missing_aa.releases.intact import damage

CURRENT = "1.0.31"
"""The release that requirements.lock holds: what the lessons call `current`."""

COURSE = ("0.6.13", "1.0.3", "1.0.11", "1.0.12", CURRENT)
"""The releases that the lessons use."""

PARTIAL = ".partial-"


class UnknownRelease(UsageProblem):
    """No such release among the recorded ones."""


class ReleaseProblem(Problem):
    """A release cannot be fetched, found or removed."""


@cache
def _read_record() -> list[list[str]]:
    """Of each release its name, the sha256 of its wheel and its day, oldest version first."""
    lines = files("missing_aa.releases").joinpath("timm_releases.txt").read_text().splitlines()
    rows = (line.split() for line in lines if line.startswith("timm=="))
    return [
        [name.removeprefix("timm=="), sha.removeprefix("--hash=sha256:"), day]
        for name, sha, _, day in rows
    ]


KNOWN = {name: sha256 for name, sha256, _ in _read_record()}
"""Every recorded release, oldest version first, with the sha256 of its wheel."""


def published(release: str) -> date:
    """The day on which a recorded release came out."""
    return date.fromisoformat(next(day for name, _, day in _read_record() if name == release))


def check_known(release: str) -> None:
    """Raise UnknownRelease, naming the nearest ones, for a release that is not recorded."""
    if release not in KNOWN:
        near = difflib.get_close_matches(release, KNOWN, n=3, cutoff=0.4) or list(KNOWN)[-3:]
        raise UnknownRelease(
            f"there is no timm release {release!r} here; the nearest are {', '.join(near)}"
        )


def cache_folder() -> Path:
    """The folder that holds the releases, one folder each.

    What MISSING_AA_CACHE names, or what whoever made this environment put into it for everybody
    (a kit does, and an image for a server), or else the user's own.
    """
    if moved := os.environ.get("MISSING_AA_CACHE"):
        return Path(moved)
    shared = Path(sys.prefix, "share", "missing-aa")
    if shared.is_dir():
        return shared
    return platformdirs.user_cache_path("missing-aa", appauthor=False)


def seeing(folder: str | os.PathLike) -> dict[str, str]:
    """This process's environment, changed so that a Python started in it looks there first."""
    path = [os.fspath(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(path)}


def cached() -> list[str]:
    """The releases that are in the cache, oldest version first."""
    return [release for release in KNOWN if (cache_folder() / f"timm-{release}").is_dir()]


def locate(release: str) -> Path:
    """The folder to put first on the path.

    Raises UnknownRelease, or ReleaseProblem if it is not cached, or its files are not all there.
    """
    check_known(release)
    folder = cache_folder() / f"timm-{release}"
    if not folder.is_dir():
        raise ReleaseProblem(
            f"timm {release} is not in the cache; fetch it once with: missing-aa fetch {release}"
        )
    if wrong := damage(folder):
        raise ReleaseProblem(
            f"timm {release} in the cache is damaged ({wrong}); mend it with: "
            f"missing-aa fetch {release}"
        )
    return folder


def damage_of(release: str) -> str:
    """What is wrong with the files of a cached release, each looked at whole; "" if nothing."""
    return damage(cache_folder() / f"timm-{release}", contents=True)


def fetch(release: str) -> Path:
    """Bring a release into the cache, unless it is there unharmed, and return its folder.

    The folder appears whole or not at all, also when two processes fetch at once. Raises
    UnknownRelease, and ReleaseProblem where the index cannot be reached, the wheel is not the
    recorded one, or the cache cannot be written.
    """
    check_known(release)
    target = cache_folder() / f"timm-{release}"
    if target.is_dir():
        if not damage_of(release):
            return target
        remove(release)
    with made_whole(target, f"timm {release}") as unpacked:
        _unpack(release, unpacked)
        # Compiled once here, as pip does, instead of at the first import in a full room.
        compileall.compile_dir(unpacked, quiet=2, stripdir=unpacked, prependdir=target)
    return target


@contextmanager
def made_whole(target: Path, what: str) -> Iterator[Path]:
    """A free name for a folder of the cache, which takes the target's name in the end.

    Raises ReleaseProblem where the cache cannot be written; `what` is what it says of it.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent)
        with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=target.parent) as partial:
            unpacked = Path(partial, "unpacked")
            yield unpacked
            try:
                unpacked.rename(target)
            except OSError:
                if not target.is_dir():  # otherwise another process was faster: its copy is as good
                    raise
    except OSError as error:
        raise ReleaseProblem(
            f"cannot write {what} into {cache_folder()} ({error.strerror or error}); "
            "make room there, or name another folder in MISSING_AA_CACHE"
        ) from error


def remove(release: str) -> bool:
    """Take a release out of the cache; False if it was not there."""
    check_known(release)
    folder = cache_folder() / f"timm-{release}"
    if not folder.is_dir():
        return False
    try:
        # Renamed first, so that a removal cut short never leaves half a release under its name.
        doomed = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=cache_folder()))
        folder.rename(doomed / "doomed")
        shutil.rmtree(doomed)
    except OSError as error:
        raise ReleaseProblem(
            f"cannot remove {folder} ({error.strerror or error}); is it in use?"
        ) from error
    return True


def _unpack(release: str, folder: Path) -> None:
    """Unpack the wheel of a release into a new folder."""
    error = installer.unpack(f"timm=={release}", KNOWN[release], folder, folder.parent)
    if not error:
        return
    others = set(re.findall(r"\b[0-9a-f]{64}\b", error)) - {KNOWN[release]}
    if others and "hash" in error.lower():
        raise ReleaseProblem(
            f"the wheel of timm {release} that the index gave is not the published one: sha256 "
            f"{others.pop()}, recorded {KNOWN[release]}; nothing was kept, look at your index's "
            "settings"
        )
    if not installer.name():
        raise ReleaseProblem(f"timm {release} could not be fetched: {error}")
    raise ReleaseProblem(
        f"timm {release} could not be fetched; with a network: missing-aa fetch {release} "
        f"({installer.name()} said: {error.splitlines()[-1].strip()})"
    )


def _sweep(folder: Path, age: float = 3600) -> None:
    """Delete what a killed fetch left behind; a younger folder may be another process at work."""
    for left in folder.glob(f"{PARTIAL}*"):
        if time.time() - left.stat().st_mtime > age:
            shutil.rmtree(left, ignore_errors=True)
