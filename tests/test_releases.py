import hashlib
import os
import sys
import threading
import time
import zipfile

import pytest

from missing_aa import releases
from missing_aa.cli import main


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MISSING_AA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def local_index(tmp_path, monkeypatch):
    """An index that pip reads instead of the network, with a small wheel called timm 1.0.3."""
    folder = tmp_path / "index"
    folder.mkdir()
    wheel = folder / "timm-1.0.3-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("timm/__init__.py", "__version__ = '1.0.3'\n")
        archive.writestr("timm-1.0.3.dist-info/METADATA", "Name: timm\nVersion: 1.0.3\n")
        archive.writestr(
            "timm-1.0.3.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("timm-1.0.3.dist-info/RECORD", "")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return wheel


@pytest.fixture
def trusted_index(local_index, monkeypatch):
    """The same, with the small wheel recorded as the published one."""
    digest = hashlib.sha256(local_index.read_bytes()).hexdigest()
    monkeypatch.setitem(releases.KNOWN, "1.0.3", digest)


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
