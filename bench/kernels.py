"""A `%%timm` cell against a bare kernel: the first cell of a release, and a later empty one."""

import os
import subprocess

from IPython.core.interactiveshell import InteractiveShell

from bench import alternate, tell
from helpers.kernels import ThisPython
from missing_aa import releases

RELEASE = "1.0.11"


def bare_kernel() -> tuple[ThisPython, object]:
    """A kernel that sees the release, started with nothing of ours but the path."""
    path = str(releases.locate(RELEASE))
    manager = ThisPython()
    manager.start_kernel(
        env=os.environ | {"PYTHONPATH": path, "PYTHONWARNINGS": "ignore"},
        stderr=subprocess.DEVNULL,
    )
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready()
    return manager, client


def main() -> None:
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "helpers.magics")
    held = []

    def first_cell():
        # Magics loaded anew hold no kernel yet.
        shell.run_line_magic("reload_ext", "helpers.magics")
        shell.run_cell_magic("timm", RELEASE, "import timm")

    def first_bare():
        held.append(bare_kernel())
        held[-1][1].execute("import timm", reply=True)

    ours, floor = alternate(first_cell, first_bare, rounds=3)
    tell("first %%timm cell / bare kernel importing timm", ours / floor, 1.2)

    client = held[-1][1]
    ours, floor = alternate(
        lambda: shell.run_cell_magic("timm", RELEASE, "pass"),
        lambda: client.execute("pass", reply=True),
        rounds=30,
    )
    print(f"a later empty %%timm cell: {ours - floor:+.4f} s against an empty cell (aim: 0.1 s)")
    for manager, client in held:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
