"""The doctor's checks of what is installed: each gives its detail, and a remedy if it needs one."""

import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import helpers
from helpers.runner import kit_folder
from missing_aa import home, releases
from missing_aa.releases import installer
from missing_aa.text import few

READER = "1.0.11"
"""The release that a lesson's kernel is tried with: the one that meets the error."""

LOCK = Path(helpers.__file__).resolve().parents[2] / "requirements.lock"
"""Lies there in a checkout only; a kit has one too."""

# nms is the operator whose absence gives a torchvision away that was built for another torch.
IMPORT_TORCH = """
import torch, torchvision
torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
print(f"torch {torch.__version__}, torchvision {torchvision.__version__}")
"""

# With the pages that it serves: an install cut short can lack them.
IMPORT_JUPYTERLAB = """
from pathlib import Path
import jupyterlab.labapp
page = Path(jupyterlab.labapp.get_app_dir(), "static", "index.html")
assert page.is_file(), f"{page} is missing"
print(jupyterlab.__version__)
"""


def install() -> str:
    """What to do where packages are missing or wrong."""
    if folder := kit_folder.kit_folder():
        return f"in {folder}: delete the folder .venv, then {kit_folder.KIT_INSTALL}"
    if LOCK.is_file():
        return f"in the project's folder: {_pip()} install -r requirements.lock"
    return home.install("course")


def _pip() -> str:
    """How a person starts what installs packages here."""
    return "uv pip" if installer.name() == "uv" else "python -m pip"


def _fetch() -> str:
    folder = kit_folder.kit_folder()
    return f"in {folder}: {kit_folder.KIT_INSTALL}" if folder else "missing-aa fetch"


def installers() -> tuple[str, str]:
    """Whether what brings packages and releases is there."""
    if name := installer.name():
        return f"{name} is there", ""
    folder = kit_folder.kit_folder()
    return "neither pip nor uv", (
        f"in {folder}: {kit_folder.KIT_INSTALL}" if folder else installer.HAVE_ONE
    )


def packages() -> tuple[str, str]:
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
    return few(wrong), install()


def _locked() -> Iterator:
    """The requirements of the lock file, if it is there, that apply to this machine."""
    from packaging.requirements import Requirement

    lock = LOCK
    if not lock.is_file() and (folder := kit_folder.kit_folder()):
        lock = folder / LOCK.name
    for line in lock.read_text().splitlines() if lock.is_file() else []:
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


def torch() -> tuple[str, str]:
    printed, error = _python(IMPORT_TORCH)
    if not error:
        return printed, ""
    if "No module" in error or "torchvision" not in error or kit_folder.kit_folder():
        return error, install()
    pair = [f"{one.name}{one.specifier}" for one in _locked() if one.name.startswith("torch")]
    return f"they do not fit together ({error})", (
        "install both again in one command, from one index: "
        f"{_pip()} install --force-reinstall {' '.join(pair) or 'torch torchvision'}"
    )


def jupyterlab() -> tuple[str, str]:
    printed, error = _python(IMPORT_JUPYTERLAB)
    return (error, install()) if error else (f"{printed}, with its pages", "")


def _python(program: str) -> tuple[str, str]:
    """What a program prints in a Python of its own, and the last line of its error, if any."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    error = (done.stderr.strip() or "it died").splitlines()[-1] if done.returncode else ""
    return done.stdout.strip(), error


def kernel() -> tuple[str, str]:
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


def releases_cached() -> tuple[str, str]:
    missing = [release for release in releases.COURSE if release not in releases.cached()]
    if missing:
        return f"missing: {', '.join(missing)} (in {releases.cache_folder()})", _fetch()
    for release in releases.COURSE:
        if wrong := releases.damage_of(release):
            return f"timm {release} is damaged: {wrong} (in {releases.cache_folder()})", _fetch()
    return f"{', '.join(releases.COURSE)} in {releases.cache_folder()}", ""


def release_kernel() -> tuple[str, str]:
    from helpers.kernels import ReleaseKernel

    outputs = []
    try:
        kernel = ReleaseKernel(READER)
        try:
            kernel.run(
                "import timm; print(timm.__version__)", lambda *output: outputs.append(output)
            )
        finally:
            kernel.shutdown()
    except releases.ReleaseProblem:
        return f"timm {READER} is not cached", _fetch()
    printed = "".join(content["text"] for kind, content in outputs if kind == "stream")
    if printed.strip() == READER:
        return f"a kernel of its own sees timm {READER}", ""
    errors = [content["evalue"] for kind, content in outputs if kind == "error"]
    return f"asked for timm {READER}, got {(errors or [printed.strip()])[0]}", install()


def kit_files() -> tuple[str, str]:
    folder = kit_folder.kit_folder()
    wheels = json.loads((folder / kit_folder.KIT_LIST).read_text())["wheels"]
    missing = [name for name in wheels if not (folder / "wheels" / name).is_file()]
    if missing:
        return f"{len(missing)} of {len(wheels)} wheels are gone", "unpack the archive again"
    try:
        was = json.loads((folder / kit_folder.KIT_STATE).read_text())["folder"]
    except (OSError, ValueError):
        return "the installation did not come to its end", f"in {folder}: {kit_folder.KIT_INSTALL}"
    if Path(was).resolve() != folder.resolve():  # its commands look for their Python there
        return f"installed in {was}, then moved", f"in {folder}: {kit_folder.KIT_INSTALL}"
    return f"all {len(wheels)} wheels in {folder}", ""
