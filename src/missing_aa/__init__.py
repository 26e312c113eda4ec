"""Checkpoints: find out what one is without running it, get its weights out, keep a model for good.

Importing this loads nothing heavy: each public name is imported when it is first asked for, and
`inspect`, `scan`, `check`, `explain` and `compat` need the standard library only.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False  # importing typing here could be importing somebody's typing.py

if TYPE_CHECKING:
    from missing_aa.checker.check import check
    from missing_aa.comparer.compare import compare as compat
    from missing_aa.errors import (
        CheckpointError,
        LimitReached,
        Malformed,
        Problem,
        Refused,
        TargetExists,
        UsageProblem,
    )
    from missing_aa.explainer.explain import explain
    from missing_aa.inspector import inspect
    from missing_aa.portable.load import load_portable
    from missing_aa.portable.require import InconsistentVersionWarning, require
    from missing_aa.portable.save import save_portable
    from missing_aa.portable.training_state import load_training
    from missing_aa.rescuer.rescue import rescue, rescue_to
    from missing_aa.rescuer.session import Session
    from missing_aa.scanner.scan import scan

__all__ = [
    "CheckpointError",
    "InconsistentVersionWarning",
    "LimitReached",
    "Malformed",
    "Problem",
    "Refused",
    "Session",
    "TargetExists",
    "UsageProblem",
    "check",
    "compat",
    "explain",
    "inspect",
    "load_portable",
    "load_training",
    "require",
    "rescue",
    "rescue_to",
    "save_portable",
    "scan",
]

_MODULES = {
    "CheckpointError": "errors",
    "InconsistentVersionWarning": "portable.require",
    "LimitReached": "errors",
    "Malformed": "errors",
    "Problem": "errors",
    "Refused": "errors",
    "Session": "rescuer.session",
    "TargetExists": "errors",
    "UsageProblem": "errors",
    "check": "checker.check",
    "compat": "comparer.compare",
    "explain": "explainer.explain",
    "inspect": "inspector",
    "load_portable": "portable.load",
    "load_training": "portable.training_state",
    "require": "portable.require",
    "rescue": "rescuer.rescue",
    "rescue_to": "rescuer.rescue",
    "save_portable": "portable.save",
    "scan": "scanner.scan",
}
_ORIGINAL = {"compat": "compare"}
"""What a name is called where it is defined, if that differs."""


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


if not TYPE_CHECKING:  # a type checker would take every name for one that is there

    def __getattr__(name: str):
        """Import a public name when it is first asked for: `inspect` must not pay for `rescue`."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        try:
            module = import_module(f"{__name__}.{_MODULES[name]}")
        except ModuleNotFoundError as error:
            from missing_aa import home
            from missing_aa.errors import CheckpointError

            raise CheckpointError(
                f"{name} needs torch, safetensors and timm (1.0.26 or newer), and there is no "
                f"module {error.name}: {home.install('timm')}"
            ) from error
        value = globals()[name] = getattr(module, _ORIGINAL.get(name, name))
        return value
