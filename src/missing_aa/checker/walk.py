"""The abstract run of a model: its load, its `eval()` and its forward pass, statement by statement.

Nothing is executed: the syntax trees are followed with the file's own objects and their values,
and tensors of which nothing is known.
"""

import ast
from collections.abc import Callable
from functools import partial

from missing_aa.checker.findings import RAISED, Finding
from missing_aa.checker.loops import Loops
from missing_aa.checker.state import Frame, Raises, Try
from missing_aa.checker.values import (
    UNKNOWN,
    Function,
    Items,
    Mapping,
    Native,
    Obj,
    Tensor,
    Vars,
    is_plain,
)
from missing_aa.comparer.classes import Class
from missing_aa.comparer.names import dotted, origin

OPEN_TEST = "it stands behind a question that the file does not answer"
BASES = {
    "KeyError": "LookupError",
    "IndexError": "LookupError",
    "ModuleNotFoundError": "ImportError",
    "NotImplementedError": "RuntimeError",
    "ZeroDivisionError": "ArithmeticError",
    "RecursionError": "RuntimeError",
    "UnicodeDecodeError": "ValueError",
}
"""Errors that a handler of another name catches too."""


class Walk(Loops):
    """One run: what it walked, and all that it found.

    `places` gives the ways to an object of the file, `walked` holds the ids of modules that ran.
    """

    def places_of(self, obj: Obj) -> list[str]:
        return list(self.places.get(id(obj), ()))

    def doubts_about(self, obj: Obj, name: str) -> list[str]:
        doubts = super().doubts_about(obj, name)
        for cls, names in self.changed_classes.items():
            if name in names and obj.cls and cls in obj.cls.order:
                doubts.append(f"code sets it on {cls.node.name} on the way")
        return doubts

    def report(self, finding: Finding, node: ast.AST | None = None) -> None:
        """Note a finding down; where a method that runs may have been replaced, as possible."""
        for frame in self.frames:
            cls = frame.function.cls
            if cls is not None and not cls.path.startswith("torch.") and not self.doubt:
                finding.doubts += self._replaced(cls, frame.function.name)
        super().report(finding, node)

    def _replaced(self, cls: Class, name: str) -> list[str]:
        """Why a method may not be the one that stands in its class."""
        key = (cls, name)
        if key not in self.class_doubts:
            top = cls.module.partition(".")[0]
            homes = self.world.patches(top, name)
            self.class_doubts[key] = [
                f"{module} puts another {name} on {short}"
                for module, short in homes
                if short == cls.node.name
            ]
        return self.class_doubts[key]

    def attempt(self, way: Callable[[], object]) -> object:
        """Run something from the top; an error that the code itself raises is a finding."""
        place = self._place()
        try:
            return way()
        except Raises as error:
            self._go_back(place)
            finding = error.finding or Finding(RAISED, error.error, error.message)
            finding.when = self.when
            self._keep(finding)
            return UNKNOWN
        finally:
            self._go_back(place)

    def block(self, body: list[ast.stmt], frame: Frame) -> str | None:
        """Run statements; how that ended: None, "return", "break" or "continue"."""
        for at, node in enumerate(body):
            self.step()
            if isinstance(node, ast.If) and _leaves(node.body) and at + 1 < len(body):
                return self._leave_or_go_on(node, body[at + 1 :], frame)
            handler = self._statements.get(type(node))
            if handler is None:
                self._other(node, frame)
            elif end := handler(self, node, frame):
                return end
        return None

    def _other(self, node: ast.stmt, frame: Frame) -> None:
        """A statement that is not followed: what it holds may run."""
        if isinstance(node, ast.Pass | ast.Global | ast.Nonlocal | ast.ClassDef):
            if isinstance(node, ast.ClassDef):
                frame.scope[node.name] = UNKNOWN
            return
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                frame.scope[part.id] = UNKNOWN
            elif isinstance(part, ast.match_case):
                self.fork([partial(self.block, part.body, frame), lambda: None], OPEN_TEST)

    def _expression(self, node: ast.Expr, frame: Frame) -> None:
        if not isinstance(node.value, ast.Constant):
            self.evaluate(node.value, frame)

    def _assign(self, node: ast.Assign, frame: Frame) -> None:
        value = self.evaluate(node.value, frame)
        for target in node.targets:
            self.assign(target, value, frame)

    def _annotated(self, node: ast.AnnAssign, frame: Frame) -> None:
        if node.value is not None:
            self.assign(node.target, self.evaluate(node.value, frame), frame)

    def _augmented(self, node: ast.AugAssign, frame: Frame) -> None:
        load = ast.copy_location(_as_load(node.target), node.target)
        left, right = self.evaluate(load, frame), self.evaluate(node.value, frame)
        if isinstance(left, Items) and isinstance(right, Items) and isinstance(node.op, ast.Add):
            self.change(left)
            left.items += right.items
            left.exact &= right.exact
            return
        self.assign(node.target, self.binary(node, left, right), frame)

    def assign(self, target: ast.expr, value: object, frame: Frame) -> None:
        """Give a target its value."""
        if isinstance(target, ast.Name):
            self.change(frame.scope)
            frame.scope[target.id] = value
        elif isinstance(target, ast.Attribute):
            self.set_attribute(self.evaluate(target.value, frame), target.attr, value)
        elif isinstance(target, ast.Subscript):
            self._assign_item(target, value, frame)
        elif isinstance(target, ast.Tuple | ast.List):
            self._unpack(target, value, frame)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, value, frame)

    def _unpack(self, target: ast.Tuple | ast.List, value: object, frame: Frame) -> None:
        items, exact = self.items_of(value)
        stars = [at for at, part in enumerate(target.elts) if isinstance(part, ast.Starred)]
        if not exact or isinstance(value, Obj) and not items:
            items = [UNKNOWN] * len(target.elts)
        elif stars:
            behind = len(target.elts) - stars[0] - 1
            middle = items[stars[0] : len(items) - behind]
            items = [*items[: stars[0]], Items(middle), *items[len(items) - behind :]]
        elif len(items) != len(target.elts):
            few = len(items) < len(target.elts)
            text = (
                f"not enough values to unpack (expected {len(target.elts)}, got {len(items)})"
                if few
                else f"too many values to unpack (expected {len(target.elts)})"
            )
            self.report(Finding("value", "ValueError", text), target)
            items = [UNKNOWN] * len(target.elts)
        for part, item in zip(target.elts, items, strict=False):
            self.assign(part, item, frame)

    def _assign_item(self, target: ast.Subscript, value: object, frame: Frame) -> None:
        holder, key = self.evaluate(target.value, frame), self.evaluate(target.slice, frame)
        if isinstance(holder, Vars):
            if isinstance(key, str):
                self.change(holder.of)
                holder.of.fields[key] = value
            else:
                holder.of.doubt("its __dict__ is given names that are made on the way")
        elif isinstance(holder, Mapping):
            self.change(holder)
            if is_plain(key):
                holder.items[key] = value
            else:
                holder.exact = False
        elif isinstance(holder, Items):
            self.change(holder)
            places = range(-len(holder.items), len(holder.items))
            if type(key) is int and key in places and holder.exact:
                holder.items[key] = value
            else:
                holder.exact = False
        elif isinstance(holder, Tensor) and isinstance(target.value, ast.Attribute):
            owner = self.evaluate(target.value.value, frame)
            self.store_in_tensor(owner, target.value.attr, target)
        elif isinstance(holder, Obj):
            found = self.find_attribute(holder, "__setitem__") if holder.cls else None
            if not isinstance(found, Native) and found is not None:
                self.call(found, [key, value], {}, None)

    def _return(self, node: ast.Return, frame: Frame) -> str:
        frame.results.append(self.evaluate(node.value, frame) if node.value else None)
        return "return"

    def _break(self, node: ast.Break, frame: Frame) -> str:
        return "break"

    def _continue(self, node: ast.Continue, frame: Frame) -> str:
        return "continue"

    def _branch(self, node: ast.If, frame: Frame) -> str | None:
        known = self.truth(self.evaluate(node.test, frame))
        if known is None:
            ways = [partial(self.block, part, frame) for part in (node.body, node.orelse)]
            return self.fork(ways, f"{OPEN_TEST} (line {node.lineno})")
        return self.block(node.body if known else node.orelse, frame)

    def _leave_or_go_on(self, node: ast.If, rest: list[ast.stmt], frame: Frame) -> str | None:
        """An `if` whose body leaves the block: what stands behind it is its `else`."""

        def go_on() -> str | None:
            return self.block(node.orelse, frame) or self.block(rest, frame)

        known = self.truth(self.evaluate(node.test, frame))
        if known is None:
            ways = [lambda: self.block(node.body, frame), go_on]
            return self.fork(ways, f"{OPEN_TEST} (line {node.lineno})")
        return self.block(node.body, frame) if known else go_on()

    def _raise(self, node: ast.Raise, frame: Frame) -> None:
        name, message = "Exception", ""
        if isinstance(node.exc, ast.Call):
            name = dotted(node.exc.func).rpartition(".")[2] or name
            given = [self.evaluate(arg, frame) for arg in node.exc.args[:1]]
            message = given[0] if given and isinstance(given[0], str) else ""
        elif node.exc is not None:
            name = dotted(node.exc).rpartition(".")[2] or name
        finding = Finding(RAISED, name, message)
        finding.file, finding.line = self.world.shown(frame.module), node.lineno
        raise Raises(name, message, finding)

    def _assert(self, node: ast.Assert, frame: Frame) -> None:
        known = self.truth(self.evaluate(node.test, frame))
        if known is False:
            message = self.evaluate(node.msg, frame) if node.msg else ""
            text = message if isinstance(message, str) else ""
            finding = Finding(RAISED, "AssertionError", text)
            finding.file, finding.line = self.world.shown(frame.module), node.lineno
            raise Raises("AssertionError", text, finding)

    def _delete(self, node: ast.Delete, frame: Frame) -> None:
        for target in node.targets:
            if isinstance(target, ast.Attribute):
                self.delete_attribute(self.evaluate(target.value, frame), target.attr)
            elif isinstance(target, ast.Name):
                self.change(frame.scope)
                frame.scope.pop(target.id, None)
            elif isinstance(target, ast.Subscript):
                holder = self.evaluate(target.value, frame)
                if isinstance(holder, Items | Mapping):
                    self.change(holder)
                    holder.exact = False
                elif isinstance(holder, Vars):
                    key = self.evaluate(target.slice, frame)
                    self.change(holder.of)
                    holder.of.fields.pop(key if isinstance(key, str) else "", None)

    def _try(self, node: ast.Try, frame: Frame) -> str | None:
        catches = _catches(node.handlers)
        scope, place = Try(catches, self.doubt), self._place()
        self.tries.append(scope)
        steps = self.open_steps
        try:
            try:
                end = self.block(node.body, frame)
                self.tries.remove(scope)
            except Raises as error:
                self._go_back(place)
                if not catches(error.error):
                    raise
                handler = next(each for each in node.handlers if _catches([each])(error.error))
                end = self._handle(handler, frame)
            else:
                end = self._after_try(node, frame, end, scope.maybe or self.open_steps > steps)
        finally:
            last = self.block(node.finalbody, frame)
        return last or end

    def _after_try(self, node: ast.Try, frame: Frame, end: str | None, maybe: bool) -> str | None:
        """The `else`; and the handlers as well, where an error may have come."""

        def go_on() -> str | None:
            return end or self.block(node.orelse, frame)

        if not maybe or not node.handlers:
            return go_on()
        handlers = [partial(self._handle, each, frame) for each in node.handlers]
        return self.fork([go_on, *handlers], "it stands behind an error that may be caught")

    def _handle(self, handler: ast.ExceptHandler, frame: Frame) -> str | None:
        if handler.name:
            self.change(frame.scope)
            frame.scope[handler.name] = UNKNOWN
        return self.block(handler.body, frame)

    def _with(self, node: ast.With, frame: Frame) -> str | None:
        suppressed: list[ast.expr] = []
        doubtful = False
        for item in node.items:
            call = item.context_expr
            value = self.evaluate(call, frame)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, UNKNOWN, frame)
            if isinstance(call, ast.Call) and dotted(call.func).endswith("suppress"):
                suppressed += call.args
            elif not isinstance(value, Tensor):
                doubtful |= self._may_swallow(call, frame)
        if suppressed:
            names = ast.Tuple(suppressed, ast.Load())
            handler = ast.ExceptHandler(names, None, [ast.Pass()])
            return self._try(ast.Try(node.body, [handler], [], []), frame)
        if doubtful:
            why = "it stands in a `with` that may swallow errors"
            return self.fork([lambda: self.block(node.body, frame), lambda: None], why)
        return self.block(node.body, frame)

    def _may_swallow(self, call: ast.expr, frame: Frame) -> bool:
        """Whether a context manager of the source may keep an error from going on."""
        name = dotted(call.func if isinstance(call, ast.Call) else call)
        place = self.world.find(frame.module, name) if name else None
        node = place.node if place else None
        if isinstance(node, ast.ClassDef):
            leaves = [part for part in node.body if getattr(part, "name", "") == "__exit__"]
            return any(
                isinstance(part, ast.Return) and part.value is not None
                for each in leaves
                for part in ast.walk(each)
            )
        if isinstance(node, ast.FunctionDef):
            return any(isinstance(part, ast.ExceptHandler) for part in ast.walk(node))
        return False

    def _function(self, node: ast.FunctionDef, frame: Frame) -> None:
        around = (frame.scope, *frame.function.around)
        self.change(frame.scope)
        frame.scope[node.name] = Function(node, frame.module, frame.function.cls, around)

    def _import(self, node: ast.Import | ast.ImportFrom, frame: Frame) -> None:
        self.change(frame.scope)
        file = self.world.environment.find(frame.module)
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            if isinstance(node, ast.Import):
                path = alias.name if alias.asname else name
            else:
                home = origin(node, frame.module, bool(file and file.package))
                path = f"{home}.{alias.name}"
            place = self.world.resolve(path)
            frame.scope[name] = UNKNOWN if place is None else self.value_at(place)
            optional = self.doubt and self.world.environment.find(path.partition(".")[0]) is None
            if place is None and isinstance(node, ast.Import) and not optional:
                text = self.world.why_not(alias.name)
                self.report(Finding("module", "ModuleNotFoundError", text), node)

    _statements: dict[type, Callable] = {
        ast.Expr: _expression,
        ast.Assign: _assign,
        ast.AnnAssign: _annotated,
        ast.AugAssign: _augmented,
        ast.Return: _return,
        ast.Break: _break,
        ast.Continue: _continue,
        ast.If: _branch,
        ast.For: Loops._for,
        ast.While: Loops._while,
        ast.Raise: _raise,
        ast.Assert: _assert,
        ast.Delete: _delete,
        ast.Try: _try,
        ast.With: _with,
        ast.FunctionDef: _function,
        ast.Import: _import,
        ast.ImportFrom: _import,
    }


def _leaves(body: list[ast.stmt]) -> bool:
    return isinstance(body[-1], ast.Return | ast.Continue | ast.Break)


def _as_load(target: ast.expr) -> ast.expr:
    """The target of `target += 1`, as an expression that reads it."""
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    if isinstance(target, ast.Attribute):
        return ast.Attribute(target.value, target.attr, ast.Load())
    if isinstance(target, ast.Subscript):
        return ast.Subscript(target.value, target.slice, ast.Load())
    return target


def _catches(handlers: list[ast.ExceptHandler]) -> Callable[[str], bool]:
    """Which errors these handlers catch."""
    names: set[str] = set()
    for handler in handlers:
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        for kind in kinds:
            names.add(dotted(kind).rpartition(".")[2] if kind is not None else "BaseException")

    def catches(error: str) -> bool:
        return bool(names & {error, BASES.get(error, error), "Exception", "BaseException"})

    return catches
