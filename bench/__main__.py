"""The figures of this project on this machine: `make bench`, or `python -m bench [NAME…]`."""

import signal
import sys
from importlib import import_module

# The course before the kernels, which stay until the end and would count among its memory.
PARTS = ("start", "layers", "rescue", "scan", "compat", "portable", "matrix", "course", "kernels")

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was made is taken away
for name in sys.argv[1:] or PARTS:
    if name not in PARTS:
        sys.exit(f"there is no figure {name!r}; there are: {', '.join(PARTS)}")
    import_module(f"bench.{name}").main()
