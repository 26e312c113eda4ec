"""pip or uv, whichever is there, as a child: it knows the person's index and certificates."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

HAVE_ONE = "python -m ensurepip, or https://docs.astral.sh/uv/getting-started/installation"
NEITHER = f"neither pip nor uv is here; to have one: {HAVE_ONE}"

CALM = {"PIP_USER": "0", "PIP_PREFIX": "", "PIP_REQUIRE_VIRTUALENV": "0"}
"""Settings of the person's that say where pip installs, and do not go with a folder of its own."""


def pip() -> list[str]:
    """The words that start this Python's pip; none where it has none, as uv makes environments."""
    # From -P on, what lies in the current folder is not taken for pip.
    return [sys.executable, "-P", "-m", "pip"] if _has("pip") else []


def uv() -> list[str]:
    """The words that start uv, this Python's or the one on the path; none where there is none."""
    if _has("uv"):
        return [sys.executable, "-P", "-m", "uv"]
    for place in (shutil.which("uv"), os.environ.get("UV")):  # uvx says in UV where uv is
        found = Path(place or "uv")
        # Windows looks in the current folder first.
        if found.is_absolute() and found.parent != Path.cwd() and found.is_file():
            return [str(found)]
    return []


def name() -> str:
    """Which of the two `unpack` starts: "pip", "uv", or "" where neither is there."""
    return "pip" if pip() else "uv" if uv() else ""


def unpack(requirement: str, sha256: str, folder: Path, beside: Path) -> str:
    """Unpack the one wheel that a requirement names, and that has this sha256, into a new folder.

    Nothing that it depends on comes along, and nothing is built. `beside` is a folder for notes.
    What went wrong, in the words of pip or uv, or "".
    """
    if not name():
        return NEITHER
    wanted = beside / "wanted.txt"
    wanted.write_text(f"{requirement} --hash=sha256:{sha256}\n", encoding="utf-8")
    words = ["--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes", "--no-compile"]
    words += ["--target", str(folder), "--requirement", str(wanted)]
    if pip():
        command = [*pip(), "install", "--disable-pip-version-check", *words]
    else:
        # Copied, since a link would let a change here into uv's own cache.
        own = ["--python", sys.executable, "--link-mode", "copy"]
        command = [*uv(), "pip", "install", *own, *words]
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=os.environ | CALM
    )
    (folder / ".lock").unlink(missing_ok=True)  # uv's, against a second uv
    return (done.stderr.strip() or "nothing") if done.returncode else ""


def _has(module: str) -> bool:
    """Whether this Python has a package, and not from the current folder, where files lie."""
    spec = importlib.util.find_spec(module)
    return bool(spec and spec.origin and Path(spec.origin).absolute().parents[1] != Path.cwd())
