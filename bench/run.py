"""`make run` with forked kernels, the lessons' own among them, against plain ones."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import SMALL, tell, tell_seconds, turns
from missing_aa.releases import warm

LESSONS = ["00"] if SMALL else []
"""None is all."""
ROOT = Path(__file__).parents[1]


def main() -> None:
    if not warm.wanted():
        print("run: kernels are not forked here")
        return
    with tempfile.TemporaryDirectory(prefix="aa-bench-") as folder:

        def lessons(fork: str):
            words = [sys.executable, "-m", "helpers", "run", *LESSONS, "--output", folder]
            env = os.environ | {warm.SWITCH: fork}
            return lambda: subprocess.run(
                words, check=True, cwd=ROOT, env=env, stdout=subprocess.DEVNULL
            )

        (forked,), (plain,) = turns(lessons("1"), lessons("0"), rounds=1)
    tell_seconds("the lessons, kernels forked", [forked])
    tell_seconds("the lessons, kernels started anew", [plain])
    tell("run, kernels forked / started anew", forked / plain, 0.6)
