"""`inspect` and `rescue` as whole processes, on models of 14 and 581 MB. Linux only.

Each figure is the least of some rounds, taken in turns: the machine is shared, and whatever else it
does only adds.
"""

import compileall
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import missing_aa
from bench import SMALL, big, few, tell

ROUNDS = few(9)
BIG = "regnetx_002" if SMALL else "regnety_320"

WRITE = """
import sys, timm, torch
folder = sys.argv[1]
torch.save(timm.create_model("mobilenetv2_100"), f"{folder}/small.pt")
model = timm.create_model("resnet50")
torch.save(model, f"{folder}/contiguous.pt")
torch.save(model.to(memory_format=torch.channels_last), f"{folder}/last.pt")
model = timm.create_model(sys.argv[2])
torch.save(model, f"{folder}/big.pt")
model = model.to(memory_format=torch.channels_last)
torch.save(model, f"{folder}/big_last.pt")
torch.save(model, f"{folder}/big_last.legacy.pt", _use_new_zipfile_serialization=False)
"""

SHA256 = "import hashlib, sys; hashlib.file_digest(open(sys.argv[1], 'rb'), 'sha256')"
WITHOUT_NUMPY = "import sys; sys.modules['numpy'] = None; "
COMMAND = "from missing_aa.cli import main; sys.exit(main(sys.argv[1:]))"


def main() -> None:
    if sys.platform != "linux":
        print("rescue: measured on Linux only, where pages can be forgotten and peaks are told")
        return
    compileall.compile_dir(Path(missing_aa.__file__).parent, quiet=1)  # as installing it does
    with tempfile.TemporaryDirectory(prefix="aa-bench-") as folder:
        big.run_writer(WRITE, folder, BIG)
        files = {path.name.removesuffix(".pt"): path for path in Path(folder).iterdir()}
        if not SMALL and not big.can_be_cold(files["big"]):
            sys.exit(f"{folder} is kept in memory; name a folder on a disk: TMPDIR=…")
        inspecting(files)
        rescuing(files, Path(folder, "out.safetensors"))
        peaks(files, Path(folder, "out.safetensors"))


def inspecting(files: dict[str, Path]) -> None:
    scanner = Path(sysconfig.get_path("scripts"), "picklescan")
    for name in ("small", "big"):
        ours, theirs = least(
            [command("inspect", files[name]), [scanner, "-p", files[name]]], lambda: None
        )
        tell(f"inspect / picklescan, {size(files[name])}", ours / theirs, 1)


def rescuing(files: dict[str, Path], target: Path) -> None:
    def anew():
        target.unlink(missing_ok=True)

    small, source = files["small"], files["big"]
    ours, inspected = least([command("rescue", small, target), command("inspect", small)], anew)
    tell(f"rescue / inspect, {size(small)}", ours / inspected, 1.35)

    def cold():
        anew()
        big.forget(source)

    copy = target.with_suffix(".copy")
    ours, inspected, copied = least(
        [command("rescue", source, target), command("inspect", source), ["cp", source, copy]], cold
    )
    copy.unlink()
    (hashed,) = least([["sha256sum", source]], lambda: None)
    (ours_hashed,) = least([[sys.executable, "-c", SHA256, source]], lambda: None)
    for what, seconds in (
        ("rescue", ours),
        ("inspect", inspected),
        ("cp", copied),
        ("sha256sum", hashed),
        ("sha256 by hashlib", ours_hashed),
    ):
        print(f"  {what}, {size(source)}: {seconds:.3f} s")
    longer = inspected + max(copied, hashed)
    tell("rescue / (inspect + the longer of cp and sha256sum)", ours / longer, 1.1)

    given = [sys.executable, "-c", WITHOUT_NUMPY + COMMAND, "rescue"]
    last, contiguous = least(
        [[*given, files["last"], target], [*given, files["contiguous"], target]], anew
    )
    tell("channels_last / contiguous, 100 MB, without numpy", last / contiguous, 3)


def peaks(files: dict[str, Path], target: Path) -> None:
    """What the system counted at the most as resident, in any process of the command."""
    for name in ("big", "big_last", "big_last.legacy"):
        target.unlink(missing_ok=True)
        tell(f"peak of rescue in MB, {name}", peak(command("rescue", files[name], target)), 100)


def command(*words) -> list:
    return [sys.executable, "-m", "missing_aa", *words]


def least(commands: list[list], before) -> list[float]:
    """The least seconds of each command, as a whole process; `before` is done before each."""
    seconds = [float("inf")] * len(commands)
    for _ in range(ROUNDS):
        for number, words in enumerate(commands):
            before()
            begun = time.perf_counter()
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
            seconds[number] = min(seconds[number], time.perf_counter() - begun)
    return seconds


PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak(words: list) -> float:
    """MB; of a process and its children, the largest.

    Started by a small process: until it runs its program, a new one counts what its parent holds.
    """
    line = [sys.executable, "-c", PEAK, *words]
    done = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=True)
    return int(done.stdout) * 1024 / 1e6


def size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.0f} MB"
