"""What the worker does for one file: read it, then write its weights or say where they lie.

The file is opened once, and the bytes that were judged are the bytes that are loaded.
"""

import codecs
import mmap
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from helpers.checkpoints import facts, filling, loading, record, roots, safefile
from helpers.checkpoints.container import Container, open_checkpoint
from helpers.checkpoints.digest import Digest
from helpers.checkpoints.errors import CheckpointError, Malformed
from helpers.checkpoints.inside import made_by, walk
from helpers.checkpoints.pickles import Program
from helpers.checkpoints.report import SHA256_FIELD, Report
from helpers.checkpoints.request import Request
from helpers.checkpoints.roots import Root
from helpers.checkpoints.weights import Weights, unwrap

# What Python would import or open at first use: done before a file is read, and not while it is.
record.releases()
for _codec in ("raw-unicode-escape", "unicode-escape"):
    codecs.lookup(_codec)

WITH_PICKLE = ("torch-zip", "torch-legacy", "pickle")


def run(request: Request, wrote: Callable[[int, int], object]) -> dict:
    """Rescue one file; `wrote` hears how many bytes are written, and of how many.

    Gives the report and, where nothing was to be written, each tensor's view of the file. Raises
    CheckpointError or UsageProblem.
    """
    with open_checkpoint(request.source) as container, Digest(mapped := _map(container)) as digest:
        stamp = filling.stamp(container.file)
        limits = request.limits.for_file(container.size)
        program = container.follow(limits) if container.format in WITH_PICKLE else None
        root = roots.choose(loading.load(container, program, limits), request.root)
        weights = root.weights(limits)
        limits.check("tensor_bytes", weights.nbytes, "what its tensors take, in bytes,")
        report = _describe(request, container, root, weights, program)
        beginning, order = safefile.header(weights.tensors, report.metadata(list(weights.tensors)))
        if request.partial:
            _write(request.partial, container.file, mapped, beginning, order, digest, wrote)
        report.sha256 = digest.result()
        if filling.stamp(container.file) != stamp:
            raise Malformed(filling.CHANGED)
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
    if root.dotted:
        model, _ = unwrap(root.value)
        report.architecture = facts.architecture(model)
        report.num_classes = facts.num_classes(model)
        report.config = facts.config(model)
        report.writer = (writer := made_by(program, walk(model)[0])) and str(writer)
    return report


def _map(container: Container) -> memoryview:
    """The file's bytes, as the system brings them in when they are looked at: no copy of them."""
    mapping = mmap.mmap(container.file.fileno(), 0, access=mmap.ACCESS_READ)
    if hasattr(mapping, "madvise"):
        mapping.madvise(mmap.MADV_SEQUENTIAL)
    return memoryview(mapping)


def _write(partial, source, mapped, beginning, order, digest, wrote) -> None:
    total, done = sum(view.nbytes for view in order), 0

    def count(size: int) -> None:
        nonlocal done
        done += size
        wrote(done, total)

    try:
        with open(partial, "xb", buffering=0) as out:
            safefile.write(out, source, mapped, beginning, order, count)
            out.seek(beginning.index(SHA256_FIELD) + len(SHA256_FIELD))
            out.write(digest.result().encode())
    except OSError as error:
        raise CheckpointError(
            f"the result cannot be written ({error.strerror or error}); make room there, or name "
            "another place"
        ) from error
