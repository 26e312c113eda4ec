"""Get the weights out of a checkpoint, without running anything that it holds."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from missing_aa import disk
from missing_aa.containers.container import open_checkpoint
from missing_aa.disk import CHANGED
from missing_aa.errors import Malformed
from missing_aa.limits import DEFAULT, Limits
from missing_aa.rescuer.messages import Report, Request
from missing_aa.rescuer.session import Session

if TYPE_CHECKING:
    import torch
import os


def fill(file: BinaryIO, tensors: dict[str, dict]) -> "dict[str, torch.Tensor]":
    """The tensors, in memory of their own; those that share a storage in the file share it here."""
    import torch

    buffers, made = {}, {}
    for name, view in tensors.items():
        span, dtype = view["span"], getattr(torch, view["dtype"])
        if 0 in view["shape"]:
            made[name] = torch.empty_strided(view["shape"], view["strides"], dtype=dtype)
            continue
        where = (span["start"], span["nbytes"])
        if where not in buffers:
            buffers[where] = _read(file, *where)
        flat = torch.frombuffer(buffers[where], dtype=dtype, count=span["nbytes"] // dtype.itemsize)
        made[name] = flat.as_strided(view["shape"], view["strides"], view["offset"])
    return made


def _read(file: BinaryIO, start: int, nbytes: int) -> bytearray:
    buffer = bytearray(nbytes)
    file.seek(start)
    if file.readinto(buffer) != nbytes:
        raise Malformed(CHANGED)
    return buffer


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
    Unreadable and WhichRoot (several models), each a Problem that says what to do.
    """
    if session is None:
        with Session() as session:
            return rescue(path, root, limits, session)
    with open_checkpoint(path) as container:
        before = disk.stamp(container.file)
        answer = session.ask(Request(os.fspath(path), root, limits=limits))
        state_dict = fill(container.file, answer["tensors"])
        if not before == answer["stamp"] == disk.stamp(container.file):
            raise Malformed(disk.CHANGED)
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
    with disk.partial(Path(source), Path(target), force) as unfinished:
        request = Request(os.fspath(source), root, str(unfinished), limits)
        return Report(**session.ask(request, wrote)["report"])
