"""Make a kit: wheels for one kind of machine, the releases of timm, the lessons and the site."""

import json
import os
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat

from helpers.kit import install, wheels
from helpers.kit.targets import Platform
from helpers.runner import catalogue
from helpers.runner.kit_folder import KIT_LIST
from missing_aa.errors import Problem

FOLDER = "missing-aa-kit"
"""What the archive unpacks to; short, since Windows is impatient with long paths."""

PROJECT = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "CODE_OF_CONDUCT.md",
    "SECURITY.md",
    "LICENSE",
    "CITATION.cff",
    "environment.yml",
    "requirements.lock",
)
BUILT = ("book", "slides")
"""Folders of build/ that go along if they are there."""

SOURCES = {"site", "slides", "__pycache__"}
"""Folders of docs/ from which those are built."""

PARTS = Path(__file__).parent / "parts"


@dataclass(frozen=True)
class Entry:
    """One file of the archive: its name in there, what it holds, whether it can be run."""

    name: str
    content: Path | str
    runs: bool = False


def make(
    root: Path,
    platform: Platform,
    pythons: list[str],
    torch_index: str | None,
    output: Path,
) -> Path:
    """Write the archive into a folder and return it; prints what it is at.

    The wheels stay beside it, in `kit`, for the next time. Raises Problem.
    """
    if not (root / "pyproject.toml").is_file():
        raise Problem("a kit is made in a checkout of the project; run it inside one")
    archive = output / f"missing-aa-kit-{platform.name}-py{'-'.join(pythons)}.zip"
    try:
        with tempfile.TemporaryDirectory(prefix="missing-aa-") as place:
            _progress("the releases of timm, pip, and this project")
            shared = wheels.tools(root, platform, pythons[0], Path(place))
            shared |= wheels.releases(Path(place, "timm"))
            found = {
                python: shared | _collect(root, platform, python, torch_index, output, shared)
                for python in pythons
            }
            _progress("the archive")
            _write(archive, _entries(root, platform, found))
    except OSError as error:
        raise Problem(f"cannot write {archive} ({error.strerror or error})") from error
    return archive


def _collect(
    root: Path,
    platform: Platform,
    python: str,
    torch_index: str | None,
    output: Path,
    shared: dict[str, Path],
) -> dict[str, Path]:
    """File name -> wheel of all that the lock asks for with one Python; known to suffice."""
    _progress(f"wheels for {platform.name}, Python {python}")
    lock = root / "requirements.lock"
    text, kept = lock.read_text(encoding="utf-8"), output / "kit" / f"{platform.name}-py{python}"
    found = wheels.locked(text, platform, python, kept)
    found |= wheels.torch(text, platform, python, torch_index, kept)
    folders = {wheel.parent for wheel in (*found.values(), *shared.values())}
    if not wheels.check_lock(lock, platform, python, folders):
        _progress("not checked whether they suffice: that takes uv (python -m pip install uv)")
    return found


def _progress(what: str) -> None:
    print(f"  {what}", flush=True)


def notes(root: Path) -> Iterator[str]:
    """What its maker may want to know of what goes along."""
    if not (root / "build" / "book").is_dir():
        yield "the site is not in it: make book builds it, then make the kit again"
    git = ["git", "-C", str(root), "status", "--porcelain", "--", "notebooks"]
    try:
        changed = subprocess.run(git, capture_output=True, text=True).stdout.split()[1::2]
    except OSError:  # no git here
        return
    if changed:
        yield f"changed since the last commit, and in it as they are: {', '.join(changed)}"


def _entries(root: Path, platform: Platform, found: dict[str, dict[str, Path]]) -> Iterator[Entry]:
    """Everything that goes into the archive, the short instructions first."""
    everything = {name: wheel for these in found.values() for name, wheel in these.items()}
    packages = max(sum(map(_unpacked, these.values())) for these in found.values())
    carried = sum(wheel.stat().st_size for wheel in everything.values())
    about = {
        "platform": platform.name,
        "pythons": " or ".join(found),
        "need": (packages * install.BYTECODE + carried) / 1e9,  # the archive not among it
    }
    yield Entry("START.txt", (PARTS / "START.txt").read_text(encoding="utf-8").format(**about))
    yield Entry("install", Path(install.__file__), runs=True)
    yield Entry("lab", PARTS / "lab", runs=True)
    for name in ("install.cmd", "lab.cmd"):
        yield Entry(name, (PARTS / name).read_text().replace("\n", "\r\n"))
    listed = {
        "schema": 1,
        "platform": platform.name,
        "pythons": list(found),
        "least": platform.least,
        "wheels": {name: install.digest(wheel) for name, wheel in sorted(everything.items())},
    }
    yield Entry(KIT_LIST, json.dumps(listed, indent=1))
    yield from (Entry(name, root / name) for name in PROJECT)
    for lesson in catalogue.lessons(root):
        yield Entry(f"notebooks/{lesson.path.name}", _without_outputs(lesson.path))
    yield from _below(root / "docs", "docs")
    yield from _below(root / "src" / "helpers", "src/helpers")
    for name in BUILT:
        yield from _below(root / "build" / name, name)
    yield from (Entry(f"wheels/{name}", wheel) for name, wheel in sorted(everything.items()))


def _unpacked(wheel: Path) -> int:
    with zipfile.ZipFile(wheel) as packed:
        return sum(part.file_size for part in packed.infolist())


def _below(folder: Path, name: str) -> Iterator[Entry]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not SOURCES & {inside.parts[0], path.parent.name}:
            yield Entry(f"{name}/{inside.as_posix()}", path)


def _without_outputs(notebook: Path) -> str:
    """A lesson as learners get it, whatever its maker has run in it."""
    nb = nbformat.read(notebook, nbformat.NO_CONVERT)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nbformat.writes(nb) + "\n"


def _write(archive: Path, entries: Iterator[Entry]) -> None:
    """Write it whole or not at all; Linux and macOS see which files can be run."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial, now = archive.with_suffix(".part"), time.localtime()[:6]
    with zipfile.ZipFile(partial, "w") as target:
        for entry in entries:
            info = zipfile.ZipInfo(f"{FOLDER}/{entry.name}", now)
            info.create_system = 3  # where the rights below mean what they mean on Linux
            info.external_attr = (0o100755 if entry.runs else 0o100644) << 16
            packed = entry.name.endswith((".whl", ".png"))
            info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            if isinstance(entry.content, str):
                target.writestr(info, entry.content)
                continue
            info.file_size = entry.content.stat().st_size
            with entry.content.open("rb") as source, target.open(info, "w") as kept:
                shutil.copyfileobj(source, kept, 2**20)
    os.replace(partial, archive)
