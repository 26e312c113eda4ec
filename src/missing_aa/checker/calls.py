"""What a call gives in an abstract run."""

import ast
import sys
from collections.abc import Callable
from functools import partial

from missing_aa.checker import supply
from missing_aa.checker.builtin_calls import BuiltinCalls
from missing_aa.checker.decorators import is_harmless
from missing_aa.checker.findings import FORWARD, VALUE, Finding
from missing_aa.checker.generators import is_generator, is_manager, is_simple_generator
from missing_aa.checker.state import Frame
from missing_aa.checker.torch_rules import FALSE, GIVES_TENSOR, HOLDERS, NOTHING
from missing_aa.checker.values import (
    TENSOR,
    UNKNOWN,
    Builtin,
    ClassRef,
    External,
    Function,
    Items,
    Mapping,
    Method,
    ModuleRef,
    Native,
    Obj,
    Partial,
    Scope,
    Super,
    Tensor,
    join,
    type_name,
)
from missing_aa.checker.world import is_torch_module

DEEPEST = 150
"""So many calls inside each other are followed."""

AGAIN = 2
"""How often a function is followed on one object while it is in doubt whether it runs."""

NOT_FOLLOWED = frozenset(["torch", "numpy", *sys.stdlib_module_names])
"""Packages whose functions are taken as they are; methods of torch's own modules are followed."""


class Calls(BuiltinCalls):
    """Follows calls."""

    def call(
        self,
        function: object,
        args: list,
        kwargs: dict,
        node: ast.AST | None = None,
        exact: bool = True,
    ) -> object:
        """What a call gives. `exact` is False where there may be more arguments than these."""
        self.step()
        if isinstance(function, Method):
            given = [function.of, *args]
            if isinstance(function.function, Builtin):
                return self.call_builtin(function.function.name, given, kwargs, node, exact)
            return self.run(function.function, given, kwargs, node, exact)
        if isinstance(function, Function):
            if self._is_followed(function):
                return self.run(function, args, kwargs, node, exact)
            return self._outside(External(f"{function.module}.{function.name}"), args, kwargs)
        if isinstance(function, Obj):
            return self.call_object(function, args, kwargs, node, exact)
        if isinstance(function, ClassRef):
            return self._make(function, args, kwargs, node, exact)
        if isinstance(function, Partial):
            named = function.kwargs | kwargs
            return self.call(function.function, [*function.args, *args], named, node, exact)
        if isinstance(function, Builtin):
            return self.call_builtin(function.name, args, kwargs, node, exact)
        if isinstance(function, Native):
            return self.call_native(function, args, kwargs, node)
        if isinstance(function, External | ModuleRef):
            return self._outside(External(function.path), args, kwargs)
        kind = type_name(function)
        if kind and not isinstance(function, Tensor):
            text = f"{kind!r} object is not callable"
            self.report(Finding(VALUE, "TypeError", text), node)
        return self.unknown_call(args, kwargs)

    def _is_followed(self, function: Function) -> bool:
        return function.module.partition(".")[0] not in NOT_FOLLOWED or function.cls is not None

    def _outside(self, function: External, args: list, kwargs: dict) -> object:
        """A function that is not followed; of torch's, some are known."""
        path = function.path.lstrip("_")  # `_functools`, `_collections`: their C twins
        top, _, name = path.rpartition(".")
        if top.partition(".")[0] == "torch":
            if name in FALSE:
                return False
            if name in NOTHING:
                return None
            if name == "checkpoint" and args:
                return self.call(args[0], args[1:], {}, None)
            if name in GIVES_TENSOR:
                return TENSOR
        if path == "functools.partial" and args:
            return Partial(args[0], tuple(args[1:]), kwargs)
        if path == "collections.OrderedDict":
            return self.call_builtin("dict", args, kwargs, None)
        if path == "operator.index" and len(args) == 1 and type(args[0]) is int:
            return args[0]
        if path == "copy.deepcopy" and args:
            return UNKNOWN
        return self.unknown_call(args, kwargs, top.partition(".")[0] in NOT_FOLLOWED)

    def unknown_call(self, args: list, kwargs: dict, harmless: bool = False) -> object:
        """A call of what nobody knows: it may call what it is given, and change it.

        One that is `harmless` changes nothing.
        """
        for value in (*args, *kwargs.values()):
            if isinstance(value, Method | Function) or (
                isinstance(value, Obj) and value.cls and is_torch_module(value.cls)
            ):
                self._may_call(value)
            if harmless:
                continue
            if isinstance(value, Obj):
                value.doubt("it is handed to code that is not followed")
            elif isinstance(value, Items | Mapping):
                self.change(value)
                value.exact = False
        return UNKNOWN

    def _may_call(self, value: object) -> None:
        why = "it is handed to code that is not followed"
        self.either([lambda: self.call(value, [UNKNOWN], {}, None, False), lambda: None], why)

    def _make(
        self, function: ClassRef, args: list, kwargs: dict, node: ast.AST | None, exact: bool
    ) -> object:
        """A new object: its `__init__` is followed for plain classes, and not for modules."""
        cls = function.cls
        if any(each.path in HOLDERS for each in cls.order[:1]):
            return self._make_holder(function, args)
        if is_torch_module(cls) or not supply.is_plain_object(cls) or cls.node.decorator_list:
            self.unknown_call(args, kwargs)
            return UNKNOWN
        made = Obj(cls, cls.path, of_file=False)
        if found := self.classes.find(cls, "__init__"):
            home, entry = found
            if isinstance(entry, ast.FunctionDef):
                init = Function(entry, home.module, home)
                self.run(init, [made, *args], kwargs, node, exact)
            else:
                made.doubt("its __init__ is not written as a function")
        return made

    def _make_holder(self, function: ClassRef, args: list) -> object:
        """A Sequential or its like that forward makes of modules that are there."""
        if len(args) == 1 and isinstance(args[0], Items | Mapping):
            given = args[0].items
            named = given if isinstance(given, dict) else dict(enumerate(given))
            exact = args[0].exact
        else:
            named, exact = dict(enumerate(args)), True
        modules = Mapping({str(name): item for name, item in named.items()}, exact)
        fields = {"_modules": modules, "_parameters": Mapping(), "_buffers": Mapping()}
        made = Obj(function.cls, function.cls.path, {**fields, "training": False}, of_file=False)
        made.doubt("it is made on the way")
        return made

    def call_object(
        self, obj: Obj, args: list, kwargs: dict, node: ast.AST | None, exact: bool
    ) -> object:
        """An object that is called: a module's forward, or its `__call__`."""
        if obj.cls is None:
            self.note(f"{obj.dotted}: its class cannot be read")
            return self.unknown_call(args, kwargs)
        found = self.find_attribute(obj, "__call__")
        if isinstance(found, Native) and found.name == "__call__":
            return self.forward(obj, args, kwargs, node, exact)
        if isinstance(found, Method):
            return self.call(found, args, kwargs, node, exact)
        if is_torch_module(obj.cls):
            return self.forward(obj, args, kwargs, node, exact)
        return self.unknown_call(args, kwargs)

    def forward(
        self, obj: Obj, args: list, kwargs: dict, node: ast.AST | None, exact: bool
    ) -> object:
        """A module's forward, with its hooks."""
        self.walked.add(id(obj))
        hooked = [name for name in HOOKS if self.truth(obj.fields.get(name)) is not False]
        for name in [name for name in HOOKS if name in obj.fields and name in hooked]:
            self.note(f"{obj.name}: hooks of its own ({name}) were not followed")
            if "pre" in name:
                obj.doubt("a hook that runs before its forward may set it")
        function = self.attribute(obj, "forward", node)
        if isinstance(function, Method) and function.function.name == "_forward_unimplemented":
            text = f'Module [{obj.name}] is missing the required "forward" function'
            finding = Finding(FORWARD, "NotImplementedError", text, obj.cls.path if obj.cls else "")
            finding.places = self.places_of(obj)
            finding.doubts = self.doubts_about(obj, "forward")
            self.report(finding, node)
            return UNKNOWN
        result = self.call(function, args, kwargs, node, exact)
        return UNKNOWN if any(name in obj.fields for name in hooked) else result

    def run(
        self, function: Function, args: list, kwargs: dict, node: ast.AST | None, exact: bool
    ) -> object:
        """Follow a function of the source."""
        if len(self.frames) > DEEPEST:
            self.note(f"{function.name}: calls itself deeper than was followed")
            return UNKNOWN
        if self.doubt:
            first = args[0] if args else None
            key = (id(function.node), id(first) if isinstance(first, Obj) else 0)
            self.again[key] = self.again.get(key, 0) + 1
            if self.again[key] > AGAIN:
                return UNKNOWN
        why = self._why_in_doubt(function)
        if not why and is_generator(function.node) and not is_manager(function.node):
            why = "it is a generator, which runs piece by piece"
        if not why:
            return self._run(function, args, kwargs, node, exact)
        self.note(f"{function.module}.{function.name}: {why}")
        self.either([lambda: self._run(function, args, kwargs, node, exact), lambda: None], why)
        return UNKNOWN

    def _why_in_doubt(self, function: Function) -> str:
        """Why a function may not run as it is written; "" if nothing speaks for that."""
        if isinstance(function.node, ast.Lambda):
            return ""
        if isinstance(function.node, ast.AsyncFunctionDef):
            return "it runs asynchronously"
        for decorator in function.node.decorator_list:
            if not is_harmless(self.world, function.module, decorator):
                return f"it is wrapped by {ast.unparse(decorator)[:60]}"
        return ""

    def generator(
        self, function: object, args: list, kwargs: dict, node: ast.AST, exact: bool
    ) -> Callable | None:
        """What runs a generator and hands on each value as it is yielded; None if the call makes
        none, or one that was not followed.

        What it does comes between the turns of the loop, as in Python.
        """
        if isinstance(function, Method):
            args = [function.of, *args]
            function = function.function
        if not isinstance(function, Function) or not is_simple_generator(function.node):
            return None
        first = args[0] if args else None
        key = (id(function.node), id(first) if isinstance(first, Obj) else 0)
        often = self.doubt and self.again.get(key, 0) >= AGAIN
        deep = len(self.frames) > DEEPEST
        if often or deep or not self._is_followed(function) or self._why_in_doubt(function):
            return None
        self.again[key] = self.again.get(key, 0) + bool(self.doubt)
        return partial(self._run, function, args, kwargs, node, exact)

    def _run(
        self,
        function: Function,
        args: list,
        kwargs: dict,
        node: ast.AST | None,
        exact: bool,
        take: Callable[[object], None] | None = None,
    ) -> object:
        frame = Frame(function, Scope(), args[0] if args else None, take=take)
        if not self._bind_arguments(function, args, kwargs, frame, node, exact):
            return UNKNOWN
        doubt, reasons = self.doubt, len(self.reasons)
        self.frames.append(frame)
        try:
            if isinstance(function.node, ast.Lambda):
                return self.evaluate(function.node.body, frame)
            end = self.block(function.node.body, frame)
        finally:
            self.frames.pop()
        self.doubt = doubt
        del self.reasons[reasons:]
        if is_generator(function.node):
            return UNKNOWN
        results = frame.results if end == "return" else [*frame.results, None]
        value = results[0]
        for each in results[1:]:
            value = join(value, each)
        return value

    def _bind_arguments(
        self,
        function: Function,
        args: list,
        kwargs: dict,
        frame: Frame,
        node: ast.AST | None,
        exact: bool,
    ) -> bool:
        """Give a function's parameters their values; False where the call itself is an error."""
        given, scope = function.node.args, frame.scope
        names = [arg.arg for arg in (*given.posonlyargs, *given.args)]
        by_name = {arg.arg for arg in (*given.args, *given.kwonlyargs)}
        scope.update(zip(names, args, strict=False))
        wrong = ""
        if len(args) > len(names) and given.vararg is None:
            wrong = f"takes {len(names)} positional arguments but {len(args)} were given"
        if given.vararg:
            rest = tuple(args[len(names) :])
            scope[given.vararg.arg] = rest if exact else UNKNOWN
        others = {}
        for name, value in kwargs.items():
            if name in by_name:
                if name in scope:
                    wrong = f"got multiple values for argument {name!r}"
                scope[name] = value
            elif given.kwarg:
                others[name] = value
            else:
                wrong = f"got an unexpected keyword argument {name!r}"
        if given.kwarg:
            scope[given.kwarg.arg] = Mapping(others, exact)
        missing = self._add_defaults(function, scope, exact)
        if missing and exact and not wrong:
            many = "argument" if len(missing) == 1 else "arguments"
            wrong = f"missing {len(missing)} required positional {many}: {missing[0]!r}"
        if wrong and exact:
            self._report_call(function, wrong, node)
            return False
        return True

    def _report_call(self, function: Function, wrong: str, node: ast.AST | None) -> None:
        name = f"{function.cls.node.name}.{function.name}" if function.cls else function.name
        self.report(Finding(VALUE, "TypeError", f"{name}() {wrong}"), node)

    def _add_defaults(self, function: Function, scope: Scope, exact: bool) -> list[str]:
        """Fill what was not given; the names of what has no default."""
        given = function.node.args
        positional = [*given.posonlyargs, *given.args]
        defaults = dict(
            zip([arg.arg for arg in positional[::-1]], given.defaults[::-1], strict=False)
        )
        defaults |= {
            arg.arg: default
            for arg, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
            if default is not None
        }
        missing = []
        for arg in (*positional, *given.kwonlyargs):
            if arg.arg in scope:
                continue
            if arg.arg in defaults and exact:
                around = Scope()
                for each in reversed(function.around):
                    around.update(each)
                scope[arg.arg] = self.constant(defaults[arg.arg], function.module, around)
            else:
                scope[arg.arg] = UNKNOWN
                if arg.arg not in defaults:
                    missing.append(arg.arg)
        return missing

    def super_of(self, node: ast.Call, frame: Frame) -> object:
        """`super()` and `super(Class, self)`."""
        first, cls = frame.first, frame.function.cls
        if len(node.args) == 2:
            given = self.evaluate(node.args[0], frame)
            cls = given.cls if isinstance(given, ClassRef) else None
            first = self.evaluate(node.args[1], frame)
        return Super(first, cls) if cls is not None else UNKNOWN


HOOKS = ("_forward_pre_hooks", "_forward_hooks")
