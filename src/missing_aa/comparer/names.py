"""What the names at the top of a module stand for, read from its syntax tree."""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from keyword import iskeyword


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
    assert isinstance(node, ast.ClassDef)
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


def dotted(node: ast.AST) -> str:
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


def uncalled(value: ast.AST) -> Iterator[str]:
    """The dotted names in an expression, but for those of what it calls."""
    if written := dotted(value):
        yield written
        return
    for part in ast.iter_child_nodes(value):
        if not (isinstance(value, ast.Call) and part is value.func):
            yield from uncalled(part)


Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

MOST_BYTES = 5_000_000
"""A longer module is left out: people do not write such."""


def parse(text: bytes) -> ast.Module:
    """A module's tree. Raises SyntaxError, ValueError, RecursionError, MemoryError."""
    if len(text) > MOST_BYTES:
        raise ValueError(f"it has {len(text):,} bytes")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about escapes in somebody else's strings
        return ast.parse(text)


@dataclass
class Names:
    """The names that a module binds, and what else may stand under it.

    `bound` holds for a name its definition, the dotted path it is an alias of, or the expression
    that it was assigned (None where there is none to show). `stars` are modules of which all public
    names come in; `public` is a literal `__all__`; `hook` the module's `__getattr__`. `installed`
    maps modules that are put into `sys.modules` to what they stand for ("" if that is unknown).
    `open`: names are made at run time.
    """

    bound: dict[str, Definition | ast.expr | str | None] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    public: set[str] | None = None
    hook: ast.FunctionDef | None = None
    installed: dict[str, str] = field(default_factory=dict)
    open: bool = False


def read_names(tree: ast.Module, module: str, package: bool) -> Names:
    """The names of one module; `package`: it is an `__init__`."""
    names = Names()
    for node in _statements(tree.body):
        if isinstance(node, Definition):
            names.bound[node.name] = node
        elif isinstance(node, ast.Import):
            for alias in node.names:
                head = alias.name.partition(".")[0]
                names.bound[alias.asname or head] = alias.name if alias.asname else head
        elif isinstance(node, ast.ImportFrom):
            _read_import(names, node, origin(node, module, package))
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            _read_assignment(names, node, module)
        elif isinstance(node, ast.Expr):
            names.open |= _calls_globals(node)
    hook = names.bound.get("__getattr__")
    names.hook = hook if isinstance(hook, ast.FunctionDef) else None
    names.open |= hook is not None and names.hook is None
    return names


def origin(node: ast.ImportFrom, module: str, package: bool) -> str:
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
