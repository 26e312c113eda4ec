"""Checkpoints as torch wrote them before 1.6: five pickles in a row, then the storages' bytes."""

import contextlib

from missing_aa.containers.formats import by_head
from missing_aa.errors import CheckpointError, Malformed
from missing_aa.limits import Limits
from missing_aa.pickles.follow import follow_pickle
from missing_aa.pickles.keeping import hands_on
from missing_aa.pickles.program import (
    PICKLE_IN_PICKLE,
    Object,
    Persistent,
    Program,
    Storage,
)
from missing_aa.pickles.storages import described, itemsize, storage_of
from missing_aa.pickles.uses import with_others

BEFORE = 3  # a magic number, the format's version, the sizes of the writer's integers
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
"""What the first of the five pickles holds, by which torch knows such a file."""

CUT = "the storages behind the pickle are cut short: fetch the file again, or save it again"


def follow_legacy(data: bytes, limits: Limits) -> tuple[Program, list]:
    """The Program of the checkpoint itself, and the keys of the storages in the file's order.

    Its `end` is where the storages begin. Names that the small pickles around it ask for (none, in
    an honest file) are added to its own.
    """
    small, at = [], 0
    for _ in range(BEFORE):
        small.append(follow_pickle(data, at, limits, as_torch=True))
        at = small[-1].end
    main = follow_pickle(data, at, limits, as_torch=True)
    if small[0].root != MAGIC_NUMBER:
        main.fault = Malformed("it begins as torch's old form, and its first number is another one")
    keys = follow_pickle(data, main.end, limits, as_torch=True)
    for other in (*small, keys):
        main.add(other)
        main.error = main.error or other.error
    main.end = keys.end
    return main, keys.root if isinstance(keys.root, list) else []


def measure(read, size: int, program: Program, keys: list) -> dict[str, int]:
    """Bytes of each storage, by key; `read(start, size)` gives the file's bytes.

    Raises Malformed where they reach beyond the file, or a key stands twice or not in the pickle.
    """
    dtypes: dict[str, str] = {}
    for id in program.persistent:
        if storage := storage_of(Persistent(id)):
            dtypes.setdefault(storage.key, storage.dtype)  # torch takes the first
    at, measured = program.end, {}
    for key in keys:
        if type(key) is not str or key in measured or key not in dtypes:
            raise Malformed("the storages behind the pickle are not listed the way torch does it")
        count = int.from_bytes(read(at, 8), "little")
        length = count * itemsize(dtypes[key])
        at += 8 + length
        if at > size:
            raise Malformed(CUT, "truncated")
        measured[key] = length
    return measured


def look_into(program: Program, limits: Limits) -> None:
    """Follow the pickles within a pickle, each of which holds one storage in the legacy format.

    So are those in the programs that a load would follow besides. Their names are added to the
    program's own. One that cannot be followed stays None; so do all where what loads them is handed
    to something else, which may call it with another pickle.
    """
    programs = list(with_others(program))
    holders = [(one, made) for one in programs for made in one.embedded]
    if not holders or any(hands_on(one, PICKLE_IN_PICKLE) for one in programs):
        return
    steps, made_in_all, known = program.opcodes, program.made, {}
    for holder, made in holders:
        data = (
            bytes_of(made.args[0]) if isinstance(made.args, tuple) and len(made.args) == 1 else b""
        )
        if by_head(data, len(data)) != "torch-legacy":
            continue
        if data not in known:
            inner, _ = follow_legacy(data, limits)
            steps += inner.opcodes
            made_in_all += inner.made + len(inner.objects)
            limits.check("opcodes", steps, "the number of the pickles' steps")
            limits.check("objects", made_in_all, "the number of objects that the pickles make")
            program.add(inner)
            asks_again = any(g.dotted == PICKLE_IN_PICKLE for g in inner.globals.values())
            is_sound = not (inner.error or inner.fault or asks_again)
            known[data] = _only_storage(inner) if is_sound else None
        holder.embedded[made] = known[data]


def _only_storage(inner: Program) -> Storage | None:
    """The whole storage that a pickle within a pickle gives; None where it gives anything else."""
    storage = storage_of(inner.root)
    try:
        found = described(inner.persistent, with_views=True)
    except CheckpointError:
        return None
    is_whole = isinstance(inner.root, Persistent) and inner.root.id[5:] == (None,)
    return storage if len(found) == 1 and is_whole else None


def bytes_of(node: object) -> bytes:
    """Bytes as a pickle holds them: before protocol 3 as text, and a call that encodes it."""
    if isinstance(node, bytes):
        return node
    if isinstance(node, Object) and str(node.made_by) == "_codecs.encode":
        match node.args:
            case (str(text), "latin1" | "latin-1"):
                with contextlib.suppress(UnicodeEncodeError):
                    return text.encode("latin-1")
    return b""
