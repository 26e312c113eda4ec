"""Get the weights out of a checkpoint, without running anything that it holds."""

import importlib.util
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from missing_aa import disk
from missing_aa.containers.container import open_checkpoint
from missing_aa.disk import CHANGED
from missing_aa.errors import CheckpointError, Malformed
from missing_aa.limits import DEFAULT, Limits
from missing_aa.rescuer.messages import Report, Request
from missing_aa.rescuer.session import Session

if TYPE_CHECKING:
    import torch

NEEDS_TORCH = (
    "rescue() gives torch tensors, and torch is not installed: rescue_to(), as the command, writes "
    "a file without it"
)


def fill(
    file: BufferedReader, beside: BufferedReader | None, tensors: dict[str, dict]
) -> "dict[str, torch.Tensor]":
    """The tensors, in memory of their own; those that share a storage in the file share it here."""
    import torch

    buffers: dict[tuple, bytearray] = {}
    made = {}
    for name, view in tensors.items():
        span, dtype = view["span"], getattr(torch, view["dtype"])
        if 0 in view["shape"]:
            made[name] = torch.empty_strided(view["shape"], view["strides"], dtype=dtype)
            continue
        where = (span["beside"], span["start"], span["nbytes"])
        if where not in buffers:
            source = beside if span["beside"] else file
            assert source  # `beside` is there if bytes had to be unpacked
            buffers[where] = _read(source, span["start"], span["nbytes"])
        flat = torch.frombuffer(buffers[where], dtype=dtype, count=span["nbytes"] // dtype.itemsize)
        made[name] = flat.as_strided(view["shape"], view["strides"], view["offset"])
    return made


def _read(file: BufferedReader, start: int, nbytes: int) -> bytearray:
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
    even_if_dangerous: bool = False,
) -> Rescued:
    """The state_dict that the writer of a checkpoint would have saved, bit for bit.

    The file is read in a process of its own; none of its code runs, and the classes in it need not
    be installed. `root` picks one of several models; a `session` serves many files with one start;
    `even_if_dangerous` takes the weights of a file that asks for dangerous names too. Tied tensors
    stay tied, strides are kept. Needs torch. Raises Refused (dangerous), Malformed, LimitReached,
    Unreadable and WhichRoot (several models), each a missing_aa.errors.Problem.
    """
    import tempfile

    with ExitStack() as stack:
        session = session or stack.enter_context(Session())
        container = stack.enter_context(open_checkpoint(path))
        if not importlib.util.find_spec("torch"):
            raise CheckpointError(NEEDS_TORCH)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="missing-aa-"))
        beside = os.path.join(folder, "beside")
        before = disk.stamp(container.file)
        request = Request(
            os.fspath(path),
            root,
            beside=beside,
            even_if_dangerous=even_if_dangerous,
            limits=limits,
        )
        answer = session.ask(request)
        is_needed = os.path.exists(beside)
        unpacked = stack.enter_context(open(beside, "rb")) if is_needed else None
        state_dict = fill(container.file, unpacked, answer["tensors"])
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
    even_if_dangerous: bool = False,
) -> Report:
    """Write the weights of a checkpoint as safetensors: `target` appears whole or not at all.

    An existing target is kept unless `force`; `wrote` gets how many bytes are written, and of how
    many. Otherwise as `rescue`; raises TargetExists too.
    """
    with ExitStack() as stack:
        session = session or stack.enter_context(Session())
        unfinished = stack.enter_context(disk.partial(Path(source), Path(target), force))
        request = Request(
            os.fspath(source),
            root,
            partial=str(unfinished),
            even_if_dangerous=even_if_dangerous,
            limits=limits,
        )
        return Report(**session.ask(request, wrote)["report"])
