"""Commands as whole processes: what a person waits for before any work is done."""

import subprocess
import sys
import sysconfig
from pathlib import Path

from bench import alternate, tell

ERROR = "AttributeError: 'ConvNormAct' object has no attribute 'aa'"


def main() -> None:
    def command(*words: object):
        return lambda: subprocess.run(words, check=True, stdout=subprocess.DEVNULL)

    def python(*words: str):
        return command(sys.executable, *words)

    helpers, bare = alternate(python("-c", "import helpers"), python("-c", ""), rounds=20)
    tell("import helpers / bare interpreter", helpers / bare, 3)

    ours = ("-m", "missing_aa")
    scripts = Path(sysconfig.get_path("scripts"))
    shown = python(*ours, "--help")
    a, b = alternate(shown, command(scripts / "picklescan", "--help"), rounds=9)
    tell("missing-aa --help / picklescan --help", a / b, 0.7)
    a, b = alternate(python(*ours, "--version"), shown, rounds=9)
    tell("missing-aa --version / --help", a / b, 1)
    a, b = alternate(python(*ours, "explain", ERROR), shown, rounds=9)
    tell("missing-aa explain of an error / --help", a / b, 4)
