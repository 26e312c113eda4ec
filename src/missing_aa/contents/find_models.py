"""The models in a file: at its top, in a dictionary, or somewhere inside a pickled learner."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeGuard

from missing_aa.contents.holding import Known, holds_tensors, is_optimizer
from missing_aa.contents.standins import (
    HOLDERS,
    Standin,
    attributes,
    has_literal_keys,
    inside,
    pairs,
    states,
)
from missing_aa.contents.state_dict import (
    COMPUTED_KEY,
    Weights,
    from_dict,
    from_module,
    is_module,
    is_tensor,
    refuse_strange,
    unwrap,
)
from missing_aa.contents.views import Array
from missing_aa.errors import LimitReached, Malformed, Refused, UsageProblem
from missing_aa.limits import Limits
from missing_aa.pickles.known_names import DICTIONARIES
from missing_aa.text import clean

LONGEST = 10_000
LONGEST_IN_ALL = 5_000_000
"""Letters in the ways to all models together: each can have the same long beginning."""
NAMELESS = "a class without a name"
SHOWN = 3
"""How many tensors that were left out are named."""
LONGEST_SHOWN = 200
"""Letters of the name of one: the note stands with every model."""


class WhichRoot(UsageProblem):
    """A file holds several models, or none of the name that was given."""


@dataclass
class Root:
    """A model or a state_dict: `name` is the way to it (keys and attributes, joined by dots).

    `dotted` is the class of a model, DataParallel and its kind looked through; "" for a state_dict.
    `notes` are for the person. `has_literal_way`: all keys on the way stand in the file as such.
    """

    name: str
    value: object
    dotted: str
    notes: list[str] = field(default_factory=list)
    has_literal_way: bool = True

    @property
    def kind(self) -> str:
        return self.dotted or "state_dict"

    @property
    def model(self) -> Standin | None:
        """The model itself, inside DataParallel and its kind; None for a state_dict."""
        return unwrap(self.value)[0] if is_module(self.value) else None

    def weights(self, limits: Limits) -> Weights:
        """Its tensors by name. Raises Refused, Malformed or LimitReached."""
        if not self.has_literal_way:
            raise Refused(COMPUTED_KEY)
        if is_module(self.value):
            weights = from_module(self.value, limits)
        else:
            if isinstance(self.value, Standin) and _is_strange(self.value):
                raise Malformed(f"{clean(self.value.dotted)} is no dictionary of tensors")
            weights = from_dict(pairs(self.value), limits)
        weights.notes += self.notes
        return weights


def find(top: object, limits: Limits) -> list[Root]:
    """Every model and state_dict, in the order of the file. Raises LimitReached.

    Dictionaries of numpy's arrays count where there is nothing of torch's.
    """
    return _Search(top, limits).roots()


class _Search:
    def __init__(self, top: object, limits: Limits):
        self._top = top
        self._limits = limits
        self._laden: set[int] | None = None
        self._known: Known = {}
        self._letters = 0
        self._loose: list[str] = []
        """The ways to the first tensors that stand beside a model, and are no part of one."""
        self._all_loose = 0

    def roots(self) -> list[Root]:
        found = self._find()
        of_torch = [root for root in found if root.dotted or not _is_of_numpy(root.value)]
        if of_torch:
            for root in found:
                if not root.dotted and _is_of_numpy(root.value):
                    self._note_loose((None, root.name), pairs(root.value))
            found = of_torch
        left_out = self._left_out()
        for root in found:
            root.notes += left_out
        return found

    def _find(self) -> list[Root]:
        found: list[Root] = []
        seen: set[int] = set()
        # The way to a value is a chain of steps, mostly shared.
        waiting: list[tuple[tuple | None, int, object, bool]] = [(None, 0, self._top, True)]
        while waiting:
            way, depth, value, literal = waiting.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            self._limits.check("objects", len(seen), "the number of objects")
            self._limits.check("depth", depth, "the depth of the objects")
            if is_module(value):
                if holds_tensors(value, self._known):
                    class_ = unwrap(value)[0].dotted or NAMELESS
                    found.append(Root(self._name(way), value, class_, has_literal_way=literal))
                else:
                    self._note_loose(way, attributes(value).items())
                continue
            steps: Iterable[tuple] = ()
            if self._is_state_dict(value):
                found.append(Root(self._name(way), value, "", has_literal_way=literal))
                if not (isinstance(value, Standin) and _is_strange(value)):
                    steps = attributes(value).items()
            elif not is_optimizer(value, self._known):
                steps = list(_steps_into(value))
            if steps:
                self._note_loose(way, steps)
                literal = literal and all(map(has_literal_keys, (value, *states(value))))
                inner = [
                    ((way, _word(name)), depth + 1, child, literal)
                    for name, child in steps
                    if isinstance(child, dict | list | tuple | Standin)
                ]
                waiting.extend(reversed(inner))
        return found

    def _name(self, way: tuple | None) -> str:
        name = _name(way)
        self._letters += len(name)
        if self._letters > LONGEST_IN_ALL:
            raise LimitReached(
                f"the ways to the models in it have more than {LONGEST_IN_ALL:,} letters together, "
                "as in no checkpoint; do not load it"
            )
        return name

    def _is_state_dict(self, value: object) -> bool:
        """Mostly tensors, or the whole file, and nothing beside them that could hold more.

        What an object was made with may stand in it as well, or may not: only its code knows.
        """
        if isinstance(value, Standin) and any(map(self._is_laden, (*value.given, *value.items))):
            return False
        tensors = others = 0
        for name, item in pairs(value):
            if is_tensor(item):
                tensors += 1
            elif isinstance(item, HOLDERS) and not _is_extra(name) and self._is_laden(item):
                return False
            else:
                others += 1
        return tensors > (others if value is not self._top else 0)

    def _is_laden(self, value: object) -> bool:
        if self._laden is None:
            self._laden = _all_that_hold_tensors(self._top, self._known)
        return id(value) in self._laden

    def _note_loose(self, way: tuple | None, steps: Iterable[tuple]) -> None:
        for name, item in steps:
            if is_tensor(item):
                self._all_loose += 1
                if len(self._loose) < SHOWN:
                    self._loose.append(clean(_name((way, _word(name))), LONGEST_SHOWN))

    def _left_out(self) -> list[str]:
        if not self._loose:
            return []
        shown = ", ".join(map(ascii, self._loose))
        beyond = self._all_loose - len(self._loose)
        more = f" and {beyond:,} more" if beyond else ""
        return [f"{shown}{more}: tensors beside the model, left out"]


def choose(found: list[Root], name: str | None) -> Root:
    """The one model, or the one of that name, or the part of one that its modules' names lead to.

    Raises WhichRoot, which lists them, Malformed where there is none, Refused for a name of two.
    """
    if not found:
        raise Malformed(
            "it holds no model and no state_dict; `missing-aa inspect` shows what it is"
        )
    if name is None and len(found) == 1:
        return found[0]
    named = [root for root in found if root.name == name]
    if len(named) > 1:
        raise Refused(f"two models in it go by the name {ascii(name)}; so it names none")
    if named:
        return named[0]
    parts = [part for root in found for part in _parts(root, name, len(found) == 1)]
    if len(parts) == 1:
        return parts[0]
    listed = ", ".join(
        f"{ascii(root.name)[1:-1] or 'the file itself'} ({ascii(root.kind)[1:-1]})"
        for root in found
    )
    if len(found) == 1:
        raise WhichRoot(
            f"it holds no model and no module {ascii(name)}, but one model, for which no --root is "
            f"needed: {listed}"
        )
    asked = "it holds several models" if name is None else f"it holds no model {ascii(name)}"
    raise WhichRoot(f"{asked}; choose one with --root NAME (in Python: root=NAME): {listed}")


def _parts(root: Root, name: str | None, alone: bool) -> Iterator[Root]:
    """The module of that name inside a model, or the tensors of a state_dict under it.

    The name is the way in the file; of the only model in it, the name that the model gives it, too.
    """
    if not name:
        return
    before = f"{root.name}." if root.name else ""
    ways = {name.removeprefix(before)} if name.startswith(before) else set()
    ways |= {name} if alone else set()
    for way in ways:
        part: object = root.model
        if part:
            for step in way.split("."):
                if is_module(part):
                    refuse_strange(way, part)
                children = pairs(attributes(part).get("_modules"))
                part = next((child for key, child in children if key == step), None)
            if is_module(part) and holds_tensors(part, {}):
                class_ = unwrap(part)[0].dotted or NAMELESS
                yield Root(name, part, class_, root.notes, root.has_literal_way)
        else:
            if not root.has_literal_way or not has_literal_keys(root.value):
                raise Refused(COMPUTED_KEY)
            weights = {key: item for key, item in pairs(root.value) if isinstance(key, str)}
            value = {
                key[len(way) + 1 :]: weights[key] for key in weights if key.startswith(f"{way}.")
            }
            if value:
                yield Root(name, value, "", root.notes)


def _steps(way: tuple | None) -> list[str]:
    steps = []
    while way:
        way, step = way
        steps.append(step)
    return steps[::-1]


def _name(way: tuple | None) -> str:
    steps = _steps(way)
    if sum(map(len, steps)) > LONGEST:
        raise LimitReached(
            f"the way to a model in it is longer than {LONGEST:,} letters, as in no checkpoint; "
            "do not load it"
        )
    return ".".join(steps)


def _steps_into(value: object) -> Iterator[tuple[object, object]]:
    """What lies one step inside: a key, a name or a number for the step, and the value."""
    steps: list[Iterable[tuple]] = [pairs(value)]
    if isinstance(value, Standin):
        steps += [attributes(value).items(), enumerate(value.given), enumerate(value.items)]
    elif isinstance(value, list | tuple):
        steps.append(enumerate(value))
    return chain(*steps)


def _word(step: object) -> str:
    return step if isinstance(step, str) else f"{step:d}" if _is_small(step) else "?"


def _is_small(name: object) -> TypeGuard[int]:
    return type(name) is int and abs(name) < 2**63


def _all_that_hold_tensors(top: object, known: Known) -> set[int]:
    """The ids of all values that hold a tensor, at any depth; optimizers are taken for plain."""
    around: dict[int, list[int]] = {}
    seen, waiting, full = {id(top)}, [top], []
    while waiting:
        value = waiting.pop()
        if is_tensor(value):
            full.append(id(value))
            continue
        if is_optimizer(value, known):
            continue
        for item in inside(value):
            if isinstance(item, HOLDERS):
                around.setdefault(id(item), []).append(id(value))
                if id(item) not in seen:
                    seen.add(id(item))
                    waiting.append(item)
    laden = set(full)
    while full:
        for holder in around.get(full.pop(), ()):
            if holder not in laden:
                laden.add(holder)
                full.append(holder)
    return laden


def _is_strange(value: Standin) -> bool:
    """Whether it is of a class of Python's own that is no dictionary."""
    is_pythons = value.dotted.startswith(("builtins.", "collections."))
    return is_pythons and value.dotted not in DICTIONARIES


def _is_of_numpy(value: object) -> bool:
    return all(isinstance(item, Array) for _, item in pairs(value) if is_tensor(item))


def _is_extra(name: object) -> bool:
    return isinstance(name, str) and name.endswith("_extra_state")
