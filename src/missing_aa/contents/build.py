"""From the nodes of a pickle that was followed to the stand-ins that rescue knows too.

So a model is found, counted and named in one way, whether the nodes came from here or from torch's
restricted reader. Nothing of the file's choosing is hashed, called or imported.
"""

from collections.abc import Callable

from missing_aa.contents.standins import BUILDERS, Kind, Ordered, Span, Standin, table
from missing_aa.errors import CheckpointError, LimitReached, Malformed
from missing_aa.limits import Limits
from missing_aa.pickles.program import Dict, Global, Object, Persistent, Program, class_of

NESTED = 100
"""How deep tuples may lie in tuples; they have to be built from the inside."""

PLAIN_DICT = "builtins.dict"
NODES = {list, tuple, Dict, Object, Global, Persistent}
TENSOR_MAKERS = frozenset(BUILDERS.values())


def build(program: Program, locate: Callable[..., Span], limits: Limits) -> object:
    """The stand-in of a pickle's root and of all that it holds.

    `locate` gives the span of a storage, as for `reader.read`. Raises Malformed, LimitReached.
    """
    builder = _Builder(program.embedded, locate, limits)
    built = builder.shell(program.root)
    while builder.empty:
        builder.fill(*builder.empty.pop())
    return built


class _Builder:
    """Makes the shell of each node once, and fills it later, so that nodes may hold each other."""

    def __init__(self, embedded: dict, locate: Callable[..., Span], limits: Limits):
        self.embedded = embedded
        self.locate = locate
        self.limits = limits
        self.made: dict[int, object] = {}
        self.entries = 0
        self.empty: list[tuple] = []
        self.inert: dict[str, object] = {}
        self.kinds: dict[str, type[Standin]] = {}
        self.hollow = Ordered()
        """Stands for all dictionaries of hooks that hold none: most of what a model consists of."""

    def shell(self, node: object, depth: int = 0) -> object:
        if type(node) not in NODES:
            return node
        made = self.made.get(id(node))
        if made is None:
            self.limits.check("objects", len(self.made) + 1, "the number of objects")
            if depth > NESTED:
                raise LimitReached(
                    f"values in it are nested more than {NESTED} deep, as in no checkpoint; "
                    "do not load it"
                )
            made = self.made[id(node)] = self._shell(node, depth + 1)
        return made

    def _shell(self, node: object, depth: int) -> object:
        kind = type(node)
        if kind is tuple:
            return tuple([self.shell(item, depth) for item in node])
        if kind is Global:
            return self.named(node)
        if kind is Persistent:
            return self.storage(node, depth)
        if kind is Object and type(node.made_by) is Global:
            if node.made_by.dotted == Ordered.dotted:
                return self.ordered(node, depth)
            if storage := self.embedded.get(node):
                return Span(storage.dtype, 0, storage.nbytes)
            maker = self.named(node.made_by)
            if maker in TENSOR_MAKERS:
                return self.tensor(maker, node, depth)
        made = [] if kind is list else self.kind(_dotted(node))()
        self.empty.append((made, node))
        return made

    def ordered(self, node: Object, depth: int) -> Ordered:
        if not node.pairs and not node.args:
            return self.hollow
        given = self.shell(node.args, depth)
        made = Ordered(*given) if isinstance(given, tuple) else Ordered()
        self.empty.append((made, node))
        if isinstance(node.args, tuple) and node.args:
            self.count(len(node.args[0]))
        return made

    def named(self, node: Global) -> object:
        if node.dotted not in self.inert:
            self.inert |= table([node.dotted])
        return self.inert[node.dotted]

    def kind(self, dotted: str) -> type[Standin]:
        if dotted not in self.kinds:
            inside = {"__slots__": (), "dotted": dotted}
            self.kinds[dotted] = type("Standin", (Standin,), inside)
        return self.kinds[dotted]

    def storage(self, node: Persistent, depth: int) -> object:
        described = self.shell(node.id, depth)
        if type(described) is not tuple or len(described) < 5 or described[0] != "storage":
            return Standin()
        kind = described[1]
        return self.locate(kind.dtype, *described[2:]) if isinstance(kind, Kind) else Standin()

    def tensor(self, maker: Callable, node: Object, depth: int) -> object:
        try:
            return maker(*self.shell(node.args, depth))
        except CheckpointError:
            raise
        except (TypeError, ValueError) as error:
            raise Malformed(
                "a tensor in it is not described the way torch does it; it is damaged"
            ) from error

    def fill(self, made: list | Standin, node: list | Dict | Object) -> None:
        if isinstance(node, list):
            made += [self.shell(item) for item in node]
            return
        made.pairs = [(self.shell(key), self.shell(value)) for key, value in node.pairs]
        if isinstance(node, Object) and type(made) is not Ordered:
            args = self.shell(node.args)
            made.given = args if isinstance(args, tuple) else ()
            made.items = [self.shell(item) for item in node.items]
            made.state = self.shell(node.states[-1]) if node.states else None
            self.count(len(made.given) + _entries(node.states))

    def count(self, entries: int) -> None:
        """What an object was given and carries; much of it can be the same for many objects."""
        self.entries += entries
        self.limits.check("objects", self.entries, "the number of the objects' attributes")


def _entries(states: list) -> int:
    """How many attributes an object's state gives it; with `__slots__` they come as a pair."""
    state = states[-1] if states else None
    parts = state if isinstance(state, tuple) else (state,)
    return sum(len(part.pairs) for part in parts if isinstance(part, Dict | Object))


def _dotted(node: Dict | Object) -> str:
    if isinstance(node, Dict):
        return PLAIN_DICT
    class_ = class_of(node)
    return class_.dotted if class_ else ""
