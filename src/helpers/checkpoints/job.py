"""What the worker does for one file: read it, then write its weights or say where they lie.

The file is opened once, and the bytes that were judged are the bytes that are loaded.
"""

import hashlib
import json
import mmap
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from helpers import __version__
from helpers.checkpoints import loading, roots, safefile
from helpers.checkpoints.container import open_checkpoint
from helpers.checkpoints.errors import CheckpointError
from helpers.checkpoints.request import Request
from helpers.checkpoints.weights import Weights

PIECE = 2**22
WITH_PICKLE = ("torch-zip", "torch-legacy", "pickle")
SHA256_FIELD = b'"source_sha256":"'


def run(request: Request, wrote: Callable[[int, int], object]) -> dict:
    """Rescue one file; `wrote` hears how many bytes are written, and of how many.

    Gives the report and, where nothing was to be written, each tensor's view of the file. Raises
    CheckpointError or UsageProblem.
    """
    with open_checkpoint(request.source) as container:
        limits = request.limits.for_file(container.size)
        program = container.follow(limits) if container.format in WITH_PICKLE else None
        root = roots.choose(loading.load(container, program, limits), request.root)
        weights = root.weights(limits)
        limits.check("tensor_bytes", weights.nbytes, "what its tensors take, in bytes,")
        report = {
            "source": Path(request.source).name,
            "sha256": safefile.PLACEHOLDER,
            "format": container.format,
            "root": root.name,
            "class": root.dotted,
            "tensors": len(weights.tensors),
            "bytes": weights.nbytes,
            "aliases": weights.shared(),
            "prefix": weights.prefix,
            "notes": weights.notes,
        }
        beginning, order = safefile.header(weights.tensors, _metadata(report, weights))
        source = memoryview(mmap.mmap(container.file.fileno(), 0, access=mmap.ACCESS_READ))
        with ThreadPoolExecutor(1) as beside:
            digest = beside.submit(_digest, source)
            if request.partial:
                _write(request.partial, source, beginning, order, digest, wrote)
        report["sha256"] = digest.result()
    if request.partial:
        return {"report": report}
    return {"report": report, "tensors": {n: asdict(view) for n, view in weights.tensors.items()}}


def _metadata(report: dict, weights: Weights) -> dict[str, str]:
    """What the header of the safetensors file says, all of it text as the format wants."""
    said = {"format": "pt", "rescued_by": f"missing-aa {__version__}"}
    for key, value in report.items():
        if key not in ("tensors", "bytes", "format") and value not in ("", [], None):
            said["source_sha256" if key == "sha256" else key] = (
                value if isinstance(value, str) else json.dumps(value)
            )
    return said | {"order": json.dumps(list(weights.tensors))}


def _digest(source: memoryview) -> str:
    """The sha256 of the whole source, worked out while another thread writes."""
    digest = hashlib.sha256()
    for at in range(0, len(source), PIECE):
        digest.update(source[at : at + PIECE])
    return digest.hexdigest()


def _write(partial, source, beginning, order, digest: Future, wrote) -> None:
    total, done = sum(view.nbytes for view in order), 0

    def count(size: int) -> None:
        nonlocal done
        done += size
        wrote(done, total)

    try:
        with open(partial, "xb") as out:
            safefile.write(out, source, beginning, order, count)
            out.seek(beginning.index(SHA256_FIELD) + len(SHA256_FIELD))
            out.write(digest.result().encode())
    except OSError as error:
        raise CheckpointError(
            f"the result cannot be written ({error.strerror or error}); make room there, or name "
            "another place"
        ) from error
