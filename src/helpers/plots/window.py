"""The window in which `aa` is missing: a grid of writers and readers, drawn from the atlas."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers.plots import VERMILION, figure, style
from helpers.plots.matrix import FINE, KINDS
from helpers.plots.shapes import listed
from missing_aa.matrix.cells import OK, Cell

ERROR = "'ConvNormAct' object has no attribute 'aa'"
FIRST, LAST = "0.9.12", "1.0.13"


def window(cells: Sequence[Cell], releases: Sequence[str]) -> tuple[Figure, str]:
    """Of the models that met the missing `aa`: how many run, for each writer and reader.

    Returns a figure and its text alternative. Raises ValueError if no model met it between FIRST
    and LAST.
    """
    shown = releases[releases.index(FIRST) : releases.index(LAST) + 1]
    models, runs, block = _count(cells, shown)
    writers, readers = ([r for r in shown if r in side] for side in zip(*block, strict=True))
    fig = figure(6, 5)
    with style():
        axes = fig.subplots()
        _grid(axes, shown)
        left, top = shown.index(readers[0]), shown.index(writers[0])
        axes.add_patch(
            Rectangle((left, top), len(readers), len(writers), color=VERMILION, zorder=3)
        )
        for row, writer in enumerate(shown):
            for column, reader in enumerate(shown):
                if (writer, reader) not in block:
                    _write(axes, column + 0.5, row + 0.5, runs[writer, reader], fontsize=13)
        most = max(runs[pair] for pair in block)
        lines = [f"{most} of {models}:", "'ConvNormAct' object", "has no attribute 'aa'"]
        for number, line in enumerate(lines):
            # Each by itself: lines of one text are laid out for one font.
            below = top + (number + 0.5) * len(writers) / len(lines)
            size = 11.5 if number else 17
            look = {"fontsize": size, "color": "white", "weight": "bold"}
            _write(axes, left + len(readers) / 2, below, line, **look)
        axes.set_title(f"Of {models} models, how many still run")
    others = [runs[w, r] for w in shown for r in shown if (w, r) not in block]
    return fig, (
        f"Heat map of {models} models saved whole by {len(shown)} releases of timm, {shown[0]} to "
        f"{shown[-1]}, and loaded by the same. Saved by {listed(writers, 'or')} and loaded by "
        f"{listed(readers, 'or')}, {most} of {models} run: {ERROR}. "
        f"Everywhere else {min(others)} to {max(others)} run."
    )


def _count(cells: Sequence[Cell], shown: Sequence[str]) -> tuple[int, Counter, set]:
    """How many models of all these releases met the error; (writer, reader) -> how many run.

    And the pairs in which it was met.
    """
    met = {
        (cell.model, cell.writer, cell.reader): cell.outcome
        for cell in cells
        if cell.format == "whole" and cell.writer in shown and cell.reader in shown
    }
    places = Counter(model for model, *_ in met)
    lacking = {place for place, outcome in met.items() if outcome.text == ERROR}
    models = {model for model, *_ in lacking if places[model] == len(shown) ** 2}
    if not models:
        raise ValueError(f"no model of these cells met {ERROR} between {FIRST} and {LAST}")
    runs = Counter(
        tuple(pair) for (model, *pair), o in met.items() if model in models and o.result == OK
    )
    return len(models), runs, {tuple(pair) for model, *pair in lacking if model in models}


def _grid(axes, shown: Sequence[str]) -> None:
    axes.set_facecolor(KINDS[FINE])
    axes.set(xlim=(0, len(shown)), ylim=(len(shown), 0))
    axes.set(xlabel="and loaded by timm", ylabel="saved whole by timm")
    places = np.arange(len(shown))
    axes.set_xticks(places + 0.5, shown, rotation=45)
    axes.set_yticks(places + 0.5, shown)
    axes.set_xticks(places, minor=True)
    axes.set_yticks(places, minor=True)
    axes.grid(which="minor", color="white")
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)


def _write(axes, x: float, y: float, text, **look) -> None:
    axes.text(x, y, text, ha="center", va="center", zorder=4, **look)
