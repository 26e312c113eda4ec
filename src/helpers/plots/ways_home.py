"""Ways home for a model that was saved whole: one decision tree, as a picture and as text."""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon

from helpers.plots import BLACK, BLUE, style
from helpers.plots import shapes as draw


@dataclass(frozen=True)
class Node:
    """A place in the tree: what is asked or done there, in words for the picture and for the page.

    A question leads on by "yes" and "no", a deed by "then", an end nowhere.
    """

    short: str
    long: str
    ways: dict[str, str]


TREE = {
    "trust": Node(
        "Do you trust\nthe file?",
        "Do you trust whoever wrote the file? Loading it whole runs whatever it asks for.",
        {"yes": "release", "no": "rescue"},
    ),
    "release": Node(
        "Do you know the\nrelease that wrote it?",
        "Do you know which release wrote it? `missing-aa inspect FILE` names those that can have.",
        {"yes": "old", "no": "rescue"},
    ),
    "rescue": Node(
        "Rescue it:\nread the weights,\nrun nothing",
        "Rescue it: `missing-aa rescue FILE weights.safetensors` reads the weights out, and runs "
        "nothing of the file.",
        {"then": "weights"},
    ),
    "old": Node(
        "Load it there,\nsave its state_dict",
        "Install that release in an environment of its own; load the file whole there, and save "
        "its `state_dict`, together with an input and the model's output for it.",
        {"then": "weights"},
    ),
    "weights": Node(
        "a state_dict",
        "You have a `state_dict`. Load it, strictly, into the model that today's release makes.",
        {"then": "strict"},
    ),
    "strict": Node(
        "Does it load,\nstrictly?",
        "Does it load, with `strict=True`?",
        {"yes": "equal", "no": "filter"},
    ),
    "filter": Node(
        "Rename its keys (filter),\nload strictly again",
        "Keys were renamed. Use the library's own filter for them (timm: `checkpoint_filter_fn`), "
        "and load strictly again. A filter can turn a loud failure into a silent one: go on.",
        {"then": "equal"},
    ),
    "equal": Node(
        "Equal outputs,\nold and new?",
        "Does it give the output of the release that wrote it, for the same input? (Of a file that "
        "you do not trust: load the rescued `state_dict` in that release, and ask it.)",
        {"yes": "home", "no": "stop"},
    ),
    "home": Node("Home", "You are home. Keep the `state_dict`, the input and the output.", {}),
    "stop": Node(
        "A silent change:\nput it back, or stay",
        "Do not use it as it is: the code has changed in silence. Find the change and put it back, "
        "until the outputs are equal (lesson 04, `dpn68`), or stay with the release that wrote it.",
        {},
    ),
}
"""Every node by its name; the first one is where one begins."""


def as_markdown() -> str:
    """The tree as a numbered list in Markdown, each node once, with the numbers it leads to."""
    number = {name: at for at, name in enumerate(TREE, 1)}
    lines = []
    for name, node in TREE.items():
        ways = ", ".join(f"{answer}: {number[to]}" for answer, to in node.ways.items())
        lines.append(f"{number[name]}. {node.long}" + (f" *{ways}*" if ways else ""))
    return "\n".join(lines) + "\n"


LEFT, RIGHT = 1.62, 4.75
"""Inches: the middle of the two columns."""

PLACES = {
    "trust": (LEFT, 0.6),
    "release": (LEFT, 1.85),
    "rescue": (RIGHT, 1.22),
    "old": (LEFT, 3.0),
    "weights": (LEFT, 4.15),
    "strict": (LEFT, 5.25),
    "filter": (RIGHT, 5.25),
    "equal": (LEFT, 6.65),
    "stop": (RIGHT, 6.65),
    "home": (LEFT, 7.85),
}
"""Inches: the middle of each node."""

HALF = {"ask": (1.45, 0.48), "do": (1.15, 0.4), "rescue": (1.15, 0.5), "weights": (1.0, 0.3)}
"""Inches: half the width and half the height of a node, by its kind or by its name."""


def ways_home() -> tuple[Figure, str]:
    """The decision tree as a picture; its text alternative is the tree in words."""
    with style():
        fig, axes = draw.canvas(8.4)
        for name, node in TREE.items():
            _node(axes, name, node)
            for answer, to in node.ways.items():
                _way(axes, name, answer, to)
    described = as_markdown().replace("`", "").replace("*", "").replace("\n", " ").strip()
    return fig, f"A decision tree, from a model that was saved whole to equal outputs. {described}"


def _half(name: str) -> tuple[float, float]:
    return HALF.get(name) or HALF["ask" if len(TREE[name].ways) == 2 else "do"]


def _node(axes: Axes, name: str, node: Node) -> None:
    (x, y), (wide, high) = PLACES[name], _half(name)
    if len(node.ways) == 2:
        cut = 0.3
        corners = [(-wide, 0), (cut - wide, -high), (wide - cut, -high)]
        corners += [(-right, -down) for right, down in corners]
        outline = [(x + right, y + down) for right, down in corners]
        axes.add_patch(Polygon(outline, facecolor="white", edgecolor=BLUE, linewidth=2.2, zorder=3))
    elif name == "weights":
        draw.sheet(axes, x - wide, y - high, 2 * wide, 2 * high)
    else:
        colour = {"home": "#bfe6d8", "stop": "#fbdcc8"}.get(name, draw.PALE)
        rounded = "round,pad=0,rounding_size=0.12"
        corner = (x - wide, y - high)
        look = {"facecolor": colour, "edgecolor": BLACK, "linewidth": 1.5, "zorder": 3}
        axes.add_patch(FancyBboxPatch(corner, 2 * wide, 2 * high, rounded, **look))
    size = draw.LARGE if name == "home" else draw.SMALL + 0.5
    weight = "bold" if name in ("home", "weights") else "normal"
    draw.words(axes, x, y, node.short, size, ha="center", weight=weight)


def _way(axes: Axes, name: str, answer: str, to: str) -> None:
    """An arrow from a node down to the next, or across to the other column, with its answer."""
    (x, y), (wide, high) = PLACES[name], _half(name)
    (to_x, to_y), (to_wide, to_high) = PLACES[to], _half(to)
    look = {"size": draw.SMALL, "weight": "bold", "color": BLUE}
    if x == to_x:
        draw.arrow(axes, (x, y + high), (x, to_y - to_high - 0.03))
        draw.words(axes, x + 0.12, y + high + 0.15, answer.replace("then", ""), **look)
    elif x < to_x:
        down = min(max(y, to_y - to_high + 0.2), to_y + to_high - 0.2)
        draw.arrow(axes, (x + wide, y), (to_x - to_wide - 0.03, down))
        draw.words(axes, x + wide + 0.05, y - 0.18 + (down - y) / 3, answer, **look)
    elif to == "weights":
        draw.arrow(axes, (x, y + high), (to_x + to_wide + 0.05, to_y), BLACK, -0.35)
    else:
        draw.arrow(axes, (x - 0.7, y + high), (to_x + 0.9, to_y - to_high - 0.03), BLACK, -0.1)
