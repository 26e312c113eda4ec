"""Which versions a file records of itself, and the timm releases that its objects fit."""

import re
from collections.abc import Iterable
from typing import TypeGuard

from missing_aa.contents.standins import Standin, attributes, pairs
from missing_aa.pickles.program import Program
from missing_aa.provenance.writer import made_by

VERSION = re.compile(r"v?\d[\w.+-]{0,40}")

AT_THE_TOP = {"ultralytics": "version", "pytorch_lightning": "pytorch-lightning_version"}
"""Packages that note their version in the dictionary that they save, and under which key."""


def recorded(
    program: Program, top: object, objects: Iterable[Standin], packages: Iterable[str]
) -> dict[str, str]:
    """Package -> its version when the file was written, for those of which the file records one.

    For timm, which notes none, it is the range of releases that can have made the objects.
    """
    packages, objects = list(packages), list(objects)
    found: dict[str, str] = {}
    keys = {key: value for key, value in pairs(top) if isinstance(key, str)}
    for package in packages:
        if _is_version(text := keys.get(AT_THE_TOP.get(package, ""))):
            found[package] = text
    wanted = {f"{package}_version": package for package in packages}
    for value in objects:
        for name, text in attributes(value).items():
            noted = wanted.get(name.lstrip("_"))
            if noted and _is_version(text):
                found.setdefault(noted, text)
    if "timm" in packages and (writer := made_by(program, objects)) and writer.releases:
        found["timm"] = str(writer)
    return found


def _is_version(text: object) -> TypeGuard[str]:
    return isinstance(text, str) and VERSION.fullmatch(text) is not None
