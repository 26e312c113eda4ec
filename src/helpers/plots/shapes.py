"""The one visual language of the course: a sheet is a file, a box with a tab is code, a bag is an
object, a tick on a line of dates is a release, a dashed red hole is an attribute that is missing.

Everything is drawn on a `canvas`, whose unit is the inch, from the upper left corner down. A canvas
is 6 inches wide, so that its smallest letters can be read where it is shown 370 pixels wide.
"""

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import (
    Circle,
    FancyArrowPatch,
    FancyBboxPatch,
    PathPatch,
    Polygon,
    Rectangle,
)
from matplotlib.path import Path

from helpers.plots import BLACK, BLUE, ORANGE, VERMILION, style

WIDTH = 6.0
"""Inches: the width of every canvas."""

SMALL, NORMAL, LARGE = 12, 13.5, 16
"""Sizes of letters in points. SMALL is 10 pixels high where a canvas is 370 pixels wide."""

PAPER, CODE, OBJECT = "#fffdf3", "#eef3f8", "#dff0fb"
GREY, PALE = "#767676", "#e4e4e4"
"""GREY is dark enough for words on white; PALE is for what words stand on."""

RED = "#b34a00"
"""VERMILION, dark enough for words on white."""

MONO = "DejaVu Sans Mono"


def canvas(height: float) -> tuple[Figure, Axes]:
    """An empty figure, 6 inches wide, and axes in inches: (0, 0) is its upper left corner."""
    with style():
        fig = Figure(figsize=(WIDTH, height))
        axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(height, 0))
    axes.set_axis_off()
    return fig, axes


def words(axes: Axes, x: float, y: float, text: str, size: float = NORMAL, **look):
    """Text whose middle left is at (x, y), unless `ha` and `va` say otherwise."""
    return axes.text(x, y, text, **{"ha": "left", "va": "center", "size": size, "zorder": 6} | look)


def headline(axes: Axes, text: str, y: float = 0.3) -> None:
    """What a figure says, in its first line."""
    words(axes, WIDTH / 2, y, text, LARGE, ha="center", weight="bold")


def sheet(
    axes: Axes, x: float, y: float, width: float, height: float, name: str = "", fold: float = 0.24
) -> None:
    """A file: a sheet of paper with a folded corner, its name on top."""
    right, bottom = x + width, y + height
    outline = [(x, y), (right - fold, y), (right, y + fold), (right, bottom), (x, bottom)]
    axes.add_patch(Polygon(outline, facecolor=PAPER, edgecolor=BLACK, linewidth=1.5))
    corner = [(right - fold, y), (right - fold, y + fold), (right, y + fold)]
    axes.add_patch(Polygon(corner, facecolor=PALE, edgecolor=BLACK, linewidth=1.5))
    words(axes, x + 0.12, y + 0.24, name, SMALL, weight="bold")


def code(axes: Axes, x: float, y: float, width: float, height: float, tab: str) -> None:
    """Code: a box with a tab that says whose it is. The tab stands above `y`."""
    axes.add_patch(Rectangle((x, y), width, height, facecolor=CODE, edgecolor=BLUE, linewidth=1.5))
    length = min(width, 0.3 + 0.118 * len(tab))
    axes.add_patch(Rectangle((x, y - 0.32), length, 0.32, facecolor=BLUE, edgecolor=BLUE, lw=1.5))
    words(axes, x + 0.12, y - 0.16, tab, SMALL, color="white", weight="bold")


def bag(axes: Axes, x: float, y: float, width: float, height: float) -> None:
    """An object: a sack, tied at the neck. Its upper 0.35 inches are the neck."""
    middle, low, right, bottom = x + width / 2, y + 0.22, x + width, y + height
    shoulder, corner = low + 0.3, 0.28
    steps = [
        (Path.MOVETO, (middle - 0.16, low)),
        (Path.CURVE3, (x, low + 0.02)),
        (Path.CURVE3, (x, shoulder)),
        (Path.LINETO, (x, bottom - corner)),
        (Path.CURVE3, (x, bottom)),
        (Path.CURVE3, (x + corner, bottom)),
        (Path.LINETO, (right - corner, bottom)),
        (Path.CURVE3, (right, bottom)),
        (Path.CURVE3, (right, bottom - corner)),
        (Path.LINETO, (right, shoulder)),
        (Path.CURVE3, (right, low + 0.02)),
        (Path.CURVE3, (middle + 0.16, low)),
        (Path.CLOSEPOLY, (0, 0)),
    ]
    codes, corners = zip(*steps, strict=True)
    look = {"facecolor": OBJECT, "edgecolor": BLACK, "linewidth": 1.5}
    axes.add_patch(PathPatch(Path(corners, codes), **look))
    frill = [(-0.16, 0.22), (-0.34, 0), (-0.12, 0.07), (0, 0), (0.12, 0.07), (0.34, 0)]
    mouth = [(middle + along, y + down) for along, down in [*frill, (0.16, 0.22)]]
    axes.add_patch(Polygon(mouth, zorder=2, **look))
    axes.plot([middle - 0.17, middle + 0.17], [low, low], color=BLACK, linewidth=4, zorder=3)


def thing(axes: Axes, x: float, y: float, name: str, edge: str = BLACK) -> tuple[float, float]:
    """A named thing in a bag, its upper left at (x, y). Gives its width and height."""
    width, height = span(name), 0.32
    rounded = "round,pad=0,rounding_size=0.08"
    look = {"fc": "white", "ec": edge, "lw": 1 if edge == BLACK else 2.5, "zorder": 4}
    axes.add_patch(FancyBboxPatch((x, y), width, height, rounded, **look))
    words(axes, x + width / 2, y + height / 2, name, SMALL, ha="center", family=MONO)
    return width, height


def span(name: str) -> float:
    """How wide the box of a named thing is."""
    return 0.24 + 0.103 * len(name)


def things(axes: Axes, x: float, y: float, width: float, names: Sequence[str]) -> dict:
    """Named things in rows that are `width` wide. Gives name -> (x, y) of each one's middle."""
    placed, left, top = {}, x, y
    for name in names:
        if left > x and left + span(name) > x + width:
            left, top = x, top + 0.4
        size, height = thing(axes, left, top, name)
        placed[name] = (left + size / 2, top + height / 2)
        left += size + 0.1
    return placed


def tag(axes: Axes, x: float, y: float, name: str) -> tuple[float, float]:
    """A name tag, its upper left at (x, y). Gives its width and height."""
    width, height = span(name) + 0.22, 0.34
    tip, middle = x + 0.16, y + height / 2
    outline = [(x, middle), (tip, y), (x + width, y), (x + width, y + height), (tip, y + height)]
    axes.add_patch(Polygon(outline, facecolor=ORANGE, edgecolor=BLACK, linewidth=1, zorder=4))
    axes.add_patch(Circle((tip, middle), 0.035, facecolor="white", edgecolor=BLACK, zorder=5))
    words(axes, x + 0.26, middle, name, SMALL, family=MONO)
    return width, height


def hole(axes: Axes, x: float, y: float, width: float, height: float, name: str = "") -> None:
    """A missing attribute: a dashed red hole, its upper left at (x, y)."""
    rounded = "round,pad=0,rounding_size=0.08"
    look = {"fc": "white", "ec": VERMILION, "lw": 2.5, "ls": (0, (2.5, 1.6)), "zorder": 4}
    axes.add_patch(FancyBboxPatch((x, y), width, height, rounded, **look))
    look = {"ha": "center", "family": MONO, "color": RED, "weight": "bold"}
    words(axes, x + width / 2, y + height / 2, name, SMALL, **look)


def arrow(
    axes: Axes, start: tuple, end: tuple, colour: str = BLACK, bend: float = 0.0, **look
) -> None:
    """An arrow, bent to one side by a share of its length."""
    shape = {"arrowstyle": "-|>", "mutation_scale": 18, "shrinkA": 0, "shrinkB": 0}
    look = shape | {"linewidth": 2.2, "zorder": 5} | look
    way = f"arc3,rad={bend}"
    axes.add_patch(FancyArrowPatch(start, end, connectionstyle=way, color=colour, **look))


def step(axes: Axes, x: float, y: float, number: int, text: str) -> None:
    """The beginning of a frame: a number in a disc, and what happens there."""
    axes.add_patch(Circle((x, y), 0.19, facecolor=BLACK, edgecolor=BLACK))
    words(axes, x, y, str(number), NORMAL, ha="center", color="white", weight="bold")
    words(axes, x + 0.32, y, text, NORMAL, weight="bold")


def release(axes: Axes, x: float, y: float, colour: str = BLACK, half: float = 0.1) -> None:
    """A release: a tick, its middle at (x, y), across a line of dates that runs down."""
    axes.plot([x - half, x + half], [y, y], color=colour, linewidth=2, zorder=4)


def wrapped(text: str, width: int) -> str:
    """Text in lines of at most `width` letters."""
    return "\n".join(textwrap.wrap(text, width, break_long_words=False))


def listed(names: Sequence[str], joint: str = "and") -> str:
    """One, two and three."""
    head, last = names[:-1], names[-1:]
    return f" {joint} ".join(filter(None, (", ".join(head), *last)))
