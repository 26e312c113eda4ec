"""Functions that yield."""

import ast
from collections.abc import Iterator
from functools import cache

from missing_aa.checker.values import Code
from missing_aa.comparer.names import dotted


@cache
def is_generator(node: Code) -> bool:
    """Whether a function yields."""
    return any(isinstance(part, ast.Yield | ast.YieldFrom) for part in _own(node))


@cache
def is_simple_generator(node: Code) -> bool:
    """Whether it yields by statements of its own, and nothing stands around them that would catch
    an error of the loop that uses it."""
    if not isinstance(node, ast.FunctionDef) or not is_generator(node) or is_manager(node):
        return False
    parts = list(_own(node))
    alone = {id(part.value) for part in parts if isinstance(part, ast.Expr)}
    return not any(
        isinstance(part, ast.YieldFrom | ast.Try | ast.With)
        or (isinstance(part, ast.Yield) and id(part) not in alone)
        for part in parts
    )


def is_manager(node: Code) -> bool:
    """Whether it is made a context manager."""
    marks = [] if isinstance(node, ast.Lambda) else node.decorator_list
    return any(dotted(each).rpartition(".")[2] == "contextmanager" for each in marks)


def _own(node: Code) -> Iterator[ast.AST]:
    """The parts of a function's body, without functions and classes inside it."""
    waiting: list[ast.AST] = [] if isinstance(node, ast.Lambda) else [*node.body]
    while waiting:
        part = waiting.pop()
        yield part
        if not isinstance(part, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(part)
