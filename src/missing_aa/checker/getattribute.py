"""Which name a class's own `__getattribute__` looks up, where its source tells that exactly.

The name that is read is known, so a method that only maps names to names can be followed: it tests
the name, takes another one from a dictionary of the class, and hands it to the plain look-up.
"""

import ast
import re

from missing_aa.checker.world import AllClasses, World
from missing_aa.comparer.classes import Class
from missing_aa.comparer.names import dotted

HOOK = "__getattribute__"

CHANGED = (
    rb"\.%(name)s\s*(?::[^=\n]+)?(?:\[[^\]\n]*\]\s*)?[|+]?=(?!=)"
    rb"|\bdel\b[^\n]*\.%(name)s\b"
    rb"|\.%(name)s\.(?!get\b|keys\b|values\b|items\b|copy\b)"
    rb"|[=(,]\s*(?:[\w.]|\(\))+\.%(name)s\s*(?:[,)\n#]|$)"
    rb"|%(name)s['\"]\s*,"
)
"""Text that may change a class's dictionary, or hand it to what may."""

Known = str | dict[str, str]


class OpenError(Exception):
    """Something decides that is not followed."""


def name_looked_up(
    world: World, classes: AllClasses, cls: Class, name: str, fields: dict[str, object]
) -> str | None:
    """The name that is really looked up when objects of a class are asked for `name`.

    None where a `__getattribute__` of the class cannot be followed exactly.
    """
    own = [each.own[HOOK] for each in cls.order if HOOK in each.own]
    if not own:
        return name
    if len(own) > 1:
        return None
    try:
        found = _Reading(world, classes, cls, fields, own[0]).run(name)
    except OpenError:
        return None
    if found == name:
        return name
    # A `__getattr__` is asked for the name that was read, and not for the one that it leads to.
    mixed = name in fields or any("__getattr__" in each.own for each in cls.order)
    return None if mixed else found


class _Reading:
    """One reading of an attribute, followed through the method."""

    def __init__(
        self,
        world: World,
        classes: AllClasses,
        cls: Class,
        fields: dict[str, object],
        method: object,
    ):
        self.world, self.classes, self.cls, self.fields = world, classes, cls, fields
        if not isinstance(method, ast.FunctionDef) or method.decorator_list:
            raise OpenError
        given = method.args
        if len(given.args) != 2 or given.posonlyargs or given.kwonlyargs or given.defaults:
            raise OpenError
        self.body = method.body
        self.owner, self.key = (each.arg for each in given.args)
        self.names: dict[str, Known] = {}

    def run(self, name: str) -> str:
        self.names[self.key] = name
        found = self.block(self.body)
        if found is None:
            raise OpenError
        return found

    def block(self, body: list[ast.stmt]) -> str | None:
        """The name that a `return` among these statements looks up; None if they go on."""
        for node in body:
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Call):
                return self.text(self._asked_plainly(node.value))
            if isinstance(node, ast.If):
                found = self.block(node.body if self.test(node.test) else node.orelse)
                if found is not None:
                    return found
            elif isinstance(node, ast.Assign) and len(node.targets) == 1:
                target = node.targets[0]
                if not isinstance(target, ast.Name) or target.id == self.owner:
                    raise OpenError
                self.names[target.id] = self.value(node.value)
            elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
                raise OpenError
        return None

    def _asked_plainly(self, node: ast.Call) -> ast.expr:
        """What `super().__getattribute__(…)` or `object.__getattribute__(self, …)` asks for."""
        called, args = node.func, node.args
        if isinstance(called, ast.Attribute) and called.attr == HOOK and not node.keywords:
            by_super = isinstance(called.value, ast.Call) and dotted(called.value.func) == "super"
            if by_super and len(args) == 1:
                return args[0]
            by_object = dotted(called.value) == "object" and len(args) == 2
            if by_object and dotted(args[0]) == self.owner:
                return args[1]
        raise OpenError

    def test(self, node: ast.expr) -> bool:
        if isinstance(node, ast.BoolOp):
            # Each value is asked for only where those before it leave the answer open.
            wanted = isinstance(node.op, ast.Or)
            return any(self.test(each) is wanted for each in node.values) is wanted
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return not self.test(node.operand)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self.compared(node.ops[0], self.text(node.left), node.comparators[0])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            text, args = self.text(node.func.value), [self.text(each) for each in node.args]
            if len(args) == 1 and not node.keywords:
                if node.func.attr == "startswith":
                    return text.startswith(args[0])
                if node.func.attr == "endswith":
                    return text.endswith(args[0])
        raise OpenError

    def compared(self, op: ast.cmpop, left: str, right: ast.expr) -> bool:
        if isinstance(op, ast.Eq | ast.NotEq):
            return (left == self.text(right)) is isinstance(op, ast.Eq)
        if isinstance(op, ast.In | ast.NotIn):
            held: Known | list[str]
            if isinstance(right, ast.Tuple | ast.List | ast.Set):
                held = [self.text(each) for each in right.elts]
            else:
                held = self.value(right)
            return (left in held) is isinstance(op, ast.In)
        raise OpenError

    def text(self, node: ast.expr) -> str:
        found = self.value(node)
        if not isinstance(found, str):
            raise OpenError
        return found

    def value(self, node: ast.expr) -> Known:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if isinstance(node, ast.Name) and node.id in self.names:
            return self.names[node.id]
        if isinstance(node, ast.Subscript):
            return self.item(self.value(node.value), self.text(node.slice))
        if isinstance(node, ast.Call):
            return self.dictionary(self.text(self._asked_plainly(node)))
        raise OpenError

    def item(self, held: Known, key: str) -> str:
        if not isinstance(held, dict) or key not in held:
            raise OpenError
        return held[key]

    def dictionary(self, name: str) -> dict[str, str]:
        """A dictionary that the class's body writes out, and that nothing seems to change."""
        found = self.classes.find(self.cls, name)
        if found is None or name in self.fields or not self._is_bound_once(found[0], name):
            raise OpenError
        try:
            held = ast.literal_eval(found[1])
        except (ValueError, TypeError, SyntaxError):
            raise OpenError from None
        known = isinstance(held, dict) and all(isinstance(each, str) for each in held.values())
        if not known or self._may_change(name):
            raise OpenError
        return held

    def _is_bound_once(self, home: Class, name: str) -> bool:
        above = self.cls.order[: self.cls.order.index(home) + 1]
        stores = [
            part
            for each in above
            for part in ast.walk(each.node)
            if (isinstance(part, ast.Name) and part.id == name)
            or (isinstance(part, ast.Call) and dotted(part.func) in ("locals", "vars", "exec"))
        ]
        return len(stores) == 1

    def _may_change(self, name: str) -> bool:
        shorts = {each.node.name for each in self.cls.order}
        home = self.cls.module.partition(".")[0]
        tops = {each.module.partition(".")[0] for each in self.cls.order}
        for top in tops - ({"torch"} - {home}):  # torch changes its own classes alone
            if _is_changed(self.world, top, name.encode()):
                return True
            if shorts & _set_on(self.world, top, name):
                return True
        return False


def _is_changed(world: World, top: str, name: bytes) -> bool:
    """Whether a text of a package may change what stands under this name."""
    if (top, name) not in world.changes:
        pattern = re.compile(CHANGED % {b"name": re.escape(name)}, re.M)
        found = any(name in text and pattern.search(text) for _, text in world.texts(top))
        world.changes[top, name] = found
    return world.changes[top, name]


def _set_on(world: World, top: str, name: str) -> frozenset[str]:
    """The classes on which a package may put something of this name."""
    return frozenset(on for _, on in world.patches(top, name))
