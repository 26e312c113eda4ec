"""What the names at the top of a module stand for, read from its syntax tree."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from missing_aa.comparer.texts import dotted
from missing_aa.comparer.tuples import named_tuple

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Names:
    """The names that a module binds, and what else may stand under it.

    `bound` holds for a name its definition, the dotted path it is an alias of, or the expression
    that it was assigned (None where there is none to show). `stars` are modules of which all public
    names come in; `public` is a literal `__all__`; `hook` the module's `__getattr__`. `installed`
    maps modules that are put into `sys.modules` to what they stand for ("" if that is not told).
    `open`: names are made at run time.
    """

    bound: dict[str, Definition | ast.expr | str | None] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    public: set[str] | None = None
    hook: ast.FunctionDef | None = None
    installed: dict[str, str] = field(default_factory=dict)
    open: bool = False


def read_names(tree: ast.Module, module: str, package: bool) -> Names:
    """The names of one module; `package` tells that it is an `__init__`."""
    names = Names()
    for node in _statements(tree.body):
        if isinstance(node, Definition):
            names.bound[node.name] = node
        elif isinstance(node, ast.Import):
            for alias in node.names:
                head = alias.name.partition(".")[0]
                names.bound[alias.asname or head] = alias.name if alias.asname else head
        elif isinstance(node, ast.ImportFrom):
            _read_import(names, node, _origin(node, module, package))
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            _read_assignment(names, node, module)
        elif isinstance(node, ast.Expr):
            names.open |= _calls_globals(node)
    hook = names.bound.get("__getattr__")
    names.hook = hook if isinstance(hook, ast.FunctionDef) else None
    names.open |= hook is not None and names.hook is None
    return names


def _origin(node: ast.ImportFrom, module: str, package: bool) -> str:
    """The absolute name of the module that is imported from."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    above = parts[: len(parts) - node.level + package]
    return ".".join([*above, *([node.module] if node.module else [])])


def _read_import(names: Names, node: ast.ImportFrom, origin: str) -> None:
    for alias in node.names:
        if alias.name == "*":
            names.stars.append(origin)
        else:
            names.bound[alias.asname or alias.name] = f"{origin}.{alias.name}"


def _read_assignment(names: Names, node, module: str) -> None:
    value = node.value
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if isinstance(target, ast.Subscript):
            names.open |= _calls_globals(target)
            if dotted(target.value) == "sys.modules":
                names.installed |= _installed(target.slice, value, module)
        for part in ast.walk(target):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store) and value:
                if part.id == "__all__":
                    names.public = _texts(value, names.public, isinstance(node, ast.AugAssign))
                path = dotted(value)
                if made := named_tuple(part.id, value):
                    names.bound[part.id] = made
                elif path and path.partition(".")[0] != part.id:
                    names.bound[part.id] = f"{module}.{path}"
                elif not isinstance(names.bound.get(part.id), Definition):
                    names.bound[part.id] = value


def _installed(key: ast.expr, value: ast.expr, module: str) -> dict[str, str]:
    """`sys.modules["a.b"] = c`, and the same for `__name__` and for names made at run time."""
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        return {key.value: f"{module}.{path}" if (path := dotted(value)) else ""}
    return {module if ast.unparse(key) == "__name__" else f"{module}.*": ""}


def _texts(value: ast.expr, before: set[str] | None, added: bool) -> set[str] | None:
    """The strings of a literal `__all__`; None if some of it is not literal."""
    try:
        texts = set(ast.literal_eval(value))
    except (ValueError, TypeError):
        return None
    return texts if not added else None if before is None else before | texts


def _calls_globals(node: ast.AST) -> bool:
    return any(
        isinstance(part, ast.Call) and dotted(part.func) == "globals" for part in ast.walk(node)
    )


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module's top; of `try` and `if`, what is taken when all is well last.

    What runs only for a type checker or as a script leaves no names.
    """
    for node in body:
        if isinstance(node, ast.Try):
            for handler in node.handlers:
                yield from _statements(handler.body)
            yield from _statements(node.body + node.orelse + node.finalbody)
        elif isinstance(node, ast.If):
            test = ast.unparse(node.test)
            never = test.endswith("TYPE_CHECKING") or test.startswith("__name__ ==")
            yield from _statements(node.orelse + ([] if never else node.body))
        elif isinstance(node, ast.With):
            yield from _statements(node.body)
        elif isinstance(node, ast.For | ast.While):
            yield from _statements(node.body + node.orelse)
        else:
            yield node
