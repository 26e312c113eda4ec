"""What a pickle carries: the picture of the error, in three frames: saved, loaded, used.

The file is read without loading it, and the class from its source: nothing of either is run.
"""

import ast
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.plots import BLACK, BLUE, VERMILION, style
from helpers.plots import shapes as draw
from missing_aa.containers.container import open_checkpoint
from missing_aa.pickles.follow import follow_pickle
from missing_aa.pickles.program import Dict, class_of

PLACES = ("_parameters", "_buffers", "_modules")
"""The three dictionaries in which torch's modules keep what is not a plain attribute."""

MOST = 3
"""Names for which a bag has room, where `forward` reads none of them."""


@dataclass(frozen=True)
class Carried:
    """What a pickle says of an object: its class by name, and the names of its attributes."""

    module: str
    name: str
    attributes: tuple[str, ...]


@dataclass(frozen=True)
class Installed:
    """What a class in source says: what its `__init__` sets and its `forward` reads, in order."""

    name: str
    sets: tuple[str, ...]
    reads: tuple[str, ...]


def carried(file: bytes | str | os.PathLike, class_name: str) -> Carried:
    """The first object of a class in a pickle, given as bytes or as the path of a checkpoint.

    Raises ValueError if there is none in it.
    """
    if isinstance(file, bytes):
        program = follow_pickle(file)
    else:
        with open_checkpoint(file) as container:
            program = container.follow()
    for made in program.objects:
        found = class_of(made)
        if found and found.name == class_name and made.states:
            return Carried(found.module, found.name, _names(made.states[-1]))
    raise ValueError(f"there is no object of a class called {class_name} in this pickle")


def _names(state: object) -> tuple[str, ...]:
    """The names that an object's state brings; torch's three dictionaries are looked into."""
    pairs = dict(_pairs(state))
    inner = [key for place in PLACES for key, _ in _pairs(pairs.get(place))]
    return (*inner, *(name for name in pairs if not name.startswith("_")))


def _pairs(node: object) -> Sequence[tuple]:
    """The pairs of a dictionary in a pickle, also of an ordered one."""
    return getattr(node, "pairs", ()) if isinstance(node, Dict) or hasattr(node, "pairs") else ()


def installed(source: str, class_name: str) -> Installed:
    """A class as its source has it. Raises ValueError where it has no `forward` of its own."""
    classes = {node.name: node for node in ast.walk(ast.parse(source)) if _is_class(node)}
    methods = {
        node.name: node
        for node in getattr(classes.get(class_name), "body", [])
        if isinstance(node, ast.FunctionDef)
    }
    if "forward" not in methods:
        raise ValueError(f"this source has no class {class_name} with a forward of its own")
    asked = _politely(methods["forward"])
    reads = _selfs(methods["forward"], ast.Load) - methods.keys() - asked
    sets = _selfs(methods["__init__"], ast.Store) if "__init__" in methods else {}
    return Installed(class_name, tuple(sets), tuple(name for name in reads if name))


def _is_class(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef)


class _Names(dict):
    """Names in the order in which they came, without doubles."""

    def __sub__(self, other) -> "_Names":
        return _Names.fromkeys(name for name in self if name not in other)


def _selfs(method: ast.FunctionDef, context: type) -> _Names:
    """The attributes of `self` that a method reads or sets."""
    found = [
        node
        for node in ast.walk(method)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
        and isinstance(node.ctx, context)
    ]
    return _Names.fromkeys(
        node.attr for node in sorted(found, key=lambda node: (node.lineno, -node.col_offset))
    )


def _politely(method: ast.FunctionDef) -> set[str]:
    """The attributes that a method asks for with `getattr` and a default, or with `hasattr`."""
    return {
        node.args[1].value
        for node in ast.walk(method)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and (node.func.id, len(node.args)) in (("getattr", 3), ("hasattr", 2))
        and isinstance(node.args[1], ast.Constant)
    }


def pickle_story(
    file: bytes | str | os.PathLike,
    source: str,
    class_name: str,
    writer: str = "the old release",
    reader: str = "the new release",
) -> tuple[Figure, str]:
    """An object of a class on its way through a file: saved by `writer`, used by `reader`.

    `file` is a checkpoint or the bytes of a pickle, `source` the text of the reader's module.
    Raises ValueError where the class is not in the one or in the other.
    """
    old, new = carried(file, class_name), installed(source, class_name)
    missing = [name for name in new.reads if name not in old.attributes]
    name = "model.pkl" if isinstance(file, bytes) else Path(file).name
    shown = [name for name in new.reads if name in old.attributes] or list(old.attributes[:MOST])
    file = name, class_name, shown + ["…"] * (len(shown) < len(old.attributes))
    with style():
        fig, axes = draw.canvas(6.75 + 0.45 * len(new.reads) + 0.4 * bool(missing))
        _saved(axes, 0.1, file, writer)
        _loaded(axes, 2.35, file, reader)
        _used(axes, 5.4, new, missing)
    lacks = draw.listed(missing)
    outcome = (
        f"forward reads {draw.listed(new.reads)}, and {lacks} is missing: a dashed red hole. "
        f"AttributeError: {_message(class_name, missing[0])}."
        if missing
        else f"forward reads {draw.listed(new.reads)}, and nothing is missing."
    )
    return fig, (
        f"What a pickle carries, in three frames. 1, saved by {writer}: the file {name} holds a "
        f"name, {class_name}, and a bag of attributes: {draw.listed(old.attributes)}. No code. "
        f"2, loaded by {reader}: the class is found by its name, and the bag is poured into an "
        f"empty object; __init__, which sets {draw.listed(new.sets)}, is struck out: it does not "
        f"run. 3, used: {outcome}"
    )


def _message(class_name: str, attribute: str) -> str:
    return f"'{class_name}' object has no attribute '{attribute}'"


def _file(axes: Axes, x: float, y: float, name: str, class_name: str, shown: list[str]) -> None:
    draw.sheet(axes, x, y, 2.35, 1.45, name)
    draw.tag(axes, x + 0.15, y + 0.44, class_name)
    draw.things(axes, x + 0.15, y + 0.96, 2.1, shown)


def _saved(axes: Axes, top: float, file: tuple, writer: str) -> None:
    *_, class_name, shown = file
    draw.step(axes, 0.3, top + 0.2, 1, f"Saved by {writer}")
    draw.bag(axes, 0.2, top + 0.5, 2.2, 1.4)
    draw.words(axes, 1.3, top + 1.08, f"a {class_name}", draw.SMALL, ha="center")
    draw.things(axes, 0.4, top + 1.35, 1.9, shown)
    draw.arrow(axes, (2.5, top + 1.2), (3.4, top + 1.2))
    _file(axes, 3.5, top + 0.35, *file)
    draw.words(axes, 4.67, top + 1.98, "a name, a bag, no code", draw.SMALL, ha="center")


def _loaded(axes: Axes, top: float, file: tuple, reader: str) -> None:
    *_, class_name, shown = file
    draw.step(axes, 0.3, top + 0.2, 2, f"Loaded by {reader}")
    _file(axes, 0.2, top + 0.5, *file)
    draw.code(axes, 3.5, top + 0.6, 2.35, 1.1, reader)
    look = {"size": draw.SMALL, "family": draw.MONO}
    draw.words(axes, 3.62, top + 0.82, f"class {class_name}", **look)
    draw.words(axes, 3.8, top + 1.14, "__init__", color=draw.GREY, **look)
    axes.plot([3.74, 4.74], [top + 1.16] * 2, color=VERMILION, linewidth=2, zorder=7)
    draw.words(axes, 4.83, top + 1.15, "never runs", draw.SMALL, color=draw.RED)
    draw.words(axes, 3.8, top + 1.47, "forward", **look)
    draw.arrow(axes, (0.62 + draw.span(class_name), top + 1.11), (3.42, top + 0.86), BLUE)
    draw.words(axes, 3.02, top + 0.7, "by name", draw.SMALL, color=BLUE, weight="bold", ha="center")
    draw.bag(axes, 3.5, top + 1.85, 2.35, 1.05)
    draw.things(axes, 3.7, top + 2.4, 2.0, shown)
    draw.arrow(axes, (1.4, top + 2.05), (3.38, top + 2.56), BLACK, 0.25)
    draw.words(axes, 1.3, top + 2.62, "poured into an\nempty object", draw.SMALL, ha="center")


def _used(axes: Axes, top: float, new: Installed, missing: list[str]) -> None:
    draw.step(axes, 0.3, top + 0.2, 3, "Used")
    rows = 0.45 * len(new.reads)
    draw.code(axes, 0.2, top + 0.9, 2.0, rows + 0.2, "forward reads")
    draw.bag(axes, 3.5, top + 0.3, 2.35, rows + 0.9)
    for row, name in enumerate(new.reads):
        y = top + 1.22 + 0.45 * row
        gone = name in missing
        colour = VERMILION if gone else BLACK
        look = {"color": draw.RED if gone else BLACK, "weight": "bold" if gone else "normal"}
        draw.words(axes, 0.35, y, f"self.{name}", family=draw.MONO, **look)
        draw.arrow(axes, (2.3, y), (3.72, y), colour)
        if gone:
            draw.hole(axes, 3.8, y - 0.18, max(draw.span(name), 0.7), 0.36, name)
        else:
            draw.thing(axes, 3.8, y - 0.16, name)
    if missing:
        look = {"ha": "center", "color": draw.RED, "weight": "bold"}
        message = _message(new.name, missing[0])
        draw.words(axes, draw.WIDTH / 2, top + rows + 1.55, message, draw.LARGE - 1, **look)
