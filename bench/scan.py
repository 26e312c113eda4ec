"""`missing-aa scan` against picklescan, over the same 10,000 small files."""

import pickle
import random
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy
import torch
from safetensors.torch import save_file
from torch import nn

from bench import alternate, few, tell

FILES = few(10_000, 100)


def net(depth: int) -> nn.Module:
    def block() -> nn.Module:
        return nn.Sequential(nn.Conv2d(4, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU())

    return nn.Sequential(*[block() for _ in range(depth)], nn.Linear(4, 10))


def png(number: int) -> bytes:
    pixels = random.Random(number).randbytes(96)
    chunks = {
        b"IHDR": struct.pack(">2I5B", 32, 32, 8, 2, 0, 0, 0),
        b"IDAT": zlib.compress(b"".join([b"\0" + pixels] * 32)),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks.items()
    )


def record(number: int) -> bytes:
    return pickle.dumps({"epoch": number, "loss": [number / 7] * 30, "x": numpy.arange(20)})


KINDS: list[tuple[int, str, Callable[[Path, int], object]]] = [
    (2, "pt", lambda path, n: torch.save(net(1 + n % 4), path)),
    (3, "pth", lambda path, n: torch.save(net(1 + n % 4).state_dict(), path)),
    (3, "safetensors", lambda path, n: save_file(net(1 + n % 4).state_dict(), path)),
    (6, "py", lambda path, n: path.write_text(f"# {n}\n" + "def f():\n    return 1\n\n" * 20)),
    (3, "png", lambda path, n: path.write_bytes(png(n))),
    (1, "npz", lambda path, n: numpy.savez(path, x=numpy.arange(50), y=numpy.ones((3, 4)))),
    (2, "pkl", lambda path, n: path.write_bytes(record(n))),
]
"""Of twenty files so many, with this suffix, made like this."""


def fill(folder: Path, files: int) -> None:
    mixture = [(suffix, make) for count, suffix, make in KINDS for _ in range(count)]
    for number in range(files):
        suffix, make = mixture[number % len(mixture)]
        path = folder / f"{number // 100:03}" / f"{number:05}.{suffix}"
        path.parent.mkdir(exist_ok=True)
        make(path, number)


def main() -> None:
    def command(name: str, *words: object) -> Callable[[], object]:
        line = [Path(sys.executable).with_name(name), *words]
        # Both find something, and say so by their exit codes.
        return lambda: subprocess.run(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    with tempfile.TemporaryDirectory(prefix="missing-aa-") as folder:
        fill(Path(folder), FILES)
        ours, theirs = command("missing-aa", "scan", folder), command("picklescan", "-p", folder)
        ours(), theirs()  # so that no one meets the files first
        mine, other = alternate(ours, theirs, rounds=5)
    tell(f"scan / picklescan over {FILES:,} files", mine / other, 0.49)
