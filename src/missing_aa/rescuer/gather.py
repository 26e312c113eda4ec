"""Bring a view (transposed, channels_last, expanded) into row-major order, piece by piece.

With the standard library alone: slices of memoryviews are copied by C, so what counts is how few of
them there are. Elements are whole numbers of their width, so that no arithmetic can touch a bit.
"""

import mmap
from collections.abc import Iterator
from itertools import product
from math import prod
from typing import BinaryIO, Literal

from missing_aa.contents.views import View, row_major
from missing_aa.disk import CHANGED
from missing_aa.errors import LimitReached, Malformed
from missing_aa.pickles.storages import itemsize

PIECE = 2**22
"""Bytes that are put in order in one go."""
FORMATS: dict[int, Literal["B", "H", "I", "Q"]] = {1: "B", 2: "H", 4: "I", 8: "Q"}
"""memoryview's code for an element of so many bytes."""

MOST_SLICES = 50_000_000
"""Copying more takes minutes."""
SCATTERED = (
    "a tensor's elements lie in more pieces than any checkpoint's: they are not put in order"
)

NEAR = 4096
"""How many places are listed at once."""

Axis = tuple[int, int, int]
"""Length, stride in the source and stride in the result, in elements."""


def gather(file: BinaryIO, tensor: View) -> Iterator[memoryview]:
    """The tensor's bytes in row-major order. Raises LimitReached where they are too scattered."""
    lengths = [length for length, stride, _ in _joined(tensor.shape, tensor.strides) if stride]
    if lengths and prod(lengths) // max(lengths) > MOST_SLICES:
        raise LimitReached(SCATTERED)
    width = itemsize(tensor.dtype)
    for offset, shape in _parts(tensor.offset, tensor.shape, tensor.strides, PIECE // width):
        strides = tensor.strides[len(tensor.shape) - len(shape) :]
        last = sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True))
        start = tensor.span.start + offset * width
        with _Mapped(file, start, (last + 1) * width) as source:
            result = memoryview(bytearray(prod(shape) * width))
            form = FORMATS[width]
            axes = _joined(shape, strides)
            _copy(source.cast(form), 0, result.cast(form), 0, axes)
        yield result


class _Mapped:
    """A run of a file's bytes, mapped only for as long as it is needed."""

    def __init__(self, file: BinaryIO, start: int, size: int):
        before = start % mmap.ALLOCATIONGRANULARITY
        length = before + size
        where = {"length": length, "offset": start - before}
        try:
            self._map = mmap.mmap(file.fileno(), access=mmap.ACCESS_READ, **where)
        except ValueError as error:
            raise Malformed(CHANGED) from error
        self._view = memoryview(self._map)[before:length]

    def __enter__(self) -> memoryview:
        return self._view

    def __exit__(self, *_) -> None:
        self._view.release()
        self._map.close()


def _parts(offset: int, shape: tuple, strides: tuple, most: int) -> Iterator[tuple[int, tuple]]:
    """Offset and shape of rows, some at a time, so that none has more elements than `most`."""
    elements = prod(shape)
    if not shape or elements <= most:
        yield offset, shape
        return
    rows = most * shape[0] // elements
    for at in range(0, shape[0], rows or 1):
        if rows:
            yield offset + at * strides[0], (min(rows, shape[0] - at), *shape[1:])
        else:
            yield from _parts(offset + at * strides[0], shape[1:], strides[1:], most)


def _joined(shape: tuple, strides: tuple) -> list[Axis]:
    """The axes longer than one; two that lie alike in source and result become one."""
    axes: list[Axis] = []
    for length, stride, there in zip(shape, strides, row_major(shape), strict=True):
        if length == 1:
            continue
        if axes and axes[-1][1] == stride * length and axes[-1][2] == there * length:
            axes[-1] = (axes[-1][0] * length, stride, there)
        else:
            axes.append((length, stride, there))
    return axes


def _copy(source: memoryview, at: int, result: memoryview, to: int, axes: list[Axis]) -> None:
    """Copy along the longest axis, once for each place on the others."""
    if not axes:
        result[to] = source[at]
        return
    longest = max(range(len(axes)), key=lambda number: (axes[number][0], -axes[number][1]))
    length, stride, there = axes[longest]
    outer, inner = axes[:longest], axes[longest + 1 :]
    if stride:
        end, stop = (length - 1) * stride + 1, (length - 1) * there + 1
        for begin, goal in _places(outer + inner, at, to):
            result[goal : goal + stop : there] = source[begin : begin + end : stride]
        return
    # The same elements again and again: what lies inside this axis is copied once, and repeated.
    for begin, goal in _places(outer, at, to):
        _copy(source, begin, result, goal, inner)
        done = there
        while done < length * there:
            size = min(done, length * there - done)
            result[goal + done : goal + done + size] = result[goal : goal + size]
            done += size


def _places(axes: list[Axis], at: int, to: int) -> Iterator[tuple[int, int]]:
    """Where in source and result each combination of places on these axes begins.

    Those of the last axes are listed once, as many as are few; the others are come by in turn.
    """
    near, far = [(at, to)], list(axes)
    while far and len(near) * far[-1][0] <= NEAR:
        length, stride, there = far.pop()
        near = [(s + n * stride, t + n * there) for n in range(length) for s, t in near]
    sources = [[n * stride for n in range(length)] for length, stride, _ in far]
    results = [[n * there for n in range(length)] for length, _, there in far]
    for begin, goal in zip(map(sum, product(*sources)), map(sum, product(*results)), strict=True):
        for s, t in near:
            yield begin + s, goal + t
