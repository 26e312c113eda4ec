"""What the names in a file become for torch's restricted reader: things that run nothing.

The reader gets no class and no function of the file's choosing, and none of torch's own either: a
tensor is only noted down (where its bytes lie, its shape, its strides) and never made, so that no
size in the file can ask for memory.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from missing_aa.containers import safetensors_header
from missing_aa.errors import Malformed
from missing_aa.pickles.storages import ITEMSIZES, STORAGES, itemsize

STORAGE_HOMES = ("torch", "torch.cuda", "torch.storage")
DTYPES = {*ITEMSIZES, *STORAGES.values(), *safetensors_header.DTYPES.values()}


class Standin:
    """An object of the file: its class's dotted name, and what the file gave it. It runs nothing.

    What the file gives lies in slots, and there is no `__dict__`: no state can shadow a method.
    """

    __slots__ = ("given", "state", "items", "pairs")
    dotted = ""

    def __new__(cls, *given, **named):
        self = super().__new__(cls)
        self.given, self.state, self.items, self.pairs = given, None, [], []
        return self

    def __setstate__(self, state):
        self.state = state

    def append(self, item):
        self.items.append(item)

    def extend(self, items):
        self.items.extend(items)

    def __setitem__(self, key, value):
        self.pairs.append((key, value))


class Ordered(Standin):
    """An OrderedDict. Python 2 wrote one as a call with a list of pairs, which is not copied."""

    __slots__ = ("first",)
    dotted = "collections.OrderedDict"

    def __new__(cls, *given):
        self = super().__new__(cls)
        self.first = given[0] if given else []
        if type(self.first) is not list:
            raise Malformed("a dictionary in it is made of something else than pairs")
        return self

    def __setstate__(self, state):
        """Its attributes, such as `_metadata` of a state_dict, are none of a model's."""


def attributes(value: object) -> dict:
    """The attributes that the file gave an object; with `__slots__` they come as a pair."""
    state = value.state if isinstance(value, Standin) else None
    parts = state if isinstance(state, tuple) and len(state) == 2 else (state,)
    return {key: found for part in parts for key, found in pairs(part) if type(key) is str}


def pairs(value: object) -> Iterable[tuple]:
    """Keys and values of a dictionary, or of an object that is one; nothing for anything else."""
    if type(value) is dict:
        return value.items()
    if type(value) is Ordered and value.first:
        first = [tuple(pair) for pair in value.first if isinstance(pair, list | tuple)]
        return [pair for pair in first if len(pair) == 2] + value.pairs
    return value.pairs if isinstance(value, Standin) else ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A storage class or a dtype: torch's name for the type of an element."""

    dtype: str


@dataclass(frozen=True, slots=True)
class Span:
    """A storage: a run of bytes in the file."""

    dtype: str
    start: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class View:
    """A tensor that was never made: offset, shape and strides over a span, counted in elements."""

    span: Span
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that it takes when written out, whatever its strides."""
        return self.elements * itemsize(self.dtype)

    @property
    def extent(self) -> tuple[int, int]:
        """First byte of the file that it covers, and one past the last."""
        start = self.span.start + self.offset * itemsize(self.dtype)
        if not self.nbytes:
            return start, start
        steps = zip(self.shape, self.strides, strict=True)
        last = sum((length - 1) * stride for length, stride in steps)
        return start, start + (last + 1) * itemsize(self.dtype)

    @property
    def contiguous(self) -> bool:
        """Whether its elements lie in the file as a row-major array's do."""
        expected = 1
        for length, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if length != 1 and stride != expected:
                return not self.nbytes
            expected *= length
        return True


def _view(span, offset, shape, strides, dtype=None) -> View | Standin:
    """Note a tensor down, if its numbers hold together and it lies inside its storage."""
    if isinstance(span, Standin):
        return span
    shape, strides = _numbers(shape), _numbers(strides)
    if not isinstance(span, Span) or shape is None or strides is None:
        raise Malformed("a tensor in it is not described the way torch does it; it is damaged")
    (offset,) = _numbers((offset,)) or (-1,)
    if offset < 0 or len(shape) != len(strides) or prod(filter(None, shape)) >= 2**60:
        raise Malformed("a tensor in it has an offset, shape or strides that cannot be")
    made = View(span, dtype or span.dtype, offset, shape, strides)
    if made.extent[1] > span.start + span.nbytes:
        raise Malformed("a tensor in it reaches past the end of its storage; the file is damaged")
    return made


def _numbers(value: object) -> tuple[int, ...] | None:
    """A shape: a tuple of whole numbers, none negative, or torch.Size of one."""
    if isinstance(value, Standin) and value.dotted == "torch.Size" and value.given:
        value = value.given[0]
    if type(value) not in (tuple, list) or len(value) > 64:
        return None
    return tuple(value) if all(type(n) is int and 0 <= n < 2**63 for n in value) else None


def _plain(span, offset, shape, strides, *_) -> object:
    return _view(span, offset, shape, strides)


def _with_state(span, offset, shape, strides, grad, hooks, *metadata) -> object:
    if metadata and metadata[0]:
        return Standin("a pending conjugation or negation")
    return _view(span, offset, shape, strides)


def _with_dtype(span, offset, shape, strides, grad, hooks, kind, *metadata) -> object:
    if not isinstance(kind, Kind) or (metadata and metadata[0]):
        return Standin("an unknown type")
    return _view(span, offset, shape, strides, kind.dtype)


def _same(tensor, *_) -> object:
    return tensor


def _subclass(function, kind, given, *_) -> object:
    """A tensor with attributes, or of a class of its own: its data, where they are a tensor's."""
    if function in BUILDERS.values() and type(given) is tuple:
        return function(*given)
    return Standin(kind)


BUILDERS = {
    "torch._utils._rebuild_tensor": _plain,
    "torch._utils._rebuild_tensor_v2": _with_state,
    "torch._utils._rebuild_tensor_v3": _with_dtype,
    "torch._utils._rebuild_parameter": _same,
    "torch._utils._rebuild_parameter_with_state": _same,
    "torch._tensor._rebuild_from_type_v2": _subclass,
    "torch.tensor._rebuild_from_type_v2": _subclass,
    "torch._tensor._rebuild_from_type": _subclass,
    "torch.tensor._rebuild_from_type": _subclass,
}


def table(names: Iterable[str]) -> dict[str, object]:
    """What the reader shall see for each dotted name that a file asks for."""
    return {name: _inert(name) for name in names}


def _inert(name: str) -> object:
    if name == Ordered.dotted:
        return Ordered
    if name in BUILDERS:
        return BUILDERS[name]
    package, _, last = name.rpartition(".")
    storage = last.removesuffix("Storage")
    if storage != last and storage in STORAGES and package in STORAGE_HOMES:
        return Kind(STORAGES[storage])
    if package == "torch" and last in DTYPES:
        return Kind(last)
    # One name for all of them: the file's own goes nowhere near Python's machinery.
    return type("Standin", (Standin,), {"__slots__": (), "dotted": name})
