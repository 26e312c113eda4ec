"""A release's kernel, forked, against one that is started anew: memory, first cell, a later one."""

import os
import subprocess

from IPython.core.interactiveshell import InteractiveShell

from bench import alternate, tell
from helpers.kernels import ReleaseKernel, ThisPython
from helpers.runner.memory import below
from missing_aa import releases
from missing_aa.releases import warm

RELEASE = "1.0.11"
FOUR = ("1.0.3", "1.0.10", "1.0.11", "1.0.12")
CELL = "import timm, torch\ntimm.create_model('regnetx_002')(torch.zeros(1, 3, 64, 64)).sum();"


def bare_kernel() -> tuple[ThisPython, object]:
    """A kernel that sees the release, started anew with nothing of ours but the path."""
    path = str(releases.locate(RELEASE))
    manager = ThisPython()
    os.environ[warm.SWITCH] = "0"
    manager.start_kernel(
        env=os.environ | {"PYTHONPATH": path, "PYTHONWARNINGS": "ignore"},
        stderr=subprocess.DEVNULL,
    )
    del os.environ[warm.SWITCH]
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready()
    return manager, client


def memory() -> int:
    """MB that four kernels take after a small model, a warm process included if there is one."""
    kernels = [ReleaseKernel(release) for release in FOUR]
    for kernel in kernels:
        kernel.run(CELL, lambda kind, content: None)
    taken = below()
    for kernel in kernels:
        kernel.shutdown()
    return taken


def main() -> None:
    for release in FOUR:
        releases.fetch(release)
    os.environ[warm.SWITCH] = "0"
    plain = memory()
    del os.environ[warm.SWITCH]
    forked = memory()
    print(f"four releases after a small model: {forked} MB, kernels started anew {plain} MB")
    tell("memory of four releases, forked / started anew", forked / plain, 0.45)

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "helpers.magics")
    held = []

    def first_cell():
        # Magics loaded anew hold no kernel yet.
        shell.run_line_magic("reload_ext", "helpers.magics")
        shell.run_cell_magic("timm", RELEASE, CELL)

    def first_bare():
        held.append(bare_kernel())
        held[-1][1].execute(CELL, reply=True)

    ours, floor = alternate(first_cell, first_bare, rounds=3)
    print(f"first %%timm cell of a release: {ours:.2f} s, in a bare kernel {floor:.2f} s")
    tell("first %%timm cell / bare kernel importing timm", ours / floor, 0.35)

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
