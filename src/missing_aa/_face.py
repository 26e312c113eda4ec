"""Checkpoints: say what one holds without running it, get the weights out, keep them for later.

`inspect` and `scan` need the standard library only; nothing here imports torch before it is needed.
"""

from importlib import import_module

_HOMES = {
    "inspect": "inspecting",
    "scan": "scanning",
    "rescue": "rescuing",
    "rescue_to": "rescuing",
    "Session": "session",
    "save_portable": "saving",
    "load_portable": "reloading",
    "load_training": "training_state",
    "require": "guard",
    "InconsistentVersionWarning": "guard",
}


def __getattr__(name: str):
    """Import a public function when it is first asked for: `inspect` must not pay for `rescue`."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        from helpers.checkpoints.errors import CheckpointError

        raise CheckpointError(
            f"{name} needs torch, safetensors and timm (0.9.16 or newer), and there is no module "
            f"{error.name}: pip install 'missing-aa[timm]'"
        ) from error
