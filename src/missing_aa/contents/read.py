"""What the pickle of a checkpoint holds: stand-ins of its objects, its models, its kind."""

from dataclasses import dataclass

from missing_aa.containers.container import Container
from missing_aa.containers.safetensors_header import read_header
from missing_aa.contents import find_models
from missing_aa.contents.build import build
from missing_aa.contents.find_models import Root
from missing_aa.contents.handed import Handed
from missing_aa.contents.standins import ORDERED_DICT, PLAIN_DICT, Standin
from missing_aa.contents.storages import Beside, Storages
from missing_aa.contents.views import Span, View, row_major
from missing_aa.limits import Limits
from missing_aa.pickles.program import Program


def views(container: Container) -> dict[str, View]:
    """The tensors of a safetensors file, in the order of their bytes."""
    _, entries = read_header(container.file, container.size)
    views = {}
    for name, entry in sorted(entries.items(), key=lambda item: item[1]["data_offsets"]):
        (start, end), shape = entry["data_offsets"], tuple(entry["shape"])
        span = Span(entry["dtype"], start, end - start)
        views[name] = View(span, entry["dtype"], 0, shape, row_major(shape))
    return views


@dataclass(frozen=True)
class Contents:
    """`top` is the file's one value, `models` every model and state_dict at and below it.

    `kind` is "whole model", "state_dict", "training checkpoint", "object with a model inside" or
    "other". `handed` are the bytes of tensors that functions get while it is loaded.
    """

    top: object
    models: list[Root]
    kind: str
    handed: list[Handed]


def read_contents(
    container: Container, program: Program, limits: Limits, beside: Beside | None = None
) -> Contents:
    """What a pickle that was followed has built; `beside` takes bytes that have to be unpacked.

    Raises the CheckpointError that is in its way.
    """
    if problem := program.error or program.fault:
        raise problem
    limits = limits.started()
    top, handed = build(program, Storages(container, program, limits, beside), limits)
    models = find_models.find(top, limits)
    return Contents(top, models, _kind(top, models), handed)


def _kind(top: object, found: list[Root]) -> str:
    if found and not found[0].name and found[0].value is top:
        return "whole model" if found[0].dotted else "state_dict"
    if not found:
        return "other"
    is_dict = isinstance(top, Standin) and top.dotted in (PLAIN_DICT, ORDERED_DICT)
    return "training checkpoint" if is_dict else "object with a model inside"
