"""The machinery under the lessons of The Missing aa.

Importing it loads none of torch, timm or matplotlib.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("missing-aa")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"
