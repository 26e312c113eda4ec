"""Whether a file is worth looking into, told by its first bytes, and by its name where they do not.

Files of every kind come by here, so it has to be cheap and must not cry wolf.
"""

from helpers.checkpoints.formats import HEAD, by_head

CHECKPOINTS = (".pt", ".pth", ".ckpt", ".safetensors", "pytorch_model.bin")
"""Names end like this that promise a checkpoint: what is none, but no text either, is told."""

PICKLES = (*CHECKPOINTS, ".pkl", ".pickle", ".joblib", ".bin")
"""Under such names also pickles of protocol 0 and 1, which have no mark, are looked for."""

MARKED = ("zip", "torch-legacy", "pickle", "safetensors")

_TEXT = bytes({*b"\a\b\t\n\f\r\x1b", *range(0x20, 0x7F), *range(0x80, 0x100)})
_FIRST_MEMBER = 30
"""Where the name of a zip's first member begins."""


def is_candidate(path: str, head: bytes, size: int) -> bool:
    return by_head(head, size) in MARKED or is_named_pickle(path)


def is_named_pickle(path: str) -> bool:
    return path.lower().endswith(PICKLES)


def promises_checkpoint(path: str) -> bool:
    return path.lower().endswith(CHECKPOINTS)


def is_text(head: bytes) -> bool:
    return not head.translate(None, _TEXT)


def begins_as_torch_writes(head: bytes) -> bool:
    """Whether it is a zip whose first member is an uncompressed FOLDER/data.pkl."""
    stored = head.startswith(b"PK\x03\x04") and head[8:10] == b"\0\0"
    name = head[_FIRST_MEMBER : _FIRST_MEMBER + int.from_bytes(head[26:28], "little")]
    return stored and name.endswith(b"/data.pkl")


def first_bytes(path: str, size: int) -> bytes:
    """What `is_candidate` wants to see of a regular file. Raises OSError."""
    if not size:
        return b""
    with open(path, "rb", buffering=0) as file:
        return file.read(HEAD)
