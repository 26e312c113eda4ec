"""Damaged real checkpoints give nothing but the documented errors, and nothing else happens."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import mutations
import rescue_files
import torch_oracle
from missing_aa.errors import Problem
from missing_aa.limits import Limits
from missing_aa.rescuer import extract
from missing_aa.rescuer.messages import Request
from missing_aa.rescuer.rescue import fill

HERE = Path(__file__).parent
CASES, THROUGH_COMMAND, COMPARED = 10_000, 200, 1_500
ENDINGS = {"CheckpointError", "Malformed", "Refused", "LimitReached", "WhichRoot", "rescued"}

WATCH = """
import os, sys
if "missing_aa" in sys.orig_argv and "rescue" in sys.orig_argv:
    log, caller = os.environ["WATCHED"], os.getpid()
    forbidden = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "socket.",
                 "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink",
                 "shutil.", "tempfile.", "urllib.", "pickle.find_class")
    def hook(event, arguments):
        if os.getpid() == caller:
            return  # the child that it forks is the one that reads files
        if event == "open":
            name, mode, flags = arguments
            writes = isinstance(mode, str) and set(mode) & set("wax+")
            bad = writes or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            bad = bad and name not in (log, os.devnull) and not isinstance(name, int)
            bad = bad and not str(name).endswith(".partial")
        else:
            bad = event.startswith(forbidden) or event in ("import", "os.fork", "exec")
        if bad:
            # By its name: the child closes what it did not open.
            with open(log, "ab") as file:
                file.write(f"{event} {arguments}"[:200].encode() + b"\\n")
    sys.addaudithook(hook)
"""


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    rescue_files.write_seeds(folder)
    return folder


@pytest.mark.long
def test_inspect_and_what_the_child_runs_survive_damaged_files(seeds):
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


def bits(tensor) -> tuple:
    flat = tensor.clone(memory_format=torch.contiguous_format).reshape(-1).clone()
    return str(tensor.dtype), tuple(tensor.shape), flat.view(torch.uint8).numpy().tobytes()


def rescued(path: Path) -> tuple[str, dict] | None:
    """The prefix that was taken off, and the tensors; None where the file is turned down."""
    limits = Limits(pickle_bytes=10**6, opcodes=10**5, objects=10**4, depth=200, tensor_bytes=10**8)
    try:
        found = extract.run(Request(str(path), limits=limits), lambda *_: None)
    except Problem:
        return None
    with open(path, "rb") as file:
        return found["report"]["prefix"], fill(file, None, found["tensors"])


@pytest.mark.long
def test_what_is_rescued_of_a_damaged_file_is_what_torch_loads(seeds, tmp_path):
    chance = random.Random(7)
    sound = [path.read_bytes() for path in sorted(seeds.glob("*.pt"))]
    equal = 0
    for _ in range(COMPARED):
        path = tmp_path / "case.pt"
        path.write_bytes(mutations.mutate(chance.choice(sound), sound, chance))
        # Only what was taken is loaded: a damaged count can make torch reserve all there is.
        found = rescued(path)
        if found and (loaded := torch_oracle.state_dicts(path)):
            prefix, tensors = found
            wanted = {name: bits(tensor) for name, tensor in tensors.items()}
            assert wanted in [
                {name.removeprefix(prefix): bits(tensor) for name, tensor in each.items()}
                for each in loaded
            ], path
            equal += 1
    assert equal > COMPARED / 10
