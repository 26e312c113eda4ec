"""What a pickle program builds when nothing of it is run: inert nodes.

Numbers, strings, bytes, None, lists and tuples stand for themselves; a dictionary is a `Dict`, so
that no value of the file's choosing is ever hashed. Whatever the file would import is a `Global`,
and whatever it would make by calling one is an `Object`. What fills a node is a list once there is
something in it: most nodes have little, and a file can ask for millions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from missing_aa.errors import LimitReached, Malformed


@dataclass(slots=True)
class Storage:
    """A stretch of memory that tensors share: `key` names it in the file, `nbytes` is its claim."""

    key: str
    dtype: str
    location: str
    nbytes: int


PICKLE_IN_PICKLE = "torch.storage._load_from_bytes"
"""How a tensor's data is pickled where torch.save was not used."""

INDIRECT = ("copyreg._reconstructor", "copyreg.__newobj__", "copyreg.__newobj_ex__")
"""Functions through which a plain object is made; its class is their first argument."""

COMPUTED = "(computed)"
"""Stands for a name that is put together while the file is loaded, and so cannot be judged."""


READING = (
    "torch._utils._rebuild",
    "torch._tensor._rebuild",
    "torch.tensor._rebuild",
    "torch.Size",
    "numpy.core.numeric._frombuffer",
    "numpy._core.numeric._frombuffer",
    "collections.OrderedDict",
    "collections.defaultdict",
    "collections.Counter",
    "builtins.dict",
    "builtins.set",
    "builtins.frozenset",
)
"""Calls that read what is in their arguments at once: what comes into these later is too late."""


class Global:
    """A name that the file asks for; `module` and `name` after the mapping of Python 2 names."""

    __slots__ = ("module", "name", "dotted", "asked", "reads_lists")

    def __init__(self, module: str, name: str, asked: tuple[str, str]):
        self.module = module
        self.name = name
        self.dotted = f"{module}.{name}"
        self.asked = asked
        """Module and name as they stand in the file."""
        self.reads_lists = self.dotted.startswith(READING)

    def __str__(self) -> str:
        return self.dotted


class Dict:
    """A dictionary: its pairs in the order in which they were set."""

    __slots__ = ("pairs",)

    def __init__(self):
        self.pairs: list[tuple] | tuple[()] = ()


class Object:
    """The result of calling `made_by` with `args`; then filled with state, items and pairs."""

    __slots__ = ("made_by", "args", "kwargs", "is_new", "states", "items", "pairs")

    def __init__(self, made_by, args, kwargs=None, is_new=False):
        self.made_by = made_by
        self.args = args
        self.kwargs = kwargs
        self.is_new = is_new
        """Whether `__new__` is called, which only a class has; else `made_by` itself is."""
        self.states: list | tuple[()] = ()
        self.items: list | tuple[()] = ()
        self.pairs: list[tuple] | tuple[()] = ()


class Persistent:
    """Something that lies outside the pickle: in a checkpoint, a tensor's storage."""

    __slots__ = ("id",)

    def __init__(self, id):
        self.id = id


class Program:
    """What following one pickle gave: its `root`, and every Global that it asks for.

    It lies in `data` from `start` on; `end` is where the next pickle would begin. `persistent`
    lists the ids of what lies outside the pickle: its storages. `sources` holds the class source
    that files of torch before 1.6 embed: Global -> (file, text). `embedded` holds the calls that
    would load a pickle within the pickle, and the storage in each once it has been looked into.
    `arrays` says where the bytes of arrays lie that joblib wrote: first byte and length.
    `objects` are all calls, those whose result is thrown away among them. `filled` are the names
    that something is added to, or a state given, instead of to an object. `keys` are those of
    dictionaries and sets that are more than text or numbers: a load asks for their hash. `others`
    are the programs that a load would follow besides.
    `fault` is what a load would not do as it was followed here; `is_framed_oddly` says that it is
    a frame, or is one too.
    `error` is set where the program breaks off; what was asked for until there would have been
    imported all the same. `short` says that it may go on in data that is not there.
    """

    def __init__(self, data: bytes, start: int):
        self.data = data
        self.start = start
        self.root: object = None
        self.globals: dict[tuple[str, str], Global] = {}
        self.sources: dict[Global, tuple] = {}
        self.persistent: list = []
        self.embedded: dict[Object, Storage | None] = {}
        self.objects: list[Object] = []
        self.filled: set[Global] = set()
        self.keys: list = []
        self.others: list[Program] = []
        self.arrays: dict[Object, tuple[int, int]] = {}
        self.protocol = 0
        self.opcodes = 0
        self.made = 0
        """How many lists, dictionaries, tuples and sets its steps have made."""
        self.end = 0
        self.fault: Malformed | LimitReached | None = None
        self.is_framed_oddly = False
        self.error: Malformed | LimitReached | None = None
        self.short = False

    def add(self, other: "Program") -> None:
        """Take up another program that a load would follow besides."""
        self.globals.update(other.globals)
        self.fault = self.fault or other.fault
        self.others.append(other)


def class_of(node) -> Global | None:
    """The class of which an Object is an instance, as far as the pickle tells."""
    if not isinstance(node, Object) or not isinstance(node.made_by, Global):
        return None
    # Protocols 0 and 1 make every plain object through this function, Python 2 and 3 alike.
    if node.made_by.dotted in INDIRECT and isinstance(node.args, tuple) and node.args:
        return node.args[0] if isinstance(node.args[0], Global) else None
    return node.made_by


def is_class_name(name: str) -> bool:
    return name.lstrip("_")[:1].isupper()


NODES = frozenset({Global, Object, Persistent, Dict, list, tuple})
"""What holds others, is a name or stands for a storage: all else is text, a number and the like."""


def parts_of(node) -> Sequence:
    """What a node holds, one step down; what made an Object is not among it."""
    kind = type(node)
    if kind is list or kind is tuple:
        return node
    if kind is not Dict and kind is not Object:
        return ()
    parts = [part for pair in node.pairs for part in pair]
    if kind is Object:
        parts += [node.args, node.kwargs, *node.states, *node.items]
    return parts
