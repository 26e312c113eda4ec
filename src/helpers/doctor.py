"""Is this machine ready for the lessons? A handful of checks, each with its remedy."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import helpers
from helpers import releases
from helpers.errors import Problem
from helpers.lessons import catalogue

OLDEST_PYTHON = (3, 11)
ROOM_GB = 1
ELSEWHERE = "MISSING_AA_CACHE names another folder for releases, --output one for results"
READER = "1.0.11"
"""The release that a lesson's kernel is tried with: the one that meets the error."""

LOCK = Path(helpers.__file__).resolve().parents[2] / "requirements.lock"
"""Lies there in a checkout only."""

# nms is the operator whose absence gives a torchvision away that was built for another torch.
IMPORT_TORCH = """
import torch, torchvision
torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
print(f"torch {torch.__version__}, torchvision {torchvision.__version__}")
"""


@dataclass(frozen=True)
class Result:
    """What one check found; where it is not ok, what to do."""

    name: str
    ok: bool
    detail: str
    remedy: str


def examine() -> list[Result]:
    """Every check of this machine, in seconds; those that import torch do so elsewhere."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(_judge, CHECKS, CHECKS.values()))


def lines(results: list[Result]) -> Iterator[tuple[str, bool]]:
    """Lines of plain text to print, each with whether it is about something in order."""
    for result in results:
        yield f"{'ok' if result.ok else 'NOT OK':<7} {result.name}: {result.detail}", result.ok
        if not result.ok:
            yield f"        what to do: {result.remedy}", False


def _judge(name: str, look: Callable[[], tuple[str, str]]) -> Result:
    try:
        detail, remedy = look()
    except Exception as error:  # whatever keeps a check from its end is a finding itself
        detail, remedy = f"{type(error).__name__}: {error}", _install()
    return Result(name, not remedy, detail, remedy)


def _install() -> str:
    if LOCK.is_file():
        return "in the project's folder: python -m pip install -r requirements.lock"
    return "python -m pip install 'missing-aa[course]'"


def _python() -> tuple[str, str]:
    found = ".".join(map(str, sys.version_info[:3]))
    oldest = ".".join(map(str, OLDEST_PYTHON))
    fine = sys.version_info >= OLDEST_PYTHON
    return f"{found}, {sys.executable}", "" if fine else f"install Python {oldest} or newer"


def _packages() -> tuple[str, str]:
    wanted = list(_locked()) or list(_required())
    wrong = []
    for requirement in wanted:
        try:
            found = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            wrong.append(f"{requirement.name} is {found}, not {requirement.specifier}")
    if not wrong:
        return f"all {len(wanted)} there", ""
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return "; ".join(wrong[:3]) + more, _install()


def _locked() -> Iterator:
    """The requirements of the lock file, if it is there, that apply to this machine."""
    from packaging.requirements import Requirement

    for line in LOCK.read_text().splitlines() if LOCK.is_file() else []:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate():
            yield requirement


def _required() -> Iterator:
    """What the installed package itself requires for the course; its extras name one another."""
    from packaging.requirements import Requirement

    extras, seen = ["course"], set()
    while extras:
        extra = extras.pop()
        for text in importlib.metadata.requires("missing-aa") or []:
            requirement = Requirement(text)
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            if requirement.name == "missing-aa":
                extras += requirement.extras
            elif requirement.name not in seen:
                seen.add(requirement.name)
                yield requirement


def _torch() -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMPORT_TORCH],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if not done.returncode:
        return done.stdout.strip(), ""
    error = (done.stderr.strip() or "it died").splitlines()[-1]
    if "No module" in error or "torchvision" not in error:
        return error, _install()
    pair = [f"{one.name}{one.specifier}" for one in _locked() if one.name.startswith("torch")]
    return f"they do not fit together ({error})", (
        "install both anew in one command, from one index: "
        f"python -m pip install --force-reinstall {' '.join(pair) or 'torch torchvision'}"
    )


def _kernel() -> tuple[str, str]:
    from jupyter_client import KernelManager

    with tempfile.TemporaryDirectory(prefix="aa-", ignore_cleanup_errors=True) as sockets:
        posix = {"transport": "ipc", "ip": str(Path(sockets, "k"))} if os.name == "posix" else {}
        manager = KernelManager(kernel_name="python3", **posix)
        manager.start_kernel(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            client = manager.blocking_client()
            client.start_channels()
            client.wait_for_ready(timeout=60)
            ask = {"prefix": "__import__('sys').prefix"}
            reply = client.execute("", user_expressions=ask, reply=True, timeout=60)
            client.stop_channels()
        finally:
            manager.shutdown_kernel(now=True)
            manager.cleanup_resources()
    prefix = reply["content"]["user_expressions"]["prefix"]["data"]["text/plain"].strip("'")
    if prefix == sys.prefix:
        return "python3 starts and is this Python", ""
    return f"python3 is the Python in {prefix}", "python -m ipykernel install --sys-prefix"


def _cached() -> tuple[str, str]:
    missing = [release for release in releases.COURSE if release not in releases.cached()]
    if missing:
        return f"missing: {', '.join(missing)} (in {releases.cache()})", "missing-aa fetch"
    return f"{', '.join(releases.COURSE)} in {releases.cache()}", ""


def _release_kernel() -> tuple[str, str]:
    from helpers.kernels import ReleaseKernel

    told = []
    try:
        kernel = ReleaseKernel(READER)
        try:
            kernel.run("import timm; print(timm.__version__)", lambda *output: told.append(output))
        finally:
            kernel.shutdown()
    except releases.ReleaseProblem:
        return f"timm {READER} is not cached", "missing-aa fetch"
    printed = "".join(content["text"] for kind, content in told if kind == "stream")
    if printed.strip() == READER:
        return f"a kernel of its own sees timm {READER}", ""
    errors = [content["evalue"] for kind, content in told if kind == "error"]
    return f"asked for timm {READER}, got {(errors or [printed.strip()])[0]}", _install()


def _folders() -> dict[str, Path]:
    """Purpose -> the folder that the lessons write into, or the nearest one that is there."""
    try:
        results = catalogue.root() / "build" / "lessons"
    except Problem:
        results = Path.cwd()
    wanted = {"results": results, "releases": releases.cache()}
    return {
        purpose: next(place for place in (folder, *folder.absolute().parents) if place.exists())
        for purpose, folder in wanted.items()
    }


def _disk() -> tuple[str, str]:
    free = {purpose: shutil.disk_usage(place).free / 1e9 for purpose, place in _folders().items()}
    detail = ", ".join(f"{gb:.1f} GB for {purpose}" for purpose, gb in free.items())
    short = min(free.values()) < ROOM_GB
    return detail, f"make room for {ROOM_GB} GB, or elsewhere: {ELSEWHERE}" if short else ""


def _writing() -> tuple[str, str]:
    refused = []
    for purpose, place in _folders().items():
        try:
            tempfile.TemporaryFile(dir=place).close()
        except OSError as error:
            refused.append(f"{purpose} cannot be written into {place} ({error.strerror})")
    return "; ".join(refused) or "allowed", ELSEWHERE if refused else ""


CHECKS = {
    "Python": _python,
    "packages": _packages,
    "torch and torchvision": _torch,
    "kernel": _kernel,
    "releases": _cached,
    "release kernel": _release_kernel,
    "disk": _disk,
    "writing": _writing,
}
