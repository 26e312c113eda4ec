"""What an operator gives in an abstract run: arithmetic, comparisons, membership."""

import ast
import operator
from collections.abc import Callable

from missing_aa.checker.findings import VALUE, Finding
from missing_aa.checker.state import State
from missing_aa.checker.values import (
    TENSOR,
    UNKNOWN,
    Builtin,
    ClassRef,
    External,
    Items,
    Mapping,
    Obj,
    Tensor,
    Vars,
    is_plain,
    type_name,
)

BINARY: dict[type, Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
COMPARE: dict[type, Callable] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
UNARY: dict[type, Callable] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}
_SIGNS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "** or pow()",
    ast.MatMult: "@",
}
_ORDERS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
LARGE = 10_000
"""No number, text or tuple longer than this is worked out."""


class Operators(State):
    """Operators, between values that were evaluated."""

    def items_of(self, value: object) -> tuple[list, bool]:
        """What iterating over a value gives, and whether that is all."""
        if isinstance(value, tuple):
            return list(value), True
        if isinstance(value, Items):
            return list(value.items), value.exact
        if isinstance(value, Mapping):
            return list(value.items), value.exact
        if isinstance(value, str) and len(value) <= LARGE:
            return list(value), True
        if isinstance(value, Obj):
            return self.items_of_object(value)
        return [], False

    def binary(self, node: ast.BinOp | ast.AugAssign, left: object, right: object) -> object:
        """What an operator gives."""
        if isinstance(left, Tensor) or isinstance(right, Tensor):
            other = right if isinstance(left, Tensor) else left
            if other is None:
                self._wrong(node, left, right)
            return TENSOR
        if isinstance(node.op, ast.Add) and isinstance(left, Items) and isinstance(right, Items):
            return Items(left.items + right.items, left.exact and right.exact)
        if isinstance(node.op, ast.Add) and isinstance(left, tuple) and isinstance(right, tuple):
            return left + right
        if isinstance(node.op, ast.Mult) and isinstance(left, Items) and type(right) is int:
            return Items(left.items * min(right, LARGE), left.exact and right <= LARGE)
        return self.compute(node, BINARY.get(type(node.op)), [left, right])

    def compute(self, node: ast.AST, function: Callable | None, values: list) -> object:
        """What a function of the operator module gives for plain values."""
        if function is None or not all(map(is_plain, values)) or _is_large(node, values):
            if None in [value for value in values if is_plain(value)] and len(values) == 2:
                return self._with_none(node, values)
            return UNKNOWN
        try:
            return function(*values)
        except TypeError as error:
            self.report(Finding(VALUE, "TypeError", str(error)), node)
        except (ArithmeticError, ValueError, IndexError):
            pass
        return UNKNOWN

    def _with_none(self, node: ast.AST, values: list) -> object:
        """An operator that has None on one side: an error with a list or a dictionary."""
        holds = any(isinstance(value, Items | Mapping | tuple) for value in values)
        if holds and isinstance(node, ast.BinOp | ast.AugAssign):
            self._wrong(node, *values)
        return UNKNOWN

    def _wrong(self, node: ast.BinOp | ast.AugAssign, left: object, right: object) -> None:
        sign = _SIGNS.get(type(node.op), "?") + ("=" if isinstance(node, ast.AugAssign) else "")
        names = type_name(left), type_name(right)
        if all(names):
            text = f"unsupported operand type(s) for {sign}: {names[0]!r} and {names[1]!r}"
            self.report(Finding(VALUE, "TypeError", text), node)

    def compare(self, node: ast.AST, op: ast.cmpop, left: object, right: object) -> object:
        """`left op right`, for one of the operators that compare."""
        if isinstance(op, ast.Is | ast.IsNot):
            same = _is_same(left, right)
            return UNKNOWN if same is None else same is isinstance(op, ast.Is)
        if isinstance(op, ast.In | ast.NotIn):
            inside = self._contains(right, left)
            return UNKNOWN if inside is None else inside is isinstance(op, ast.In)
        if is_plain(left) and is_plain(right):
            return self.compute(node, COMPARE[type(op)], [left, right])
        if isinstance(op, ast.Eq | ast.NotEq):
            different = _is_same(left, right) is False and None in (
                value for value in (left, right) if is_plain(value)
            )
            return UNKNOWN if not different else isinstance(op, ast.NotEq)
        names = type_name(left), type_name(right)
        kinds = {"NoneType", "list", "tuple", "dict", "str"}
        objects = any(isinstance(value, Obj | Tensor) for value in (left, right))
        if all(names) and names[0] != names[1] and set(names) & kinds and not objects:
            text = f"{_ORDERS[type(op)]!r} not supported between instances of "
            text += f"{names[0]!r} and {names[1]!r}"
            self.report(Finding(VALUE, "TypeError", text), node)
        return UNKNOWN

    def _contains(self, holder: object, item: object) -> bool | None:
        if isinstance(holder, Vars):
            return item in holder.of.fields or (None if holder.of.doubts else False)
        if isinstance(holder, Mapping) and is_plain(item):
            return True if item in holder.items else False if holder.exact else None
        if isinstance(holder, str) and isinstance(item, str):
            return item in holder
        if isinstance(holder, Obj) and (found := self.object_contains(holder, item)) is not None:
            return found
        if isinstance(holder, Items | tuple):
            items, exact = self.items_of(holder)
            same = [_is_equal(item, each) for each in items]
            return True if True in same else False if exact and None not in same else None
        return None


def _is_large(node: ast.AST, values: list) -> bool:
    op = getattr(node, "op", None)
    if not isinstance(op, ast.Mult | ast.Pow | ast.LShift | ast.Mod | ast.Add):
        return False
    return any(
        (isinstance(value, int) and abs(value) > LARGE and not isinstance(op, ast.Add))
        or (isinstance(value, str | bytes | tuple) and len(value) > LARGE)
        for value in values
    )


def _is_same(one: object, other: object) -> bool | None:
    """`one is other`; None if it is open."""
    if one is UNKNOWN or other is UNKNOWN or External in (type(one), type(other)):
        return None
    if one is None or other is None:
        return one is other
    if isinstance(one, bool) and isinstance(other, bool):
        return one is other
    if isinstance(one, ClassRef) and isinstance(other, ClassRef):
        return one.cls is other.cls
    if isinstance(one, Obj) and isinstance(other, Obj) and one.of_file and other.of_file:
        return one is other
    if isinstance(one, Builtin) and isinstance(other, Builtin):
        return one == other
    return None


def _is_equal(one: object, other: object) -> bool | None:
    if is_plain(one) and is_plain(other):
        return one == other
    return True if one is other and one is not UNKNOWN else None
