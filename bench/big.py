"""Models written by an old timm, and files that have to come from the disk, to measure with."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import psutil

from missing_aa import releases

WRITER = "1.0.3"


def run_writer(code: str, *words: object) -> None:
    """Run a program under the release that writes."""
    seen = releases.seeing(releases.locate(WRITER)) | {"PYTHONWARNINGS": "ignore"}
    subprocess.run([sys.executable, "-c", code, *map(str, words)], env=seen, check=True)


def forget(path: Path) -> None:
    """Let the next reader of a file fetch it from the disk, which has nothing left to write."""
    os.sync()
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def can_be_cold(path: Path) -> bool:
    """Whether the file, once forgotten, has to be fetched: a folder may be kept in memory."""
    forget(path)
    before = psutil.Process().io_counters().read_bytes
    with open(path, "rb") as file:
        hashlib.file_digest(file, "sha256")
    return psutil.Process().io_counters().read_bytes - before >= path.stat().st_size
