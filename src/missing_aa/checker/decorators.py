"""Decorators that give back the very object that they are given, as their source tells."""

import ast
import sys
from collections.abc import Iterator

from missing_aa.checker.torch_rules import HARMLESS
from missing_aa.checker.world import World
from missing_aa.comparer.names import Definition, dotted

DEEPEST = 6
"""So many functions that hand the object on to each other are followed."""

TEXTS = {"__doc__"}
"""What may be set on the object: nothing of a model reads it."""

CHANGERS = ("setattr", "delattr", "vars", "type", "object.__setattr__", "type.__setattr__")


def is_harmless(world: World, module: str, decorator: ast.expr) -> bool:
    """Whether a decorator leaves what it is put on as it is, or only notes it down."""
    written = dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
    if written.rpartition(".")[2] in HARMLESS:
        return True
    found = _function(world, module, written)
    if found is None:
        return False
    home, node = found
    if not isinstance(decorator, ast.Call):
        return _gives_back(world, home, node, 0)
    return _makes_a_harmless_one(world, home, node, decorator)


def _makes_a_harmless_one(world: World, module: str, node: ast.FunctionDef, call: ast.Call) -> bool:
    """Whether a function that makes the decorator gives one of its own that is harmless."""
    inner = {part.name: part for part in node.body if isinstance(part, ast.FunctionDef)}
    first = node.args.args[0].arg if node.args.args else ""
    # With only named arguments, a first one that is None by default stays so.
    by_default = len(node.args.args) == len(node.args.defaults) and first
    given = {word.arg for word in call.keywords}
    absent = by_default and not call.args and not given & {first, None}
    if absent and _constant(node.args.defaults[0]) is not None:
        absent = False
    returns = list(_returns(node.body, first, False if absent else None))
    if not returns:
        return False
    return all(
        dotted(each) in inner and _gives_back(world, module, inner[dotted(each)], 0)
        for each in returns
    )


def _constant(node: ast.expr) -> object:
    """The value of a constant; what is none counts as itself."""
    return node.value if isinstance(node, ast.Constant) else node


def _function(world: World, module: str, written: str) -> tuple[str, ast.FunctionDef] | None:
    """The function that a name of a module leads to, where it is defined once."""
    place = world.find(module, written) if written else None
    if place and place.path == place.module:
        # No module can be called: its package has a function of the same name in its place.
        package, _, name = place.module.rpartition(".")
        place = world.find(package, name) if package else None
    if place is None or not isinstance(place.node, ast.FunctionDef) or place.node.decorator_list:
        return None
    found = world.modules.module(place.module)
    name = place.path.removeprefix(f"{place.module}.")
    return None if found is None or name in found.twice else (place.module, place.node)


def _gives_back(world: World, module: str, node: ast.FunctionDef, depth: int) -> bool:
    """Whether a function returns its first argument, and sets nothing on it but its text."""
    if not node.args.args or depth > DEEPEST:
        return False
    first = node.args.args[0].arg
    returns = list(_returns(node.body, first, True))
    inner = {part.name: part for part in node.body if isinstance(part, ast.FunctionDef)}
    return (
        bool(returns)
        and all(_is_given_back(world, module, each, first, inner, depth) for each in returns)
        and _leaves(world, module, node, first, depth)
    )


def _is_given_back(
    world: World,
    module: str,
    value: ast.expr,
    first: str,
    inner: dict[str, ast.FunctionDef],
    depth: int,
) -> bool:
    if dotted(value) == first:
        return True
    if not isinstance(value, ast.Call) or not value.args or dotted(value.args[0]) != first:
        return False
    called = dotted(value.func)
    if called in inner:
        return _gives_back(world, module, inner[called], depth + 1)
    found = _function(world, module, called)
    return found is not None and _gives_back(world, *found, depth + 1)


def _leaves(world: World, module: str, node: ast.FunctionDef, name: str, depth: int) -> bool:
    """Whether a function leaves what a parameter of it stands for: the name stays bound to it,
    and neither the function nor those of the source that it hands it to set anything on it."""
    if depth > DEEPEST:
        return False
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id == name and not isinstance(part.ctx, ast.Load):
            return False
        if isinstance(part, ast.Assign | ast.NamedExpr) and dotted(part.value) == name:
            return False
        if isinstance(part, ast.Attribute) and _is_set_on(part, name):
            return False
        if isinstance(part, ast.Call) and not _call_leaves(world, module, part, name, depth):
            return False
    return True


def _is_set_on(part: ast.Attribute, name: str) -> bool:
    read = isinstance(part.ctx, ast.Load) or part.attr in TEXTS
    return not read and dotted(part.value) == name


def _call_leaves(world: World, module: str, call: ast.Call, name: str, depth: int) -> bool:
    places = [at for at, each in enumerate(call.args) if dotted(each) == name]
    named = [word.arg for word in call.keywords if dotted(word.value) == name]
    called = dotted(call.func)
    if called in CHANGERS and (places or named or depth == 0):
        return False
    if not places and not named:
        return True
    if called.rpartition(".")[2] == "update_wrapper":
        return False
    place = world.find(module, called) if called else None
    if place and place.module.partition(".")[0] in sys.stdlib_module_names:
        return True
    found = _function(world, module, called)
    if found is None:  # what is no plain function of the source notes it down
        return None not in named and not (place and isinstance(place.node, ast.FunctionDef))
    home, node = found
    params = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
    if any(at >= len(params) for at in places):
        return False
    return all(
        each is not None and _leaves(world, home, node, each, depth + 1)
        for each in (*(params[at] for at in places), *named)
    )


def _returns(body: list[ast.stmt], name: str, given: bool | None) -> Iterator[ast.expr]:
    """What a function's own `return`s give; those that cannot be reached are left out.

    `given` says whether the name stands for an object (True), for None (False), or is open.
    """
    for node in body:
        if isinstance(node, ast.Return):
            yield node.value or ast.Constant(None)
            return
        if isinstance(node, Definition):
            continue
        if isinstance(node, ast.If) and (taken := _taken(node, name, given)) is not None:
            yield from _returns(taken, name, given)
            if taken and isinstance(taken[-1], ast.Return):
                return
            continue
        for _, value in ast.iter_fields(node):
            if not isinstance(value, list):
                continue
            yield from _returns([each for each in value if isinstance(each, ast.stmt)], name, given)
            for each in value:
                if isinstance(each, ast.ExceptHandler | ast.match_case):
                    yield from _returns(each.body, name, given)


def _taken(node: ast.If, name: str, given: bool | None) -> list[ast.stmt] | None:
    """The side of an `if` that asks whether an object was given; None if it asks otherwise."""
    if given is None:
        return None
    test, wanted = node.test, True
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test, wanted = test.operand, False
    if isinstance(test, ast.Compare) and _constant(test.comparators[0]) is None:
        if not isinstance(test.ops[0], ast.Is | ast.IsNot) or len(test.ops) > 1:
            return None
        wanted = wanted is isinstance(test.ops[0], ast.IsNot)
        test = test.left
    if dotted(test) != name:
        return None
    return node.body if given is wanted else node.orelse
