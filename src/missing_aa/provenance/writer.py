"""Which timm releases can have made a model, by its classes and the attributes it carries.

A fact rules out the releases that it does not fit, so an interval is as wide as the facts leave it.
The release is the one whose code made the objects; a later one may have saved them again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from missing_aa.contents.standins import Standin, attributes, pairs
from missing_aa.contents.state_dict import is_module
from missing_aa.pickles.program import Program
from missing_aa.provenance import class_record
from missing_aa.provenance.class_record import Known, Releases
from missing_aa.text import in_words


@dataclass
class Carried:
    """Attributes of one class's objects in a file: what `some` of them carry, and what `all` do.

    `plain` are those of `some` that one object at least has not registered as module, parameter or
    buffer.
    """

    some: set[str]
    all: set[str]
    plain: set[str]

    def add(self, names: set[str], registered: set[str]) -> None:
        self.some |= names
        self.all &= names
        self.plain |= names - registered


@dataclass(frozen=True)
class Writer:
    """The timm releases that can have made what is in a file, oldest first, and how that is known.

    Nothing fits if `releases` is empty. `open` says that one newer than those known here could be
    it as well; one older could be where the oldest known is among them.
    """

    releases: tuple[str, ...]
    open: bool
    evidence: tuple[str, ...]

    def __str__(self) -> str:
        if not self.releases:
            return "none that was published"
        oldest, newest = self.releases[0], self.releases[-1]
        begins = oldest == class_record.releases()[0]  # what was before is not known here
        if self.open:
            return "any release" if begins else f"{oldest} or later"
        if begins:
            return f"{newest} or older"
        return oldest if oldest == newest else f"{oldest} to {newest}"

    def as_dict(self) -> dict:
        """Plain values for JSON."""
        ends = (self.releases[0], self.releases[-1]) if self.releases else (None, None)
        return {
            "package": "timm",
            "oldest": ends[0],
            "newest": None if self.open else ends[1],
            "releases": list(self.releases),
            "evidence": list(self.evidence),
        }


@dataclass(frozen=True)
class _Fact:
    text: str
    fits: Releases


def find_writer(
    classes: Iterable[str], carried: dict[str, Carried], sources: dict[str, str]
) -> Writer | None:
    """The releases that fit all of the facts; None if there is nothing to go by.

    `classes` are the paths that the file asks for, `carried` the attributes of the objects of each,
    `sources` the texts of classes that a legacy file embeds.
    """
    known = class_record.find(classes)
    strange = [path for path in carried if path.startswith("timm.") and path not in known]
    if strange:
        return Writer(
            (), True, (f"no release up to {class_record.releases()[-1]} has {strange[0]}",)
        )
    if not known:
        return None
    existing = list(_existing(known))
    facts = existing + list(_attributes(known, carried)) + list(_texts(known, sources))
    fits = _intersection(facts)
    if fits:
        return _writer(fits, facts, ())
    fits = _intersection(existing)
    doubt = "the attributes fit no single release: it was changed, or saved again by another"
    return _writer(fits, existing, (doubt,))


def _existing(known: dict[str, Known]) -> Iterator[_Fact]:
    for path, entry in known.items():
        yield _Fact(f"{path} exists in {_describe(entry.releases)}", entry.releases)


def _attributes(known: dict[str, Known], carried: dict[str, Carried]) -> Iterator[_Fact]:
    for path in known.keys() & carried.keys():
        entry, found = known[path], carried[path]
        for name, may in entry.may.items():
            if name not in found.plain:
                may |= entry.any_registered
            if name in found.some and may != entry.releases:
                yield _Fact(f"{path} carries {name}: {_describe(may)}", may)
            without = entry.releases - entry.must[name]
            if name not in found.all and without != entry.releases:
                yield _Fact(f"{path} lacks {name}: {_describe(without)}", without)


def _texts(known: dict[str, Known], sources: dict[str, str]) -> Iterator[_Fact]:
    for path, text in sources.items():
        same = known[path].marks.get(class_record.mark(text)) if path in known else None
        if same:
            yield _Fact(f"the source of {path} is in the file: {_describe(same)}", same)


def _intersection(facts: list[_Fact]) -> Releases:
    return frozenset.intersection(*(fact.fits for fact in facts))


def _writer(fits: Releases, facts: list[_Fact], doubts: tuple[str, ...]) -> Writer:
    names = class_record.releases()
    deciding = []
    for end in (min, max) if fits else ():
        texts = [fact.text for fact in facts if end(fact.fits) == end(fits)]
        deciding += sorted(texts, key=lambda text: (len(text), text))[:1]
    return Writer(
        releases=tuple(names[number] for number in sorted(fits)),
        open=len(names) - 1 in fits,
        evidence=(*dict.fromkeys(deciding), *doubts),
    )


def _describe(numbers: Releases) -> str:
    """`0.8.0.dev0 to 1.0.3`, with a comma where releases between do not belong to it."""
    return in_words(numbers, class_record.releases(), and_later=True)


STATES = ("_parameters", "_buffers", "_modules")


def made_by(program: Program, objects: Iterable[Standin]) -> Writer | None:
    """The timm releases that can have made these objects of a file; None if none are timm's."""
    carried: dict[str, Carried] = {}
    for value in objects:
        if value.dotted.startswith("timm."):
            names, registered = _names_carried(value)
            known = carried.setdefault(value.dotted, Carried(set(), set(names), set()))
            known.add(names, registered)
    asked = [str(wanted) for wanted in program.globals.values()]
    texts = {
        str(class_): source[1]
        for class_, source in program.sources.items()
        if isinstance(source[1], str)
    }
    return find_writer(asked, carried, texts)


def _names_carried(value: Standin) -> tuple[set[str], set[str]]:
    """The attributes of an object, and those among them that a module has registered."""
    state = attributes(value)
    states = [pairs(state.get(kind)) for kind in STATES] if is_module(value) else []
    registered = {key for entry in states for key, _ in entry if type(key) is str}
    return set(state) | registered, registered
