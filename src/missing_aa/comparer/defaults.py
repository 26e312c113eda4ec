"""The value that a constructor gives an attribute when nothing else is asked for."""

import ast
from collections.abc import Iterator

from missing_aa.comparer.classes import Class

UNKNOWN = "..."


def default_of(of: Class, name: str) -> str:
    """That value as source text; UNKNOWN where it depends on more than arguments with defaults.

    Where that is so, and the methods ask whether it is None, None it is: they can do without.
    """
    for value, init in _given(of, name):
        if _is_free(value, init):
            return ast.unparse(value)
    return "None" if any(_may_be_none(each, name) for each in of.order) else UNKNOWN


def is_plain(of: Class, name: str) -> bool:
    """Whether its constructors give it plain values (a truth value, a number, a text) alone."""
    values = [value for value, _ in _given(of, name)]
    return bool(values) and all(
        isinstance(value, ast.Constant) and value.value is not None for value in values
    )


def _given(of: Class, name: str) -> Iterator[tuple[ast.expr, ast.FunctionDef]]:
    """The values that its constructors give it, settled, each with the constructor."""
    for each in of.order:
        init = each.own.get("__init__")
        for node in ast.walk(init) if isinstance(init, ast.FunctionDef) else ():
            if isinstance(node, ast.Assign) and any(_is_own(part, name) for part in node.targets):
                yield _settle(node.value, _defaults(init)), init


def _may_be_none(of: Class, name: str) -> bool:
    return any(
        isinstance(part, ast.Compare)
        and _is_own(part.left, name)
        and isinstance(part.ops[0], ast.Is | ast.IsNot)
        for part in ast.walk(of.node)
    )


def _is_own(target: ast.expr, name: str) -> bool:
    return (
        isinstance(target, ast.Attribute)
        and target.attr == name
        and isinstance(target.value, ast.Name)
    )


def _settle(value: ast.expr, defaults: dict[str, ast.expr]) -> ast.expr:
    """What an expression comes to with the defaults of the arguments, as far as that is simple."""
    if isinstance(value, ast.Name):
        return defaults.get(value.id, value)
    if isinstance(value, ast.IfExp):
        test = _settle(value.test, defaults)
        if isinstance(test, ast.Constant):
            return _settle(value.body if test.value else value.orelse, defaults)
    return value


def _is_free(value: ast.expr, init: ast.FunctionDef) -> bool:
    """Whether a value names nothing that only the constructor knows."""
    inside = {part.arg for part in ast.walk(init) if isinstance(part, ast.arg)}
    inside |= {
        part.id
        for part in ast.walk(init)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
    return inside.isdisjoint(part.id for part in ast.walk(value) if isinstance(part, ast.Name))


def _defaults(function: ast.FunctionDef) -> dict[str, ast.expr]:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args]
    by_place = zip(reversed(named), reversed(arguments.defaults), strict=False)
    by_name = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {each.arg: default for each, default in (*by_place, *by_name) if default}
