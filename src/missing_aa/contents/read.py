"""What the pickle of a checkpoint holds: stand-ins of its objects, its models, its kind."""

from dataclasses import dataclass

from helpers.checkpoints import places, roots
from helpers.checkpoints.building import build
from helpers.checkpoints.container import Container
from helpers.checkpoints.errors import Malformed
from helpers.checkpoints.limits import Limits
from helpers.checkpoints.pickles import Program
from helpers.checkpoints.roots import Root
from helpers.checkpoints.standins import Span, Standin
from helpers.checkpoints.tensors import itemsize


@dataclass(frozen=True)
class Contents:
    """`top` is the file's one value, `models` every model and state_dict at and below it.

    `kind` is "whole model", "state_dict", "training checkpoint", "object with a model inside" or
    "other".
    """

    top: object
    models: list[Root]
    kind: str


def read(container: Container, program: Program, limits: Limits) -> Contents:
    """What a pickle that was followed has built. Raises the CheckpointError that is in its way."""
    if program.error:
        raise program.error
    limits = limits.started()
    locate = _anywhere if container.format == "pickle" else places.locator(container, program)
    top = build(program, locate, limits)
    models = roots.find(top, limits)
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
