"""What a value may be in an abstract run: a plain one as it is, and everything else by its kind.

None, numbers, texts and tuples stand for themselves. A tensor has no numbers. What is not known is
UNKNOWN, about which every question stays open.
"""

import ast
from dataclasses import dataclass, field

from missing_aa.comparer.classes import Class


class Unknown:
    """A value of which nothing is known."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()

Code = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

PLAIN = type(None) | bool | int | float | complex | str | bytes | type(Ellipsis)
"""Types whose values are known exactly."""


@dataclass(eq=False)
class Tensor:
    """A tensor, whose shape is known where it lies in the file."""

    shape: tuple[int, ...] | None = None


TENSOR = Tensor()


class Mutable:
    """A value that code changes: `copy` gives its state, and `restore` puts one back."""

    def copy(self):
        raise NotImplementedError

    def restore(self, state) -> None:
        raise NotImplementedError


@dataclass(eq=False, repr=False)
class Obj(Mutable):
    """An object: of the file, or made on the way.

    `cls` is its class, None where that cannot be read; `dotted` the name that the file has for it.
    `fields` is its `__dict__`. `doubts` say why it may have more attributes than are known.
    """

    cls: Class | None
    dotted: str
    fields: dict[str, object] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    of_file: bool = True

    @property
    def name(self) -> str:
        """Its class's name, as messages have it."""
        return (self.cls.node.name if self.cls else self.dotted).rpartition(".")[2]

    def copy(self) -> dict:
        return dict(self.fields)

    def restore(self, state: dict) -> None:
        self.fields = state

    def doubt(self, why: str) -> None:
        if why not in self.doubts:
            self.doubts.append(why)


@dataclass(eq=False)
class Items(Mutable):
    """A list, or a set; if it is not `exact` there may be others in it, or two that are one."""

    items: list
    exact: bool = True
    kind: type = list

    def __post_init__(self):
        if self.kind is list:
            return
        plain = list(dict.fromkeys(item for item in self.items if is_plain(item)))
        others = [item for item in self.items if not is_plain(item)]
        self.items = plain + others
        self.exact = self.exact and (not others or len(self.items) == 1)

    def copy(self) -> tuple:
        return list(self.items), self.exact

    def restore(self, state: tuple) -> None:
        self.items, self.exact = list(state[0]), state[1]


@dataclass(eq=False)
class Mapping(Mutable):
    """A dictionary with plain keys; if it is not `exact` there may be others in it."""

    items: dict = field(default_factory=dict)
    exact: bool = True

    def copy(self) -> tuple:
        return dict(self.items), self.exact

    def restore(self, state: tuple) -> None:
        self.items, self.exact = dict(state[0]), state[1]


class Scope(dict, Mutable):
    """The local names of a function that runs."""

    def copy(self) -> dict:
        return dict(self)

    def restore(self, state: dict) -> None:
        self.clear()
        self.update(state)


@dataclass(eq=False)
class Vars:
    """The `__dict__` of an object, through which it can be changed."""

    of: Obj


@dataclass(frozen=True)
class ModuleRef:
    """A module of the environment."""

    path: str


@dataclass(frozen=True)
class External:
    """Something that stands under a dotted path and whose source is not there, or not followed."""

    path: str


@dataclass(frozen=True)
class Builtin:
    """A built-in function or type."""

    name: str


@dataclass(frozen=True, eq=False)
class ClassRef:
    """A class itself."""

    cls: Class


@dataclass(frozen=True, eq=False)
class Function:
    """A function or lambda: where it stands, the class of a method, the names around it."""

    node: Code
    module: str
    cls: Class | None = None
    around: tuple[Scope, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Function) and self.node is other.node and self.cls is other.cls

    def __hash__(self) -> int:
        return id(self.node)

    @property
    def name(self) -> str:
        return getattr(self.node, "name", "<lambda>")


@dataclass(frozen=True, eq=False)
class Method:
    """A function with the object that it works on."""

    of: object
    function: "Function | Builtin"


@dataclass(frozen=True, eq=False)
class Native:
    """A method of a built-in type, or one of torch's that is known here."""

    of: object
    name: str


@dataclass(frozen=True, eq=False)
class Partial:
    """`functools.partial`."""

    function: object
    args: tuple
    kwargs: dict


@dataclass(frozen=True, eq=False)
class Super:
    """`super()`: an object, looked at behind one of its classes."""

    of: object
    after: Class


def is_plain(value: object) -> bool:
    """Whether all of it is known."""
    if type(value) is tuple:
        return all(map(is_plain, value))
    return isinstance(value, PLAIN)


def type_name(value: object) -> str | None:
    """The name of a value's type as Python's messages have it; None where it is not known."""
    if isinstance(value, Items):
        return value.kind.__name__
    if isinstance(value, Mapping | Vars):
        return "dict"
    if isinstance(value, Obj):
        return value.name
    if isinstance(value, Tensor):
        return "Tensor"
    if isinstance(value, ModuleRef):
        return "module"
    if isinstance(value, tuple | PLAIN):
        return type(value).__name__
    return None


def join(one: object, other: object) -> object:
    """What is known of a value that is one or the other."""
    if one is other:
        return one
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return TENSOR
    if type(one) is type(other):
        if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
            return tuple(join(a, b) for a, b in zip(one, other, strict=True))
        if isinstance(one, PLAIN | ModuleRef | External | Builtin) and one == other:
            return one
        if isinstance(one, Method) and isinstance(other, Method) and one.of is other.of:
            return one if one.function == other.function else UNKNOWN
        if isinstance(one, ClassRef) and isinstance(other, ClassRef) and one.cls is other.cls:
            return one
        if isinstance(one, Function) and one == other:
            return one
    return UNKNOWN


def join_states(value: Mutable, states: list) -> object:
    """The state of a value that is in one of these."""
    first, *others = states
    for other in others:
        if isinstance(value, Items):
            same = len(first[0]) == len(other[0]) and first[1] and other[1]
            long, short = sorted((first[0], other[0]), key=len, reverse=True)
            paired = [join(a, b) for a, b in zip(long, short, strict=False)]
            first = (paired + long[len(short) :], same)
        elif isinstance(value, Mapping):
            joined = _join_dicts(first[0], other[0])
            first = (joined, first[1] and other[1] and first[0].keys() == other[0].keys())
        else:
            first = _join_dicts(first, other)
    return first


def _join_dicts(one: dict, other: dict) -> dict:
    return {
        key: join(one[key], other[key]) if key in one and key in other else UNKNOWN
        for key in {**one, **other}
    }
