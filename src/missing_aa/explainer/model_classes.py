"""The classes that the atlas's models are made of: `python -m helpers.explain.kin` writes kin.txt.

Each model is made in the newest release that has it. A line is a model, its own class, and the
classes of timm's inside it; names alone, because modules move.
"""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path

TARGET = Path(__file__).with_name("kin.txt")
HEADER = """\
# The models of the atlas: name, class, and the classes of timm's inside.
# Made by: python -m helpers.explain.kin
"""


@cache
def classes() -> dict[str, tuple[str, ...]]:
    """Model -> its class, and then those inside it."""
    lines = files("helpers.explain").joinpath("kin.txt").read_text("utf-8").splitlines()
    rows = (line.split() for line in lines if not line.startswith("#"))
    return {name: tuple(held) for name, *held in rows}


def models_with(class_: str) -> list[str]:
    """The models that are of a class; if there are none, those that hold it."""
    own = [name for name, held in classes().items() if _same(held[0], class_)]
    return own or [name for name, held in classes().items() if class_ in held]


def most_alike(class_: str, inside: Iterable[str]) -> list[str]:
    """The models of the same class that share most of the classes inside."""
    inside = set(inside)
    alike = {
        name: len(inside & set(held)) / len(inside | set(held))
        for name, held in classes().items()
        if _same(held[0], class_)
    }
    best = max(alike.values(), default=0)
    return [name for name, share in alike.items() if share == best]


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()  # XCiT became Xcit


def collect() -> str:
    """The text of kin.txt."""
    from helpers import releases
    from helpers.matrix.choose import TARGET as MODELS
    from helpers.trials import Trials

    lines = MODELS.read_text("utf-8").splitlines()
    names = sorted(line.split()[0] for line in lines if not line.startswith("#"))
    found: dict[str, list[str]] = {}
    with Trials(1) as trials:
        for release in reversed(releases.KNOWN):
            if left := [name for name in names if name not in found]:
                releases.fetch(release)
                found |= trials.under(release, _made_of, left).result()
    return HEADER + "".join(f"{name} {' '.join(found[name])}\n" for name in names)


def _made_of(names: list[str]) -> dict[str, list[str]]:
    """What those of these models that the release in sight has are made of."""
    import timm
    import torch

    found = {}
    for name in filter(timm.is_model, names):
        try:
            with torch.device("meta"):  # without memory, and so without filling it
                model = timm.create_model(name)
        except (RuntimeError, NotImplementedError):  # one that computes while it is made
            model = timm.create_model(name)
        inside = {type(one) for one in model.modules()} - {type(model)}
        found[name] = [
            type(model).__name__,
            *sorted({one.__name__ for one in inside if one.__module__.startswith("timm.")}),
        ]
    return found


if __name__ == "__main__":
    TARGET.write_text(collect(), encoding="utf-8")
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes")
