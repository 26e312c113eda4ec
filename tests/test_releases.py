import base64
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from pathlib import Path

import packaging
import platformdirs
import pytest
import rich

import missing_aa
from missing_aa import releases
from missing_aa.cli import main
from missing_aa.releases import installer

SOURCE = b"__version__ = '1.0.3'\n"
DIGEST = base64.urlsafe_b64encode(hashlib.sha256(SOURCE).digest()).rstrip(b"=").decode()


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MISSING_AA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(params=["pip", "uv"])
def local_index(request, tmp_path, monkeypatch):
    """An index that pip, or uv where pip is not, reads instead of the network.

    It has a small wheel called timm 1.0.3.
    """
    folder = tmp_path / "index" / "timm"
    folder.mkdir(parents=True)
    wheel = folder / "timm-1.0.3-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("timm/__init__.py", SOURCE)
        about = "Metadata-Version: 2.1\nName: timm\nVersion: 1.0.3\nRequires-Dist: never-there\n"
        archive.writestr("timm-1.0.3.dist-info/METADATA", about)
        archive.writestr(
            "timm-1.0.3.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(
            "timm-1.0.3.dist-info/RECORD",
            f"timm/__init__.py,sha256={DIGEST},{len(SOURCE)}\ntimm-1.0.3.dist-info/METADATA,,\n"
            "timm-1.0.3.dist-info/WHEEL,,\ntimm-1.0.3.dist-info/RECORD,,\n",
        )
    (folder / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv(
        "PIP_INDEX_URL" if request.param == "pip" else "UV_DEFAULT_INDEX", folder.parent.as_uri()
    )
    if request.param == "uv":
        monkeypatch.setitem(sys.modules, "pip", None)
    return wheel


@pytest.fixture
def trusted_index(local_index, monkeypatch):
    """The same, with the small wheel recorded as the published one."""
    digest = hashlib.sha256(local_index.read_bytes()).hexdigest()
    monkeypatch.setitem(releases.KNOWN, "1.0.3", digest)
    return local_index


def test_every_release_since_0_4_12_is_recorded():
    assert next(iter(releases.KNOWN)) == "0.4.12"
    assert list(releases.KNOWN).index("0.6.13") < list(releases.KNOWN).index("0.8.0.dev0")
    assert len(releases.KNOWN) >= 57
    assert all(len(digest) == 64 for digest in releases.KNOWN.values())
    assert set(releases.COURSE) <= releases.KNOWN.keys()


def test_a_fetched_release_is_found_listed_and_removed(empty_cache, trusted_index, capsys):
    assert main(["fetch", "1.0.3"]) == 0
    assert (releases.locate("1.0.3") / "timm" / "__init__.py").is_file()
    assert main(["fetch", "--list"]) == 0
    assert main(["fetch", "1.0.3"]) == 0
    assert "was there" in capsys.readouterr().out
    assert main(["fetch", "--remove", "1.0.3"]) == 0
    assert releases.cached() == []
    assert os.listdir(empty_cache) == []


HARM = {
    "a file is gone": lambda path: path.unlink(),
    "a file is cut": lambda path: path.write_text("__version"),
    "a file is changed": lambda path: path.write_text(path.read_text().replace("3", "4")),
    "the list is gone": lambda path: (
        next(path.parents[1].glob("*.dist-info")) / "RECORD"
    ).unlink(),
}


@pytest.mark.parametrize("what", HARM)
def test_a_damaged_release_is_noticed_and_fetch_mends_it(what, empty_cache, trusted_index, capsys):
    path = releases.fetch("1.0.3") / "timm" / "__init__.py"
    HARM[what](path)
    if what != "a file is changed":  # which only its contents tell
        with pytest.raises(releases.ReleaseProblem, match="damaged.*missing-aa fetch 1.0.3"):
            releases.locate("1.0.3")
    assert releases.damage_of("1.0.3")
    assert main(["fetch", "1.0.3"]) == 0
    assert "mended" in capsys.readouterr().out
    assert not releases.damage_of("1.0.3") and releases.locate("1.0.3")


def test_a_wheel_that_is_not_the_published_one_is_not_kept(empty_cache, local_index, capsys):
    assert main(["fetch", "1.0.3"]) == 1
    assert "not the published one" in capsys.readouterr().err
    assert os.listdir(empty_cache) == []


def test_without_a_network_one_line_names_the_release_and_the_command(
    empty_cache, local_index, capsys
):
    assert main(["fetch", "1.0.11"]) == 1
    error = capsys.readouterr().err
    assert "timm 1.0.11 could not be fetched" in error and "missing-aa fetch 1.0.11" in error
    assert error.count("\n") == 1
    assert os.listdir(empty_cache) == []


def test_a_release_that_is_not_cached_names_the_command(empty_cache):
    with pytest.raises(releases.ReleaseProblem, match="missing-aa fetch 1.0.3"):
        releases.locate("1.0.3")


def test_releases_that_the_environment_brings_along_are_everybodys(tmp_path, monkeypatch):
    monkeypatch.delenv("MISSING_AA_CACHE", raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert tmp_path not in releases.cache_folder().parents
    (tmp_path / "share" / "missing-aa" / "timm-1.0.3").mkdir(parents=True)
    assert releases.cached() == ["1.0.3"]
    monkeypatch.setenv("MISSING_AA_CACHE", str(tmp_path / "mine"))
    assert releases.cached() == []


@pytest.mark.parametrize("call", [releases.locate, releases.fetch, releases.remove])
def test_an_unknown_release_is_named_with_its_neighbours(call, empty_cache):
    with pytest.raises(releases.UnknownRelease, match=r"'1\.0\.33'.*1\.0\.31"):
        call("1.0.33")


def test_two_fetches_at_once_leave_one_whole_release(empty_cache, trusted_index):
    start = threading.Barrier(2)

    def fetch():
        start.wait()
        folders.append(releases.fetch("1.0.3"))

    folders = []
    threads = [threading.Thread(target=fetch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert folders == [empty_cache / "timm-1.0.3"] * 2
    assert os.listdir(empty_cache) == ["timm-1.0.3"]


def test_a_source_archive_is_never_built(empty_cache, local_index, tmp_path, capsys):
    """Not even one whose sha256 is recorded; else whoever it comes from could run code here."""
    trap = f"open({str(tmp_path / 'PWNED')!r}, 'w')".encode()
    archive = local_index.with_name("timm-1.0.7.tar.gz")
    with tarfile.open(archive, "w:gz") as opened:
        own = b"[build-system]\nrequires = []\nbuild-backend = 'trap'\nbackend-path = ['.']\n"
        for name, text in (("trap.py", trap), ("pyproject.toml", own)):
            member = tarfile.TarInfo(f"timm-1.0.7/{name}")
            member.size = len(text)
            opened.addfile(member, io.BytesIO(text))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    (archive.parent / "index.html").write_text(f'<a href="{archive.name}">{archive.name}</a>')
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(releases.KNOWN, "1.0.7", digest)
        assert main(["fetch", "1.0.7"]) == 1
    assert not (tmp_path / "PWNED").exists()


def test_without_pip_and_uv_it_is_said_how_to_have_one(empty_cache, monkeypatch, tmp_path, capsys):
    for module in ("pip", "uv"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("UV", raising=False)
    assert main(["fetch", "1.0.3"]) == 1
    assert "neither pip nor uv is here" in capsys.readouterr().err


def test_a_uv_on_the_path_will_do_unless_it_lies_in_the_current_folder(monkeypatch, tmp_path):
    program = tmp_path / ("uv.exe" if os.name == "nt" else "uv")
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("UV", raising=False)
    assert installer.uv() == [str(program)]
    monkeypatch.chdir(tmp_path)
    assert installer.uv() == []


def test_the_uv_that_uvx_names_will_do(monkeypatch, tmp_path):
    program = tmp_path / "uv"
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("UV", str(program))
    assert installer.uv() == []
    program.write_text("")
    assert installer.uv() == [str(program)]


@pytest.mark.skipif(not installer.uv(), reason="needs uv")
def test_in_an_environment_that_uv_made_and_that_has_no_pip_a_release_is_fetched(
    empty_cache, trusted_index, tmp_path
):
    """The command in such an environment; only the recorded sha256 is another."""
    bare = tmp_path / "bare"
    quiet = {"capture_output": True, "text": True, "check": True}
    subprocess.run([*installer.uv(), "venv", "--python", sys.executable, str(bare)], **quiet)
    python = bare / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    needs = tmp_path / "needs"
    needs.mkdir()
    for package in (missing_aa, packaging, platformdirs, rich):
        folder = Path(package.__file__).parent
        shutil.copytree(folder, needs / folder.name)
    record = needs / "missing_aa" / "releases" / "timm_releases.txt"
    published = next(line for line in record.read_text().splitlines() if "timm==1.0.3 " in line)
    other = published.replace(published.split("sha256:")[1].split()[0], releases.KNOWN["1.0.3"])
    record.write_text(record.read_text().replace(published, other))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = os.environ | {"PYTHONPATH": str(needs), "PATH": path}
    env |= {"UV_DEFAULT_INDEX": trusted_index.parents[1].as_uri()}
    without = subprocess.run([python, "-c", "import pip"], capture_output=True, text=True)
    assert "No module named 'pip'" in without.stderr
    done = subprocess.run([python, "-m", "missing_aa", "fetch", "1.0.3"], env=env, **quiet)
    assert "timm 1.0.3: fetched" in done.stdout
    assert (empty_cache / "timm-1.0.3" / "timm" / "__init__.py").is_file()


def test_a_cache_that_cannot_be_written_is_one_sentence(tmp_path, trusted_index, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MISSING_AA_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(releases.ReleaseProblem, match="name another folder in MISSING_AA_CACHE"):
        releases.fetch("1.0.3")


def test_what_a_killed_fetch_left_behind_is_swept_and_never_taken_for_a_release(
    empty_cache, trusted_index
):
    old, young = empty_cache / ".partial-old", empty_cache / ".partial-young"
    for folder in (old, young):
        (folder / "timm").mkdir(parents=True)
    two_hours_ago = time.time() - 7200
    os.utime(old, (two_hours_ago, two_hours_ago))
    assert releases.cached() == []
    releases.fetch("1.0.3")
    assert not old.exists()
    assert young.exists(), "it may belong to a fetch that is at work"


def test_a_python_that_sees_a_folder_looks_there_first_and_then_where_it_did(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "elsewhere"))
    first, second = releases.seeing(tmp_path)["PYTHONPATH"].split(os.pathsep)
    assert (first, second) == (str(tmp_path), str(tmp_path / "elsewhere"))
    monkeypatch.delenv("PYTHONPATH")
    assert releases.seeing(tmp_path)["PYTHONPATH"] == str(tmp_path)
