"""What the worker does for one file: read it, then write its weights or say where they lie.

The file is opened once, and the bytes that were judged are the bytes that are loaded.
"""

import codecs
import gc
import json
import mmap
import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from missing_aa import disk
from missing_aa.containers.container import Container, open_checkpoint
from missing_aa.contents import find_models, timm_config
from missing_aa.contents.find_models import Root
from missing_aa.contents.read import walk
from missing_aa.contents.state_dict import Weights, unwrap
from missing_aa.disk import Digest
from missing_aa.errors import CheckpointError, Malformed, Problem, unforeseen
from missing_aa.pickles.program import Program
from missing_aa.provenance import class_record
from missing_aa.provenance.writer import made_by
from missing_aa.rescuer import load, worker, write_safetensors
from missing_aa.rescuer.messages import SHA256_FIELD, Report, Request

FORKS = sys.platform == "linux"
STEP = 0.01
"""How often progress is told: each time this part of the file is written."""


def answer(request: Request, say: Callable[[dict], None]) -> None:
    """Do what is asked, and say the result, or the problem by its class's name and its text."""
    told = 0

    def wrote(done: int, total: int) -> None:
        nonlocal told
        if done - told >= total * STEP:
            told = done
            say({"wrote": done, "total": total})

    try:
        say({"result": worker.run(request, wrote)})
    except Problem as problem:
        say({"problem": type(problem).__name__, "text": str(problem)})
    except Exception as error:
        problem = unforeseen(error)
        say({"problem": type(problem).__name__, "text": str(problem)})


def main() -> None:
    """Serve requests until the input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else prints must not stand between the answers

    def say(message: dict) -> None:
        answers.write(json.dumps(message).encode() + b"\n")
        answers.flush()

    warnings.simplefilter("ignore")
    gc.freeze()  # what torch brought stays: to look for cycles in it, for each file, takes long
    say({"serves_many": FORKS})
    for line in sys.stdin.buffer:
        if not FORKS:
            answer(Request.decode(line), say)
            return
        child = os.fork()
        if not child:
            answer(Request.decode(line), say)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            say({"died": os.waitstatus_to_exitcode(status)})


if __name__ == "__main__":
    main()


# What Python would import or open at first use: done before a file is read, and not while it is.
class_record.releases()
for _codec in ("raw-unicode-escape", "unicode-escape"):
    codecs.lookup(_codec)

WITH_PICKLE = ("torch-zip", "torch-legacy", "pickle")


def run(request: Request, wrote: Callable[[int, int], object]) -> dict:
    """Rescue one file; `wrote` hears how many bytes are written, and of how many.

    Gives the report and, where nothing was to be written, each tensor's view of the file. Raises
    CheckpointError or UsageProblem.
    """
    with open_checkpoint(request.source) as container, Digest(mapped := _map(container)) as digest:
        stamp = disk.stamp(container.file)
        limits = request.limits.for_file(container.size)
        program = container.follow(limits) if container.format in WITH_PICKLE else None
        root = find_models.choose(load.load(container, program, limits), request.root)
        weights = root.weights(limits)
        limits.check("tensor_bytes", weights.nbytes, "what its tensors take, in bytes,")
        report = _describe(request, container, root, weights, program)
        beginning, order = write_safetensors.header(
            weights.tensors, report.metadata(list(weights.tensors))
        )
        if request.partial:
            _write(request.partial, container.file, mapped, beginning, order, digest, wrote)
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
    if root.dotted:
        model, _ = unwrap(root.value)
        report.architecture = timm_config.architecture(model)
        report.num_classes = timm_config.num_classes(model)
        report.config = timm_config.config(model)
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
            write_safetensors.write(out, source, mapped, beginning, order, count)
            out.seek(beginning.index(SHA256_FIELD) + len(SHA256_FIELD))
            out.write(digest.result().encode())
    except OSError as error:
        raise CheckpointError(
            f"the result cannot be written ({error.strerror or error}); make room there, or name "
            "another place"
        ) from error
