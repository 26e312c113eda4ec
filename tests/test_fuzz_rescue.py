"""Damaged real checkpoints give nothing but the documented errors, and nothing else happens."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

import mutations
import rescue_files

HERE = Path(__file__).parent
CASES, THROUGH_COMMAND = 10_000, 200
ENDINGS = {"CheckpointError", "Malformed", "Refused", "LimitReached", "WhichRoot", "rescued"}

WATCH = """
import os, sys
if "missing_aa.rescuer.worker" in sys.orig_argv:
    log, server = os.open(os.environ["WATCHED"], os.O_WRONLY | os.O_APPEND), os.getpid()
    forbidden = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "socket.",
                 "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink",
                 "shutil.", "tempfile.", "urllib.", "pickle.find_class")
    def hook(event, arguments):
        if os.getpid() == server:
            return  # before it forks, it only imports torch
        if event == "open":
            name, mode, flags = arguments
            writes = isinstance(mode, str) and set(mode) & set("wax+")
            bad = writes or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            bad = bad and not str(name).endswith(".partial")
        else:
            bad = event.startswith(forbidden) or event in ("import", "os.fork", "exec")
        if bad:
            os.write(log, f"{event} {arguments}"[:200].encode() + b"\\n")
    sys.addaudithook(hook)
"""


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    rescue_files.write_seeds(folder)
    return folder


@pytest.mark.long
def test_inspect_and_the_workers_own_function_survive_damaged_files(seeds):
    command = [sys.executable, HERE / "fuzz_worker.py", seeds, str(CASES)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-2000:]
    said = json.loads(ran.stdout)
    assert said["done"] == []
    for work, done in (("rescue", "rescued"), ("inspect", "inspected")):
        endings = {
            ending.removeprefix(f"{work}: "): count
            for ending, count in said["endings"].items()
            if ending.startswith(work)
        }
        assert sum(endings.values()) == CASES
        # Damage that every time breaks the file's shell, or never matters, would prove nothing.
        assert set(endings) <= ENDINGS | {done}
        assert min(endings[name] for name in ("Malformed", "Refused", done)) > CASES / 50


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each file starts a process anew")
def test_the_command_survives_damaged_files(seeds, tmp_path):
    chance = random.Random(1)
    sound = [path.read_bytes() for path in sorted(seeds.iterdir())]
    for number in range(THROUGH_COMMAND):
        damaged = mutations.mutate(chance.choice(sound), sound, chance)
        (tmp_path / f"{number}.pt").write_bytes(damaged)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(WATCH)
    (tmp_path / "log").touch()
    cases = [f"{number}.pt" for number in range(THROUGH_COMMAND)]
    ran = subprocess.run(
        [sys.executable, "-m", "missing_aa", "rescue", *cases, "--to", "out", "--json"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site"), "WATCHED": str(tmp_path / "log")},
        capture_output=True,
        text=True,
    )
    assert ran.returncode in (2, 3, 4, 6) and not ran.stderr
    assert (tmp_path / "log").read_text() == ""
    files = json.loads(ran.stdout)["files"]
    assert len(files) == THROUGH_COMMAND
    assert {file["error"]["kind"] if file["error"] else "rescued" for file in files} <= ENDINGS
    wanted = {Path(file["target"]).name for file in files if file["target"]}
    assert {path.name for path in (tmp_path / "out").iterdir()} == wanted
    assert {path.name for path in tmp_path.iterdir()} == {*cases, "site", "log", "out"}
