"""The figures of this project on this machine: `make bench`, or `python -m bench [NAME…]`.

With `--small` each is made once, of little, to see that it can be.
"""

import signal
import sys
from importlib import import_module

# The course before the kernels, which stay until the end and would count among its memory.
PARTS = (
    *("start", "layers", "rescue", "scan", "names", "check", "compat", "portable", "matrix"),
    *("run", "course", "kernels"),
)

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was made is taken away
for name in [word for word in sys.argv[1:] if word != "--small"] or PARTS:
    if name not in PARTS:
        sys.exit(f"there is no figure {name!r}; there are: {', '.join(PARTS)}")
    import_module(f"bench.{name}").main()
