"""What a pickle does with the names that it asks for: keep, make objects of, call or change them.

A pickle calls without saying so, too: `append`, `__setitem__`, `__setstate__` of what it fills, and
whatever a function that it calls is given. What could be called so counts as called.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from missing_aa.pickles.joblib_arrays import FIELDS, MOST_AXES, WRAPPER
from missing_aa.pickles.known_names import ARRAYS, BARE, SAFE, TAKES_CLASSES
from missing_aa.pickles.program import (
    NODES,
    Dict,
    Global,
    Object,
    Persistent,
    Program,
    class_of,
    parts_of,
)

PARTIAL = "functools.partial"
KEEPERS = (PARTIAL, "collections.defaultdict")
"""They keep what they are given, and call it only if they are called themselves, or asked later."""
ORDERED = "collections.OrderedDict"
DICTIONARIES = (ORDERED, "collections.defaultdict", "collections.Counter")
"""What is set in them is kept, and its key hashed."""
_BASES = "object int float complex str bytes bytearray tuple list dict set frozenset"
BASES = frozenset(f"builtins.{name}" for name in _BASES.split(" "))
"""Classes whose own `__new__` and `__init__` run nothing."""
CALLS_BACK = "torch._tensor._rebuild_from_type_v2"
"""Alone among the functions that torch allows, it calls what it is given."""
NEW_WITH_KEYWORDS = "copyreg.__newobj_ex__"
RECONSTRUCTOR = "copyreg._reconstructor"
TAKES_ATTRIBUTES = "builtins.getattr"
KEEP_CLASSES = {WRAPPER, *TAKES_CLASSES}
MOST_TOLD = 4
"""So many arguments numpy's own functions take."""
MOST_ARGUMENTS = 8
"""So many torch's own functions take that make a tensor."""
DEEP = 20
"""Deeper in what a class is given nobody looks: it counts as more than plain values."""

Name = tuple[str, str]
"""Module and name as they stand in the file; the same name is another node in another program."""


@dataclass
class Uses:
    """How a pickle, and those that a load reads with it, use each name.

    `made`: one object of plain values is made with it. `new`: its `__new__` is called, which only
    a class has. `reduced`: it is called itself. `called`: anything more than made. `given`: it is
    given to what is called, which may call it. `filled`: something is added to it. `with_more`: it
    is called with arguments; `with_keywords`: with keywords, by a partial too. `touched` are the
    names, and the ids of the objects, that a call may reach, however deep, and use in any way.
    """

    made: set[Name] = field(default_factory=set)
    reduced: set[Name] = field(default_factory=set)
    new: set[Name] = field(default_factory=set)
    called: set[Name] = field(default_factory=set)
    given: set[Name] = field(default_factory=set)
    filled: set[Name] = field(default_factory=set)
    with_more: set[Name] = field(default_factory=set)
    with_keywords: set[Name] = field(default_factory=set)
    touched: set[Name | int] = field(default_factory=set)


def uses_of(program: Program, inert: frozenset[str], listed: frozenset[str]) -> Uses:
    """How a program uses each name.

    `inert` are those that make plain values of plain values, `listed` all that run nothing but what
    they are given.
    """
    found, plain = Uses(), _Plain(inert)
    for one in with_others(program):
        found.filled |= {wanted.asked for wanted in one.filled}
        outside = reached(one.persistent)
        given: list = list(outside)
        read: list = []
        touched: list = [*outside, *one.keys]
        shared: set[int] = set()
        for made in one.objects:
            maker = made.made_by
            is_safe = type(maker) is Global and maker.dotted in SAFE and maker.dotted != CALLS_BACK
            is_filled = made.states or made.items or made.pairs
            if is_safe and not (made.args or made.kwargs or is_filled):
                continue  # most of what a model consists of: dictionaries of hooks that hold none
            if not is_safe or made.kwargs is not None or maker.dotted in BARE:
                _note_arguments(made, found)
            if is_safe:
                given += _called_by_filling(made)
            else:
                _note_call(made, found, given, plain)
            if is_safe and not is_filled and made.kwargs is None and _is_of_numbers(made.args):
                continue  # a tensor, as most are described
            is_listed = type(maker) is Global and maker.dotted in listed
            kind = class_of(made)
            if made.is_new and not is_listed or kind is not maker:
                touched += [made.args, made.kwargs]
            elif is_listed and not only_keeps_given(made):
                read += plain.read_by(made)
            if kind is not maker and type(kind) is Global and kind.dotted in listed:
                read += [plain.behind_class(made.args), made.kwargs]
            if is_filled:
                touched += [*_called_by_filling(made), *_objects_of_state(made)]
                for attributes in _attributes_set(made):
                    if id(attributes) in shared:
                        continue
                    shared.add(id(attributes))
                    values = [value for _, value in getattr(attributes, "pairs", ())]
                    given += values
                    touched += values
        looked_at = reached([*read, *outside])
        handed = [node for node in looked_at if plain.is_more(node)]
        called = [made.made_by for made in one.objects if isinstance(made.made_by, Object)]
        for node in reached([*called, *handed], deep=True):
            maker = class_of(node) if isinstance(node, Object) else node
            if isinstance(maker, Global):
                found.called.add(maker.asked)
        handed = reached(given)
        found.given |= {node.asked for node in handed if isinstance(node, Global)}
        used = reached([*touched, *called, *looked_at], deep=True)
        found.touched |= {node.asked if type(node) is Global else id(node) for node in used}
        _note_partials([*handed, *used], found)
    return found


def only_keeps_given(made: Object) -> bool:
    """Whether a call looks at nothing that it is given; a defaultdict does but for its function."""
    name = name_of(made.made_by)
    is_alone = isinstance(made.args, tuple) and len(made.args) < 2 and made.kwargs is None
    return name == PARTIAL or name in KEEPERS and is_alone


def _is_of_numbers(args: object) -> bool:
    """Whether a call is given numbers, texts, storages and dictionaries of hooks that hold none."""
    if type(args) is not tuple or len(args) > MOST_ARGUMENTS:
        return False
    for part in args:
        kind = type(part)
        if kind is tuple:
            if len(part) > MOST_AXES or not NODES.isdisjoint(map(type, part)):
                return False
        elif kind is Object:
            is_empty = not (part.args or part.kwargs or part.states or part.items or part.pairs)
            if not is_empty or name_of(part.made_by) != ORDERED:
                return False
        elif kind in NODES and kind is not Persistent:
            return False
    return True


def with_others(program: Program) -> Iterator[Program]:
    """A program, and all that a load would follow besides."""
    waiting = [program]
    while waiting:
        yield (one := waiting.pop())
        waiting += one.others


def _note_arguments(made: Object, found: Uses) -> None:
    """Note whether a name, or a class that is the first argument itself, is called with any."""
    wanted, args, keywords = made.made_by, made.args, made.kwargs
    if isinstance(wanted, Global) and (kind := class_of(made)) is not wanted:
        if kind is None:
            return  # judged as a name that is given to a call
        args, keywords = made.args[1:2], None
        if wanted.dotted == NEW_WITH_KEYWORDS:
            args, keywords = (*args, (), None)[0], (*made.args[2:3], None)[0]
        wanted = kind
    if isinstance(wanted, Global) and not (_is_none(args) and _is_none(keywords)):
        found.with_more.add(wanted.asked)
        if not _is_none(keywords):
            found.with_keywords.add(wanted.asked)


def _is_none(given: object) -> bool:
    return given is None or given in ((), []) or isinstance(given, Dict) and not given.pairs


def _note_partials(nodes: list, found: Uses) -> None:
    """Note what the partials among these, which may be called, would call with keywords."""
    functions: list = []
    for node in nodes:
        if isinstance(node, Object) and name_of(node.made_by) == PARTIAL:
            told = [state for state in node.states if isinstance(state, tuple)]
            keywords = [node.kwargs, *(part for state in told for part in state[2:3])]
            if not all(map(_is_none, keywords)):
                told += [node.args] if isinstance(node.args, tuple) else []
                functions += [part for given in told for part in given[:1]]
    called = reached(functions, deep=True)
    found.with_keywords |= {node.asked for node in called if isinstance(node, Global)}


def _note_call(made: Object, found: Uses, given: list, plain: "_Plain") -> None:
    maker, args, wanted = made.made_by, _given_to(made), class_of(made)
    if isinstance(maker, Global) and maker.dotted == TAKES_ATTRIBUTES:
        args = []  # judged as a whole: see `only_keeps`
    elif isinstance(maker, Global) and wanted and wanted is not maker:
        is_class, args = True, [plain.behind_class(made.args)]
        if maker.dotted == RECONSTRUCTOR:
            base, state = (*made.args[1:3], None, None)[:2]
            is_class = isinstance(base, Global) and base.dotted in BASES and plain(state)
            args = [] if is_class else args
        _note(wanted, found, made=is_class, new=is_class)
    elif isinstance(maker, Global):
        keeps = only_keeps_given(made)
        _note(maker, found, made=made.is_new or keeps or all(map(plain, args)), new=made.is_new)
        args = [] if keeps else args
    else:
        given.append(maker)
    given += [*args, *_called_by_filling(made)]


def _note(wanted: Global, found: Uses, made: bool, new: bool) -> None:
    (found.made if made else found.called).add(wanted.asked)
    (found.new if new else found.reduced).add(wanted.asked)


def _called_by_filling(made: Object) -> list:
    """What may be called where an object is filled: its items, and its state before they came."""
    if not made.items and not made.pairs and len(made.states) < 2:
        return []
    kind = class_of(made)
    is_dictionary = kind is not None and kind.dotted in DICTIONARIES
    values = [] if is_dictionary else [value for _, value in made.pairs]
    before = made.states if made.items or made.pairs else made.states[:-1]
    return [*made.items, *values, *before]


def _objects_of_state(made: Object) -> list:
    """A state that is an object, or a pair of them: readers call its `items`."""
    parts: list = []
    for state in made.states:
        parts += state if isinstance(state, tuple) and len(state) == 2 else [state]
    return [part for part in parts if isinstance(part, Object)]


def _attributes_set(made: Object) -> list:
    """The second halves of states that are pairs: without a `__setstate__` each of their items is
    set by `setattr`, which runs what a class has for that."""
    return [
        state[1]
        for state in made.states
        if isinstance(state, tuple) and len(state) == 2 and state[1]
    ]


def name_of(node: object) -> str:
    return node.dotted if isinstance(node, Global) else ""


def reached(nodes: list, deep: bool = False) -> list[Global | Object]:
    """The names and objects in these lists and dictionaries, however deep.

    Not what objects hold, but for keepers, unless `deep`.
    """
    found: list[Global | Object] = []
    seen: set[int] = set()
    waiting = [node for node in nodes if type(node) in NODES]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        kind = type(node)
        if kind is Global or kind is Object:
            found.append(node)
        parts = None
        if kind is Object:
            name = name_of(node.made_by)
            if not deep and name not in KEEPERS:
                continue
            parts = _parts(node) if name in KEEP_CLASSES else None
        waiting += [part for part in parts or parts_of(node) if type(part) in NODES]
    return found


def _parts(node: Object) -> Sequence:
    """What is in one that makes an array by numpy's or joblib's own code; not the array's class."""
    if name_of(node.made_by) == WRAPPER and len(node.states) == 1:
        (state,) = node.states
        if type(state) is Dict and len(state.pairs) <= len(FIELDS):
            told = [part for pair in state.pairs for part in pair if name_of(part) not in ARRAYS]
            return [*told, node.args, node.kwargs, *node.items, *node.pairs]
    if not _takes_classes(node):
        return parts_of(node)
    parts = [part for pair in node.pairs for part in pair]
    return [*parts, *_given_to(node), *node.states, *node.items]


def _takes_classes(made: Object) -> bool:
    is_told = name_of(made.made_by) in TAKES_CLASSES and type(made.args) is tuple
    return is_told and len(made.args) <= MOST_TOLD


def _given_to(made: Object) -> list:
    """What a call is given and may use in any way."""
    if not _takes_classes(made):
        return [made.args, made.kwargs]
    count = TAKES_CLASSES[name_of(made.made_by)]
    kept = [part for part in made.args[:count] if name_of(part) not in ARRAYS]
    return [*kept, *made.args[count:], made.kwargs]


class _Plain:
    """Whether a node is a plain value: numbers, text, what holds such, and arrays and tensors.

    What is found of a node is kept: many calls can share what they are given.
    """

    def __init__(self, inert: frozenset[str]):
        self.inert = inert
        self.known: dict[int, bool] = {}
        self.behind: dict[int, tuple] = {}

    def __call__(self, node: object, depth: int = 0) -> bool:
        if isinstance(node, Global):
            return node.dotted in self.inert
        if isinstance(node, Object):
            is_inert = name_of(node.made_by) in self.inert or node.made_by in ("set", "frozenset")
            return is_inert and self.holds_plain(node, depth)
        return not isinstance(node, list | tuple | Dict) or self.holds_plain(node, depth)

    def holds_plain(self, node: object, depth: int = 0) -> bool:
        """Whether all that it holds is plain."""
        if id(node) not in self.known:
            self.known[id(node)] = depth < DEEP  # one that lies in itself
            parts = [part for part in parts_of(node) if type(part) in NODES]
            self.known[id(node)] = depth < DEEP and all(self(part, depth + 1) for part in parts)
        return self.known[id(node)]

    def is_more(self, node: object) -> bool:
        """Whether it is an object that is no plain value, which a call may use in any way."""
        return isinstance(node, Object) and not self(node)

    def behind_class(self, args: tuple) -> tuple:
        """What a class is given that is the first argument itself."""
        if id(args) not in self.behind:
            self.behind[id(args)] = args[1:]
        return self.behind[id(args)]

    def read_by(self, made: Object) -> list:
        """What a listed call looks at: of a dictionary's pairs only the keys."""
        given = made.args
        if name_of(made.made_by) != ORDERED or not isinstance(given, tuple) or len(given) != 1:
            return _given_to(made)
        (pairs,) = given
        if not isinstance(pairs, list) or made.kwargs:
            return [given, made.kwargs]
        if id(pairs) not in self.behind:
            are_pairs = all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs)
            self.behind[id(pairs)] = tuple(pair[0] for pair in pairs) if are_pairs else tuple(pairs)
        return [self.behind[id(pairs)]]
