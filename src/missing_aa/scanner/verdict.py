"""What one file is to a scan: a checkpoint, and whether it will outlive an upgrade; or none.

Standard library only, and nothing of the file is run.
"""

import contextlib
import os
from dataclasses import dataclass, field

from missing_aa.containers import formats
from missing_aa.containers.container import Container, open_checkpoint
from missing_aa.containers.disguise import WINDOW
from missing_aa.containers.legacy import look_into
from missing_aa.containers.safetensors_header import read_header
from missing_aa.containers.unpack import unpacked_head
from missing_aa.contents import read
from missing_aa.errors import (
    CheckpointError,
    LimitReached,
    Malformed,
    Refused,
    Unreadable,
    unforeseen,
)
from missing_aa.limits import Limits
from missing_aa.pickles import known_names, policy
from missing_aa.pickles.follow import follow_pickle
from missing_aa.pickles.policy import Judged
from missing_aa.pickles.program import Program
from missing_aa.text import clean

FINE, OTHER, FINDING, UNREADABLE = "fine", "other", "finding", "unreadable"
DANGEROUS, REFUSED, MALFORMED, LIMIT = "dangerous", "refused", "malformed", "limit"
NEEDS_CODE, UNJUDGED = policy.NEEDS_CODE, policy.UNJUDGED
PLACEHOLDER = "placeholder"
"""A pointer of Git LFS, or an empty file: what it stands for is somewhere else."""

EXIT_CODES = {
    FINE: 0,
    OTHER: 0,
    NEEDS_CODE: 0,
    UNJUDGED: 1,
    FINDING: 1,
    UNREADABLE: 1,
    DANGEROUS: 3,
    REFUSED: 3,
    PLACEHOLDER: 4,
    MALFORMED: 4,
    LIMIT: 6,
}
"""Every verdict, and the exit code that it asks for."""

PICKLED = "a pickle, for torch's own reader; safetensors needs none"
NOT_ALLOWED = "which torch.load refuses with weights_only=True"
RUNS_CODE = f"holds objects of {{}}: loading it runs their package's code, {NOT_ALLOWED}"
NOBODY_FOLLOWED = (
    "loading it uses {}, and what that does is not known: look at it before you load it"
)
PACKED = "a checkpoint of torch's, compressed, which torch.load does not read: unpack it first"
_MEANS = {Refused: REFUSED, Malformed: MALFORMED, LimitReached: LIMIT}


@dataclass
class Checkpoint:
    """A file and the verdict on it, one of `EXIT_CODES`; `remark` says why, in a sentence.

    `format` is one of `formats.FORMATS` or "". `kind` is that of `contents`, or "local folder" for
    the weights in a folder of timm's or the hub's. `models` has the name and class of each model
    (class "" for a state_dict), `dangerous` the name and reason of each dangerous name. `also` are
    further paths of the same file.
    """

    path: str
    format: str = ""
    size: int = 0
    kind: str = ""
    verdict: str = OTHER
    remark: str = ""
    models: list[dict[str, str]] = field(default_factory=list)
    dangerous: list[dict[str, str]] = field(default_factory=list)
    also: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.verdict]


def judge(path: str, limits: Limits) -> Checkpoint | None:
    """The verdict on a candidate of `sniffing`; None if it turns out to be no checkpoint, or gone.

    Raises nothing: what is in the way of a verdict becomes one.
    """
    found = Checkpoint(path)
    try:
        return _judge(found, limits)
    except Exception as error:
        return _trouble(found, unforeseen(error))


def _judge(found: Checkpoint, limits: Limits) -> Checkpoint | None:
    try:
        container = open_checkpoint(found.path)
    except Unreadable as problem:
        is_gone = isinstance(problem.__cause__, FileNotFoundError)
        return None if is_gone else _trouble(found, problem)
    except CheckpointError as problem:
        if _is_packed_by_hand(found.path):
            return _trouble(found, Malformed(PACKED, problem.format))
        return _trouble(found, problem) if _is_meant_as_checkpoint(found.path, problem) else None
    with container:
        found.format, found.size = container.format, container.size
        if container.format in formats.LOOKED_INTO and not formats.is_named_pickle(found.path):
            return None
        if container.format in formats.FOREIGN:
            found.remark = f"not judged; {formats.FOREIGN[container.format]}"
            if container.format == formats.PROGRAM:
                found.verdict, found.remark = UNJUDGED, formats.RUNS_PROGRAM
            return found
        if container.format == "safetensors":
            return _safetensors(found, container)
        return _pickle(found, container, limits)


def _trouble(found: Checkpoint, problem: CheckpointError) -> Checkpoint:
    found.verdict, found.remark = _MEANS.get(type(problem), UNREADABLE), str(problem)
    found.format = found.format or problem.format
    if found.format in ("git-lfs", "empty"):
        found.verdict = PLACEHOLDER
    with contextlib.suppress(OSError):
        found.size = os.path.getsize(found.path)
    return found


def _is_meant_as_checkpoint(path: str, problem: CheckpointError) -> bool:
    if problem.format == "tar" and formats.is_named_pickle(path) or problem.format == "torch-zip":
        return True  # torch.load reads one
    is_twofold = problem.format in ("tar", "joblib", *formats.FOREIGN) or formats.is_named_array(
        path
    )
    if isinstance(problem, Refused) and is_twofold:
        return True
    if problem.format == "numpy" or problem.format == "zip" and formats.is_named_array(path):
        return True
    head = formats.first_bytes(path, 1)
    if formats.promises_checkpoint(path):
        return problem.format != "unknown" or not formats.is_text(head)
    return formats.begins_as_torch_writes(head)


def _is_packed_by_hand(path: str) -> bool:
    """Whether what torch wrote was compressed afterwards, under a name that is looked for."""
    if not formats.is_named_pickle(path):
        return False
    with open(path, "rb") as file:
        head = unpacked_head(file, formats.HEAD)
    written = formats.begins_as_torch_writes(head)
    return written or formats.by_head(head, len(head)) == "torch-legacy"


def _safetensors(found: Checkpoint, container: Container) -> Checkpoint | None:
    try:
        read_header(container.file, container.size)
    except CheckpointError as problem:
        return _trouble(found, problem) if formats.promises_checkpoint(found.path) else None
    folder, name = os.path.split(found.path)
    is_folder = name == "model.safetensors" and os.path.isfile(os.path.join(folder, "config.json"))
    found.kind = "local folder" if is_folder else "state_dict"
    found.models = [{"name": "", "class": ""}]
    found.verdict = FINE
    return found


def _pickle(found: Checkpoint, container: Container, limits: Limits) -> Checkpoint | None:
    program = None
    try:
        program = _follow(container, limits)
        names = policy.judge_all(program)
        found.dangerous = [
            {"name": name.name, "reason": name.reason}
            for name in names
            if name.verdict == policy.DANGEROUS
        ]
        inside = read.read_contents(container, program, limits)
        found.kind = inside.kind
        found.models = [{"name": root.name, "class": root.dotted} for root in inside.models]
    except CheckpointError as problem:
        if not found.dangerous:
            return _unfollowed(found, container, problem, bool(program and program.fault))
    return _weigh(found, names)


def _follow(container: Container, limits: Limits) -> Program:
    """The pickle's program; of a bare pickle that is too large its beginning, for the names."""
    try:
        if container.format == "pickle":
            limits.check("pickle_bytes", container.size, "the length of the pickle, in bytes,")
        return container.follow(limits)
    except LimitReached as problem:
        if container.format != "pickle":
            raise
        program = follow_pickle(container.read(0, WINDOW), limits=limits)
        look_into(program, limits)
        program.error = problem
        return program


def _unfollowed(
    found: Checkpoint, container: Container, problem: CheckpointError, has_fault: bool
) -> Checkpoint | None:
    """A bare pickle may be anything: one that breaks off counts if it calls something."""
    if container.format == "pickle" and not formats.promises_checkpoint(found.path):
        program = follow_pickle(container.read(0, WINDOW))
        is_named = formats.is_named_pickle(found.path) and program.protocol >= 2
        calls = program.globals and (program.objects or program.protocol >= 2)
        is_long = isinstance(problem, LimitReached) and (program.short or not program.error)
        if not (is_named or calls or is_long or has_fault or program.fault):
            return None
    return _trouble(found, problem)


def _weigh(found: Checkpoint, names: list[Judged]) -> Checkpoint:
    if found.dangerous:
        first = found.dangerous[0]
        why = f"asks for {clean(first['name'])}, which {first['reason']}"
        found.verdict, found.remark = DANGEROUS, why + _more(found.dangerous)
        return found
    whole = [model for model in found.models if model["class"]]
    by_verdict = {
        verdict: [name.name for name in names if name.verdict == verdict]
        for verdict in policy.VERDICTS
    }
    unjudged = by_verdict[UNJUDGED]
    if whole:
        where = f" at {clean(whole[0]['name'])}" if whole[0]["name"] else ""
        why = f"holds {clean(whole[0]['class'])}{where}"
        found.verdict, found.remark = FINDING, why + _more(whole)
        if unjudged:
            found.remark += f"; {NOBODY_FOLLOWED.format(_some(unjudged))}"
    elif unjudged:
        found.verdict, found.remark = UNJUDGED, NOBODY_FOLLOWED.format(_some(unjudged))
    elif found.models and (classes := by_verdict[NEEDS_CODE]):
        found.verdict, found.remark = NEEDS_CODE, RUNS_CODE.format(_some(classes))
    elif found.models:
        strange = [name for name in by_verdict[policy.FINE] if name not in known_names.SAFE]
        found.verdict, found.remark = FINE, PICKLED
        if strange:
            found.remark = f"asks for {_some(strange)}, {NOT_ALLOWED}"
    return found


def _some(names: list[str]) -> str:
    return clean(names[0]) + _more(names)


def _more(things: list) -> str:
    return f" and {len(things) - 1} more" if len(things) > 1 else ""
