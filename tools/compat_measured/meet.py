"""All that a whole model of an older release meets in a newer one, not the first error alone.

Where an attribute is missing, the one of a fresh model takes its place, and the run goes on. The
functions run in processes of their own, each under one release.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module

MOST = 300
"""Attributes after which a model is given up."""

MISSING = re.compile(r"'(\w+)' object has no attribute '(\w+)'")


@dataclass
class Met:
    """What one model met.

    `classes` are the classes of the file that the newer release still has under their names, `gone`
    those that it has not; then the model could not be loaded, and the rest is empty. `missing`
    holds class (as the file names it), attribute -> what was being done when it was first missed,
    `other` all other errors.
    """

    classes: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    missing: dict[tuple[str, str], str] = field(default_factory=dict)
    other: list[str] = field(default_factory=list)

    def as_dict(self) -> dict:
        """Plain values for JSON."""
        missing = [[*key, stage] for key, stage in self.missing.items()]
        names = {"classes": sorted(self.classes), "gone": sorted(self.gone)}
        return {**names, "missing": missing, "other": self.other}

    @classmethod
    def from_dict(cls, said: dict) -> "Met":
        missing = {(class_, name): stage for class_, name, stage in said["missing"]}
        return cls(set(said["classes"]), set(said["gone"]), missing, said["other"])


def write(name: str, path: str) -> bool:
    """Save a fresh model whole; False if the release has none of that name."""
    import timm
    import torch

    if not timm.is_model(name):
        return False
    torch.manual_seed(0)
    torch.save(timm.create_model(name).eval(), path)
    return True


def meet(name: str, path: str, size: int, names: list[str]) -> Met:
    """Load the file, which asks for `names`, and use it on pictures of `size` pixels."""
    import timm
    import torch

    met = Met()
    kinds = {}
    for each in names:
        there = _find(each)
        (met.gone if there is None else met.classes).add(each)
        # Of several names for one class, its own: the others are aliases by now.
        if there not in kinds or each.endswith(f".{getattr(there, '__name__', None)}"):
            kinds[there] = each
    if met.gone:
        return met
    model = torch.load(path, weights_only=False)  # our own file, written a moment ago: trusted
    fresh = timm.create_model(name)
    for stage, use in _uses(model, torch.zeros(2, 3, size, size)):
        _exhaust(met, model, fresh, stage, use)
    met.missing = {
        (kinds.get(kind, f"{kind.__module__}.{kind.__qualname__}"), name): stage
        for (kind, name), stage in met.missing.items()
    }
    return met


def _find(path: str):
    """As pickle looks for it; None if it is not there."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name, None)
    except ImportError:
        return None


def _uses(model, picture) -> list[tuple[str, Callable]]:
    import torch

    def forward():
        with torch.no_grad():
            model.eval()(picture)

    uses = [
        ("forward", forward),
        ("print", lambda: repr(model)),
        ("training", lambda: model.train()(picture)),
        ("reset_classifier", lambda: model.eval().reset_classifier(3)),
        ("forward again", forward),
    ]
    if hasattr(model, "forward_intermediates"):
        uses.insert(3, ("forward_intermediates", lambda: model.forward_intermediates(picture)))
    return uses


def _exhaust(met: Met, model, fresh, stage: str, use: Callable) -> None:
    """Do it until it goes well, or until what is in the way cannot be mended."""
    for _ in range(MOST):
        try:
            use()
            return
        except Exception as error:
            found = _mend(error, model, fresh) if isinstance(error, AttributeError) else None
            if found is None:
                met.other.append(f"{stage}: {type(error).__name__}: {error}"[:200])
                return
            met.missing.setdefault(found, stage)


def _mend(error: AttributeError, model, fresh) -> tuple[type, str] | None:
    """Give the attribute to all that lack it; the class and its name, None if that cannot be."""
    said = MISSING.match(str(error))
    if not said:
        return None
    whose = _whose(error)
    if type(whose).__name__ != said[1]:
        return None
    parts = {name: part for name, part in model.named_modules() if type(part) is type(whose)}
    parts = parts or {"": whose}
    lacking = {name: part for name, part in parts.items() if not hasattr(part, said[2])}
    for name, part in lacking.items():
        setattr(part, said[2], _value(fresh, name, part, said[2]))
    return (type(whose), said[2]) if lacking else None


def _whose(error: AttributeError):
    """The object that lacks it. torch's own `__getattr__` does not say, and is the last to run."""
    last = error.__traceback__
    while last.tb_next:
        last = last.tb_next
    return last.tb_frame.f_locals.get("self") if error.obj is None else error.obj


def _value(fresh, name: str, part, attribute: str):
    """What a fresh model has there, or elsewhere in an object of the same class; else None."""
    modules = dict(fresh.named_modules())
    same = [modules[name]] if name in modules else []
    same += [each for each in modules.values() if type(each) is type(part)]
    return next((getattr(each, attribute) for each in same if hasattr(each, attribute)), None)
