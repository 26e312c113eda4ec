"""The figures of this project on this machine: `make bench`, or `python -m bench [NAME…]`."""

import argparse
import signal
import sys
from importlib import import_module

# The course before the kernels, which stay until the end and would count among its memory.
PARTS = (
    *("start", "layers", "rescue", "scan", "names", "check", "compat", "portable", "matrix"),
    *("run", "course", "kernels"),
)

words = argparse.ArgumentParser("python -m bench", description=__doc__, allow_abbrev=False)
words.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(PARTS)}; or all")
words.add_argument("--small", action="store_true", help="each once, of little: can it be made?")
wanted = words.parse_args().names or PARTS
if unknown := [name for name in wanted if name not in PARTS]:
    words.error(f"there is no figure {unknown[0]!r}; there are: {', '.join(PARTS)}")

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was made is taken away
for name in wanted:
    import_module(f"bench.{name}").main()
