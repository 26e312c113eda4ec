"""What an expression gives in an abstract run."""

import ast
from collections.abc import Callable, Sequence
from functools import partial

from missing_aa.checker.findings import VALUE, Finding
from missing_aa.checker.operators import LARGE, UNARY, Operators
from missing_aa.checker.state import Frame
from missing_aa.checker.values import (
    TENSOR,
    UNKNOWN,
    Builtin,
    ClassRef,
    Function,
    Items,
    Mapping,
    Method,
    ModuleRef,
    Native,
    Obj,
    Partial,
    Scope,
    Tensor,
    Vars,
    is_plain,
    join,
    type_name,
)
from missing_aa.comparer.names import dotted

MAY_RAISE = ast.Call | ast.Attribute | ast.Subscript | ast.BinOp | ast.Compare
"""Expressions that may raise an error where their value is not known."""

CALLABLE = (Function, Method, Native, Partial, ClassRef, ModuleRef, Builtin)
OPEN_INPUT = "it depends on a value that is not known"


class Expressions(Operators):
    """Evaluates expressions; what calls and attributes give comes from the other parts."""

    def evaluate(self, node: ast.expr | None, frame: Frame) -> object:
        self.step()
        handler = self._handlers.get(type(node))
        if handler is None:
            for part in ast.iter_child_nodes(node) if node is not None else ():
                if isinstance(part, ast.expr):
                    self.evaluate(part, frame)
            return UNKNOWN
        return self._noted(node, handler(self, node, frame))

    def _noted(self, node: ast.expr | None, value: object) -> object:
        """The value; where it is open it is noted that an error may have come instead."""
        if (value is UNKNOWN or isinstance(value, Tensor)) and isinstance(node, MAY_RAISE):
            self.open_steps += 1
        return value

    def truth(self, value: object) -> bool | None:
        """Whether a value counts as true; None if that is open."""
        if is_plain(value):
            return bool(value)
        if isinstance(value, tuple):
            return bool(value)
        if isinstance(value, Items | Mapping):
            return True if value.items else False if value.exact else None
        if isinstance(value, Native) and isinstance(value.of, Tensor):
            return None  # it may as well be a value that is not listed
        if isinstance(value, CALLABLE):
            return True
        if isinstance(value, Obj):
            return self.truth_of_object(value)
        return None

    def either(self, ways: Sequence[Callable[[], object]], why: str = OPEN_INPUT) -> object:
        """The value of one of these, of which nobody knows which."""
        given: list = []

        def run(way: Callable[[], object]) -> None:
            given.append(way())

        self.fork([partial(run, way) for way in ways], why)
        result = given[0] if given else UNKNOWN
        for each in given[1:]:
            result = join(result, each)
        return result

    def _constant(self, node: ast.Constant, frame: Frame) -> object:
        return node.value

    def _name(self, node: ast.Name, frame: Frame) -> object:
        for scope in (frame.scope, *frame.function.around):
            if node.id in scope:
                return scope[node.id]
        return self.global_value(frame.module, node.id)

    def _attribute(self, node: ast.Attribute, frame: Frame) -> object:
        value = self.evaluate(node.value, frame)
        return self.attribute(value, node.attr, node)

    def _call(self, node: ast.Call, frame: Frame) -> object:
        if isinstance(node.func, ast.Name) and node.func.id == "super":
            return self.super_of(node, frame)
        function, args, kwargs, exact = self._called(node, frame)
        return self.call(function, args, kwargs, node, exact)

    def iterated(self, node: ast.expr, frame: Frame) -> tuple[object, Callable | None]:
        """What a loop goes over: its value, or what runs a generator that is made there."""
        if not isinstance(node, ast.Call) or dotted(node.func) == "super":
            return self.evaluate(node, frame), None
        self.step()
        function, args, kwargs, exact = self._called(node, frame)
        if made := self.generator(function, args, kwargs, node, exact):
            return UNKNOWN, made
        return self._noted(node, self.call(function, args, kwargs, node, exact)), None

    def _called(self, node: ast.Call, frame: Frame) -> tuple[object, list, dict, bool]:
        """What is called, with what; and whether that is all."""
        function = self.evaluate(node.func, frame)
        args, exact = self._elements(node.args, frame)
        kwargs: dict[str, object] = {}
        for word in node.keywords:
            value = self.evaluate(word.value, frame)
            if word.arg:
                kwargs[word.arg] = value
            elif isinstance(value, Mapping) and all(isinstance(key, str) for key in value.items):
                kwargs |= value.items
                exact &= value.exact
            else:
                exact = False
        return function, args, kwargs, exact

    def _yield(self, node: ast.Yield, frame: Frame) -> object:
        value = self.evaluate(node.value, frame) if node.value else None
        if frame.take:
            frame.take(value)
        return UNKNOWN

    def _elements(self, nodes: list[ast.expr], frame: Frame) -> tuple[list, bool]:
        """The values of a list of expressions; with a star before it one gives several."""
        values, exact = [], True
        for node in nodes:
            if isinstance(node, ast.Starred):
                items, all_ = self.items_of(self.evaluate(node.value, frame))
                values += items
                exact &= all_
            else:
                values.append(self.evaluate(node, frame))
        return values, exact

    def _tuple(self, node: ast.Tuple, frame: Frame) -> object:
        values, exact = self._elements(node.elts, frame)
        return tuple(values) if exact else UNKNOWN

    def _list(self, node: ast.List | ast.Set, frame: Frame) -> Items:
        values, exact = self._elements(node.elts, frame)
        return Items(values, exact, list if isinstance(node, ast.List) else set)

    def _dict(self, node: ast.Dict, frame: Frame) -> Mapping:
        made = Mapping()
        for key, value in zip(node.keys, node.values, strict=True):
            item = self.evaluate(value, frame)
            if key is None:
                if isinstance(item, Mapping):
                    made.items |= item.items
                    made.exact &= item.exact
                else:
                    made.exact = False
            elif is_plain(name := self.evaluate(key, frame)):
                made.items[name] = item
            else:
                made.exact = False
        return made

    def _bool(self, node: ast.BoolOp, frame: Frame) -> object:
        stops = isinstance(node.op, ast.Or)
        return self._rest(node.values, stops, frame)

    def _rest(self, nodes: list[ast.expr], stops: bool, frame: Frame) -> object:
        value = self.evaluate(nodes[0], frame)
        if len(nodes) == 1 or (known := self.truth(value)) is stops:
            return value
        if known is None:
            ways = [lambda: value, lambda: self._rest(nodes[1:], stops, frame)]
            return self.either(ways)
        return self._rest(nodes[1:], stops, frame)

    def _unary(self, node: ast.UnaryOp, frame: Frame) -> object:
        value = self.evaluate(node.operand, frame)
        if isinstance(node.op, ast.Not):
            known = self.truth(value)
            return UNKNOWN if known is None else not known
        if isinstance(value, Tensor):
            return TENSOR
        return self.compute(node, UNARY[type(node.op)], [value])

    def _binary(self, node: ast.BinOp, frame: Frame) -> object:
        left, right = self.evaluate(node.left, frame), self.evaluate(node.right, frame)
        return self.binary(node, left, right)

    def _compare(self, node: ast.Compare, frame: Frame) -> object:
        left = self.evaluate(node.left, frame)
        result: object = True
        for at, (op, part) in enumerate(zip(node.ops, node.comparators, strict=True)):
            right = self.evaluate(part, frame)
            result = self.compare(node, op, left, right)
            if len(node.ops) > 1:
                known = self.truth(result)
                if known is None:
                    for rest in node.comparators[at + 1 :]:
                        self.evaluate(rest, frame)
                    return UNKNOWN
                if not known:
                    return False
            left = right
        return result

    def _subscript(self, node: ast.Subscript, frame: Frame) -> object:
        value = self.evaluate(node.value, frame)
        key = self.evaluate(node.slice, frame)
        return self.item(value, key, node)

    def item(self, value: object, key: object, node: ast.AST | None) -> object:
        """What `value[key]` gives."""
        if isinstance(value, Tensor):
            return TENSOR
        if value is None or type(value) in (bool, int, float, complex):
            text = f"{type(value).__name__!r} object is not subscriptable"
            self.report(Finding(VALUE, "TypeError", text), node)
            return UNKNOWN
        if isinstance(value, Obj):
            return self.item_of_object(value, key, node)
        if isinstance(value, Vars):
            return value.of.fields.get(key, UNKNOWN) if isinstance(key, str) else UNKNOWN
        if isinstance(value, Mapping):
            if is_plain(key) and key in value.items:
                return value.items[key]
            if is_plain(key) and value.exact:
                self.report(Finding(VALUE, "KeyError", repr(key)[:100]), node)
            return UNKNOWN
        items = value.items if isinstance(value, Items) else value
        if isinstance(value, Items) and (not value.exact or value.kind is not list):
            return UNKNOWN
        if isinstance(items, list | tuple | str | bytes):
            return self._sequence_item(items, key, type_name(value), node)
        return UNKNOWN

    def _sequence_item(self, items, key: object, kind: str | None, node: ast.AST | None) -> object:
        try:
            if isinstance(key, slice):
                cut = items[key]
                return Items(cut) if isinstance(cut, list) else cut
            if type(key) in (int, bool):
                return items[key]
        except IndexError:
            what = "string" if kind == "str" else kind
            self.report(Finding(VALUE, "IndexError", f"{what} index out of range"), node)
        except (TypeError, ValueError):
            pass
        return UNKNOWN

    def _slice(self, node: ast.Slice, frame: Frame) -> object:
        parts = [
            self.evaluate(part, frame) if part is not None else None
            for part in (node.lower, node.upper, node.step)
        ]
        if all(part is None or type(part) is int for part in parts):
            return slice(*parts)
        return UNKNOWN

    def _if(self, node: ast.IfExp, frame: Frame) -> object:
        known = self.truth(self.evaluate(node.test, frame))
        if known is None:
            return self.either(
                [partial(self.evaluate, part, frame) for part in (node.body, node.orelse)]
            )
        return self.evaluate(node.body if known else node.orelse, frame)

    def _lambda(self, node: ast.Lambda, frame: Frame) -> Function:
        around = (frame.scope, *frame.function.around)
        return Function(node, frame.module, frame.function.cls, around)

    def _comprehension(self, node, frame: Frame) -> object:
        made: list = []
        around = (frame.scope, *frame.function.around)
        function = Function(frame.function.node, frame.module, frame.function.cls, around)
        inner = Frame(function, Scope(), frame.first)

        def add() -> None:
            if isinstance(node, ast.DictComp):
                made.append((self.evaluate(node.key, inner), self.evaluate(node.value, inner)))
            else:
                made.append(self.evaluate(node.elt, inner))

        exact = self._generate(node.generators, inner, add)
        if isinstance(node, ast.DictComp):
            known = {key: value for key, value in made if is_plain(key)}
            return Mapping(known, exact and len(known) == len(made))
        return Items(made, exact, set if isinstance(node, ast.SetComp) else list)

    def _generate(self, generators: list[ast.comprehension], inner: Frame, add) -> bool:
        """Run `add` for every item; whether these are all."""
        if not generators:
            add()
            return True
        first, rest = generators[0], generators[1:]
        items, exact = self.items_of(self.evaluate(first.iter, inner))
        if not exact:
            items = items or [UNKNOWN]

        def run() -> None:
            nonlocal exact
            for item in items:
                self.assign(first.target, item, inner)
                known = [self.truth(self.evaluate(test, inner)) for test in first.ifs]
                if False in known:
                    continue
                if None in known:
                    exact = False
                    self.either([lambda: self._generate(rest, inner, add), lambda: None])
                else:
                    exact &= self._generate(rest, inner, add)

        if exact:
            run()
        else:
            self.either([run, lambda: None])
        return exact

    def _joined(self, node: ast.JoinedStr, frame: Frame) -> object:
        text, exact = "", True
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                value = self.evaluate(part.value, frame)
                exact &= isinstance(value, str | int)
                exact &= part.format_spec is None and part.conversion == -1
            else:
                value = self.evaluate(part, frame)
            text += str(value) if exact else ""
        return text[:LARGE] if exact else UNKNOWN

    def _named(self, node: ast.NamedExpr, frame: Frame) -> object:
        value = self.evaluate(node.value, frame)
        self.assign(node.target, value, frame)
        return value

    _handlers: dict[type, Callable] = {
        ast.Constant: _constant,
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.Call: _call,
        ast.Tuple: _tuple,
        ast.List: _list,
        ast.Set: _list,
        ast.Dict: _dict,
        ast.BoolOp: _bool,
        ast.UnaryOp: _unary,
        ast.BinOp: _binary,
        ast.Compare: _compare,
        ast.Subscript: _subscript,
        ast.Slice: _slice,
        ast.IfExp: _if,
        ast.Lambda: _lambda,
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.DictComp: _comprehension,
        ast.JoinedStr: _joined,
        ast.NamedExpr: _named,
        ast.Yield: _yield,
    }
