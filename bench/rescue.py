"""`inspect` and `rescue` on a whole model of over 500 MB, written by an old timm. Linux only."""

import compileall
import hashlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from unittest import mock

import missing_aa
from bench import big, ratio, tell, tell_seconds, turns
from missing_aa import Session, rescue_to
from missing_aa.rescuer import session

LOAD_AND_SAVE = """
import timm, torch
from safetensors.torch import save_file
def work(source, target):
    save_file(torch.load(source, weights_only=False).state_dict(), target)
"""

WITHOUT_SHA256 = """
from missing_aa import disk

disk.Digest._work = lambda self: None
worker.main()
"""

WORK = """
import sys
from missing_aa.rescuer import worker
from missing_aa.rescuer.messages import Request
job.run(Request(sys.argv[1], partial=sys.argv[2]), lambda done, total: None)
"""

PEAK = """
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def main() -> None:
    if sys.platform != "linux":
        print("rescue: measured on Linux only, where pages can be forgotten and peaks are told")
        return
    compileall.compile_dir(Path(missing_aa.__file__).parent, quiet=1)  # as installing it does
    with tempfile.TemporaryDirectory(prefix="aa-bench-") as name:
        source, small = Path(name, "model.pt"), Path(name, "small.pt")
        target = Path(name, "model.safetensors")
        big.write(source, small)
        if not big.can_be_cold(source):
            sys.exit(f"{name} is kept in memory; name a folder on a disk: TMPDIR=…")
        print(f"{big.MODEL} saved whole by timm {big.WRITER}: {source.stat().st_size / 1e6:.0f} MB")
        inspecting(source)
        rescuing(source, small, target)
        peaks(source, target)


def inspecting(source: Path) -> None:
    """Whole processes of one interpreter; the file is in memory, but for what is never read."""
    scripts = Path(sysconfig.get_path("scripts"))
    python = [sys.executable, "-c"]

    def process(*words):
        return lambda: subprocess.run(words, check=True, stdout=subprocess.DEVNULL)

    ours, scanner, torch, imported, bare = turns(
        process(scripts / "missing-aa", "inspect", source),
        process(scripts / "picklescan", "-p", source),
        process(*python, "import torch"),
        process(*python, "from missing_aa import inspect"),
        process(*python, ""),
        rounds=15,
    )
    tell_seconds("missing-aa inspect", ours)
    tell_seconds("picklescan -p", scanner)
    tell_seconds("python -c 'import torch'", torch)
    tell_seconds("python -c 'from missing_aa import inspect'", imported)
    tell_seconds("python -c ''", bare)
    tell("inspect / picklescan", ratio(ours, scanner), 1)
    tell("inspect / import torch", ratio(ours, torch), 0.2)


def rescuing(source: Path, small: Path, target: Path) -> None:
    """From a cold disk into the system's cache, each in a process that is ready.

    Copying is `shutil.copyfile`, which has Linux move the bytes without Python seeing them. The
    sha256 is worked out in a thread beside reading and writing, and where the disk is fast it is
    what takes the longest: so it is left out where rescue is held against copying.
    """
    with big.serving(LOAD_AND_SAVE) as load_and_save, Session() as whole, Session() as unhashed:

        def start():
            with Session() as fresh:
                rescue_to(small, target, session=fresh)

        def anew():
            target.unlink(missing_ok=True)
            big.forget(source)

        command = [sys.executable, "-P", "-c", WITHOUT_SHA256]
        with mock.patch.object(session, "WORKER", command):
            rescue_to(small, target, session=unhashed)
        anew()
        rescue_to(small, target, session=whole)
        (started,) = turns(start, rounds=5, before=anew)
        ours, read_and_written, copied, loaded = turns(
            lambda: rescue_to(source, target, session=whole),
            lambda: rescue_to(source, target, session=unhashed),
            lambda: shutil.copyfile(source, target),
            lambda: load_and_save(source, target),
            rounds=9,
            before=anew,
        )
    (hashed,) = turns(lambda: sha256(source), rounds=5)
    tell_seconds("start of the worker, which imports torch", started)
    tell_seconds("sha256 of the file, in memory", hashed)
    tell_seconds("rescue", ours)
    tell_seconds("rescue without the sha256", read_and_written)
    tell_seconds("copying", copied)
    tell_seconds("torch.load and save_file", loaded)
    print(f"  rescue, sha256 and all / copying: {ratio(ours, copied):.2f}")
    tell("rescue, reading and writing / copying", ratio(read_and_written, copied), 1.5)
    tell("rescue / torch.load and save_file", ratio(ours, loaded), 1)


def peaks(source: Path, target: Path) -> None:
    """What the system counted at the most as resident, pages of the mapped file among it.

    The worker is forked for each file; here one fresh process does the same, so that all of what it
    touches is counted.
    """
    target.unlink()
    torch, ours = peak("import torch"), peak(WORK, source, target)
    beyond = (ours - torch) / source.stat().st_size
    print(f"  peak memory: import torch {torch / 1e6:.0f} MB, rescue {ours / 1e6:.0f} MB")
    tell("peak beyond import torch / the file", beyond, 1.1)


def peak(code: str, *words) -> int:
    """Bytes that a process which runs `code` had resident at the most."""
    command = [sys.executable, "-c", code + PEAK, *words]
    return 1024 * int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
