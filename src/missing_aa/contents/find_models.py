"""The models in a file: at its top, in a dictionary, or somewhere inside a pickled learner."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from missing_aa.contents.standins import Standin, attributes, pairs
from missing_aa.contents.state_dict import (
    Weights,
    from_dict,
    from_module,
    is_module,
    is_tensor,
    unwrap,
)
from missing_aa.errors import LimitReached, Malformed, Refused, UsageProblem
from missing_aa.limits import Limits

LONGEST = 10_000


class WhichRoot(UsageProblem):
    """A file holds several models, or none of the name that was given."""


@dataclass
class Root:
    """A model or a state_dict: `name` is the way to it (keys and attributes, joined by dots).

    `dotted` is the class of a model, DataParallel and its kind looked through; "" for a state_dict.
    """

    name: str
    value: object
    dotted: str

    @property
    def kind(self) -> str:
        return self.dotted or "state_dict"

    def weights(self, limits: Limits) -> Weights:
        if self.dotted:
            return from_module(self.value, limits)
        return from_dict(pairs(self.value), limits)


def find(top: object, limits: Limits) -> list[Root]:
    """Every model and state_dict, in the order of the file. Raises LimitReached."""
    found, seen = [], set()
    waiting = [(None, 0, top)]  # the way to a value is a chain of steps, of which most is shared
    while waiting:
        way, depth, value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        limits.check("objects", len(seen), "the number of objects")
        limits.check("depth", depth, "the depth of the objects")
        if is_module(value):
            if _holds_tensors(value):
                found.append(Root(_name(way), value, unwrap(value)[0].dotted))
        elif _is_state_dict(value) and not any(map(_of_optimizer, _steps(way))):
            found.append(Root(_name(way), value, ""))
        else:
            children = [((way, name), depth + 1, child) for name, child in _children(value)]
            waiting.extend(reversed(children))
    return found


def choose(found: list[Root], name: str | None) -> Root:
    """The one model, or the one of that name.

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
        raise Refused(f"two models in it go by the name {ascii(name)}; none can be told from it")
    if named:
        return named[0]
    listed = ", ".join(
        f"{ascii(root.name)[1:-1] or 'the file itself'} ({ascii(root.kind)[1:-1]})"
        for root in found
    )
    if len(found) == 1:
        raise WhichRoot(
            f"it holds no model {ascii(name)} but one, for which no --root is needed: {listed}"
        )
    asked = "it holds several models" if name is None else f"it holds no model {ascii(name)}"
    raise WhichRoot(f"{asked}; choose one with --root NAME (in Python: root=NAME): {listed}")


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


def _children(value: object) -> Iterator[tuple[str, object]]:
    """What lies one step inside: a word for the step, and the value."""
    steps = [pairs(value)]
    if isinstance(value, Standin):
        steps += [attributes(value).items(), enumerate(value.given), enumerate(value.items)]
    elif isinstance(value, list | tuple):
        steps.append(enumerate(value))
    for name, child in chain(*steps):
        if isinstance(child, dict | list | tuple | Standin):
            yield name if type(name) is str else f"{name:d}" if _is_small(name) else "?", child


def _is_small(name: object) -> bool:
    return type(name) is int and abs(name) < 2**63


def _holds_tensors(module: Standin) -> bool:
    """A loss function is a module too, but mostly one with nothing to save."""
    waiting, seen = [module], set()
    while waiting:
        state = attributes(waiting.pop())
        for kind in ("_parameters", "_buffers"):
            if any(value is not None for _, value in pairs(state.get(kind))):
                return True
        for _, child in pairs(state.get("_modules")):
            if id(child) not in seen:
                seen.add(id(child))
                waiting.append(child)
    return False


def _is_state_dict(value: object) -> bool:
    """Mostly tensors, and nothing beside them that could hold more."""
    tensors = others = 0
    for name, item in pairs(value):
        if is_tensor(item):
            tensors += 1
        elif isinstance(item, str | int | float | bytes | None) or _is_extra(name):
            others += 1
        else:
            return False
    return tensors > others


def _is_extra(name: object) -> bool:
    return isinstance(name, str) and name.endswith("_extra_state")


def _of_optimizer(name: str) -> bool:
    """Optimizers keep dictionaries of tensors too, one for each parameter."""
    return name.lower().startswith("opt") or "optim" in name.lower()
