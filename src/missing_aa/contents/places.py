"""Where in an open file the bytes of its storages and tensors lie. Standard library only."""

from collections.abc import Callable
from math import prod

from helpers.checkpoints.container import Container
from helpers.checkpoints.errors import Malformed
from helpers.checkpoints.pickles import Program
from helpers.checkpoints.safetensors_header import read_header
from helpers.checkpoints.standins import Span, View
from helpers.checkpoints.tensors import itemsize


def locator(container: Container, program: Program) -> Callable[..., Span]:
    """Tells where a storage lies: a member of the zip, or in a row behind a legacy pickle."""
    places, at = {}, program.end
    for key, size in container.storages.items():
        if container.format == "torch-legacy":
            places[key] = (at + 8, size)  # its length stands before it
            at += 8 + size
        else:
            places[key] = container.members[f"data/{key}"]

    def locate(dtype: str, key, location, count, view=None, *_) -> Span:
        start, size = places.get(key, (0, -1)) if type(key) is str else (0, -1)
        if view is not None:
            _, offset, count = view if type(view) is tuple and len(view) == 3 else (0, -1, 0)
            if type(offset) is not int or offset < 0:
                raise Malformed("a storage in it begins before its own beginning")
            start, size = start + offset * itemsize(dtype), size - offset * itemsize(dtype)
        if type(count) is not int or not 0 <= count * itemsize(dtype) <= size:
            raise Malformed("a storage that it names is missing or too short; fetch it again")
        return Span(dtype, start, count * itemsize(dtype))

    return locate


def views(container: Container) -> dict[str, View]:
    """The tensors of a safetensors file, in the order of their bytes."""
    _, entries = read_header(container.file, container.size)
    views = {}
    for name, entry in sorted(entries.items(), key=lambda item: item[1]["data_offsets"]):
        (start, end), shape = entry["data_offsets"], tuple(entry["shape"])
        strides = tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))
        views[name] = View(
            Span(entry["dtype"], start, end - start), entry["dtype"], 0, shape, strides
        )
    return views
