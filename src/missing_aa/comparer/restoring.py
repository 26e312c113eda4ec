"""What a `__setstate__` gives an old object, and what it asks of its state."""

import ast

from missing_aa.comparer.classes import Class, Classes
from missing_aa.comparer.texts import text
from missing_aa.comparer.usage import Read, Run


def given_back(classes: Classes, of: Class) -> tuple[set[str], set[str]]:
    """Names of attributes that `__setstate__` gives, and beginnings of such names.

    Whatever it speaks of counts, as there are many ways: `self.x = …`, `state.setdefault("x", …)`,
    a loop over a dictionary of defaults.
    """
    run = Run(classes, of)
    run.call("__setstate__")
    spoken = {text(part) for each in of.order for part in _parts(each)}
    return run.stores | spoken - {""}, run.made | run.registered


def demanded(of: Class) -> dict[str, list[Read]]:
    """Keys that `__setstate__` takes out of the state as if they were there: `state["x"]`."""
    found: dict[str, list[Read]] = {}
    for each in of.order:
        taken, given = [], set()
        for part in _parts(each):
            if isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Load):
                taken.append(part)
            elif isinstance(part, ast.Subscript):
                given.add(text(part.slice))
            elif isinstance(part, ast.Compare):
                given.add(text(part.left))
            elif isinstance(part, ast.Call) and part.args:
                given.add(text(part.args[0]))
        for part in taken:
            if (name := text(part.slice)) not in given | {""}:
                reader = f"{each.node.name}.__setstate__"
                read = Read(reader, each.module, part.lineno, frozenset())
                found.setdefault(name, []).append(read)
    return found


def _parts(of: Class):
    """The parts of a class's own `__setstate__`."""
    method = of.own.get("__setstate__")
    return ast.walk(method) if isinstance(method, ast.FunctionDef) else ()
