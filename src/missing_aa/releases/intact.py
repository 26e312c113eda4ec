"""Whether an unpacked release is still as it was published: its files against its own RECORD."""

import base64
import csv
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path


def damage(folder: Path, contents: bool = False) -> str:
    """What is wrong with the files of an unpacked wheel: "timm/x.py is missing"; "" if nothing.

    Names and sizes are looked at, which takes some milliseconds; with `contents` their sha256 too.
    """
    try:
        listed = list(_listed(folder))
    except (OSError, StopIteration, ValueError, csv.Error):
        return "its list of files is missing or damaged"
    for name, digest, size in listed:
        path = folder / name
        try:
            found = os.stat(path).st_size
        except OSError:
            return f"{name} is missing"
        if found != size or (contents and _digest(path) != digest):
            return f"{name} is not as it was published"
    return ""


def _listed(folder: Path) -> Iterator[tuple[str, str, int]]:
    """Name, digest and size of each file that the wheel brought, in the form of its RECORD."""
    record = next(folder.glob("*.dist-info")) / "RECORD"
    with record.open(newline="", encoding="utf-8") as lines:
        for name, digest, size in csv.reader(lines):
            if size and not name.endswith(".pyc"):
                yield name, digest, int(size)


def _digest(path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
