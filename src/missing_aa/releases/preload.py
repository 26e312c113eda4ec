"""What the warm process of `warm` imports, once; children begin with it. Nothing is computed."""

import gc
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress

_ASK = [sys.executable, "-P", "-c", "import sys; print(*sys.path, sep='\\0', end='')"]
_PLAIN = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

PATH = subprocess.run(_ASK, env=_PLAIN, capture_output=True, text=True).stdout.split("\0")
"""Where a newly started Python looks for modules, PYTHONPATH aside."""

NAMES = (
    *("torch", "torchvision", "ipykernel.kernelapp", "ipykernel.ipkernel"),
    *("huggingface_hub.hf_api", "safetensors.torch", "yaml"),  # what timm imports besides
)

for _name in NAMES:
    with suppress(Exception):  # not installed, or broken: it is met again where it is used
        __import__(_name)

_held: int | None
ALIVE, _held = os.pipe()
"""What children read: it ends when the warm process does."""

gc.collect()
gc.freeze()  # so that no collection writes into the pages that the children share


def _begin_child() -> None:
    """In a child: make it like a newly started process."""
    global _held
    if _held is None:  # a child's own child
        return
    os.close(_held)
    _held = None
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    # Each process begins with numbers of its own; `random` sees to that by itself.
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    if torch := sys.modules.get("torch"):
        torch.default_generator.seed()
    tempfile.tempdir = None  # may be known already, and another in the child's environment


os.register_at_fork(after_in_child=_begin_child)
