"""What Python's own functions give in an abstract run."""

import ast
import builtins
from collections.abc import Callable

from missing_aa.checker import supply
from missing_aa.checker.findings import VALUE, Finding
from missing_aa.checker.native_methods import NativeMethods
from missing_aa.checker.operators import LARGE
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
    Native,
    Obj,
    Partial,
    Tensor,
    Vars,
    is_plain,
    type_name,
)

PURE = {
    each.__name__: each
    for each in (abs, round, min, max, sum, int, float, bool, str, len, divmod, ord, chr, repr)
}
"""Functions that can simply be run where all that they are given is plain."""

TENSORS = {"torch.Tensor", "torch._tensor.Tensor", "torch.nn.parameter.Parameter"}

NUMPY_CLASSES = {"ndarray", "generic", "number", "integer", "floating", "bool_", "memmap"}
"""Classes of numpy of which nothing that Python itself makes is an instance."""


class BuiltinCalls(NativeMethods):
    """Calls of what Python brings itself."""

    def call_builtin(
        self, name: str, args: list, kwargs: dict, node: ast.AST | None, exact: bool = True
    ) -> object:
        """A call of a built-in function or type."""
        handler = self._builtins.get(name)
        kwargs = {word: value for word, value in kwargs.items() if word not in ("strict",)}
        if handler and exact and not kwargs:
            return handler(self, args, node)
        if name == "dict":
            return self._dict_of(args, kwargs)
        if name == "enumerate" and args:
            return self._enumerate(args[:1], node)
        if name in PURE and exact and not kwargs and all(map(is_plain, args)):
            return self._pure(name, args)
        if name in ("print", "id", "vars", "repr", "str", "format", "sorted", "open"):
            return UNKNOWN
        if name in ("min", "max", "sum", "abs", "round", "int", "float", "bool", "any", "all"):
            return TENSOR if name in ("abs", "sum") and TENSOR in args[:1] else UNKNOWN
        if name in supply.BUILTINS and name[:1].isupper():
            return External(f"builtins.{name}")
        return self.unknown_call(args, kwargs)

    def _pure(self, name: str, args: list) -> object:
        if any(isinstance(arg, str | bytes | tuple) and len(arg) > LARGE for arg in args):
            return UNKNOWN
        try:
            return PURE[name](*args)
        except Exception:
            return UNKNOWN

    def _len(self, args: list, node: ast.AST | None) -> object:
        value = args[0] if args else UNKNOWN
        if isinstance(value, Obj) and self._holds_modules(value, "__len__") is None:
            return UNKNOWN
        if value is None or type(value) in (int, float, bool):
            text = f"object of type {type(value).__name__!r} has no len()"
            self.report(Finding(VALUE, "TypeError", text), node)
            return UNKNOWN
        items, all_ = self.items_of(value)
        return len(items) if all_ else UNKNOWN

    def _getattr(self, args: list, node: ast.AST | None) -> object:
        if len(args) < 2 or not isinstance(args[1], str):
            if args and isinstance(args[0], Obj) and len(args) == 2:
                self.note(f"{args[0].name}: getattr with a name that is made on the way")
            return UNKNOWN
        if len(args) == 2:
            return self.attribute(args[0], args[1], node)
        value, name, default = args[:3]
        known = self.has_attribute(value, name)
        if known is False:
            return default
        found = self.attribute(value, name, node) if known else UNKNOWN
        return found if known else UNKNOWN

    def _hasattr(self, args: list, node: ast.AST | None) -> object:
        if len(args) != 2 or not isinstance(args[1], str):
            return UNKNOWN
        known = self.has_attribute(*args)
        return UNKNOWN if known is None else known

    def _setattr(self, args: list, node: ast.AST | None) -> object:
        if len(args) == 3 and isinstance(args[1], str):
            self.set_attribute(args[0], args[1], args[2])
        elif args and isinstance(args[0], Obj):
            args[0].doubt("setattr gives it names that are made on the way")
        return None

    def _isinstance(self, args: list, node: ast.AST | None) -> object:
        if len(args) != 2:
            return UNKNOWN
        kinds = args[1] if isinstance(args[1], tuple) else (args[1],)
        known = [self._is_a(args[0], kind) for kind in kinds]
        return True if True in known else UNKNOWN if None in known else False

    def _is_a(self, value: object, kind: object) -> bool | None:
        """`isinstance` for one class; None if it is open."""
        if value is UNKNOWN or kind is UNKNOWN:
            return None
        if isinstance(kind, Builtin):
            return self._is_builtin(value, kind.name)
        if isinstance(kind, ClassRef):
            if isinstance(value, Obj):
                if value.cls is None:
                    return None
                if kind.cls in value.cls.order:
                    return True
                return None if kind.cls.own.keys() & {"__instancecheck__"} else False
            if isinstance(value, Tensor):
                return True if kind.cls.path in TENSORS else None
            return False if is_plain(value) or isinstance(value, Items | Mapping | tuple) else None
        if isinstance(kind, External):
            if isinstance(value, Tensor):
                return True if kind.path in TENSORS else None
            if kind.path in TENSORS:
                return False if type_name(value) else None
            top, _, name = kind.path.rpartition(".")
            if top.partition(".")[0] == "numpy" and name in NUMPY_CLASSES:
                own = is_plain(value) or isinstance(value, Items | Mapping | tuple)
                return False if own else None
        return None

    def _is_builtin(self, value: object, name: str) -> bool | None:
        kind = getattr(builtins, name, None)
        if not isinstance(kind, type):
            return None
        if is_plain(value) or isinstance(value, tuple):
            return isinstance(value, kind)
        if isinstance(value, Items):
            return issubclass(value.kind, kind)
        if isinstance(value, Mapping):
            return issubclass(dict, kind)
        if isinstance(value, Tensor):
            return kind is object
        if isinstance(value, Obj):
            if value.cls is None:
                return None
            bases = [supply.KNOWN_BASES.get(path) for path in value.cls.foreign]
            return (
                True
                if any(b and issubclass(b, kind) for b in bases)
                else (None if None in bases else False)
            )
        return None

    def _type(self, args: list, node: ast.AST | None) -> object:
        if len(args) != 1:
            return UNKNOWN
        value = args[0]
        if isinstance(value, Obj):
            return ClassRef(value.cls) if value.cls else UNKNOWN
        if is_plain(value) or isinstance(value, tuple):
            return Builtin(type(value).__name__)
        return Builtin(value.kind.__name__) if isinstance(value, Items) else UNKNOWN

    def _callable(self, args: list, node: ast.AST | None) -> object:
        value = args[0] if args else UNKNOWN
        if isinstance(value, Function | Method | Partial | ClassRef | Builtin | Native):
            return True
        if isinstance(value, Obj):
            known = self.has_attribute(value, "__call__")
            return UNKNOWN if known is None else known
        return False if is_plain(value) or isinstance(value, Items | Mapping) else UNKNOWN

    def _to_list(self, args: list, node: ast.AST | None) -> object:
        return self._collected(args, list)

    def _to_set(self, args: list, node: ast.AST | None) -> object:
        return self._collected(args, set)

    def _collected(self, args: list, kind: type) -> Items:
        if not args:
            return Items([], True, kind)
        items, exact = self.items_of(args[0])
        return Items(items, exact, kind)

    def _to_tuple(self, args: list, node: ast.AST | None) -> object:
        items, exact = self.items_of(args[0]) if args else ([], True)
        return tuple(items) if exact else UNKNOWN

    def _range(self, args: list, node: ast.AST | None) -> object:
        if args and all(type(arg) is int for arg in args) and 0 not in args[2:]:
            numbers = range(*args)
            if len(numbers) <= LARGE:
                return Items(list(numbers))
        return UNKNOWN

    def _enumerate(self, args: list, node: ast.AST | None) -> Items:
        items, exact = self.items_of(args[0])
        start = args[1] if len(args) > 1 else 0
        if type(start) is not int:
            return Items([(UNKNOWN, item) for item in items], exact)
        return Items([(at, item) for at, item in enumerate(items, start)], exact)

    def _zip(self, args: list, node: ast.AST | None) -> Items:
        each = [self.items_of(arg) for arg in args]
        if not all(exact for _, exact in each):
            known = [items if exact else None for items, exact in each]
            lengths = [len(items) for items in known if items is not None]
            rows = [
                tuple(items[at] if items else UNKNOWN for items in known)
                for at in range(min(lengths, default=0))
            ]
            return Items(rows, False)
        return Items(list(zip(*(items for items, _ in each), strict=False)))

    def _reversed(self, args: list, node: ast.AST | None) -> object:
        items, exact = self.items_of(args[0]) if args else ([], True)
        return Items(items[::-1], exact)

    def _same(self, args: list, node: ast.AST | None) -> object:
        items, exact = self.items_of(args[0]) if args else ([], True)
        return Items(items, exact)

    def _next(self, args: list, node: ast.AST | None) -> object:
        items, exact = self.items_of(args[0]) if args else ([], False)
        return items[0] if items and exact else UNKNOWN

    def _any(self, args: list, node: ast.AST | None) -> object:
        return self._all_or_any(args, True)

    def _all(self, args: list, node: ast.AST | None) -> object:
        return self._all_or_any(args, False)

    def _all_or_any(self, args: list, stops: bool) -> object:
        items, exact = self.items_of(args[0]) if args else ([], True)
        known = [self.truth(item) for item in items]
        if stops in known:
            return stops
        return UNKNOWN if None in known or not exact else not stops

    def _map(self, args: list, node: ast.AST | None) -> Items:
        if len(args) != 2:
            return Items([], False)
        items, exact = self.items_of(args[1])
        if not exact:
            self.either([lambda: self._call_once(args[0], node), lambda: None])
            return Items([], False)
        return Items([self.call(args[0], [item], {}, node) for item in items])

    def _call_once(self, function: object, node: ast.AST | None) -> None:
        self.call(function, [UNKNOWN], {}, node)

    def _numbers(self, args: list, node: ast.AST | None, name: str) -> object:
        if len(args) == 1 and isinstance(args[0], Items) and args[0].exact:
            args = args[0].items
        if len(args) == 1 and isinstance(args[0], tuple):
            args = list(args[0])
        if args and all(map(is_plain, args)):
            return self._pure(name, [tuple(args)])
        return TENSOR if any(isinstance(arg, Tensor) for arg in args) and name == "sum" else UNKNOWN

    def _set_plainly(self, args: list, node: ast.AST | None) -> object:
        """`object.__setattr__(obj, name, value)`."""
        if len(args) == 3 and isinstance(args[0], Obj):
            if isinstance(args[1], str):
                self.store(args[0], args[1], args[2])
            else:
                args[0].doubt("it is given names that are made on the way")
        return None

    def _vars(self, args: list, node: ast.AST | None) -> object:
        return Vars(args[0]) if args and isinstance(args[0], Obj) else UNKNOWN

    _builtins: dict[str, Callable] = {
        "len": _len,
        "getattr": _getattr,
        "hasattr": _hasattr,
        "setattr": _setattr,
        "isinstance": _isinstance,
        "type": _type,
        "callable": _callable,
        "list": _to_list,
        "tuple": _to_tuple,
        "set": _to_set,
        "range": _range,
        "enumerate": _enumerate,
        "zip": _zip,
        "reversed": _reversed,
        "iter": _same,
        "next": _next,
        "any": _any,
        "all": _all,
        "map": _map,
        "vars": _vars,
        "object.__setattr__": _set_plainly,
        **{
            name: lambda self, args, node, name=name: self._numbers(args, node, name)
            for name in ("min", "max", "sum")
        },
    }
