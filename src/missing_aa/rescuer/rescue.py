"""Get the weights out of a checkpoint, without running anything that it holds."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.checkpoints import filling, targets
from helpers.checkpoints.container import open_checkpoint
from helpers.checkpoints.errors import Malformed
from helpers.checkpoints.limits import DEFAULT, Limits
from helpers.checkpoints.report import Report
from helpers.checkpoints.request import Request
from helpers.checkpoints.session import Session

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Rescued:
    """The weights of one model, in the writer's order, and what is known of their file."""

    state_dict: "dict[str, torch.Tensor]"
    report: Report


def rescue(
    path: str | os.PathLike,
    root: str | None = None,
    limits: Limits = DEFAULT,
    session: Session | None = None,
) -> Rescued:
    """The state_dict that the writer of a checkpoint would have saved, bit for bit.

    The file is read in a process of its own; none of its code runs, and the classes in it need not
    be installed. `root` picks one of several models; a `session` serves many files with one start.
    Tied tensors stay tied, strides are kept. Raises Refused (dangerous), Malformed, LimitReached,
    Unreadable and WhichRoot (several models), each a helpers.errors.Problem that says what to do.
    """
    if session is None:
        with Session() as session:
            return rescue(path, root, limits, session)
    with open_checkpoint(path) as container:
        before = filling.stamp(container.file)
        answer = session.ask(Request(os.fspath(path), root, limits=limits))
        state_dict = filling.fill(container.file, answer["tensors"])
        if not before == answer["stamp"] == filling.stamp(container.file):
            raise Malformed(filling.CHANGED)
    return Rescued(state_dict, Report(**answer["report"]))


def rescue_to(
    source: str | os.PathLike,
    target: str | os.PathLike,
    root: str | None = None,
    force: bool = False,
    limits: Limits = DEFAULT,
    session: Session | None = None,
    wrote: Callable[[int, int], object] = lambda done, total: None,
) -> Report:
    """Write the weights of a checkpoint as safetensors: `target` appears whole or not at all.

    An existing target is kept unless `force`; `wrote` hears how many bytes are written, and of how
    many. Otherwise as `rescue`; raises TargetExists too.
    """
    if session is None:
        with Session() as session:
            return rescue_to(source, target, root, force, limits, session, wrote)
    with targets.partial(Path(source), Path(target), force) as unfinished:
        request = Request(os.fspath(source), root, str(unfinished), limits)
        return Report(**session.ask(request, wrote)["report"])
