"""`import helpers` against a bare interpreter."""

import subprocess
import sys

from bench import alternate, tell


def main() -> None:
    def python(code: str):
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)

    helpers, bare = alternate(python("import helpers"), python(""), rounds=20)
    tell("import helpers / bare interpreter", helpers / bare, 3)
