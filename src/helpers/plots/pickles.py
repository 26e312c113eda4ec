"""The figure of lesson 06: the stack of the machine that a pickle is written for.

The program is followed on paper: nothing that it names is looked up, and nothing is called.
"""

import pickletools

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from helpers.plots import BLACK, ORANGE, SKY, style
from helpers.plots import shapes as draw

PLAIN, NAMED, MADE = "plain value", "looked up by name", "made by the program"
COLOURS = {PLAIN: "#e8e8e8", NAMED: ORANGE, MADE: SKY}
WIDTH = 12
"""Characters that fit into a box."""

Item = tuple[str, str]
"""What lies in one place of the stack: its text, and one of the three kinds."""

SILENT = ("PROTO", "FRAME", "BINPUT", "MEMOIZE", "STOP")
"""Instructions that leave the stack as it is, or end the program."""

PLAINLY = ("BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "BINFLOAT")
"""Instructions that put the value on the stack that stands in the program."""

RESULTS = {
    "EMPTY_TUPLE": lambda: ("()", PLAIN),
    "EMPTY_DICT": lambda: ("{}", PLAIN),
    "TUPLE1": lambda item: (f"({item},)", PLAIN),
    "SETITEM": lambda mapping, key, value: (f"{{{key}: {value}}}", PLAIN),
    "STACK_GLOBAL": lambda module, name: (name.strip("'"), NAMED),
    "NEWOBJ": lambda made, given: (f"a {made},\nempty", MADE),
    "BUILD": lambda made, state: (made.replace("empty", "filled"), MADE),
    "REDUCE": lambda called, given: (f"what {called}\nreturned", MADE),
}


def _follow(program: bytes) -> list[tuple[str, list[Item]]]:
    """Each instruction of a small pickle, and the stack after it, bottom first.

    Raises ValueError for an instruction that needs more than a small program does.
    """
    pile: list[Item] = []
    steps = []
    for opcode, arg, _ in pickletools.genops(program):
        if opcode.name in SILENT:
            continue
        taken = [pile.pop()[0] for _ in opcode.stack_before][::-1]
        if opcode.name in RESULTS:
            pile.append(RESULTS[opcode.name](*taken))
        elif opcode.name == "GLOBAL":
            pile.append((arg.split(" ")[1], NAMED))
        elif opcode.name in PLAINLY:
            pile.append((repr(arg), PLAIN))
        else:
            raise ValueError(f"{opcode.name} is not drawn here; take a smaller object")
        steps.append((opcode.name, list(pile)))
    return steps


def stack(program: bytes) -> tuple[Figure, str]:
    """The stack after each instruction of a small pickle, a line for each, its bottom at the left.

    Beside an instruction that reaches out of the file stands what it does there.
    """
    steps = _follow(program)
    high, start = 0.62, 0.28 + 0.103 * max(len(name) for name, _ in steps)
    box = min(1.28, (draw.WIDTH - start) / max(len(items) for _, items in steps) - 0.08)
    with style():
        fig, axes = draw.canvas(1.0 + high * len(steps) + 0.6)
        draw.headline(axes, "The stack after each instruction")
        for row, (name, items) in enumerate(steps):
            y = 0.95 + high * row
            draw.words(axes, 0.1, y, name, draw.SMALL, family=draw.MONO)
            axes.plot([0.1, 5.9], [y + high / 2] * 2, color=draw.PALE, linewidth=1)
            _boxes(axes, start, y, box, items)
            if name in REMARKS:
                colour, remark = REMARKS[name]
                x = start + (box + 0.08) * len(items) + 0.08
                look = {"size": draw.SMALL, "weight": "bold", "color": colour}
                draw.words(axes, x, y, remark, **look)
        kinds = {kind for _, items in steps for _, kind in items}
        patches = [
            Patch(facecolor=colour, edgecolor=BLACK, label=kind)
            for kind, colour in COLOURS.items()
            if kind in kinds
        ]
        fig.legend(handles=patches, ncols=3, loc="lower center", columnspacing=1, handlelength=1)
    described = "; ".join(f"{name}: {_listed(items)}" for name, items in steps)
    return fig, f"The stack after each of {len(steps)} instructions, bottom first. {described}."


REMARKS = {
    "GLOBAL": (draw.RED, "← imports code"),
    "STACK_GLOBAL": (draw.RED, "← imports code"),
    "NEWOBJ": (BLACK, "← without __init__"),
    "REDUCE": (draw.RED, "← calls it"),
}
"""What is said beside an instruction that reaches out of the file, or does not where one thinks."""


def _boxes(axes: Axes, start: float, y: float, box: float, items: list[Item]) -> None:
    for place, (text, kind) in enumerate(items):
        x = start + (box + 0.08) * place
        look = {"facecolor": COLOURS[kind], "edgecolor": BLACK, "linewidth": 1}
        axes.add_patch(Rectangle((x, y - 0.24), box, 0.48, **look))
        draw.words(axes, x + box / 2, y, _short(text), draw.SMALL, ha="center")


def _short(text: str) -> str:
    lines = (line if len(line) <= WIDTH else line[: WIDTH - 1] + "…" for line in text.splitlines())
    return "\n".join(lines)


def _listed(items: list[Item]) -> str:
    return " | ".join(text.replace("\n", " ") for text, _ in items)
