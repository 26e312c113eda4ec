"""Tensors that are never made: where the bytes of each lie, its shape and its strides."""

from dataclasses import dataclass
from math import prod

from missing_aa.errors import Malformed
from missing_aa.pickles.joblib_arrays import MOST_AXES
from missing_aa.pickles.storages import itemsize

MOST_ELEMENTS = 2**60
"""Readers count with 64 bits."""

MISSHAPEN = "a tensor in it is not described the way torch does it; it is damaged"


@dataclass(slots=True)
class Span:
    """A storage: a run of bytes in the file, or `beside` it, among what had to be unpacked."""

    dtype: str
    start: int
    nbytes: int
    beside: bool = False


@dataclass(slots=True)
class View:
    """A tensor: offset, shape and strides over a span, counted in elements."""

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
        """First byte that it covers, and one past the last."""
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


class Array(View):
    """A view that numpy wrote."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Untaken:
    """A tensor whose bytes cannot be taken; `why` says what it is."""

    why: str


def view(span, offset, shape, strides, dtype: str | None = None) -> View | Untaken:
    """A tensor over a span. Raises Malformed where its numbers do not hold together."""
    if isinstance(span, Untaken):
        return span
    if not isinstance(span, Span) or not _are_numbers(shape) or not _are_numbers(strides):
        raise Malformed(MISSHAPEN)
    if not _are_numbers((offset,)) or len(shape) != len(strides):
        raise Malformed("a tensor in it has an offset, shape or strides that cannot be")
    if prod(filter(None, shape)) >= MOST_ELEMENTS:
        raise Malformed("a tensor in it has an offset, shape or strides that cannot be")
    made = View(span, dtype or span.dtype, offset, shape, strides)
    if made.extent[1] > span.start + span.nbytes:
        raise Malformed("a tensor in it reaches past the end of its storage; the file is damaged")
    return made


def array(span: Span, shape, column_major: bool) -> Array:
    """An array that fills its span. Raises Malformed."""
    if not _are_numbers(shape) or prod(filter(None, shape)) >= MOST_ELEMENTS:
        raise Malformed("an array in it has a shape that cannot be")
    made = Array(span, span.dtype, 0, shape, row_major(shape, column_major))
    if made.nbytes != span.nbytes:
        raise Malformed("an array in it has more or fewer bytes than its shape asks for")
    return made


def row_major(shape: tuple[int, ...], reverse: bool = False) -> tuple[int, ...]:
    """Strides of a dense array, its last axis the fastest, or with `reverse` its first."""
    if reverse:
        return tuple(prod(shape[:axis]) for axis in range(len(shape)))
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


def _are_numbers(values: object) -> bool:
    """Whether it is a tuple of whole numbers, none negative."""
    if type(values) is not tuple or len(values) > MOST_AXES:
        return False
    return all(type(n) is int and 0 <= n < 2**63 for n in values)
