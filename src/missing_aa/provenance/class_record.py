"""The record of timm's classes by release, timm_classes.txt, as far as it is asked for.

Releases are counted from 0, in the record's order. `evidence` makes it and describes its form.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from missing_aa.text import decode

Releases = frozenset[int]


@dataclass
class Known:
    """One class, by the releases for which something holds of it.

    `releases` have it; by name, an instance `may` and `must` carry an attribute; it may carry
    `any_registered` module, parameter or buffer; its text is that of one of the `marks`.
    """

    releases: Releases
    may: dict[str, Releases] = field(default_factory=dict)
    must: dict[str, Releases] = field(default_factory=dict)
    marks: dict[str, Releases] = field(default_factory=dict)
    any_registered: Releases = frozenset()


def mark(text: str) -> str:
    """The short form in which the text of a class is recorded."""
    from hashlib import sha256

    return sha256(text.strip().encode("utf-8", "replace")).hexdigest()[:6]


@cache
def releases() -> list[str]:
    """The releases that the record knows, oldest first."""
    return next(line for line in _lines() if line.startswith("releases ")).split()[1:]


def find(paths: Iterable[str]) -> dict[str, Known]:
    """Those of the classes that are recorded, by path."""
    wanted: dict[str, set[str]] = {}
    for path in paths:
        module, _, name = path.rpartition(".")
        wanted.setdefault(module, set()).add(name)
    return _select(lambda module: wanted.get(module, ()))


def named(names: Iterable[str]) -> dict[str, Known]:
    """Every recorded class of these names, in any module, by path."""
    wanted = set(names)
    return _select(lambda module: wanted)


def modules() -> dict[str, dict[str, Releases]]:
    """Every recorded module, with its classes and the releases that have each."""
    found: dict[str, dict[str, Releases]] = {}
    classes: dict[str, Releases] = {}
    for line in _lines():
        if line.startswith(" "):
            name, ranges = line.split(maxsplit=2)[:2]
            classes[name] = _numbers(ranges)
        elif line.startswith("timm"):
            classes = found[line] = {}
    return found


def _select(wanted: Callable[[str], Collection[str]]) -> dict[str, Known]:
    """`wanted` gives the names of classes that are asked for in a module."""
    found: dict[str, Known] = {}
    module = ""
    names: Collection[str] = ()
    for line in _lines():
        if not line.startswith(" "):
            module = line
            names = wanted(module)
        elif names:
            name, ranges, *words = line.split()
            if name in names:
                found[f"{module}.{name}"] = _known(ranges, words)
    return found


@cache
def _lines() -> list[str]:
    return Path(__file__).with_name("timm_classes.txt").read_text("utf-8").splitlines()


def _known(ranges: str, words: list[str]) -> Known:
    known = Known(_numbers(ranges))
    for word in words:
        if word.startswith("@"):
            text, _, numbers = word[1:].partition(":")
            known.marks[text] = _numbers(numbers)
        elif word.startswith("*="):
            known.any_registered = _numbers(word[2:])
        else:
            name, _, numbers = word.partition("=")
            may, slash, must = numbers.partition("/")
            known.may[name] = _numbers(may)
            known.must[name] = _numbers(must if slash else may)
    return known


def _numbers(ranges: str) -> Releases:
    return decode(ranges, len(releases()) - 1)
