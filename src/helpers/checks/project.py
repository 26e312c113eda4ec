"""Checks of lesson 10: a release that reads a file, and a project repaired and made safe."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from helpers.checks.verdict import NotYet, exercise, given
from missing_aa import releases, scan

HOOK = "no-whole-model-pickles"


@exercise
def runs_in(newest: str) -> str | None:
    """The newest of four releases in which the lesson's whole mobilenetv2_100 of 1.0.3 runs."""
    if not isinstance(given(newest), str):
        return 'a release is a text here, such as "1.0.11"'
    return {
        "1.0.3": None,
        "1.0.11": "in 1.0.11 the file fails as well; what does check say to --with timm==1.0.11?",
        "1.0.12": "1.0.12 forgives ConvNormAct alone; which classes does check name in it?",
        "1.0.31": "1.0.31 is the release in which it failed on Monday",
    }.get(newest, f"{newest!r} is none of the four releases")


@exercise
def project(folder: str | Path, original: str | Path) -> str | None:
    """A project's folder, against a copy of it as it was found, with its `expected.json`."""
    folder, original = Path(folder), Path(original)
    if _contents(folder) == _contents(original):
        raise NotYet
    return (
        _marked(folder)
        or _scanned(folder)
        or _predicts(folder, json.loads((original / "expected.json").read_text()))
        or _notices(folder)
        or _pinned(folder)
        or _guarded(folder)
    )


def _contents(folder: Path) -> dict[Path, bytes]:
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def _marked(folder: Path) -> str | None:
    if (folder / "mark").exists():
        return (
            "somebody ran downloads/backbone.pt: the file `mark` is there, which only its code "
            "writes. Find out what a file is before it is loaded; remove `mark` and go on"
        )
    return None


def _scanned(folder: Path) -> str | None:
    """Nothing is left that runs code when it is loaded, or that an upgrade breaks."""
    for found in scan([str(folder)]).checkpoints:
        if found.verdict not in ("fine", "other"):
            where = Path(found.path).relative_to(folder)
            return f"missing-aa scan is not content with {where}: {found.verdict}, {found.remark}"
    return None


def _predicts(folder: Path, expected: list[float]) -> str | None:
    ended = _run(folder)
    if ended.returncode:
        return f"python predict.py photo.png fails: {_last(ended.stderr)}"
    scores = _scores(ended.stdout)
    if scores is None or len(scores) != len(expected):
        return f"predict.py is to print a list of {len(expected)} numbers, and printed other things"
    scale = max(map(abs, expected))
    off = max(abs(a - b) for a, b in zip(scores, expected, strict=True)) / scale
    if not off < 1e-4:
        return (
            f"predict.py runs, and its scores are {off:.0%} off those of the model that was "
            "trained; are the rescued weights in it?"
        )
    return None


def _notices(folder: Path) -> str | None:
    """With other weights in the file, predict.py has to stop instead of giving other scores."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    largest = max(files, key=lambda path: path.stat().st_size)
    with tempfile.TemporaryDirectory(prefix="missing-aa-") as scratch:
        copy = shutil.copytree(folder, Path(scratch, "project"))
        with open(copy / largest.relative_to(folder), "r+b") as file:
            file.seek(largest.stat().st_size // 2)
            file.write(bytes(4096))
        ended = _run(copy)
    if ended.returncode == 0:
        return (
            f"a part of {largest.relative_to(folder)} was overwritten, in a copy, and predict.py "
            "went on without a word; what of this lesson would have noticed?"
        )
    return None


def _pinned(folder: Path) -> str | None:
    lines = (folder / "requirements.txt").read_text().splitlines()
    wanted = [line.split("#")[0].strip() for line in lines]
    for line in filter(None, wanted):
        if not re.match(r"[\w.-]+(\[[\w,-]+\])? *== *\d", line):
            return f"requirements.txt: {line!r} lets any version in"
    pins = dict(re.split(r" *== *", line) for line in wanted if "==" in line)
    if pins.get("timm") != releases.CURRENT:
        return (
            f"requirements.txt names timm {pins.get('timm', '(not at all)')}, and what predict.py "
            f"was tried with here is {releases.CURRENT}"
        )
    return None


def _guarded(folder: Path) -> str | None:
    config = folder / ".pre-commit-config.yaml"
    text = config.read_text() if config.is_file() else ""
    if not re.search(rf"^[ -]*id: *{HOOK}\b", text, re.MULTILINE):
        return (
            "nothing keeps the next whole-model pickle out: .pre-commit-config.yaml with the hook "
            f"{HOOK} is missing"
        )
    return None


def _run(folder: Path) -> subprocess.CompletedProcess:
    """`python predict.py photo.png`, seeing the current release of timm."""
    return subprocess.run(
        [sys.executable, "predict.py", "photo.png"],
        cwd=folder,
        env=releases.seeing(releases.locate(releases.CURRENT)),
        capture_output=True,
        text=True,
        timeout=120,
    )


def _scores(printed: str) -> list[float] | None:
    try:
        scores = json.loads(printed.strip().splitlines()[-1])
        return [float(score) for score in scores]
    except (IndexError, ValueError, TypeError):
        return None


def _last(stderr: str) -> str:
    return stderr.strip().splitlines()[-1] if stderr.strip() else "without a word"
