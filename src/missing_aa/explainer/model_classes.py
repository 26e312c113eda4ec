"""The classes that the models of the atlas are made of, from a record that `tools` makes.

A line of model_classes.txt is a model, its own class, and the classes of timm inside it; names
alone, because modules move.
"""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files


@cache
def classes() -> dict[str, tuple[str, ...]]:
    """Model -> its class, and then those inside it."""
    lines = (
        files("missing_aa.explainer").joinpath("model_classes.txt").read_text("utf-8").splitlines()
    )
    rows = (line.split() for line in lines if not line.startswith("#"))
    return {name: tuple(its_classes) for name, *its_classes in rows}


def models_with(class_: str) -> list[str]:
    """The models that are of a class; if there are none, those that hold it."""
    own = [name for name, its_classes in classes().items() if _same(its_classes[0], class_)]
    return own or [name for name, its_classes in classes().items() if class_ in its_classes]


def most_alike(class_: str, inside: Iterable[str]) -> list[str]:
    """The models of the same class that share most of the classes inside."""
    inside = set(inside)
    alike = {
        name: len(inside & set(its_classes)) / len(inside | set(its_classes))
        for name, its_classes in classes().items()
        if _same(its_classes[0], class_)
    }
    best = max(alike.values(), default=0)
    return [name for name, share in alike.items() if share == best]


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()  # XCiT became Xcit
