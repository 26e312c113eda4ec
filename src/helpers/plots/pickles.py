"""The figure of lesson 06: the stack of the machine that a pickle is written for.

The program is followed on paper: nothing that it names is looked up, and nothing is called.
"""

import pickletools

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from helpers.plots import BLACK, ORANGE, SKY, figure, style

PLAIN, NAMED, MADE = "plain value", "looked up by name", "made by the program"
COLOURS = {PLAIN: "#e8e8e8", NAMED: ORANGE, MADE: SKY}
WIDTH = 14
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
    "NEWOBJ": lambda made, given: (f"{made} object,\nempty", MADE),
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
    """The stack after each instruction of a small pickle, one column for each."""
    steps = _follow(program)
    height = max(len(items) for _, items in steps)
    fig = figure(1.2 * len(steps) + 1.5, 0.5 * height + 2)
    with style():
        axes = fig.subplots()
        for column, (_, items) in enumerate(steps):
            for row, (text, kind) in enumerate(items):
                axes.bar(column, 0.9, 0.94, row + 0.55, color=COLOURS[kind], edgecolor=BLACK)
                axes.text(column, row + 1, _short(text), ha="center", va="center", fontsize=9)
        names = [name for name, _ in steps]
        axes.set_xticks(range(len(steps)), names, rotation=25, ha="right", fontsize=9)
        axes.set_yticks(range(1, height + 1))
        axes.set_ylim(bottom=0.4)
        axes.set(xlabel="instruction, in the order of the program", ylabel="place on the stack")
        axes.set_title("What lies on the stack after each instruction")
        kinds = {kind for _, items in steps for _, kind in items}
        patches = [Patch(color=COLOURS[kind], label=kind) for kind in COLOURS if kind in kinds]
        fig.legend(handles=patches, ncols=3, loc="outside lower center", fontsize=9)
    told = "; ".join(f"{name}: {_told(items)}" for name, items in steps)
    return fig, f"The stack after each of {len(steps)} instructions, bottom first. {told}."


def _short(text: str) -> str:
    lines = (line if len(line) <= WIDTH else line[: WIDTH - 1] + "…" for line in text.splitlines())
    return "\n".join(lines)


def _told(items: list[Item]) -> str:
    return " | ".join(_short(text).replace("\n", " ") for text, _ in items)
