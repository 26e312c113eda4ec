"""Class attributes that hide a submodule: worse than the error that they are to mend.

A torch module keeps its submodules outside its `__dict__`, and finds them only when the class and
the object have nothing by that name. A default on the class is found first.
"""

import ast
from collections.abc import Iterator

from missing_aa.comparer.classes import Class, Classes
from missing_aa.comparer.names import Definition, dotted


def traps(classes: Classes, of: Class) -> Iterator[tuple[str, Class]]:
    """Each attribute that is hidden so, and the class whose body hides it."""
    for name, home in _plain(of).items() if of.is_module else ():
        called = _called(of, name)
        if any(
            _makes_module(classes, each, value) or (called and _from_outside(value, function))
            for each in of.order
            for value, function in _stored(each, name)
        ):
            yield name, home


def _plain(of: Class) -> dict[str, Class]:
    """Class attributes with a value, and the class that has them."""
    found: dict[str, Class] = {}
    for each in of.order:
        for name, node in each.own.items():
            if not isinstance(node, Definition):
                found.setdefault(name, each)
    return found


def _stored(of: Class, name: str) -> Iterator[tuple[ast.expr, ast.FunctionDef]]:
    """The values that a class's own methods store under a name on `self`."""
    for function in of.own.values():
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Assign):
                    for target in node.targets:
                        if dotted(target) == f"self.{name}":
                            yield node.value, function


def _makes_module(classes: Classes, of: Class, value: ast.expr) -> bool:
    """Whether a value is, or may be, a new torch module."""
    for part in ast.walk(value):
        if isinstance(part, ast.Call) and (written := dotted(part.func)):
            if (made := classes.get(of.module, written)) and made.is_module:
                return True
            place = classes.package.find(of.module, written)
            if place and place.path.startswith("torch.nn.") and written[:1] != "F":
                return True
    return False


def _called(of: Class, name: str) -> bool:
    """Whether a method calls `self.name(…)`, as one does with a layer."""
    return any(
        isinstance(part, ast.Call) and dotted(part.func) == f"self.{name}"
        for each in of.order
        for part in ast.walk(each.node)
    )


def _from_outside(value: ast.expr, function: ast.FunctionDef) -> bool:
    """Whether a value is an argument of the function, or what a call gives."""
    arguments = {each.arg for each in (*function.args.args, *function.args.kwonlyargs)}
    return any(
        isinstance(part, ast.Call) or (isinstance(part, ast.Name) and part.id in arguments)
        for part in ast.walk(value)
    )
