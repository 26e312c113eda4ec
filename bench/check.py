"""`check` of a whole model of 100 MB against the installed timm, beside `inspect` of it."""

import subprocess
import sys
import tempfile
from pathlib import Path

from bench import big, tell
from bench.rescue import command, least, peak, size

WRITE = """
import sys, timm, torch
torch.save(timm.create_model("resnet50"), sys.argv[1])
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="aa-bench-") as folder:
        path = Path(folder, "resnet50.pt")
        big.run_writer(WRITE, path)
        code = subprocess.run(command("check", path), stdout=subprocess.DEVNULL).returncode
        assert code in (0, 1), code  # 1 is an answer: it will fail
        check = [sys.executable, "-c", ANSWERED, *command("check", path)[3:]]
        ours, inspected = least([check, command("inspect", path)], lambda: None)
        tell(f"check / inspect, {size(path)}", ours / inspected, 3)
        if sys.platform == "linux":
            tell("peak of check in MB", peak(command("check", path)), 60)


ANSWERED = """
import sys
from missing_aa.cli import main
sys.exit(main(sys.argv[1:]) not in (0, 1))
"""
