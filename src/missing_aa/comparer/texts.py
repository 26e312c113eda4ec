"""What an expression says in so many words."""

import ast
from collections.abc import Iterator


def dotted(node: ast.expr) -> str:
    """`a.b.c` for such an expression, "" for any other."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (head := dotted(node.value)):
        return f"{head}.{node.attr}"
    return ""


def text(node: ast.expr) -> str:
    """A string that is written out, "" for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def beginning(node: ast.expr) -> str:
    """What is written out at the beginning of a string that is put together: `s` of `f"s{i}"`."""
    if isinstance(node, ast.JoinedStr) and node.values:
        return text(node.values[0])
    if isinstance(node, ast.BinOp):
        return beginning(node.left).partition("%")[0]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return beginning(node.func.value).partition("{")[0]
    return text(node)


def uncalled(value: ast.expr) -> Iterator[str]:
    """The dotted names in an expression, but for those of what it calls."""
    if written := dotted(value):
        yield written
        return
    for part in ast.iter_child_nodes(value):
        if not (isinstance(value, ast.Call) and part is value.func):
            yield from uncalled(part)
