"""The file's own objects as values of the abstract run."""

import ast
from collections.abc import Callable

from missing_aa.checker.values import (
    TENSOR,
    UNKNOWN,
    Items,
    Mapping,
    Obj,
    Partial,
    Tensor,
    is_plain,
)
from missing_aa.checker.world import AllClasses
from missing_aa.comparer.classes import NAMED_TUPLE
from missing_aa.contents.standins import Name, Standin, attributes, pairs
from missing_aa.contents.state_dict import is_tensor
from missing_aa.contents.views import View

DICTS = {"builtins.dict", "collections.OrderedDict", "collections.defaultdict"}
SETS = {"builtins.set": set, "builtins.frozenset": frozenset}
KEPT_METHOD = "builtins.getattr"
PARTIAL = "functools.partial"


class FileObjects:
    """Makes the value of a stand-in once, so that what the file shares is shared.

    `name` gives the value of a dotted name that the file asks for; `kept` that of a method that an
    instance keeps.
    """

    def __init__(self, classes: AllClasses, name: Callable[[str], object]):
        self.classes = classes
        self._name = name
        self._made: dict[int, object] = {}
        self._alive: list = []
        """The stand-ins by whose id something was made."""
        self.objects: list[Obj] = []
        """In the order in which they were met."""
        self.kept: list[tuple[object, str]] = []
        self.states: dict[int, object] = {}
        """What an object's `__setstate__` is given, by the object's id, where that is a tuple."""

    def value(self, standin: object) -> object:
        """The value of anything that stands in a file."""
        if is_plain(standin):
            return standin
        if isinstance(standin, View):
            return Tensor(standin.shape)
        key = id(standin)
        if key not in self._made:
            self._alive.append(standin)
            self._made[key] = UNKNOWN  # for a tuple that holds itself
            self._make(standin, key)
        return self._made[key]

    def _make(self, given: object, key: int) -> None:
        made = self._made
        if isinstance(given, Name):
            made[key] = self._name(given.dotted)
        elif isinstance(given, tuple):
            made[key] = tuple(map(self.value, given))
        elif isinstance(given, list):
            made[key] = filled = Items([])
            filled.items = [self.value(item) for item in given]
        elif isinstance(given, dict) or getattr(given, "dotted", "") in DICTS:
            made[key] = mapping = Mapping()
            self._fill(mapping, pairs(given))
        elif is_tensor(given):
            made[key] = TENSOR
        elif isinstance(given, Standin):
            self._make_object(given, key)

    def _fill(self, mapping: Mapping, entries) -> None:
        for name, item in entries:
            if is_plain(name):
                mapping.items[name] = self.value(item)
            else:
                mapping.exact = False

    def _make_object(self, given: Standin, key: int) -> None:
        made, dotted = self._made, given.dotted
        if dotted in SETS:
            members = given.given[0] if given.given else []
            members = [*(members if isinstance(members, list | tuple) else []), *given.items]
            made[key] = Items([self.value(item) for item in members], kind=SETS[dotted])
        elif dotted == "torch.Size":
            sizes = given.given[0] if given.given else ()
            if isinstance(sizes, tuple | list):
                made[key] = tuple(map(self.value, sizes))
        elif dotted == KEPT_METHOD and len(given.given) == 2:
            owner, name = given.given
            made[key] = kept = Kept(self.value(owner), str(name))
            self.kept.append((kept.of, kept.name))
        elif dotted == PARTIAL:
            made[key] = self._partial(given)
        else:
            self._make_instance(given, key)

    def _partial(self, given: Standin) -> object:
        state = given.state if isinstance(given.state, tuple) else ()
        if len(state) < 3:
            return UNKNOWN
        function, args, kwargs = state[:3]
        named = {name: self.value(item) for name, item in pairs(kwargs) if isinstance(name, str)}
        positional = self.value(args)
        if not isinstance(positional, tuple):
            return UNKNOWN
        return Partial(self.value(function), positional, named)

    def _make_instance(self, given: Standin, key: int) -> None:
        cls = self.classes.at(given.dotted) if given.dotted else None
        if cls is not None and NAMED_TUPLE in cls.foreign:
            self._made[key] = made = Obj(cls, given.dotted)
            names = [each for above in cls.order for each in _fields(above)]
            made.fields = dict(zip(names, map(self.value, given.given), strict=False))
            made.fields["__items__"] = tuple(map(self.value, given.given))
            return
        if cls is None and not attributes(given):
            return  # a dtype, a device, an array: UNKNOWN
        made = self._made[key] = Obj(cls, given.dotted)
        if given.given:
            made.doubt("it was made with arguments, by code that was not followed")
        if list(given.items) or list(given.pairs):
            made.doubt("it holds items of its own")
        state = {name: self.value(item) for name, item in attributes(given).items()}
        self.objects.append(made)
        made.fields = state
        if isinstance(given.state, tuple):
            self.states[id(made)] = self.value(given.state)


class Kept:
    """A method that an instance keeps: `getattr(of, name)`, which pickle looks up at the load."""

    def __init__(self, of: object, name: str):
        self.of = of
        self.name = name


def _fields(cls) -> list[str]:
    return [
        node.target.id
        for node in cls.node.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
