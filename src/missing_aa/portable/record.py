"""What the config.json of a portable folder records of its files, its output and its versions."""

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import BufferedReader
from math import isfinite
from pathlib import Path

import timm
import torch

from missing_aa import disk, home
from missing_aa.digest import Digest
from missing_aa.errors import CheckpointError, LimitReached, Malformed, Refused
from missing_aa.portable.fingerprint import PROJECTIONS, Fingerprint

CONFIG, WEIGHTS, TRAINING = "config.json", "model.safetensors", "training.pt"
KEY = "missing_aa"
"""Of the record in config.json; timm leaves it alone."""

MOST_BYTES = 10_000_000
"""Of a config.json: 21,000 classes with their descriptions take about two million."""
LONGEST_SIDE = 4096
"""Of the fixed input, so that a forged record cannot ask for all memory."""


@dataclass(frozen=True)
class Record:
    """`versions` of python, torch and timm, the `sha256` of each file, the output's fingerprint."""

    versions: dict[str, str]
    sha256: dict[str, str]
    fingerprint: Fingerprint

    def differing(self) -> dict[str, tuple[str, str]]:
        """The packages of another version now: what was recorded, and what is here."""
        return {
            name: (saved, here)
            for name, here in installed_versions().items()
            if (saved := self.versions.get(name))
            and _significant(name, saved) != _significant(name, here)
        }


def installed_versions() -> dict[str, str]:
    """Of what a model depends on, as it is loaded."""
    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "timm": timm.__version__,
    }


def _significant(name: str, version: str) -> str:
    """Without the build's own mark (2.14.1+cpu), and of Python without the bugfix release."""
    plain = version.partition("+")[0]
    return ".".join(plain.split(".")[:2]) if name == "python" else plain


def write_config(path: Path, config: dict, record: Record) -> None:
    described = config | {KEY: {"schema": 1, **asdict(record)}}
    path.write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")


def read_record(folder: Path) -> tuple[dict, Record]:
    """The config, and what it records. Raises CheckpointError, and says what is missing."""
    config = _read_json(_present(folder) / CONFIG)
    if KEY not in config:
        raise CheckpointError(
            f"{folder} was not written by save_portable, so there is nothing to compare it with; "
            f"timm.create_model('local-dir:{folder}', pretrained=True) loads it unchecked"
        )
    try:
        return config, _record(config[KEY])
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise Malformed(_damaged(folder / CONFIG)) from error


def _present(folder: Path) -> Path:
    if folder.is_dir():
        return folder
    if left := disk.left_behind(folder):
        raise CheckpointError(
            f"there is no folder {folder}, but {left[-1]}: a saving was killed as it replaced it; "
            "rename it back"
        )
    raise CheckpointError(f"there is no folder {folder}")


def _open(path: Path) -> BufferedReader:
    """The open file. Raises CheckpointError where it is missing or cannot be read."""
    try:
        if path.is_file():
            return open(path, "rb")
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    raise CheckpointError(f"{path} is missing; take the whole folder from where it was saved")


def _read_json(path: Path) -> dict:
    with _open(path) as file:
        text = file.read(MOST_BYTES + 1)
    if len(text) > MOST_BYTES:
        raise LimitReached(f"{path} is longer than {MOST_BYTES:,} bytes, and no model needs that")
    try:
        config = json.loads(text)
        parts = (config["architecture"], config["pretrained_cfg"], config.get("model_args", {}))
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise Malformed(_damaged(path)) from error
    if not all(map(isinstance, parts, (str, dict, dict))):
        raise Malformed(_damaged(path))
    return config


def _damaged(path: Path) -> str:
    return f"{path} is damaged; take the folder from where it was saved"


def _record(entry: dict) -> Record:
    """Raises ValueError, and whatever else a wrong form leads to."""
    if entry["schema"] != 1:
        raise CheckpointError(
            f"a newer missing-aa wrote this folder; to have it: {home.install(newer=True)}"
        )
    seen = Fingerprint(**entry["fingerprint"])
    numbers = [seen.mean, seen.std, *seen.projections, seen.tolerance]
    if not (
        len(seen.input_size) == 3
        and all(type(side) is int and 0 < side <= LONGEST_SIDE for side in seen.input_size)
        and len(seen.projections) == PROJECTIONS
        and all(isinstance(number, int | float) and isfinite(number) for number in numbers)
        and all(
            isinstance(word, str)
            for part in ("versions", "sha256")
            for word in entry[part].values()
        )
    ):
        raise ValueError("not the form of a record")
    return Record(entry["versions"], entry["sha256"], seen)


@contextmanager
def hashing(folder: Path, name: str) -> Iterator[Digest]:
    """The Digest of one of its files, at work meanwhile. Raises CheckpointError."""
    with _open(folder / name) as file:
        size = os.fstat(file.fileno()).st_size
        with Digest(file.fileno(), size) as digest:
            yield digest


def file_sha256(folder: Path, name: str) -> str:
    with hashing(folder, name) as digest:
        return digest.result()


def check_file(folder: Path, name: str, record: Record, found: str) -> None:
    """Raise Refused for a file that is not the one this config was written with."""
    if record.sha256.get(name) != found:
        raise Refused(
            f"{folder / name} is not the file that {CONFIG} was saved with: it was changed or cut "
            "short, or is of another save (its sha256 differs); take both from one save"
        )
