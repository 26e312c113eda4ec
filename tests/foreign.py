"""Small files that other people's libraries wrote; tools/write_foreign.py says how."""

import gzip
import hashlib
import json
from pathlib import Path

from safetensors import safe_open

FOLDER = Path(__file__).parent / "data" / "foreign"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
"""What a rescue must get out of each file."""


def unpack(folder: Path) -> list[Path]:
    """All files, as their libraries wrote them."""
    for name in EXPECTED:
        packed = FOLDER / f"{name}.gz"
        (folder / name).write_bytes(gzip.decompress(packed.read_bytes()))
    return [folder / name for name in EXPECTED]


def described(path: Path) -> dict[str, list]:
    """The tensors of a safetensors file, as `EXPECTED` describes them, in the writer's order."""
    with safe_open(path, "pt") as file:
        order = json.loads(file.metadata()["order"])
        return {name: describe(file.get_tensor(name)) for name in order}


def describe(tensor) -> list:
    import torch

    data = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    dtype = str(tensor.dtype).removeprefix("torch.")
    return [dtype, list(tensor.shape), hashlib.sha256(data).hexdigest()[:16]]
