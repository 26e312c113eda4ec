"""Which files a scan looks at: every regular one, once, and nothing that could harm or hang it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from missing_aa import scan
from missing_aa.errors import UsageProblem
from missing_aa.scanner.walk import CIRCLE, EXCLUDED, NOWHERE, UNASKED, Walk

PICKLE = b"\x80\x04N."
unix = pytest.mark.skipif(os.name == "nt", reason="needs what only Unix has")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(*paths):
    for path in map(Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PICKLE)


def found(*paths, **options):
    return [entry.path for entry in scan(paths or ["."], **options).checkpoints]


def test_files_are_found_at_any_depth_in_order(here):
    put("b.pkl", "a/z.pkl", "a/b/c.pkl", "c/d.pkl")
    assert found() == ["a/b/c.pkl", "a/z.pkl", "b.pkl", "c/d.pkl"]
    assert found("a", "b.pkl") == ["a/b/c.pkl", "a/z.pkl", "b.pkl"]
    assert found("./c/", str(here / "a/b")) == [str(here / "a/b/c.pkl"), "c/d.pkl"]


def test_one_path_may_stand_alone(here):
    put("a.pkl")
    assert [entry.path for entry in scan(here / "a.pkl").checkpoints] == [str(here / "a.pkl")]
    assert len(scan(os.fsencode(here)).checkpoints) == 1


def test_an_empty_tree_holds_nothing(here):
    done = scan(".")
    assert (done.checkpoints, done.looked_at, done.exit_code, done.complete) == ([], 0, 0, True)


@pytest.mark.parametrize("path", ["missing.pt", "a\x00b", "-"])
def test_a_path_that_is_not_there_is_usage_before_anything_is_looked_at(here, path):
    put("a.pkl")
    with pytest.raises(UsageProblem, match="there is no"):
        found("a.pkl", path)


@unix
@pytest.mark.parametrize("end", ["nowhere", "self"])
def test_a_named_link_without_an_end_is_usage_and_not_passed_over(here, end):
    os.symlink(end, "self")
    with pytest.raises(UsageProblem, match="behind the link self"):
        found("self")


@pytest.fixture
def deep(here):
    """How many folders lie in each other, with a file in the last."""
    depth = 1050
    for _ in range(depth):
        os.mkdir("d")
        os.chdir("d")
    put("a.pkl")
    os.chdir(here)
    yield depth
    os.chdir("d/" * depth)
    os.unlink("a.pkl")
    for _ in range(depth):  # shutil, with which pytest cleans up, recurses
        os.chdir("..")
        os.rmdir("d")


def test_a_tree_deeper_than_python_recurses_is_walked(deep):
    assert [path.count("d/") for path in found()] == [deep]


# The same file by several ways.


def test_a_file_given_twice_is_counted_once(here):
    put("a/b.pkl")
    done = scan(["a", "a/b.pkl", "a/b.pkl", "a", "./a"])
    assert [(entry.path, entry.also) for entry in done.checkpoints] == [("a/b.pkl", [])]
    assert done.looked_at == 1


@unix
def test_a_file_with_several_names_is_counted_once_and_they_are_told(here):
    put("z/blob.pkl")
    Path("a").mkdir()
    os.symlink("../z/blob.pkl", "a/link.pkl")
    os.link("z/blob.pkl", "z/hard.pkl")
    os.symlink("z", "linked")
    done = scan(".")
    (entry,) = done.checkpoints
    assert (entry.path, sorted(entry.also)) == ("z/blob.pkl", ["a/link.pkl", "z/hard.pkl"])
    assert done.looked_at == 1


@unix
def test_links_to_elsewhere_are_followed(here):
    put("outside/a/b.pkl", "outside/c.pkl")
    Path("tree").mkdir()
    os.symlink("../outside/a", "tree/folder")
    os.symlink("../outside/c.pkl", "tree/file.pkl")
    assert found("tree") == ["tree/file.pkl", "tree/folder/b.pkl"]


@unix
def test_links_in_a_circle_come_to_an_end_and_are_told(here):
    put("a/b/c.pkl", "x/y.pkl")
    os.symlink("..", "a/b/up")
    os.symlink("self", "self")
    os.symlink("pong", "ping")
    os.symlink("ping", "pong")
    os.symlink("../x", "a/there")
    os.symlink("../a", "x/back")
    os.symlink("nowhere", "gone.pt")
    done = scan(".")
    assert [entry.path for entry in done.checkpoints] == ["a/b/c.pkl", "x/y.pkl"]
    assert sorted(done.passed_over) == [
        ("a/b/up", CIRCLE),
        ("gone.pt", NOWHERE),
        ("ping", CIRCLE),
        ("pong", CIRCLE),
        ("self", CIRCLE),
    ]
    assert found("a") == ["a/b/c.pkl", "a/there/y.pkl"]


# What is passed over.


def test_hidden_folders_and_those_of_tools_are_passed_over_unless_asked_for(here):
    put(".git/a.pkl", "node_modules/b.pkl", "env/c.pkl", ".hidden.pkl", "d/.cache/e.pkl")
    put("conda/conda-meta/f.pkl", "__pycache__/g.pkl")
    Path("env/pyvenv.cfg").touch()
    done = scan(".")
    assert [entry.path for entry in done.checkpoints] == [".hidden.pkl"]
    passed = [".git", "__pycache__", "conda", "d/.cache", "env", "node_modules"]
    assert sorted(done.passed_over) == [(path, UNASKED) for path in passed]
    assert len(found(everything=True)) == 7
    assert found("env", ".git") == [".git/a.pkl", "env/c.pkl"]


@unix
def test_a_link_to_a_hidden_folder_is_a_way_into_it(here):
    put(".store/a.pkl")
    os.symlink(".store", "models")
    os.symlink(".store", ".again")
    assert found() == ["models/a.pkl"]


@pytest.mark.parametrize(
    ("globs", "left"),
    [
        (["*.bin"], ["a/b/d.pkl", "a/c.pkl"]),
        (["b"], ["a/c.pkl", "e.bin"]),
        (["a/b/"], ["a/c.pkl", "e.bin"]),
        (["a/*.pkl"], ["e.bin"]),
        (["a"], ["e.bin"]),
        (["d.pkl", "e.*"], ["a/c.pkl"]),
        ([".*"], ["a/b/d.pkl", "a/c.pkl", "e.bin"]),
        (["*"], []),
    ],
)
def test_globs_exclude_by_name_or_path(here, globs, left):
    put("a/b/d.pkl", "a/c.pkl", "e.bin")
    assert found(exclude=globs) == left
    assert found("a", "e.bin", exclude=globs) == left
    assert found("a/b/d.pkl", "a/c.pkl", "e.bin", exclude=globs) == left
    assert {reason for _, reason in scan(".", exclude=globs).passed_over} <= {EXCLUDED}


def test_a_glob_does_not_see_the_folders_above_an_absolute_path(here):
    put("a/b.pkl")
    assert found(here / "a", exclude=[here.name]) == [str(here / "a/b.pkl")]
    assert found(here / "a", exclude=["b.*"]) == []


# What cannot be read, and what must not be opened.


@unix
def test_pipes_sockets_and_devices_are_never_opened(here):
    put("a.pkl")
    os.mkfifo("pipe.pt")
    os.symlink("pipe.pt", "link.pt")
    os.symlink("/dev/zero", "zero.pt")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket.pt")
        assert found() == ["a.pkl"]
    (entry,) = scan("pipe.pt").checkpoints
    assert (entry.verdict, entry.remark) == ("unreadable", "neither a file nor a folder")


@pytest.fixture
def powerless():
    """A folder of its own, and no rights beyond those of its files."""
    folder = Path(tempfile.mkdtemp(prefix="missing-aa-"))
    as_root = os.geteuid() == 0
    if as_root:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    yield folder
    for path in folder.iterdir():
        path.chmod(0o700)
    if as_root:
        os.seteuid(0)
    shutil.rmtree(folder)


@unix
def test_what_cannot_be_read_is_told_and_the_rest_goes_on(powerless):
    closed = ["closed.txt", "closed", "listed/c.pkl"]
    put(
        powerless / "a.pkl", powerless / "closed/b.pkl", *(powerless / path for path in closed[::2])
    )
    (powerless / "closed.txt").chmod(0)
    (powerless / "closed").chmod(0)
    (powerless / "listed").chmod(0o400)
    done = scan(powerless)
    told = {os.path.relpath(entry.path, powerless): entry for entry in done.checkpoints}
    assert told.pop("a.pkl").verdict == "other"
    assert sorted(told) == sorted(closed)
    assert {entry.remark for entry in told.values()} == {"cannot be read: Permission denied"}
    assert done.exit_code == 1 and done.complete


def test_what_vanishes_meanwhile_is_survived(here):
    put("a/1.pkl", "b/2.pkl", "c/3.pkl", "d/4.pkl")
    walk = Walk()
    files = walk.files(["."])
    assert next(files)[0] == "a/1.pkl"
    shutil.rmtree("b")
    Path("c/3.pkl").unlink()
    shutil.rmtree("d")
    Path("d").touch()
    assert [path for path, _ in files] == ["d"]
    assert not walk.unreadable and not walk.passed_over


VANISHING = """
import os, sys
from missing_aa import scan
def vanish(event, args):  # just before it is opened
    if event == "os.scandir" and args[0] == "b":
        os.rmdir("b")
    if event == "open" and args[0] == "c.pkl":
        os.unlink("c.pkl")
sys.addaudithook(vanish)
done = scan(".")
assert [found.path for found in done.checkpoints] == ["a.pkl"], done
assert os.listdir() == ["a.pkl"]
"""


def test_what_vanishes_as_it_is_about_to_be_opened_is_survived(here):
    put("a.pkl", "c.pkl")
    Path("b").mkdir()
    subprocess.run([sys.executable, "-c", VANISHING], check=True)
