"""The atlas that this package carries, sorted by the errors that are in it."""

from functools import cache
from importlib.resources import files

from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.kinds import of_cell


@cache
def load() -> Ledger:
    """The ledger of the atlas."""
    text = files("missing_aa.matrix").joinpath("atlas.txt").read_text("utf-8")
    return Ledger(text, of_cell)
