"""`missing-aa compat` over two timm releases, as a person runs it."""

import statistics
import subprocess
import sys

from bench import tell, tell_seconds, turns
from missing_aa import releases

OLD, NEW = "1.0.3", releases.CURRENT
MOST_SECONDS = 10


def main() -> None:
    for release in (OLD, NEW):
        releases.fetch(release)
    command = [sys.executable, "-m", "missing_aa", "compat", f"timm=={OLD}", f"timm=={NEW}"]

    def compare() -> None:
        done = subprocess.run(command, stdout=subprocess.DEVNULL)
        assert done.returncode == 1, done.returncode  # there are findings

    (times,) = turns(compare, rounds=3)
    tell_seconds(f"compat timm {OLD} → {NEW}", times)
    tell(f"compat / {MOST_SECONDS} s", statistics.median(times) / MOST_SECONDS, 1)
