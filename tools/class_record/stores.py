"""What a class's own source stores on its instances: some of the time, and always."""

import ast

REGISTERING = {"register_buffer", "register_parameter", "register_module", "add_module"}
MADE, MADE_REGISTERED = "", " "
"""Stand for names that are made at run time; the second, of modules, parameters and buffers."""


def may_store(node: ast.ClassDef) -> set[str]:
    """Names that any method stores on `self`; MADE and MADE_REGISTERED among them."""
    names = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
            if _is_self(part.value):
                names.add(part.attr)
        elif isinstance(part, ast.Call):
            names |= _stored_by_call(part)
    return names


def always_stores(body: list[ast.stmt], above: set[str]) -> set[str] | None:
    """Names stored on `self` whichever way a body is run through; None if an error always ends it.

    `above` is what the base class's `__init__` always stores.
    """
    stored: set[str] = set()
    for node in body:
        if isinstance(node, ast.Raise):
            return None
        if isinstance(node, ast.If):
            ways = [always_stores(node.body, above), always_stores(node.orelse, above)]
            ways = [way for way in ways if way is not None]
            if not ways:
                return None
            stored |= set.intersection(*ways)
        elif isinstance(node, ast.With):
            stored |= always_stores(node.body, above) or set()
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            stored |= _stored_by_assignment(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            stored |= _stored_by_call(node.value) - {MADE, MADE_REGISTERED}
            if _calls_super_init(node.value):
                stored |= above
        if any(isinstance(part, ast.Return) for part in ast.walk(node)):
            break  # what follows may never be reached
    return stored


def removed(tree: ast.AST) -> set[str]:
    """Attribute names that are deleted anywhere; MADE among them."""
    names = set()
    for part in ast.walk(tree):
        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Del):
            names.add(part.attr)
        elif isinstance(part, ast.Call) and _deletes(part):
            names.add(_constant(part.args[-1]))
    return names


def given_from_outside(tree: ast.AST) -> set[str]:
    """Attribute names that are stored on anything but `self`."""
    names = set()
    for part in ast.walk(tree):
        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
            if not _is_self(part.value):
                names.add(part.attr)
        elif isinstance(part, ast.Call) and getattr(part.func, "id", "") == "setattr":
            names |= set() if _is_self(part.args[0]) else {_constant(part.args[1])}
    return names - {MADE}


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _deletes(call: ast.Call) -> bool:
    """Whether it is `delattr(…, "x")` or `….__delattr__("x")`."""
    called = getattr(call.func, "id", "") or getattr(call.func, "attr", "")
    return called in ("delattr", "__delattr__") and bool(call.args)


def _constant(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else MADE


def _stored_by_call(call: ast.Call) -> set[str]:
    """The name that `self.register_buffer("x", …)`, `setattr(self, "x", …)` and the like store."""
    func, args = call.func, call.args
    if isinstance(func, ast.Attribute) and _is_self(func.value) and func.attr in REGISTERING:
        keywords = [word.value for word in call.keywords if word.arg == "name"]
        return {_constant([*args, *keywords][0]) or MADE_REGISTERED}
    if isinstance(func, ast.Name) and args and _is_self(args[0]):
        if func.id == "setattr":
            registers = ast.unparse(args[2]).startswith("nn.")
            return {_constant(args[1]) or (MADE_REGISTERED if registers else MADE)}
        return {MADE} if func.id == "vars" else set()
    through = func.value if isinstance(func, ast.Attribute) else None
    at_dict = isinstance(through, ast.Attribute) and through.attr == "__dict__"
    return {MADE} if at_dict and _is_self(through.value) else set()


def _stored_by_assignment(node: ast.Assign | ast.AnnAssign) -> set[str]:
    if node.value is None:
        return set()
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    parts = [part for target in targets for part in ast.walk(target)]
    return {
        part.attr
        for part in parts
        if isinstance(part, ast.Attribute)
        and isinstance(part.ctx, ast.Store)
        and _is_self(part.value)
    }


def _calls_super_init(call: ast.Call) -> bool:
    called = ast.unparse(call.func)
    return called.startswith("super(") and called.endswith(").__init__")
