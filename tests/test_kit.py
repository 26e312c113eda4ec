"""The workshop kit: what its `install` decides, and what the archive holds."""

import ensurepip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

import tiny_lessons
from helpers.kit import install, make, targets, wheels
from missing_aa.errors import Problem, UsageProblem

INSTALL = Path(install.__file__)
PYTHON = "{}.{}".format(*sys.version_info)
PIP = next(Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"), None)

posix = pytest.mark.skipif(os.name != "posix", reason="shell scripts stand in for Pythons")
with_pip = pytest.mark.skipif(not PIP, reason="this Python brings no wheel of pip along")

# What the real package does for `install`, told in one line each.
COMMANDS = """
import os, sys
settings = ("PIP_NO_INDEX", "PIP_INDEX_URL", "MISSING_AA_CACHE")
print("asked to", sys.argv[1], *map(os.environ.get, settings))
sys.exit("--ill--" in sys.prefix and sys.argv[1] == "doctor")
"""


def wheel(folder, name, files):
    """A wheel of pure Python, whole enough for pip."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    about = f"{name}-1.0.dist-info"
    files = dict(files) | {
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as packed:
        for inside, text in files.items():
            packed.writestr(inside, text)
    return path


@pytest.fixture
def kit(tmp_path):
    """An unpacked kit, in a folder whose name is hard on pip, of two tiny packages."""
    folder = tmp_path / "a room é"
    (folder / "wheels").mkdir(parents=True)
    shutil.copy(INSTALL, folder / "install")
    (folder / "lab").write_text("")
    tool = {"missing_aa/__init__.py": "", "missing_aa/__main__.py": COMMANDS}
    wheel(folder / "wheels", "missing_aa", tool)
    course = folder / "src" / "helpers"
    course.mkdir(parents=True)
    (course / "__init__.py").write_text("")
    (course / "__main__.py").write_text(COMMANDS)
    wheel(folder / "wheels", "locked", {"locked.py": ""})
    if PIP:
        shutil.copy(PIP, folder / "wheels")
    (folder / "requirements.lock").write_text("locked==1.0\n")
    sums = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (folder / "wheels").iterdir()
    }
    write(folder, platform=install.machine(), pythons=[PYTHON], least="", wheels=sums)
    return folder


def write(folder, **changes):
    path = folder / "kit.json"
    listed = json.loads(path.read_text()) if path.exists() else {"schema": 1}
    path.write_text(json.dumps(listed | changes))


def run(kit, **places):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [sys.executable, kit / "install"],
        capture_output=True,
        text=True,
        env=clean | places,
        cwd=kit.parent,
        timeout=120,
    )


def refused(kit, **places):
    """The one sentence with which `install` says no, before it has touched anything."""
    done = run(kit, **places)
    assert done.returncode == 1
    assert not (kit / ".venv").exists()
    (line,) = done.stderr.splitlines()
    assert line.startswith("install: ")
    return line


def test_a_python_that_the_kit_has_no_wheels_for_is_refused_by_version(kit, tmp_path):
    write(kit, pythons=["3.98", "3.99"])
    line = refused(kit, PATH=str(tmp_path))
    assert f"this is Python {PYTHON}, and the kit is for Python 3.98 or 3.99" in line


@posix
def test_it_goes_on_with_another_python_that_fits(kit, tmp_path):
    write(kit, pythons=["3.98", "3.99"])
    other = tmp_path / "python3.98"
    other.write_text('#!/bin/sh\n[ "$1" = -c ] && exit\nprintf "3.98 runs %s" "$1"\nexit 7\n')
    other.chmod(0o755)
    (tmp_path / "python3.99").write_text("#!/bin/sh\nexit 1\n")  # a shim without a Python
    (tmp_path / "python3.99").chmod(0o755)
    done = run(kit, PATH=str(tmp_path))
    assert done.returncode == 7
    assert "going on with python3.98" in done.stdout
    assert done.stdout.endswith(f"3.98 runs {kit / 'install'}")


def test_another_machine_is_refused_before_its_python_is_looked_at(kit):
    write(kit, platform="amiga-68000", pythons=["3.99"])
    line = refused(kit)
    assert install.machine() in line and "amiga-68000" in line


def test_wheels_that_are_missing_or_damaged_are_named_before_anything_is_installed(kit):
    (kit / "wheels" / "locked-1.0-py3-none-any.whl").unlink()
    with (kit / "wheels" / "missing_aa-1.0-py3-none-any.whl").open("r+b") as packed:
        packed.seek(40)
        packed.write(b"!")
    line = refused(kit)
    assert "locked-1.0-py3-none-any.whl is missing" in line
    assert "missing_aa-1.0-py3-none-any.whl is damaged" in line


def test_a_wheel_that_the_kit_does_not_list_is_not_installed(kit):
    (kit / "wheels" / "locked-9.0-py3-none-any.whl").write_bytes(b"")
    assert "locked-9.0-py3-none-any.whl is no part of this kit" in refused(kit)


def test_a_folder_that_is_no_whole_kit_says_so(kit):
    (kit / "kit.json").write_text("{")
    assert "unpack the archive again" in refused(kit)


@pytest.mark.skipif(not hasattr(os, "confstr"), reason="there is no glibc to be too old")
def test_a_system_too_old_for_torch_is_refused(kit):
    write(kit, least="99.0")
    assert "torch needs 99.0" in refused(kit)


def test_too_little_disk_and_paths_too_long_for_windows_are_foreseen(monkeypatch):
    with pytest.raises(install.Stop, match="make room"):
        install.check_room({"torch/big.so": 10**18})
    deep = {"a" * 259: 1}
    install.check_room(deep)
    monkeypatch.setattr(install, "WINDOWS", True)
    with pytest.raises(install.Stop, match="too deep for Windows"):
        install.check_room(deep)


@pytest.mark.parametrize("version", ["3.6", "3.8", "3.10"])
def test_an_old_python_is_told_what_is_wrong(kit, version):
    """Whichever of them is on this machine: the file has to parse there."""
    command = [f"python{version}", kit / "install"]
    try:
        subprocess.run([command[0], "-c", ""], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"no Python {version} here")
    write(kit, pythons=["3.99"])
    done = subprocess.run(command, capture_output=True, text=True)
    assert f"this is Python {version}" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_before_it_is_installed_lab_says_what_comes_first(tmp_path):
    shutil.copy(Path(make.PARTS) / "lab", tmp_path)
    done = subprocess.run(["sh", tmp_path / "lab"], capture_output=True, text=True)
    assert done.returncode == 1 and "First: python3 install" in done.stderr


@pytest.mark.long  # an environment is made
@with_pip
def test_it_installs_once_and_again_where_it_was_cut_short_or_moved(kit):
    misled = {"PIP_INDEX_URL": "https://nowhere.invalid", "MISSING_AA_CACHE": "mine"}
    first = run(kit, **misled)
    assert first.returncode == 0, first.stdout + first.stderr
    asked = [line for line in first.stdout.splitlines() if line.startswith("asked")]
    # The releases come from the kit; the doctor sees the machine as the learner has it.
    assert asked == [
        f"asked to fetch 1 None {kit / '.venv' / 'share' / 'missing-aa'}",
        "asked to doctor None https://nowhere.invalid mine",
    ]
    assert "Start with: " in first.stdout
    assert os.access(kit / "lab", os.X_OK)
    assert "Installing" not in run(kit).stdout

    (kit / ".venv" / "installed.json").unlink()  # as when the first run was interrupted
    (kit / ".venv" / "left").write_text("")
    assert "Installing" in run(kit).stdout
    assert not (kit / ".venv" / "left").exists()

    moved = kit.rename(kit.with_name("elsewhere"))
    again = run(moved)
    assert again.returncode == 0 and "Installing" in again.stdout


@pytest.mark.long  # an environment is made
@with_pip
def test_a_machine_that_the_doctor_finds_ill_is_not_called_ready(kit):
    kit = kit.rename(kit.with_name("--ill--"))
    done = run(kit)
    assert done.returncode == 1
    assert "is not ready" in done.stderr and "Start with" not in done.stdout


def pinned(platform, python="3.12", micro=0):
    lock = (Path(__file__).parents[1] / "requirements.lock").read_text().splitlines()
    pins = targets.pins(lock, targets.PLATFORMS[platform], python, micro)
    assert all(pin.marker is None for pin in pins)
    return {pin.name: str(pin.specifier) for pin in pins}


def test_markers_are_judged_for_the_laptop_and_not_for_the_maker():
    assert "pywinpty" in pinned("windows-amd64") and "pexpect" not in pinned("windows-amd64")
    assert "appnope" in pinned("macos-arm64") and "appnope" not in pinned("linux-x86_64")
    assert "colorama" not in pinned("linux-aarch64") and "pexpect" in pinned("linux-aarch64")
    assert pinned("linux-x86_64", "3.11")["numpy"] != pinned("linux-x86_64", "3.12")["numpy"]
    # One kit is for every patch of a Python.
    early, late = (pinned("macos-arm64", "3.11", micro) for micro in targets.MICROS)
    assert early["soupsieve"] != late["soupsieve"]


def test_words_for_machines_and_pythons():
    assert targets.choose_platform("windows").name == "windows-amd64"
    assert targets.choose_pythons(["3.13", "3.9999"[:4], "3.13"]) == ["3.13", "3.99"]
    assert targets.choose_pythons([]) == [PYTHON]
    with pytest.raises(UsageProblem, match="macos-arm64"):
        targets.choose_platform("beos")
    for wrong in ("3.10", "2.7", "3", "3.12.1", "new"):
        with pytest.raises(UsageProblem, match="3.12"):
            targets.choose_pythons([wrong])


@pytest.fixture
def project(tmp_path):
    """A checkout with one lesson, in which somebody has worked, and a built site."""
    for name in (*make.PROJECT, "pyproject.toml"):
        (tmp_path / name).write_text("locked==1.0" if name.endswith(".lock") else name)
    tiny_lessons.notebook(tmp_path, "01_fine", "size = 3", "size")
    path = tmp_path / "notebooks" / "01_fine.ipynb"
    lesson = nbformat.read(path, 4)
    lesson.cells[1].outputs = [nbformat.v4.new_output("stream", text="my answer")]
    lesson.cells[1].execution_count = 5
    nbformat.write(lesson, path)
    for built in (
        "docs/teaching/kit.md",
        "build/book/index.html",
        "docs/site/conf.py",
        "src/helpers/layers.py",
    ):
        (tmp_path / built).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / built).write_text(built)
    return tmp_path


@pytest.fixture
def made(project, monkeypatch):
    """The archive of that checkout; only pip's and uv's work is taken from them."""
    place = project / "given"
    place.mkdir()

    def bring(name):
        path = wheel(place, name, {f"{name}.py": "x" * 1000})
        return {path.name: path}

    monkeypatch.setattr(wheels, "tools", lambda *_: bring("pip"))
    monkeypatch.setattr(wheels, "locked", lambda *_: bring("locked"))
    monkeypatch.setattr(wheels, "torch", lambda *_: bring("torch"))
    monkeypatch.setattr(wheels, "check_lock", lambda *_: True)
    monkeypatch.setattr(wheels, "releases", lambda _: bring("timm"))
    windows = targets.PLATFORMS["windows-amd64"]
    return make.make(project, windows, ["3.12", "3.13"], None, project / "out")


def test_the_archive_holds_everything_below_one_folder(made):
    assert made.name == "missing-aa-kit-windows-amd64-py3.12-3.13.zip"
    with zipfile.ZipFile(made) as packed:
        names = {name.removeprefix("missing-aa-kit/") for name in packed.namelist()}
        runs = {info.filename for info in packed.infolist() if info.external_attr >> 16 & 0o111}
        listed = json.loads(packed.read("missing-aa-kit/kit.json"))
        for name, sha256 in listed["wheels"].items():
            data = packed.read(f"missing-aa-kit/wheels/{name}")
            assert hashlib.sha256(data).hexdigest() == sha256
        lesson = packed.read("missing-aa-kit/notebooks/01_fine.ipynb").decode()
        start = packed.read("missing-aa-kit/START.txt").decode()
        assert packed.read("missing-aa-kit/install") == INSTALL.read_bytes()
        assert b"\r\n" in packed.read("missing-aa-kit/install.cmd")
    assert {"book/index.html", "docs/teaching/kit.md", "requirements.lock"} <= names
    assert "src/helpers/layers.py" in names
    assert not {"docs/site/conf.py", "pyproject.toml"} & names
    assert runs == {"missing-aa-kit/install", "missing-aa-kit/lab"}
    assert len(listed["wheels"]) == 4 and listed["pythons"] == ["3.12", "3.13"]
    assert "size" in lesson and "my answer" not in lesson and '"execution_count": 5' not in lesson
    assert "windows-amd64, Python 3.12 or 3.13" in start and "{" not in start


def test_its_maker_is_told_of_lessons_changed_since_the_last_commit(project):
    subprocess.run(["git", "init", "--quiet", project], check=True)
    subprocess.run(["git", "-C", project, "add", "notebooks"], check=True)
    author = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", "-C", project, *author, "commit", "-qm", "x"], check=True)
    assert list(make.notes(project)) == []
    (project / "notebooks" / "01_fine.ipynb").write_text("{}")
    (note,) = make.notes(project)
    assert "notebooks/01_fine.ipynb" in note
    shutil.rmtree(project / "build")
    assert "make book" in next(iter(make.notes(project)))


def test_a_kit_is_made_in_a_checkout_only(tmp_path):
    with pytest.raises(Problem, match="checkout"):
        make.make(tmp_path, targets.choose_platform("linux"), ["3.12"], None, tmp_path)


@pytest.mark.parametrize(
    "words, says", [(["--platform", "beos"], "linux-x86_64"), (["--python", "2.7"], "3.11")]
)
def test_the_command_refuses_words_that_are_off(words, says):
    command = [sys.executable, "-m", "helpers", "kit", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert says in done.stderr and "Traceback" not in done.stderr


def test_the_help_and_the_refusal_name_the_same_machines():
    def said(*words):
        command = [sys.executable, "-m", "helpers", "kit", *words]
        done = subprocess.run(command, capture_output=True, text=True)
        return " ".join((done.stdout + done.stderr).split())

    assert targets.names() in said("--help")
    assert targets.names() in said("--platform", "beos")
    for word in targets.names().replace("(", "").replace(")", "").replace(",", "").split():
        assert targets.choose_platform(word).name in targets.PLATFORMS


def test_looking_whether_wheels_suffice_leaves_nothing_in_the_checkout(tmp_path):
    (lock := tmp_path / "requirements.lock").write_text("rich==14.0.0\n")
    linux = targets.choose_platform("linux")
    with pytest.raises(Problem, match="rich"):
        wheels.check_lock(lock, linux, "3.11", [tmp_path])
    assert list(tmp_path.iterdir()) == [lock]
