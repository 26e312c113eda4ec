"""What a whole-model file holds beside the values of its tensors, as one hash.

Two files with the same signature name the same classes, give their objects the same attributes with
the same values, in the same order, and hold tensors of the same types, shapes and strides. What a
model says of its pretrained weights (addresses, licences) is left out: no code of the model reads
it, and it changes with nearly every release.
"""

import hashlib
import os

from missing_aa.containers.container import open_checkpoint
from missing_aa.pickles.program import Dict, Global, Object, Persistent

CONFIGS = ("pretrained_cfg", "default_cfg")


def signature(path: str | os.PathLike) -> str:
    """Raises CheckpointError for a file that cannot be followed."""
    with open_checkpoint(path) as container:
        program = container.follow()
    if program.error:
        raise program.error
    digest = hashlib.sha256()
    numbers: dict[int, int] = {}
    waiting = [program.root]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, list | tuple | Dict | Object | Global | Persistent):
            digest.update(f"{type(node).__name__} {node!r};".encode("utf-8", "backslashreplace"))
            continue
        if id(node) in numbers:  # shared, or a circle
            digest.update(f"again {numbers[id(node)]};".encode())
            continue
        numbers[id(node)] = len(numbers)
        parts = _parts(node)
        head = str(node) if isinstance(node, Global) else type(node).__name__
        digest.update(f"{head} {len(parts)};".encode())
        waiting += reversed(parts)
    return digest.hexdigest()


def _parts(node) -> list:
    if isinstance(node, list | tuple):
        return list(node)
    if isinstance(node, Global):
        return []
    if isinstance(node, Persistent):
        return [node.id]
    pairs = [part for pair in node.pairs if pair[0] not in CONFIGS for part in pair]
    if isinstance(node, Dict):
        return pairs
    return [node.made_by, node.args, node.kwargs, *node.states, "items", *node.items, *pairs]
