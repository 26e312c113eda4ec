"""The wheels of a kit, brought by pip, which knows the user's index, proxy and certificates."""

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename

from helpers.kit.targets import MICROS, Platform, pins
from missing_aa.errors import Problem
from missing_aa.releases import COURSE, KNOWN, installer

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
"""PyTorch's own builds for Linux, without CUDA: 200 MB instead of 3 GB."""

TORCH = ("torch", "torchvision")


def locked(lock: str, platform: Platform, python: str, folder: Path) -> dict[str, Path]:
    """File name -> wheel of all that a lock asks for on one machine, torch aside.

    What is in the folder already is not fetched. Raises Problem where pip fails.
    """
    return {
        wheel.name: wheel
        for micro in MICROS
        for wheel in _bring(
            [one for one in _wanted(lock, platform, python, micro) if one.name not in TORCH],
            platform,
            python,
            folder,
            ["--no-deps"],
        )
    }


def torch(
    lock: str, platform: Platform, python: str, index: str | None, folder: Path
) -> dict[str, Path]:
    """File name -> wheel of torch and torchvision, from an index of their own or the usual one.

    With what torch requires beyond the lock, CUDA's libraries. Raises Problem where pip fails.
    """
    everything = _wanted(lock, platform, python, MICROS[-1])
    pair = [one for one in everything if one.name in TORCH]
    others = [one for one in everything if one.name not in TORCH]
    source = index.rstrip("/").rpartition("/")[2] if index else "usual"
    folder = folder / f"{pair[0].name}{pair[0].specifier}-{source}"
    if index or not platform.linux:
        options = ["--no-deps", *(["--index-url", index] if index else [])]
        return {wheel.name: wheel for wheel in _bring(pair, platform, python, folder, options)}
    if not sys.platform.startswith("linux"):
        raise Problem("CUDA's libraries can be collected on Linux only; leave --torch-index away")
    with tempfile.TemporaryDirectory() as place:
        constraints = Path(place, "constraints.txt")
        constraints.write_text("\n".join(map(str, others)))
        options = ["--constraint", str(constraints)]
        _download(map(str, pair), platform, python, folder, options)
    locked = {one.name for one in others}
    wheels = folder.glob("*.whl")
    return {one.name: one for one in wheels if parse_wheel_filename(one.name)[0] not in locked}


def tools(root: Path, platform: Platform, python: str, folder: Path) -> dict[str, Path]:
    """File name -> wheel of pip, and of this project itself. Raises Problem where pip fails."""
    _download(["pip"], platform, python, folder, ["--no-deps"])
    _pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(root))
    return {wheel.name: wheel for wheel in folder.glob("*.whl")}


def releases(folder: Path) -> dict[str, Path]:
    """File name -> wheel of every release of timm that the lessons use.

    Raises Problem where pip fails, or is given another wheel than the recorded one.
    """
    folder.mkdir()
    for release in COURSE:
        wanted = folder / "wanted.txt"
        wanted.write_text(f"timm=={release} --hash=sha256:{KNOWN[release]}\n", encoding="utf-8")
        words = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(folder)]
        _pip("download", *words, "--requirement", str(wanted))
    return {wheel.name: wheel for wheel in folder.glob("*.whl")}


def check_lock(lock: Path, platform: Platform, python: str, folders: Iterable[Path]) -> bool:
    """Let uv, which judges markers as there, see that these folders alone suffice there.

    False without uv. Raises Problem, which says what is lacking.
    """
    if not installer.uv():
        return False
    links = [word for folder in folders for word in ("--find-links", str(folder))]
    fixed = ["--dry-run", "--quiet", "--no-cache", "--no-config", "--no-index", *links]
    fixed += ["--only-binary", ":all:", "--python-platform", platform.uv]
    fixed += ["-r", str(lock), "missing-aa", "pip"]
    with tempfile.TemporaryDirectory() as place:  # uv puts a lock file there, dry run or not
        for micro in MICROS:
            words = ["--target", place, "--python-version", f"{python}.{micro}", *fixed]
            done = subprocess.run(
                [*installer.uv(), "pip", "install", *words],
                capture_output=True,
                text=True,
                env=os.environ | {"MACOSX_DEPLOYMENT_TARGET": platform.least},
            )
            if done.returncode:
                reason = done.stderr.strip()
                raise Problem(f"a {platform.name} could not be set up from this: {reason}")
    return True


def _wanted(lock: str, platform: Platform, python: str, micro: int) -> list[Requirement]:
    return pins(lock.splitlines(), platform, python, micro)


def _bring(
    wanted: list[Requirement], platform: Platform, python: str, folder: Path, options: list[str]
) -> list[Path]:
    """The wheel of each requirement, fetched unless it is there."""
    there = _there(wanted, folder)
    if missing := [str(one) for one in wanted if one.name not in there]:
        _download(missing, platform, python, folder, options)
        there = _there(wanted, folder)
    return list(there.values())


def _there(wanted: list[Requirement], folder: Path) -> dict[str, Path]:
    """Name -> wheel of what is in the folder already, and whole."""
    allowed = {one.name: one.specifier for one in wanted}
    found = {}
    for wheel in folder.glob("*.whl"):
        name, version, *_ = parse_wheel_filename(wheel.name)
        if name in allowed and allowed[name].contains(version) and zipfile.is_zipfile(wheel):
            found[name] = wheel
    return found


def _download(
    wanted: Iterable[str], platform: Platform, python: str, folder: Path, options: list[str]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    where = [word for tag in platform.tags for word in ("--platform", tag)]
    where += ["--implementation", "cp", "--python-version", f"{python}.{MICROS[-1]}"]
    _pip("download", "--only-binary=:all:", "--dest", str(folder), *where, *options, *wanted)


def _pip(command: str, *words: str) -> None:
    if not installer.pip():
        raise Problem("a kit is made by pip, which is not here; to have it: uv pip install pip")
    done = subprocess.run(
        [*installer.pip(), command, "--quiet", "--disable-pip-version-check", *words],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        errors = errors or done.stderr.splitlines() or ["nothing"]
        raise Problem(f"pip could not bring the wheels; its last line: {errors[-1]}")
