"""Whether torch's class of a name knows an attribute: read from source; torch is not imported."""

import ast
import re
from collections.abc import Iterator
from functools import cache

LITERAL = 4
"""Letters that a name made on the way (`weight_ih_l{}`) must have of its own to count as one."""


@cache
def version() -> str:
    """The version of the installed torch; "" if there is none."""
    world = _world()
    return (world.environment.version_of("torch") or "") if world else ""


@cache
def names(class_: str, attribute: str) -> bool | None:
    """Whether the installed torch's class or one of its bases names an attribute anywhere.

    None where that is not known: torch is not installed, or a base is not in its source.
    """
    found = _class(class_)
    if found is None or found.foreign:
        return None
    return any(_is_named(each.node, attribute) for each in found.order)


@cache
def _world():
    from missing_aa.checker.environment import of_this_python  # takes as long as all the rest
    from missing_aa.checker.world import World

    environment = of_this_python()
    return World(environment) if environment.find("torch") else None


@cache
def _class(name: str):
    from missing_aa.checker.world import AllClasses

    world = _world()
    return world and AllClasses(world).at(f"torch.nn.{name}")


def _is_named(node: ast.ClassDef, attribute: str) -> bool:
    """Whether the code of a class has a name: its documentation, which is no code, left out."""
    for part in _code(node):
        own = getattr(part, "attr", None) or getattr(part, "id", None) or getattr(part, "arg", None)
        if attribute in (own, getattr(part, "name", None)):
            return True
        text = part.value if isinstance(part, ast.Constant) else None
        if isinstance(text, str) and (
            text == attribute or _makes(re.split(r"\{[^{}]*\}", text), attribute)
        ):
            return True
        if isinstance(part, ast.JoinedStr):
            parts = [getattr(one, "value", "") for one in part.values]
            if _makes([one if isinstance(one, str) else "" for one in parts], attribute):
                return True
    return False


def _code(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for part in ast.iter_child_nodes(node):
        if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)):
            yield from _code(part)


def _makes(literal: list[str], attribute: str) -> bool:
    """Whether a text with gaps can become this name."""
    if len(literal) < 2 or len("".join(literal)) < LITERAL:
        return False
    return bool(re.fullmatch(".*".join(map(re.escape, literal)), attribute))
