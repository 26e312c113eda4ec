"""Checkpoints as torch wrote them before 1.6: five pickles in a row, then the storages' bytes."""

import contextlib

from helpers.checkpoints import pickles
from helpers.checkpoints.errors import Malformed
from helpers.checkpoints.formats import by_head
from helpers.checkpoints.limits import Limits
from helpers.checkpoints.nodes import Dict, Global, Object, Persistent, inside
from helpers.checkpoints.pickles import PICKLE_IN_PICKLE, Program
from helpers.checkpoints.tensors import itemsize, storage_of

BEFORE = 3  # a magic number, the format's version, the sizes of the writer's integers
CUT = "the storages behind the pickle are cut short: fetch the file again, or save it again"


def follow_legacy(data: bytes, limits: Limits) -> tuple[Program, list]:
    """The Program of the checkpoint itself, and the keys of the storages in the file's order.

    Its `end` is where the storages begin. Names that the small pickles around it ask for (none, in
    an honest file) are added to its own.
    """
    small, at = [], 0
    for _ in range(BEFORE):
        small.append(pickles.read(data, at, limits))
        at = small[-1].end
    main = pickles.read(data, at, limits)
    keys = pickles.read(data, main.end, limits)
    for other in (*small, keys):
        main.globals.update(other.globals)
        main.error = main.error or other.error
    main.end = keys.end
    return main, keys.root if isinstance(keys.root, list) else []


def measure(read, size: int, program: Program, keys: list) -> dict[str, int]:
    """Bytes of each storage, by key; `read(start, size)` gives the file's bytes.

    Raises Malformed where they reach beyond the file, or a key is no text or stands twice.
    """
    dtypes = {}
    for id in program.persistent:
        if storage := storage_of(Persistent(id)):
            dtypes[storage.key] = storage.dtype
    at, measured = program.end, {}
    for key in keys:
        if type(key) is not str or key in measured:
            raise Malformed("the storages behind the pickle are not listed the way torch does it")
        count = int.from_bytes(read(at, 8), "little")
        length = count * itemsize(dtypes.get(key, "uint8"))
        at += 8 + length
        if at > size:
            raise Malformed(CUT, "truncated")
        measured[key] = length
    return measured


def look_into(program: Program, limits: Limits) -> None:
    """Follow the pickles within a pickle, each of which holds one storage in the legacy format.

    Their names are added to the program's own. One that cannot be followed stays None; so do all
    where what loads them is handed to something else, which may call it with another pickle.
    """
    if not program.embedded or hands_on(program, PICKLE_IN_PICKLE):
        return
    for made in program.embedded:
        data = _bytes(made.args[0]) if isinstance(made.args, tuple) and len(made.args) == 1 else b""
        if by_head(data, len(data)) != "torch-legacy":
            continue
        inner, _ = follow_legacy(data, limits)
        program.globals.update(inner.globals)
        asks_again = any(g.dotted == PICKLE_IN_PICKLE for g in inner.globals.values())
        if not inner.error and not asks_again:
            program.embedded[made] = storage_of(inner.root)


def hands_on(program: Program, name: str) -> bool:
    """Whether anything that was called or filled was given what is named itself, however deep."""
    seen, waiting = set(), list(program.objects)
    while waiting:
        node = waiting.pop()
        if isinstance(node, Global) and node.dotted == name:
            return True
        if isinstance(node, list | tuple | Dict | Object) and id(node) not in seen:
            seen.add(id(node))
            waiting += inside(node)
    return False


def _bytes(node: object) -> bytes:
    """Bytes as a pickle holds them: before protocol 3 as text, and a call that encodes it."""
    if isinstance(node, bytes):
        return node
    if isinstance(node, Object) and str(node.made_by) == "_codecs.encode":
        match node.args:
            case (str(text), "latin1" | "latin-1"):
                with contextlib.suppress(UnicodeEncodeError):
                    return text.encode("latin-1")
    return b""
