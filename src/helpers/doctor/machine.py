"""The doctor's checks of the machine: each gives its detail, and a remedy if it needs one."""

import shutil
import sys
import tempfile
from pathlib import Path

from helpers.runner import catalogue
from missing_aa import releases
from missing_aa.errors import Problem

OLDEST_PYTHON = (3, 11)
ROOM_GB = 1
ELSEWHERE = "MISSING_AA_CACHE names another folder for releases, --output one for results"


def python() -> tuple[str, str]:
    found = ".".join(map(str, sys.version_info[:3]))
    oldest = ".".join(map(str, OLDEST_PYTHON))
    fine = sys.version_info >= OLDEST_PYTHON
    return f"{found}, {sys.executable}", "" if fine else f"install Python {oldest} or newer"


def _folders() -> dict[str, Path]:
    """Purpose -> the folder that is still to be written into, or the nearest one that is there."""
    try:
        results = catalogue.root() / "build" / "lessons"
    except Problem:
        results = Path.cwd()
    wanted = {"results": results}
    if set(releases.COURSE) - set(releases.cached()):  # all there, others may have put them there
        wanted["releases"] = releases.cache_folder()
    return {
        purpose: next(place for place in (folder, *folder.absolute().parents) if place.exists())
        for purpose, folder in wanted.items()
    }


def memory() -> tuple[str, str]:
    from helpers.runner.memory import available_mb

    try:
        lessons = catalogue.lessons(catalogue.root())
    except Problem:
        lessons = []
    need = max((lesson.memory_mb for lesson in lessons), default=catalogue.UNMEASURED_MB)
    have = available_mb()
    detail = f"{have / 1000:.1f} GB free; the hungriest lesson takes {need / 1000:.1f} GB"
    remedy = "close other programs, then shut down the kernels of lessons that are done"
    return detail, remedy if have < need else ""


def disk() -> tuple[str, str]:
    free = {purpose: shutil.disk_usage(place).free / 1e9 for purpose, place in _folders().items()}
    detail = ", ".join(f"{gb:.1f} GB for {purpose}" for purpose, gb in free.items())
    short = min(free.values()) < ROOM_GB
    return detail, f"make room for {ROOM_GB} GB, or elsewhere: {ELSEWHERE}" if short else ""


def writing() -> tuple[str, str]:
    refused = []
    for purpose, place in _folders().items():
        try:
            tempfile.TemporaryFile(dir=place).close()
        except OSError as error:
            refused.append(f"{purpose} cannot be written into {place} ({error.strerror})")
    return "; ".join(refused) or "allowed", ELSEWHERE if refused else ""
