"""What the objects of a file become: inert things that carry what the file gave them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeGuard

from missing_aa.contents.views import Untaken, View
from missing_aa.pickles.known_names import DICTIONARIES

PLAIN_DICT = "builtins.dict"
ORDERED_DICT = "collections.OrderedDict"
GRAPH_MODULES = (
    "torch.fx.graph_module.reduce_graph_module",
    "torch.fx.graph_module.reduce_package_graph_module",
    "torch.fx.graph_module.reduce_deploy_graph_module",
)
"""What is called to make a torch.fx.GraphModule; its attributes are the first argument."""
SETS = ("set", "frozenset", "builtins.set", "builtins.frozenset")
LITERALS = frozenset({str, int, float, bool, tuple, type(None)})
"""Keys that a load takes as they stand. Whatever else is one may be equal to a text."""


class Standin:
    """An object of the file: its class's dotted name, and what the file gave it. It runs nothing.

    `given` are its arguments, `state` what BUILD gave it, `items` and `pairs` what it was filled
    with. `is_called`: its class, or a function, was called to make it, and not `__new__` alone.
    What the file gives lies in slots, and there is no `__dict__`: nothing shadows a method.
    """

    __slots__ = ("dotted", "is_called", "given", "state", "items", "pairs")

    def __init__(self, dotted: str = "", is_called: bool = False):
        self.dotted = dotted
        self.is_called = is_called
        self.given: tuple = ()
        self.state: object = None
        self.items: list | tuple[()] = ()
        self.pairs: list[tuple] | tuple[()] = ()


@dataclass(frozen=True, slots=True)
class Name:
    """A class or a function that the file names, by its dotted path."""

    dotted: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A storage class or a dtype: torch's name for the type of an element."""

    dtype: str


HOLDERS = (Standin, View, Untaken, dict, list, tuple)


def attributes(value: object) -> dict:
    """The attributes that the file gave an object; with `__slots__` they come as a pair."""
    parts = states(value)
    return {key: found for part in parts for key, found in pairs(part) if type(key) is str}


def states(value: object) -> tuple:
    """What an object's attributes come from: a dictionary, or a pair of them, where all is well."""
    if not isinstance(value, Standin):
        return ()
    state = value.state
    if value.dotted in GRAPH_MODULES and value.given:
        state = value.given[0]
    return state if isinstance(state, tuple) and len(state) == 2 else (state,)


def has_literal_keys(value: object) -> bool:
    """Whether a load takes all keys of a dictionary as they stand in the file."""
    return all(type(key) in LITERALS for key, _ in pairs(value))


def is_dictionary(value: object) -> TypeGuard["Standin"]:
    """Whether it is a dictionary of Python's own, of which no pair lies elsewhere in it."""
    if not isinstance(value, Standin) or value.items:
        return False
    return value.dotted == ORDERED_DICT or value.state is None and value.dotted in DICTIONARIES


def pairs(value: object) -> Iterable[tuple]:
    """Keys and values of a dictionary, or of an object that is one; nothing for anything else."""
    if type(value) is dict:
        return value.items()
    return value.pairs if isinstance(value, Standin) else ()


def inside(value: object) -> Iterator[object]:
    """What a value holds, one step down; keys are not among it."""
    if isinstance(value, list | tuple):
        yield from value
    elif isinstance(value, Standin | dict):
        for _, item in pairs(value):
            yield item
        if isinstance(value, Standin):
            yield value.state
            yield from value.given
            yield from value.items


def everything(top: object, seen: set[int] | None = None) -> Iterator[object]:
    """Every object, tensor and container below a value, each once; none of those in `seen`."""
    seen, waiting = set() if seen is None else seen, [top]
    while waiting:
        value = waiting.pop()
        if isinstance(value, HOLDERS) and id(value) not in seen:
            seen.add(id(value))
            yield value
            waiting += inside(value)


def walk(top: object) -> tuple[list[Standin], list[View]]:
    """Every object and every tensor below a value, each once."""
    objects, views = [], []
    for value in everything(top):
        if isinstance(value, Standin):
            objects.append(value)
        elif isinstance(value, View):
            views.append(value)
    return objects, views
