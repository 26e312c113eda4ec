"""The figures of this project on this machine: `make bench`, or `python -m bench [NAME…]`."""

import sys

from bench import course, kernels, layers, start

# The course before the kernels, which stay until the end and would count among its memory.
PARTS = {"start": start, "layers": layers, "course": course, "kernels": kernels}

for name in sys.argv[1:] or PARTS:
    if name not in PARTS:
        sys.exit(f"there is no figure {name!r}; there are: {', '.join(PARTS)}")
    PARTS[name].main()
