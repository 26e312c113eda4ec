"""Four ways to keep a model: what lies in each, and what somebody has to remember."""

from matplotlib.figure import Figure

from helpers.plots import shapes as draw

WAYS = {
    "whole pickle": ("class by name", "weights"),
    "state_dict": ("weights",),
    "keep": ("weights", "name, arguments", "input, output"),
    "save_portable": ("weights", "name, arguments", "input, output", "checksum"),
}
"""Each way -> what lies in its files."""

NEEDED = ("weights", "name, arguments", "input, output")
"""What it takes to make the model anew and to know that it is the one that was kept."""


def four_ways() -> tuple[Figure, str]:
    """A sheet for each of four ways to keep a model; what it lacks is a dashed hole."""
    fig, axes = draw.canvas(6.3)
    draw.headline(axes, "What lies in the file?")
    described = []
    for number, (way, inside) in enumerate(WAYS.items()):
        x, y = 0.15 + 2.93 * (number % 2), 0.7 + 2.8 * (number // 2)
        draw.words(axes, x + 1.38, y + 0.12, way, draw.NORMAL, ha="center", weight="bold")
        draw.sheet(axes, x, y + 0.32, 2.77, 2.2)
        rows = [*inside, *(part for part in NEEDED if part not in inside)]
        for row, part in enumerate(rows):
            top = y + 0.55 + 0.48 * row
            if part in inside:
                draw.thing(axes, x + 0.2, top, part)
            else:
                draw.hole(axes, x + 0.2, top, draw.span(part) + 0.1, 0.34, part)
        lacks = [part for part in NEEDED if part not in inside]
        tail = f"; not in it: {draw.listed(lacks)}" if lacks else ""
        described.append(f"{way}: {draw.listed(inside)}{tail}")
    return fig, "Four ways to keep a model. " + ". ".join(described) + "."
