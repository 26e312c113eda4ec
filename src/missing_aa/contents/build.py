"""From the nodes of a pickle that was followed to stand-ins, and to tensors that are noted down.

Nothing of the file's choosing is hashed, called or imported, and no tensor is made: so no size in
the file can ask for memory.
"""

from collections.abc import Iterable
from typing import Any

from missing_aa.contents import dictionaries, handed, tensors
from missing_aa.contents.carried import Plain
from missing_aa.contents.standins import ORDERED_DICT, PLAIN_DICT, SETS, Name, Standin
from missing_aa.contents.storages import Storages
from missing_aa.contents.tensors import MAKERS, Keys
from missing_aa.contents.views import MISSHAPEN, Array, Span, Untaken, View, array
from missing_aa.errors import CheckpointError, LimitReached, Malformed, Refused
from missing_aa.limits import Limits
from missing_aa.pickles import joblib_arrays
from missing_aa.pickles.known_names import DICTIONARIES, FROM_BUFFER
from missing_aa.pickles.program import INDIRECT, NODES, Dict, Global, Object, Persistent, Program
from missing_aa.pickles.program import class_of as class_node

NESTED = 100
"""How deep tuples may lie in tuples; they have to be built from the inside."""
TOO_DEEP = f"values in it are nested more than {NESTED} deep, as in no checkpoint; do not load it"

OFTEN = 1000
"""After so many objects the clock is looked at."""

LONG = 1000
"""More a call that makes a tensor is never given, and no shape has."""
FEW = 16
"""More parts no call of torch's gets; from here on they are kept, for others that share them."""
ATTRIBUTE = "builtins.getattr"
SIZE = "torch.Size"
SET = "builtins.set"
TENSOR_CHANGED = "a tensor in it is changed after it was made; no torch.save does that"
ARRAY_CHANGED = "an array in it is changed after it was made; numpy does not do that"
ARRAY_MISSHAPEN = "an array in it is not described the way numpy does it; it is damaged"
STATE_TWICE = "an object in it gets its state twice, as in no checkpoint: do not load it"
OPEN_ARGUMENTS = (None, None)
"""Stand for arguments that only a load puts together: no set is given as many."""
NO_KEYS = Keys()


def build(
    program: Program, storages: Storages, limits: Limits
) -> tuple[object, list[handed.Handed]]:
    """The stand-in of a pickle's root and of all that it holds, and the bytes that functions get.

    Tensors that nothing holds any more are looked at too, since a load would make them. Raises
    Malformed, LimitReached, and Refused for a name that stands twice in one dictionary.
    """
    builder = _Builder(storages, limits)
    built = builder.shell(program.root)
    builder.fill_all()
    for made in program.objects:
        if type(made.made_by) is Global and made.made_by.dotted in MAKERS:
            builder.shell(made)
            builder.fill_all()
    return built, handed.look(program, builder.span)


class _Builder:
    """Makes the shell of each node once, and fills it later, so that nodes may hold each other."""

    def __init__(self, storages: Storages, limits: Limits):
        self.storages = storages
        self.limits = limits
        self.made: dict[int, object] = {}
        self.entries = 0
        self.empty: list[tuple[list | Standin, Any]] = []
        self.checked_at = 0
        """So many are made when the limits are looked at again."""
        self.names: dict[str, object] = {}
        self.keys: dict[int, Keys] = {}
        self.arguments: dict[int, tuple] = {}
        """What was made of arguments that many calls can share."""
        self.plain = Plain()
        self.spelling = dictionaries.Spelling()
        self.hollow = Standin(ORDERED_DICT)
        """Stands for all dictionaries of hooks that hold none: most of what a model consists of."""

    def shell(self, node: object, depth: int = 0) -> object:
        if type(node) not in NODES:
            return node
        made = self.made.get(id(node))
        if made is None:
            if len(self.made) >= self.checked_at:
                self.limits.check("objects", len(self.made) + 1, "the number of objects")
                self.checked_at = min(len(self.made) + OFTEN, self.limits.objects)
            if depth > NESTED:
                raise LimitReached(TOO_DEEP)
            made = self.made[id(node)] = self._shell(node, depth + 1)
        return made

    def span(self, node: object) -> Span | None:
        """The bytes that a storage, a tensor or an array stands for, where it was made."""
        made = self.shell(node) if isinstance(node, Persistent) else self.made.get(id(node))
        made = made.span if isinstance(made, View) else made
        return made if isinstance(made, Span) else None

    def fill_all(self) -> None:
        while self.empty:
            made, node = self.empty.pop()
            if isinstance(made, Standin):
                self._fill(made, node)
            else:
                made += [self.shell(item) for item in node]

    def _shell(self, node: Any, depth: int) -> object:
        kind = type(node)
        if kind is tuple:
            shell = self.shell
            return tuple([n if type(n) not in NODES else shell(n, depth) for n in node])
        if kind is Global:
            return self._name(node)
        if kind is Persistent:
            return self._persistent(node, depth)
        if kind is Object:
            return self._object(node, depth)
        made: list | Standin = [] if kind is list else Standin(PLAIN_DICT)
        self.empty.append((made, node))
        return made

    def _name(self, node: Global) -> object:
        if node.dotted not in self.names:
            self.names[node.dotted] = tensors.named(node.dotted)
        return self.names[node.dotted]

    def _persistent(self, node: Persistent, depth: int) -> object:
        if class_ := _legacy_class(node):
            return Name(class_path(class_))
        return self.storages.span(self.shell(node.id, depth))

    def _object(self, node: Object, depth: int) -> object:
        if type(node.made_by) is Global:
            dotted = node.made_by.dotted
            if node.states and dictionaries.is_dictionary(node):
                dictionaries.refuse_shadowed(node)
            is_empty = dotted == ORDERED_DICT and not node.pairs and not node.args
            if is_empty and (not node.states or self._is_plain_state(node)):
                return self.hollow
            if node in self.storages.embedded:
                if node.states or _is_filled(node):
                    raise Malformed(TENSOR_CHANGED)
                return self.storages.embedded_span(node)
            if dotted in MAKERS:
                return self._tensor(node, dotted, depth)
            if dotted in tensors.RECONSTRUCT or dotted in FROM_BUFFER:
                return self._array(node, dotted)
            if untaken := tensors.refused(dotted):
                return untaken
        if node in self.storages.arrays:
            return self._joblib_array(node)
        made = Standin(_plain_class_of(node), is_called=not _is_bare(node))
        self.empty.append((made, node))
        return made

    # A tensor is made from its arguments as they stand, lists and all: so they are read at once.

    def _tensor(self, node: Object, dotted: str, depth: int) -> View | Untaken:
        if node.states or _is_filled(node):
            raise Malformed(TENSOR_CHANGED)
        if node.is_new:
            raise Malformed(MISSHAPEN)
        try:
            return MAKERS[dotted](*self._argument(node.args, depth, is_kept=False))
        except CheckpointError:
            raise
        except (TypeError, ValueError) as error:
            raise Malformed(MISSHAPEN) from error

    def _argument(self, node: object, depth: int = 0, is_kept: bool = True) -> Any:
        if type(node) not in NODES:
            return node
        if depth > NESTED:
            raise LimitReached(TOO_DEEP)
        if type(node) is list or type(node) is tuple:
            return self._parts(node, depth, is_kept or len(node) > FEW)
        if isinstance(node, Dict) or dictionaries.is_dictionary(node):
            return self._keys(node)
        if isinstance(node, Object) and str(node.made_by) == SIZE:
            given = self._argument(node.args, depth + 1)
            if not isinstance(given, tuple) or len(given) > 1:
                raise Malformed(MISSHAPEN)
            return given[0] if given else ()
        return self.shell(node, depth)

    def _parts(self, node: list | tuple, depth: int, is_kept: bool) -> tuple:
        if (known := self.arguments.get(id(node))) is not None:
            return known
        if len(node) > LONG:
            raise Malformed(MISSHAPEN)
        if NODES.isdisjoint(map(type, node)):
            parts = tuple(node)
            is_kept = is_kept and len(node) > FEW
        else:
            parts = tuple([self._argument(p, depth + 1) if type(p) in NODES else p for p in node])
        if is_kept:
            self.arguments[id(node)] = parts
        return parts

    def _keys(self, node: Any) -> Keys:
        if isinstance(node, Object) and not node.pairs and not node.args:
            return NO_KEYS
        if id(node) not in self.keys:
            given = dictionaries.called_with(node) if isinstance(node, Object) else []
            self._count(len(given))
            self.keys[id(node)] = _keys([*given, *node.pairs])
        return self.keys[id(node)]

    def _array(self, node: Object, dotted: str) -> object:
        """An array of numpy's: made empty and given its state, or over a buffer (protocol 5)."""
        if _is_filled(node):
            raise Malformed(ARRAY_CHANGED)
        if node.is_new:
            raise Malformed(ARRAY_MISSHAPEN)
        match node.args, list(node.states):
            case ((Global(dotted=class_), *_), [(_, shape, dtype, 0 | 1 as order, raw)]) if (
                dotted in tensors.RECONSTRUCT and type(order) in (bool, int)
            ):
                if class_ != tensors.NUMPY_ARRAY:
                    return tensors.OWN_CLASS
                if type(raw) is str and raw.isascii():  # bytes, as Python 2 wrote them
                    raw = raw.encode()
                return self._numpy_array(raw, dtype, shape, order == 1)
            case ((raw, dtype, shape, "C" | "F" as order, *axes), []) if (
                dotted in FROM_BUFFER and not any(axes)
            ):
                return self._numpy_array(raw, dtype, shape, order == "F")
        raise Malformed(ARRAY_MISSHAPEN)

    def _numpy_array(self, raw: object, dtype: object, shape: object, column_major: bool):
        found = self._dtype(dtype)
        if isinstance(found, Untaken):
            return found
        span = self.storages.raw_span(raw, found)
        return array(span, self._argument(shape), column_major)

    def _joblib_array(self, node: Object) -> Array | Untaken:
        """An array whose bytes stand in the file behind what describes it."""
        if _is_filled(node):
            raise Malformed(ARRAY_CHANGED)
        described = joblib_arrays.described(node) or {}
        if type(order := described.get("order")) is not str or order not in ("C", "F"):
            raise Malformed(ARRAY_MISSHAPEN)
        found = self._dtype(described.get("dtype"))
        if isinstance(found, Untaken):
            return found
        if str(described.get("subclass")) != tensors.NUMPY_ARRAY:
            return tensors.OWN_CLASS
        span = self.storages.array_span(node, found)
        return array(span, self._argument(described.get("shape")), order == "F")

    def _dtype(self, node: object) -> str | Untaken:
        if not isinstance(node, Object) or str(node.made_by) != joblib_arrays.DTYPE:
            return tensors.NOT_PLAIN
        if not joblib_arrays.is_plain_dtype(node):
            return tensors.NOT_PLAIN
        return tensors.numpy_dtype(node.args, node.states[-1] if node.states else None)

    # Everything else is filled later.

    def _fill(self, made: Standin, node: Dict | Object) -> None:
        if node.pairs or isinstance(node, Object) and node.args:
            made.pairs = self._pairs(node)
        if isinstance(node, Object) and len(node.states) > 1:
            raise Malformed(STATE_TWICE)
        if isinstance(node, Object) and made.dotted == ORDERED_DICT:
            made.state = None if self._is_plain_state(node) else self.shell([*node.states][-1])
        elif isinstance(node, Object):
            is_emptied = node.is_new and made.dotted == SET  # whose __new__ takes nothing
            if not is_emptied and made.dotted not in DICTIONARIES:
                args = self.shell(node.args)
                made.given = args if isinstance(args, tuple) else OPEN_ARGUMENTS
            if node.kwargs:
                made.given += (self.shell(node.kwargs),)
            if node.items:
                made.items = [self.shell(item) for item in node.items]
            made.state = self.shell(node.states[-1]) if node.states else None
            self._count(len(made.given) + _entries(node.states))

    def _is_plain_state(self, node: Object) -> bool:
        """Whether what an OrderedDict carries besides are values, or the versions of modules."""
        for state in node.states:
            if not self.plain.holds(state):
                self._count(_entries([state]))
                return False
        return len(node.states) < 2

    def _pairs(self, node: Dict | Object) -> list[tuple]:
        pairs = list(node.pairs)
        if isinstance(node, Object) and node.args and dictionaries.is_dictionary(node):
            given = dictionaries.called_with(node)
            self._count(len(given))
            pairs = given + pairs
        if len({key for key, _ in pairs if type(key) is str}) == len(pairs):
            shell = self.shell
            return [(k, v if type(v) not in NODES else shell(v)) for k, v in pairs]
        names: dict[object, int] = {}
        kept: list[tuple] = []
        for key, value in pairs:
            name = self.spelling.of(key)
            if name is not None:
                if name not in names:
                    names[name] = len(kept)
                    kept.append((key, self.shell(value)))
                elif type(key) is str:
                    raise Refused(
                        f"a dictionary in it sets {ascii(key)} twice: readers would see different "
                        "files; do not load it, ask for the original"
                    )
                else:  # 1 and True are one key, and the last value counts
                    kept[names[name]] = (kept[names[name]][0], self.shell(value))
            else:
                kept.append((self.shell(key), self.shell(value)))
        return kept

    def _count(self, entries: int) -> None:
        """What an object was given and carries; much of it can be the same for many objects."""
        self.entries += entries
        self.limits.check("objects", self.entries, "the number of the objects' attributes")


def _is_filled(node: Object) -> bool:
    return bool(node.items or node.pairs)


def _keys(pairs: Iterable[tuple]) -> Keys:
    return Keys(tensors.telling(key) for key, _ in pairs)


def _is_bare(node: Object) -> bool:
    """Whether only the `__new__` of its class runs, and is given nothing."""
    args = node.args
    if node.kwargs or not isinstance(args, tuple):
        return False
    match str(node.made_by), args:
        case "copyreg._reconstructor", (_, Global(dotted="builtins.object"), None):
            return True
        case "copyreg.__newobj__", (_,):
            return True
    return node.is_new and not args


def _plain_class_of(node: Object) -> str:
    """The class's name; "" where one that the file makes has the name of one of Python's own."""
    dotted = class_of(node)
    is_made = not isinstance(node.made_by, str) and class_node(node) is None
    return "" if is_made and dotted in (*DICTIONARIES, *SETS) else dotted


def _entries(states: list | tuple[()]) -> int:
    """How many attributes an object's state gives it; with `__slots__` they come as a pair."""
    state = states[-1] if states else None
    parts = state if isinstance(state, tuple) else (state,)
    return sum(len(part.pairs) for part in parts if isinstance(part, Dict | Object))


def class_of(node: Object) -> str:
    """The dotted name of the class of which an Object is an instance, "" where the file is silent.

    A function that is called counts as the class of what it gives.
    """
    if str(node.made_by) in INDIRECT and isinstance(node.args, tuple) and node.args:
        return class_path(node.args[0])
    return class_path(node.made_by)


def class_path(node: object, depth: int = 0) -> str:
    """The dotted name of a class, however the file comes by it; "" where it cannot be known."""
    if isinstance(node, Global):
        return node.dotted
    if isinstance(node, Persistent) and depth < NESTED:
        return class_path(_legacy_class(node), depth + 1)
    if not isinstance(node, Object) or not isinstance(node.args, tuple) or depth == NESTED:
        return node if isinstance(node, str) else ""  # "set", of the opcodes for sets
    match node.args:
        case (outer, str(name)) if str(node.made_by) == ATTRIBUTE:  # a class nested in another
            return f"{class_path(outer, depth + 1)}.{name}"
        case (_, str(name), tuple(), Dict() as namespace, *_):  # made by dill or cloudpickle
            module = next((v for k, v in namespace.pairs if k == "__module__"), "")
            return f"{module}.{name}" if isinstance(module, str) else name
    return ""


def _legacy_class(node: Persistent) -> object:
    """A class that comes with its source, as before torch 1.6; None for a storage."""
    if isinstance(node.id, tuple) and len(node.id) == 4 and node.id[0] == "module":
        return node.id[1]
    return None
