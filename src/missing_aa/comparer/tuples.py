"""Named tuples that are made by a call, as the classes that the calls make."""

import ast
from keyword import iskeyword

from missing_aa.comparer.texts import dotted, text


def named_tuple(name: str, made: ast.expr) -> ast.ClassDef | None:
    """The class that `namedtuple("P", "x y")` or `NamedTuple("P", [("x", int)])` makes.

    None for anything else, and where the fields are not written out.
    """
    if not isinstance(made, ast.Call) or len(made.args) < 2:
        return None
    if dotted(made.func).rpartition(".")[2] not in ("namedtuple", "NamedTuple"):
        return None
    fields = _fields(made.args[1])
    if not all(field.isidentifier() and not iskeyword(field) for field in fields):
        return None
    defaults = next((word.value for word in made.keywords if word.arg == "defaults"), None)
    without = len(fields) - len(getattr(defaults, "elts", ()))
    lines = [
        f"    {field}: object" + (" = ..." if place >= without else "")
        for place, field in enumerate(fields)
    ]
    source = "\n".join([f"class {name}(typing.NamedTuple):", *lines, "    pass"])
    node = ast.parse(source).body[0]
    for part in ast.walk(node):
        ast.copy_location(part, made)
    return node


def _fields(given: ast.expr) -> list[str]:
    """The names in `"x y"`, `["x", "y"]` or `[("x", int), ("y", int)]`; "" for one not written."""
    if text(given):
        return text(given).replace(",", " ").split()
    each = given.elts if isinstance(given, ast.List | ast.Tuple) else [given]
    return [
        text(part.elts[0] if isinstance(part, ast.Tuple) and part.elts else part) for part in each
    ]
