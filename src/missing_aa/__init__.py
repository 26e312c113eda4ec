"""The machinery under the lessons of The Missing aa.

Importing it loads none of torch, timm or matplotlib.
"""


def __getattr__(name: str) -> str:
    # Looked up only when asked for: importlib.metadata costs more than everything else here.
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("missing-aa")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0+unknown"
