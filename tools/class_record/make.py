"""Record what differs between timm's releases: `python -m tools.class_record.make`.

Reads the source of every published release (fetching those that are not cached) and writes
timm_classes.txt: which classes there are, which attributes their instances can and must carry, and
marks of their text, each with the releases for which it holds.
"""

from pathlib import Path

import missing_aa
from missing_aa import releases
from missing_aa.provenance.class_record import mark
from missing_aa.text import encode
from tools.class_record.source import Package, Traits

TARGET = Path(missing_aa.__file__).parent / "provenance" / "timm_classes.txt"
HEADER = """\
# timm's classes, by release; made by: python -m tools.class_record.make
# A line is a module, or, indented, a class in it, with numbers that count the releases below:
#   Class RELEASES attribute=MAY/MUST … @MARK:RELEASES …
# MAY: where an instance can carry the attribute; MUST: where every instance does ("=MAY" alone says
# that both are the same). Attributes that are no different anywhere are left out.
# *=RELEASES: where it can also carry modules, parameters and buffers of any name.
# MARK: the beginning of the sha256 of the class's text. Ranges that reach to the end are open.
"""


class Record:
    """One class over the releases; releases are counted from 0."""

    def __init__(self):
        self.releases: set[int] = set()
        self.may: dict[str, set[int]] = {}
        self.must: dict[str, set[int]] = {}
        self.open: set[int] = set()
        self.open_to_registered: set[int] = set()
        self.marks: dict[str, set[int]] = {}

    def add(self, number: int, traits: Traits, package: Package) -> None:
        self.releases.add(number)
        self.marks.setdefault(mark(traits.text), set()).add(number)
        for name in traits.may:
            self.may.setdefault(name, set()).add(number)
        for name in traits.must - package.removed:
            self.must.setdefault(name, set()).add(number)
        if traits.open:
            self.open.add(number)
        if traits.open_to_registered:
            self.open_to_registered.add(number)

    def line(self, given: list[set[str]]) -> str:
        """`given` holds, for each release, the names that it stores on any object."""
        last = len(given) - 1
        words = [encode(self.releases, last)]
        for name in sorted(self.may):
            outside = {number for number in self.releases if name in given[number]}
            may = self.may[name] | self.open | outside
            must = self.must.get(name, set())
            if may != self.releases or must not in (set(), self.releases):
                text = encode(may, last)
                words.append(f"{name}={text}{'' if may == must else '/' + encode(must, last)}")
        if len(words) > 1 and self.open_to_registered:
            words.append(f"*={encode(self.open_to_registered, last)}")
        if len(self.marks) > 1:
            words += [f"@{text}:{encode(these, last)}" for text, these in self.marks.items()]
        return " ".join(words)


def collect() -> str:
    """The text of the record, from the sources of all published releases."""
    records: dict[str, Record] = {}
    given = []
    for number, release in enumerate(releases.KNOWN):
        package = Package(releases.fetch(release) / "timm")
        given.append(package.given)
        for path, traits in package.classes().items():
            records.setdefault(path, Record()).add(number, traits, package)
    lines, module = [HEADER + "releases " + " ".join(releases.KNOWN)], ""
    for path in sorted(records, key=lambda path: path.rpartition(".")):
        home, _, name = path.rpartition(".")
        if home != module:
            lines.append(module := home)
        lines.append(f" {name} {records[path].line(given)}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(collect(), encoding="utf-8")
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes")
