"""What a child process does for one file: read it, then write its weights or say where they lie.

The file is opened once, and the bytes that were judged are the bytes that are copied.
"""

import codecs
import tarfile  # noqa: F401  (formats asks it: nothing is imported while a file is read)
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from missing_aa import disk
from missing_aa.containers.container import Container, open_checkpoint
from missing_aa.contents import find_models, handed, timm_config
from missing_aa.contents.find_models import Root
from missing_aa.contents.standins import walk
from missing_aa.contents.state_dict import Weights
from missing_aa.contents.storages import BARE, Beside
from missing_aa.digest import Digest
from missing_aa.errors import CheckpointError, Malformed
from missing_aa.pickles.program import Program
from missing_aa.provenance import class_record
from missing_aa.provenance.writer import made_by
from missing_aa.rescuer import load, write_safetensors
from missing_aa.rescuer.messages import SHA256_FIELD, Report, Request

STEP = 0.01
"""How often progress is reported: each time this part of the file is written."""

WITH_PICKLE = ("torch-zip", "torch-legacy", *BARE)

# What Python would import or open at first use: done before a file is read, and not while it is.
class_record.releases()
for _codec in ("raw-unicode-escape", "unicode-escape", "latin-1"):
    codecs.lookup(_codec)


def answer(request: dict, report: Callable[[object], None]) -> dict:
    """A child's part of `Session.ask`; reports bytes written, and of how many."""
    reported = 0

    def wrote(done: int, total: int) -> None:
        nonlocal reported
        if done - reported >= total * STEP:
            reported = done
            report((done, total))

    return run(Request.from_dict(request), wrote)


def run(request: Request, wrote: Callable[[int, int], object]) -> dict:
    """Rescue one file; `wrote` gets the bytes written, and of how many.

    Gives the report and, where nothing was to be written, each tensor's view of the file. Raises
    CheckpointError or UsageProblem.
    """
    with ExitStack() as stack:
        container = stack.enter_context(open_checkpoint(request.source))
        digest = stack.enter_context(Digest(container.file.fileno(), container.size))
        stamp = disk.stamp(container.file)
        limits = request.limits.for_file(container.size).started()
        beside = stack.enter_context(Beside(request.beside))
        program = None
        if container.format in WITH_PICKLE:
            program = container.follow(limits)
        even_so = request.even_if_dangerous
        found, dangers, given = load.load(container, program, limits, beside, even_so)
        root = find_models.choose(found, request.root)
        weights = root.weights(limits)
        if not even_so:
            handed.refuse_changed(weights.tensors.items(), given)
        limits.check("tensor_bytes", weights.nbytes, "what its tensors take, in bytes,")
        report = _describe(request, container, root, weights, program)
        report.dangers = dangers
        beginning, order = write_safetensors.header(
            weights.tensors, report.metadata(list(weights.tensors))
        )
        if request.partial:
            source = write_safetensors.Source(container.file, beside.file)
            _write(request.partial, source, beginning, order, digest, wrote, limits)
        report.sha256 = digest.result()
        if disk.stamp(container.file) != stamp:
            raise Malformed(disk.CHANGED)
    if request.partial:
        return {"report": asdict(report)}
    views = {name: asdict(view) for name, view in weights.tensors.items()}
    return {"report": asdict(report), "tensors": views, "stamp": stamp}


def _describe(
    request: Request,
    container: Container,
    root: Root,
    weights: Weights,
    program: Program | None,
) -> Report:
    report = Report(
        source=Path(request.source).name,
        format=container.format,
        kind="whole model" if root.dotted else "state_dict",
        root=root.name,
        model_class=root.dotted,
        tensors=len(weights.tensors),
        nbytes=weights.nbytes,
        aliases=weights.shared(),
        prefix=weights.prefix,
        notes=weights.notes,
    )
    if program and (model := root.model):
        report.architecture = timm_config.architecture(model)
        report.num_classes = timm_config.num_classes(model, weights.tensors.values())
        report.config = timm_config.config(model)
        writer = made_by(program, walk(model)[0])
        report.writer = str(writer) if writer else None
    return report


def _write(partial: str, source, beginning: bytes, order, digest: Digest, wrote, limits) -> None:
    total, done = sum(view.nbytes for view in order), 0

    def count(size: int) -> None:
        nonlocal done
        done += size
        limits.check("tensor_bytes", done, "what is written, in bytes,")
        wrote(done, total)

    try:
        with open(partial, "xb", buffering=0) as out:
            write_safetensors.write(out, source, beginning, order, count)
            out.seek(beginning.index(SHA256_FIELD) + len(SHA256_FIELD))
            out.write(digest.result().encode())
    except OSError as error:
        raise CheckpointError(
            f"the result cannot be written ({error.strerror or error}); make room there, or name "
            "another place"
        ) from error
