"""What a dictionary holds that was made by calling its class, before anything is set in it."""

from collections import Counter, OrderedDict
from math import isnan

from missing_aa.errors import Malformed
from missing_aa.pickles.known_names import DICTIONARIES
from missing_aa.pickles.program import INDIRECT, Dict, Object, class_of

DEFAULT_DICT = "collections.defaultdict"
COUNTER = "collections.Counter"

METHODS = frozenset(dir(OrderedDict)).union(dir(Counter))
SHADOWED = "a dictionary in it brings methods of its own, as in no checkpoint: do not load it"

NESTED = 100
"""How deep a dictionary may be made of a dictionary, and a key's tuples may lie in tuples."""
LONG = 1000
"""A longer tuple is no key that is known."""
HASHED = 2**61 - 1
"""Whole numbers from here on can be chosen so that all have one hash, and take long to look up."""
NO_PAIRS = "a dictionary in it is made of something else than pairs"


class Spelling:
    """What keys have in common that are equal: 1, 1.0 and True are one key."""

    def __init__(self):
        self._known: dict[int, tuple | None] = {}
        self._tuples: dict[tuple, int] = {}

    def of(self, key: object) -> object:
        """The same for all keys that are equal; None where only a load can tell."""
        if isinstance(key, str) or isinstance(key, int | float) and abs(key) < HASHED:
            return key
        return self._part(key)

    def _part(self, key: object, depth: int = 0) -> tuple | None:
        """Once for each: a file can use a tuple of tuples, or a number of a megabyte, often."""
        if id(key) not in self._known:
            self._known[id(key)] = self._spelt(key, depth)
        return self._known[id(key)]

    def _spelt(self, key: object, depth: int) -> tuple | None:
        if isinstance(key, tuple) and depth < NESTED and len(key) <= LONG:
            parts = tuple([self._part(part, depth + 1) for part in key])
            return None if None in parts else (self._tuples.setdefault(parts, len(self._tuples)),)
        if isinstance(key, int) or isinstance(key, float) and key.is_integer():
            return "number", hex(int(key))
        if isinstance(key, str | None) or isinstance(key, float) and not isnan(key):
            return type(key).__name__, str(key)
        return None


def is_dictionary(node: object) -> bool:
    """Whether it is an object of a class of Python's own that holds pairs."""
    kind = class_of(node)
    return kind is not None and kind.dotted in DICTIONARIES


def refuse_shadowed(node: Object) -> None:
    """Raises Malformed for a dictionary with attributes that may stand for its methods."""
    for state in node.states:
        named = [key for key, _ in state.pairs] if isinstance(state, Dict) else [None]
        if not all(type(key) is str and key not in METHODS for key in named):
            raise Malformed(SHADOWED)


def called_with(node: Object) -> list[tuple]:
    """The pairs that a dictionary gets from the call that makes it, in Python's order.

    `__new__` alone takes none. Raises Malformed for what cannot be followed.
    """
    return _called_with(node, 0)


def _called_with(node: Object, depth: int) -> list[tuple]:
    kind, args = class_of(node), node.args
    if node.is_new or kind is None or not args:
        return []
    if kind is not node.made_by:
        if str(node.made_by) == INDIRECT[0]:  # calls the __init__ of a base too
            raise Malformed(NO_PAIRS)
        return []
    if kind.dotted == DEFAULT_DICT and isinstance(args, tuple):
        args = args[1:]
        if not args:
            return []
    if not isinstance(args, tuple) or len(args) != 1 or depth == NESTED:
        raise Malformed(NO_PAIRS)
    if kind.dotted == COUNTER and not isinstance(args[0], Dict | Object):
        raise Malformed(NO_PAIRS)  # it counts what it is given
    return _pairs_of(args[0], depth)


def _pairs_of(given: object, depth: int) -> list[tuple]:
    if isinstance(given, Dict):
        return list(given.pairs)
    if isinstance(given, Object):
        if not is_dictionary(given) or given.states or given.items:
            raise Malformed(NO_PAIRS)
        return _called_with(given, depth + 1) + list(given.pairs)
    if not isinstance(given, list | tuple) or not all(
        type(pair) in (list, tuple) and len(pair) == 2 for pair in given
    ):
        raise Malformed(NO_PAIRS)
    return [tuple(pair) for pair in given]
