"""What a call may give that lies elsewhere too: what is done to it is done there as well."""

from collections.abc import Iterable

from missing_aa.pickles import known_names
from missing_aa.pickles.joblib_arrays import DTYPE
from missing_aa.pickles.known_names import LISTED
from missing_aa.pickles.program import (
    INDIRECT,
    Dict,
    Global,
    Object,
    Persistent,
    Program,
    class_of,
)
from missing_aa.pickles.uses import CALLS_BACK, name_of, with_others

FRESH = frozenset(known_names.FRESH.split())
NOT_FRESH = frozenset(known_names.NOT_FRESH.split())
FILLED = frozenset(known_names.FILLED.split())
ITERATORS = ("builtins.iter", "builtins.reversed")
ARRAY_MAKERS = frozenset(known_names.TAKES_CLASSES)
MEMORY = known_names.FROM_BUFFER | {known_names.FROM_NUMPY}


def filled(program: Program) -> set[str]:
    """Listed names of which a call may give what is there already, and something is added to it."""
    found: set[str] = set()
    for one in with_others(program):
        first: dict[int, object] = {}  # what made what made it, back to a name
        holding: dict[int, bool] = {}
        for made in one.objects:
            maker = first[id(made)] = first.get(id(made.made_by), made.made_by)
            name = maker.dotted if isinstance(maker, Global) else ""
            is_filled = made.states or made.items or made.pairs
            if is_filled and name in LISTED and not _is_fresh(made, holding):
                found.add(name)
            if name == CALLS_BACK and maker is made.made_by and _sets_another(made.args):
                found.add(name)
    return found


def _sets_another(args: object) -> bool:
    """Whether torch's rebuilding sets a state on what a function gives that makes no new tensor."""
    if not isinstance(args, tuple):
        return True
    function, state = (*args[:1], None)[0], (*args[3:4], None)[0]
    parts = state if isinstance(state, tuple) else (state,)
    is_empty = all(part is None or isinstance(part, Dict) and not part.pairs for part in parts)
    name = function.dotted if isinstance(function, Global) else ""
    return not is_empty and (not name.startswith(known_names.NEW_TENSORS) or name in NOT_FRESH)


def _is_fresh(made: Object, holding: dict[int, bool]) -> bool:
    """Whether a call of a listed name gives an object that was not there before.

    `holding`: whether arguments, by their id, have an object among them; many calls can share some.
    """
    name = name_of(made.made_by)
    args = made.args
    if made.is_new or name in INDIRECT:
        if id(args) not in holding:
            is_open = not isinstance(args, tuple)
            holding[id(args)] = is_open or any(isinstance(part, Object) for part in args)
        if holding[id(args)]:
            return False  # an object that is given may have a `__new__` of its own
    kind = name_of(class_of(made))
    if kind in LISTED and kind not in FILLED and (made.items or made.pairs):
        return False  # it hands them on to what it was given, or they lie in shared memory
    if name == DTYPE:
        return _is_copied_dtype(made.args)
    if name in ARRAY_MAKERS:
        return len(made.states) < 2  # the second frees what the first has brought
    if made.is_new:
        return bool(name) and name not in NOT_FRESH
    if name in ITERATORS:
        return isinstance(made.args, tuple) and all(isinstance(a, list | tuple) for a in made.args)
    return name in FRESH


def _is_copied_dtype(args: object) -> bool:
    """Whether numpy makes a type anew, as a pickle of it asks: there is one of each otherwise."""
    match args:
        case (str() | Global(), _, 1):
            return True
    return False


def borrowing(program: Program, asked: Iterable[str]) -> set[str]:
    """Listed names that look into the memory of an object that is no array as numpy pickles it."""
    found: set[str] = set()
    if MEMORY.isdisjoint(asked):
        return found
    for one in with_others(program):
        for made in one.objects:
            name = name_of(made.made_by)
            if name in MEMORY:
                given = made.args[0] if isinstance(made.args, tuple) and made.args else None
                is_whole = name == known_names.FROM_NUMPY and _is_whole_array(given)
                if isinstance(given, Object | Persistent) and not is_whole:
                    found.add(name)
    return found


def never_filled(program: Program, asked: Iterable[str]) -> set[str]:
    """Makers of arrays that never get a state: what lies in their memory is anybody's.

    Not where joblib's file is read as another reader would, which takes arrays' bytes for opcodes.
    """
    if ARRAY_MAKERS.isdisjoint(asked):
        return set()
    return {
        name_of(made.made_by)
        for one in with_others(program)
        if one is program or one.data is not program.data
        for made in one.objects
        if name_of(made.made_by) in ARRAY_MAKERS and not made.states
    }


def _is_whole_array(node: object) -> bool:
    """Whether it is an array that got its state, or looks into bytes."""
    if not isinstance(node, Object):
        return False
    name = name_of(node.made_by)
    return name in known_names.FROM_BUFFER or name in ARRAY_MAKERS and len(node.states) == 1
