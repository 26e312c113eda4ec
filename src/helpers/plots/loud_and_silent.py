"""Loud and silent: what every upgrade of the atlas met, a bar for each way of keeping a model."""

from collections import Counter
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers.plots import shapes as draw
from helpers.plots import style
from helpers.plots.matrix import FINE, FORWARD, KINDS, LOAD, NOTHING, OTHER, SILENT, kind_of
from missing_aa.matrix.cells import FORMATS, Cell
from missing_aa.matrix.summary import upgrades

NAMES = {"whole": "saved whole", "state_dict": "state_dict", "rescued": "rescued weights"}

WORDS = {
    LOAD: "loud at load",
    FORWARD: "loud at forward",
    OTHER: "loud elsewhere",
    SILENT: "silent",
}
"""What is written below a bar of each kind, but the first."""

LEFT, LENGTH, HIGH = 0.2, 5.6, 0.5
"""Inches: a bar."""

THIN = 0.02
"""Inches: the least width of a part; a greater one would make two in thousands look like many."""


def loud_and_silent(cells: Sequence[Cell], releases: Sequence[str]) -> tuple[Figure, str]:
    """Every upgrade in one bar for each format: fine, loud at the load or later, or silent.

    An upgrade is a file of a model with a writer and a newer reader. What could not be compared is
    left out, and counted in the words.
    """
    met = {form: Counter() for form in FORMATS}
    for cell in upgrades(cells, releases):
        met[cell.format][kind_of(cell.outcome)] += 1
    met = {form: count for form, count in met.items() if count}
    with style():
        fig, axes = draw.canvas(0.65 + 1.5 * len(met))
        draw.headline(axes, "Upgrades: fine, loud or silent?")
        for at, (form, count) in enumerate(met.items()):
            _bar(axes, 0.75 + 1.5 * at, NAMES[form], count)
    described = "; ".join(f"{NAMES[form]}: {_counted(count)}" for form, count in met.items())
    words = f"Bars of every upgrade, one for each way of keeping a model. {described}."
    left_out = any(count[NOTHING] for count in met.values())
    return fig, words + " What had nothing to compare is not drawn." * left_out


def _bar(axes: Axes, top: float, name: str, count: Counter) -> None:
    kinds = [kind for kind in KINDS if count[kind] and kind != NOTHING]
    total = sum(count[kind] for kind in kinds)
    draw.words(axes, LEFT, top + 0.15, name, weight="bold")
    fine = f"{count[FINE] / total:.0%} fine"
    if count[FINE] < total and fine.startswith("100%"):
        fine = "> 99% fine"
    draw.words(axes, LEFT + LENGTH, top + 0.15, fine, weight="bold", ha="right")
    widths = {kind: max(LENGTH * count[kind] / total, THIN) for kind in kinds}
    widths[FINE] -= sum(widths.values()) - LENGTH
    x, y = LEFT, top + 0.35
    draw.words(axes, x + 0.12, y + HIGH / 2, f"fine {count[FINE]:,}", draw.SMALL)
    for kind in kinds:
        look = {"facecolor": KINDS[kind], "linewidth": 0}
        axes.add_patch(Rectangle((x, y), widths[kind], HIGH, **look))
        x += widths[kind]
    words = [f"{WORDS[kind]} {count[kind]:,}" for kind in kinds if kind != FINE]
    x = LEFT + LENGTH - sum(map(_space, words))
    for kind, text in zip((kind for kind in kinds if kind != FINE), words, strict=True):
        axes.add_patch(Rectangle((x, y + HIGH + 0.13), 0.16, 0.16, facecolor=KINDS[kind]))
        draw.words(axes, x + 0.22, y + HIGH + 0.21, text, draw.SMALL)
        x += _space(text)


def _space(text: str) -> float:
    """Inches that a word with its square takes in the line below a bar."""
    return 0.36 + 0.094 * len(text)


def _counted(count: Counter) -> str:
    return ", ".join(f"{kind} {count[kind]:,}" for kind in KINDS if count[kind])
