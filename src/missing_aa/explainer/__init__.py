"""What an error means that a checkpoint from another timm release brings, answered from the atlas.

`answer` takes a text, `about` a checkpoint; `index` gives every error of the atlas with its answer.
Standard library only.
"""

from importlib import import_module

_HOMES = {"answer": "answering", "index": "answering", "about": "files"}


def __getattr__(name: str):
    """Import a public function when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
