#!/usr/bin/env python3
"""Set a machine up for the course from this folder alone, without a network.

    python3 install          on Windows: py .\\install

It can be run again at any time: after an interruption, or when the folder was moved.
"""

# Any Python from 3.6 on can read this file, so that an old one says what is wrong.
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import time
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
WHEELS = HERE / "wheels"
ENVIRONMENT = HERE / ".venv"
INSTALLED = ENVIRONMENT / "installed.json"
VERSION = "{}.{}".format(*sys.version_info)
WINDOWS = os.name == "nt"
LAB = ".\\lab" if WINDOWS else "./lab"
BYTECODE = 1.3
"""What the compiled files add to what the wheels unpack to."""
LONGEST_PATH = 259
"""On Windows as it comes."""
QUIET = {
    "@jupyterlab/apputils-extension:notification": {"checkForUpdates": False, "fetchNews": "false"}
}
"""JupyterLab's settings: it neither asks the network for news nor the learner whether it may."""


class Stop(Exception):
    """This machine cannot be set up; the text says what to do."""


def machine():
    """What kind of machine this is, such as linux-x86_64, macos-arm64, windows-amd64."""
    system = {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    return f"{system}-{platform.machine().lower()}"


def main():
    begun = time.monotonic()
    kit = read_list()
    if machine() != kit["platform"]:
        raise Stop(
            f"this machine is {machine()}, and the kit is for {kit['platform']}: ask for the other"
        )
    if VERSION not in kit["pythons"]:
        return go_on_with(another_python(kit["pythons"]))
    check_python(kit["least"])
    say(f"Checking {len(kit['wheels'])} files.")
    check_files(kit["wheels"])
    if not is_installed(kit):
        check_room(unpacked(kit["wheels"]))
        make_environment()
        install_packages()
        settle()
        add_course()
        INSTALLED.write_text(json.dumps(state(kit)))
    say("Bringing the releases of timm into the environment.")
    env = dict(alone(), MISSING_AA_CACHE=str(ENVIRONMENT / "share/missing-aa"))
    if subprocess.call([*python(), "-m", "missing_aa", "fetch"], env=env, cwd=str(HERE)):
        raise Stop("the releases of timm are not there: see above, then run this again")
    say("Asking the doctor.")
    if subprocess.call([*python(), "-m", "helpers", "doctor"], cwd=str(HERE)):
        raise Stop(
            "this machine is not ready: the lines above say what to do. If packages are missing, "
            "delete the folder .venv and run this again"
        )
    say(f"Set up in {time.monotonic() - begun:.0f} s. Start with: {LAB}")
    return 0


def read_list():
    """What the kit is for and what it holds."""
    try:
        return json.loads((HERE / "kit.json").read_text())
    except (OSError, ValueError):
        raise Stop(f"{HERE} is no whole kit: unpack the archive again") from None


def another_python(versions):
    """The command of a Python on this machine that fits; Stop if there is none."""
    for version in reversed(versions):
        command = ["py", "-" + version] if WINDOWS else ["python" + version]
        try:
            if not subprocess.call([*command, "-c", ""], stderr=subprocess.DEVNULL):
                return command
        except OSError:
            pass
    raise Stop(
        f"this is Python {VERSION}, and the kit is for Python {' or '.join(versions)}: install "
        "that, from the stick that the kit came on or from python.org, and run this again with it"
    )


def go_on_with(command):
    """Run this file with another Python; its exit code."""
    say(f"This is Python {VERSION}; going on with {' '.join(command)}.")
    return subprocess.call([*command, str(Path(__file__).resolve())])


def check_python(least):
    """Stop if the wheels do not run on this kind of Python or on a system as old as this."""
    usual = platform.python_implementation() == "CPython" and sys.maxsize > 2**32
    if not usual or sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise Stop(f"{sys.executable} is not the usual Python: take python.org's, for 64 bits")
    apple = sys.platform == "darwin"
    found = platform.mac_ver()[0] if apple else platform.libc_ver()[1]
    if least and found and numbers(found) < numbers(least):
        raise Stop(
            f"this system has {'macOS' if apple else 'glibc'} {found}, and torch needs {least}: "
            "share a newer laptop"
        )


def numbers(version):
    return [int(part) for part in version.split(".")[:2]]


def check_files(wheels):
    """Stop if one is missing or not as it was when the kit was made, or if there is another."""
    more = sorted({path.name for path in WHEELS.glob("*")} - set(wheels))
    if more:
        raise Stop(
            f"{more[0]} is no part of this kit, and could be installed instead of what is: remove "
            f"it from {WHEELS}. Nothing was installed"
        )
    found = {name: digest(WHEELS / name) for name in wheels}
    wrong = [
        f"{name} is {'damaged' if found[name] else 'missing'}"
        for name in sorted(wheels)
        if found[name] != wheels[name]
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise Stop(
            f"{', '.join(wrong[:3])}{more}: copy the archive from the stick again, and unpack it "
            "again. Nothing was installed"
        )


def digest(path):
    """The sha256 of a file, None where there is none."""
    sha256 = hashlib.sha256()
    try:
        with open(str(path), "rb") as file:
            for block in iter(lambda: file.read(2**20), b""):
                sha256.update(block)
    except OSError:
        return None
    return sha256.hexdigest()


def unpacked(wheels):
    """Path -> size of all that the wheels for this Python hold."""
    sizes = {}
    for name in wheels:
        tag, abi = name.split("-")[-3:-1]
        if tag == abi and tag.startswith("cp") and tag != f"cp{VERSION.replace('.', '')}":
            continue  # for another Python
        with zipfile.ZipFile(str(WHEELS / name)) as wheel:
            sizes.update((part.filename, part.file_size) for part in wheel.infolist())
    return sizes


def check_room(sizes):
    """Stop if the disk has no room for the packages, or Windows no patience for their names."""
    need = sum(sizes.values()) * BYTECODE
    have = shutil.disk_usage(str(HERE)).free
    if ENVIRONMENT.exists():  # what an interrupted run left goes first
        have += sum(path.stat().st_size for path in ENVIRONMENT.rglob("*") if path.is_file())
    if have < need:
        raise Stop(
            f"the packages need {need / 1e9:.1f} GB and the disk has {have / 1e9:.1f} GB: make room"
        )
    if WINDOWS and len(str(packages())) + 1 + max(map(len, sizes)) > LONGEST_PATH:
        raise Stop(f"{HERE} is too deep for Windows: move this folder to C:\\ and run this again")


def state(kit):
    """What a finished environment was made of: moved or given another kit, it is made again."""
    return {"folder": str(HERE), "python": VERSION, "wheels": kit["wheels"]}


def is_installed(kit):
    """Whether an earlier run came to its end, here, with this kit."""
    try:
        return json.loads(INSTALLED.read_text()) == state(kit)
    except (OSError, ValueError):
        return False


def make_environment():
    """A fresh one. Without pip, since Debian has no pip for it; the kit brings its own."""
    try:
        if ENVIRONMENT.exists():
            say("Clearing away what an earlier run left.")
            shutil.rmtree(str(ENVIRONMENT))
    except OSError as error:
        raise Stop(f"cannot replace .venv ({error}): close JupyterLab, run this again") from None
    if subprocess.call([sys.executable, "-m", "venv", "--without-pip", str(ENVIRONMENT)]):
        raise Stop(f"{sys.executable} could not make {ENVIRONMENT}: see above")


def install_packages():
    """Everything that the lock names, with all it requires; pip fails where the kit lacks one."""
    say("Installing the packages. This takes some minutes.")
    pip = next(WHEELS.glob("pip-*.whl"))
    words = ["-m", "pip", "install", "--quiet", "--no-compile", "--only-binary=:all:"]
    words += ["--ignore-installed"]  # or the pip that runs from its wheel would be thought there
    words += ["pip", "missing-aa", "--requirement", str(HERE / "requirements.lock")]
    env = dict(alone(), PYTHONPATH=str(pip))
    work = subprocess.Popen([*python(), *words], env=env, cwd=str(HERE))
    while work.poll() is None:
        time.sleep(0.2)
        if sys.stdout.isatty():
            there = sum(1 for _ in packages().glob("*.dist-info"))
            print(f"\r  {there} packages ", end="", flush=True)
    if work.returncode:
        raise Stop("pip could not install the packages: see above, then run this again")
    say("\nCompiling them." if sys.stdout.isatty() else "Compiling them.")
    words = ["-m", "compileall", "-qq", "-j", "0", str(ENVIRONMENT)]
    subprocess.call([*python(), *words], env=alone())  # what cannot be compiled is no harm


def settle():
    """JupyterLab's settings, and a `lab` that can be run, however the archive was unpacked."""
    os.chmod(str(HERE / "lab"), 0o755)
    settings = ENVIRONMENT / "share/jupyter/lab/settings"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "overrides.json").write_text(json.dumps(QUIET))


def add_course():
    """Let the environment's Python find `src`, in which the course lies. A relative path: Python
    reads this file in the system's encoding, and the folder may be named in any letters."""
    source = os.path.relpath(str(HERE / "src"), str(packages()))
    (packages() / "course.pth").write_text(source + "\n")


def alone():
    """An environment in which pip asks no index, and nothing of the user's own gets in the way."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "PYTHON", "VIRTUAL_ENV"))
    }
    ours["PIP_CONFIG_FILE"] = os.devnull
    ours["PIP_FIND_LINKS"] = WHEELS.as_uri()  # a plain path would be split at its blanks
    switches = ("NO_INDEX", "NO_CACHE_DIR", "NO_INPUT", "DISABLE_PIP_VERSION_CHECK")
    return dict(ours, **{f"PIP_{switch}": "1" for switch in switches})


def python():
    """The command of the environment's Python."""
    folder, name = ("Scripts", "python.exe") if WINDOWS else ("bin", "python")
    return [str(ENVIRONMENT / folder / name)]


def packages():
    """The folder that the environment's packages lie in."""
    folder = "Lib" if WINDOWS else "lib/python" + VERSION
    return ENVIRONMENT / folder / "site-packages"


def say(text):
    print(text, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Stop as stop:
        sys.exit(f"install: {stop}.")
    except KeyboardInterrupt:
        sys.exit("install: stopped; run it again.")
