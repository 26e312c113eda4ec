"""A whole model of over 500 MB, written by an old timm; processes and disks to measure with it."""

import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from missing_aa import releases

WRITER, MODEL = "1.0.3", "regnety_320"

WRITE = """
import sys, timm, torch
torch.save(timm.create_model(sys.argv[1]), sys.argv[2])
torch.save(torch.nn.Linear(1, 1), sys.argv[3])
"""

SERVE = """
import sys
print(flush=True)
for line in sys.stdin:
    work(*line.rstrip("\\n").split("\\t"))
    print(flush=True)
"""


def write(big: Path, small: Path) -> None:
    """Save the model, with random weights, and one layer as a model of no size to speak of."""
    seen = releases.seeing(releases.locate(WRITER)) | {"PYTHONWARNINGS": "ignore"}
    words = [sys.executable, "-c", WRITE, MODEL, big, small]
    subprocess.run(words, env=seen, check=True)


@contextlib.contextmanager
def serving(code: str) -> Iterator[Callable]:
    """A process that has run `code`; what is given calls `work`, which it defines, with words."""
    words = [sys.executable, "-W", "ignore", "-c", code + SERVE]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, **pipes) as process:

        def wait() -> None:
            if not process.stdout.readline():
                raise RuntimeError("the process under measure has ended; above it says why")

        def work(*given: object) -> None:
            print(*given, sep="\t", file=process.stdin, flush=True)
            wait()

        wait()
        yield work
        process.stdin.close()


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
