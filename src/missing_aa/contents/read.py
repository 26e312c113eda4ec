"""What the pickle of a checkpoint holds: stand-ins of its objects, its models, its kind."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from missing_aa.containers.container import Container
from missing_aa.containers.safetensors_header import read_header
from missing_aa.contents import find_models
from missing_aa.contents.build import build
from missing_aa.contents.find_models import Root
from missing_aa.contents.standins import Span, Standin, View, pairs
from missing_aa.errors import Malformed
from missing_aa.limits import Limits
from missing_aa.pickles.program import Program
from missing_aa.pickles.storages import itemsize


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


HOLDERS = (Standin, View, dict, list, tuple)


def walk(top: object) -> tuple[list[Standin], list[View]]:
    """Every object and every tensor below a value, each once."""
    objects, views, seen, waiting = [], [], set(), [top]
    while waiting:
        value = waiting.pop()
        if not isinstance(value, HOLDERS) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, View):
            views.append(value)
        elif isinstance(value, list | tuple):
            waiting += value
        else:
            waiting += [item for _, item in pairs(value)]
        if isinstance(value, Standin):
            objects.append(value)
            waiting += [value.state, *value.given, *value.items]
    return objects, views


@dataclass(frozen=True)
class Contents:
    """`top` is the file's one value, `models` every model and state_dict at and below it.

    `kind` is "whole model", "state_dict", "training checkpoint", "object with a model inside" or
    "other".
    """

    top: object
    models: list[Root]
    kind: str


def read_contents(container: Container, program: Program, limits: Limits) -> Contents:
    """What a pickle that was followed has built. Raises the CheckpointError that is in its way."""
    if program.error:
        raise program.error
    limits = limits.started()
    locate = _anywhere if container.format == "pickle" else locator(container, program)
    top = build(program, locate, limits)
    models = find_models.find(top, limits)
    return Contents(top, models, _kind(top, models))


def _anywhere(dtype: str, key, location, count, *_) -> Span:
    """A storage of a pickle that was not written by torch.save: nobody can tell where it lies."""
    if type(count) is not int or not 0 <= count < 2**63:
        raise Malformed("a storage in it has a size that cannot be")
    return Span(dtype, 0, count * itemsize(dtype))


def _kind(top: object, found: list[Root]) -> str:
    if found and not found[0].name and found[0].value is top:
        return "whole model" if found[0].dotted else "state_dict"
    if not found:
        return "other"
    is_dict = isinstance(top, Standin) and top.dotted in (
        "builtins.dict",
        "collections.OrderedDict",
    )
    return "training checkpoint" if is_dict else "object with a model inside"
