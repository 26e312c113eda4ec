"""What Python's own functions and methods give in an abstract run, and torch.nn.Module's."""

import ast
import builtins
import math
from collections.abc import Callable

from missing_aa.checker import supply
from missing_aa.checker.expressions import LARGE
from missing_aa.checker.findings import VALUE, Finding
from missing_aa.checker.lookup import ABSENT, Lookup
from missing_aa.checker.torch_rules import GIVES_TENSOR, HOLDERS, RETURNS_ITSELF
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
from missing_aa.checker.world import MODULE, is_torch_module

PURE = {
    each.__name__: each
    for each in (abs, round, min, max, sum, int, float, bool, str, len, divmod, ord, chr, repr)
}
"""Functions that can simply be run where all that they are given is plain."""

SETTERS = ("__setattr__", "register_buffer", "register_parameter", "add_module", "register_module")
"""Methods of a module that give it an attribute."""

TENSORS = {"torch.Tensor", "torch._tensor.Tensor", "torch.nn.parameter.Parameter"}


class BuiltinCalls(Lookup):
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

    def _dict_of(self, args: list, kwargs: dict) -> Mapping:
        made = Mapping(dict(kwargs))
        if args:
            if isinstance(args[0], Mapping):
                made = Mapping(args[0].items | kwargs, args[0].exact)
            else:
                pairs, made.exact = self.items_of(args[0])
                for pair in pairs:
                    if isinstance(pair, tuple) and len(pair) == 2 and is_plain(pair[0]):
                        made.items[pair[0]] = pair[1]
                    else:
                        made.exact = False
        return made

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

    def call_native(self, function: Native, args: list, kwargs: dict, node: ast.AST | None):
        """A method of a built-in type, or one of torch's that is known."""
        of, name = function.of, function.name
        if isinstance(of, Tensor):
            return TENSOR if name in GIVES_TENSOR else self._of_shape(of, name, args)
        if isinstance(of, Obj):
            return self._module_method(of, name, args, kwargs, node)
        if isinstance(of, Vars):
            return self._change_vars(of, name, args, kwargs)
        if isinstance(of, Items):
            return self._list_method(of, name, args)
        if isinstance(of, Mapping):
            return self._dict_method(of, name, args, kwargs, node)
        if is_plain(of) and all(map(is_plain, args)) and not kwargs and hasattr(of, name):
            if isinstance(of, str) and (len(of) > LARGE or name in ("zfill", "ljust", "center")):
                return UNKNOWN
            try:
                value = getattr(of, name)(*args)
            except Exception:
                return UNKNOWN
            if isinstance(value, list):
                return Items(value)
            return value if is_plain(value) else UNKNOWN
        if isinstance(of, str) and name == "join":
            return UNKNOWN
        return self.unknown_call(args, kwargs)

    def _of_shape(self, of: Tensor, name: str, args: list) -> object:
        if of.shape is None:
            return UNKNOWN
        if name in ("dim", "ndimension"):
            return len(of.shape)
        if name == "numel":
            return math.prod(of.shape)
        if name == "size":
            return self.item(of.shape, args[0], None) if args else of.shape
        return UNKNOWN

    def _list_method(self, of: Items, name: str, args: list) -> object:
        self.change(of)
        if name in ("append", "add") and args:
            of.items.append(args[0])
        elif name in ("extend", "update") and args:
            items, exact = self.items_of(args[0])
            of.items += items
            of.exact &= exact
        elif name == "insert" and len(args) == 2 and type(args[0]) is int:
            of.items.insert(args[0], args[1])
        elif name == "pop":
            at = args[0] if args else -1
            if of.exact and type(at) is int and -len(of.items) <= at < len(of.items):
                return of.items.pop(at)
            of.exact = False
        elif name == "copy":
            return Items(list(of.items), of.exact, of.kind)
        elif name == "clear":
            of.items, of.exact = [], True
        elif name == "reverse":
            of.items.reverse()
        elif name not in ("index", "count"):
            of.exact = False
        return UNKNOWN if name in ("pop", "index", "count") else None

    def _dict_method(
        self, of: Mapping, name: str, args: list, kwargs: dict, node: ast.AST | None
    ) -> object:
        key = args[0] if args else UNKNOWN
        if name == "items":
            return Items([(key, value) for key, value in of.items.items()], of.exact)
        if name == "keys":
            return Items(list(of.items), of.exact)
        if name == "values":
            return Items(list(of.items.values()), of.exact)
        if name in ("get", "pop", "setdefault") and is_plain(key):
            default = args[1] if len(args) > 1 else None
            if key in of.items:
                value = of.items[key]
                if name == "pop":
                    self.change(of)
                    del of.items[key]
                return value
            if name == "setdefault":
                self.change(of)
                of.items[key] = default if of.exact else UNKNOWN
            return default if of.exact else UNKNOWN
        if name == "copy":
            return Mapping(dict(of.items), of.exact)
        self.change(of)
        if name == "update":
            other = self._dict_of(args, kwargs)
            of.items |= other.items
            of.exact &= other.exact
            return None
        of.exact = False
        return UNKNOWN

    def _change_vars(self, of: Vars, name: str, args: list, kwargs: dict) -> object:
        """`self.__dict__` as a dictionary."""
        obj = of.of
        self.change(obj)
        if name == "update":
            other = self._dict_of(args, kwargs)
            obj.fields = obj.fields | {k: v for k, v in other.items.items() if isinstance(k, str)}
            if not other.exact:
                obj.doubt("its __dict__ is filled with names that are made on the way")
            return None
        fields = Mapping(dict(obj.fields), not obj.doubts)
        result = self._dict_method(fields, name, args, kwargs, None)
        if name in ("setdefault", "pop", "popitem", "clear"):
            obj.fields = {key: value for key, value in fields.items.items() if type(key) is str}
        if not fields.exact and name not in ("get", "keys", "items", "values", "copy"):
            obj.doubt("its __dict__ is changed by names that are made on the way")
        return result

    def _module_method(
        self, obj: Obj, name: str, args: list, kwargs: dict, node: ast.AST | None
    ) -> object:
        """A method of torch.nn.Module, or of one of torch's containers."""
        if name == "__call__":
            return self.forward(obj, args, kwargs, node, True)
        if name in ("train", "eval"):
            return self.set_training(obj, args[0] if args else name == "train")
        if name in RETURNS_ITSELF:
            return obj
        modules = obj.fields.get("_modules")
        if name in ("children", "values", "__iter__", "items", "named_children", "keys", "__len__"):
            return self._of_container(obj, name, modules)
        if name in ("__getitem__",) and args:
            return self.item_of_object(obj, args[0], node)
        if name in SETTERS:
            if len(args) > 1 and isinstance(args[0], str):
                self.store(obj, args[0], args[1])
            else:
                obj.doubt("it is given names that are made on the way")
            return None
        if name == "__getattr__" and args and isinstance(args[0], str):
            return self.attribute(obj, args[0], node)
        if name == "_get_name":
            return obj.name
        if name in ("parameters", "buffers"):
            return Items([TENSOR], False)
        if name == "__contains__" and args:
            return self.object_contains(obj, args[0])
        return UNKNOWN

    def _of_container(self, obj: Obj, name: str, modules: object) -> object:
        if not isinstance(modules, Mapping):
            return UNKNOWN
        self.walked.add(id(obj))
        items = modules.items
        if name == "__len__":
            return len(items) if modules.exact else UNKNOWN
        of_dict = obj.cls is not None and obj.cls.path.endswith("ModuleDict")
        if name == "keys" or (name == "__iter__" and of_dict):
            return Items(list(items), modules.exact)
        if name in ("items", "named_children"):
            return Items(list(items.items()), modules.exact)
        return Items(list(items.values()), modules.exact)

    def _holds_modules(self, obj: Obj, method: str) -> Mapping | None:
        """The modules of one of torch's containers whose method is torch's own."""
        found = self.classes.find(obj.cls, method) if obj.cls else None
        modules = obj.fields.get("_modules")
        if found and found[0].path in HOLDERS and isinstance(modules, Mapping):
            return modules
        return None

    def items_of_object(self, obj: Obj) -> tuple[list, bool]:
        """What iterating over an object gives."""
        if isinstance(items := obj.fields.get("__items__"), tuple):
            return list(items), True
        if obj.cls is None:
            return [], False
        if (modules := self._holds_modules(obj, "__iter__")) is not None:
            return self.items_of(self._of_container(obj, "__iter__", modules))
        found = self.find_attribute(obj, "__iter__")
        if found is ABSENT or not isinstance(found, Method):
            return [], False
        value = self.call(found, [], {}, None)
        return self.items_of(value) if not isinstance(value, Obj) else ([], False)

    def item_of_object(self, obj: Obj, key: object, node: ast.AST | None) -> object:
        """`obj[key]`."""
        if "__items__" in obj.fields:
            return self.item(obj.fields["__items__"], key, node)
        modules = self._holds_modules(obj, "__getitem__")
        if modules is None:
            found = self.find_attribute(obj, "__getitem__") if obj.cls else ABSENT
            return self.call(found, [key], {}, node) if isinstance(found, Method) else UNKNOWN
        self.walked.add(id(obj))
        layers = list(modules.items.values())
        if isinstance(key, str):
            return self.item(modules, key, node)
        if not modules.exact:
            return UNKNOWN
        if isinstance(key, slice):
            keys = list(modules.items)[key]
            part = Mapping({name: modules.items[name] for name in keys})
            made = Obj(obj.cls, obj.dotted, obj.fields | {"_modules": part}, of_file=False)
            made.doubt("it is made on the way")
            return made
        if type(key) is int and -len(layers) <= key < len(layers):
            return layers[key]
        if type(key) is int:
            text = f"index {key} is out of range"
            self.report(Finding(VALUE, "IndexError", text), node)
        return UNKNOWN

    def object_contains(self, obj: Obj, item: object) -> bool | None:
        """`item in obj`, for torch's own containers."""
        modules = self._holds_modules(obj, "__contains__")
        if modules is None or not modules.exact or not is_plain(item):
            return None
        return item in modules.items

    def set_training(self, obj: Obj, mode: object) -> object:
        """torch's `train`: the flag of a module, then the `train` of each child."""
        self.change(obj)
        obj.fields["training"] = mode
        modules = obj.fields.get("_modules")
        for child in list(modules.items.values()) if isinstance(modules, Mapping) else ():
            if not isinstance(child, Obj) or child.cls is None:
                continue
            train = self.find_attribute(child, "train")
            if isinstance(train, Method):
                self.call(train, [mode], {}, None)
            elif is_torch_module(child.cls):
                self.set_training(child, mode)
        return obj

    def set_attribute(self, value: object, name: str, given: object) -> None:
        """`value.name = given`."""
        if isinstance(value, Vars):
            value = value.of
        if isinstance(value, ClassRef):
            self.note(f"{value.cls.path}: the class is changed on the way ({name})")
            self.changed_classes.setdefault(value.cls, set()).add(name)
            return
        if not isinstance(value, Obj):
            return
        found = value.cls.setter(name) if value.cls else None
        if found:
            setter = Function(found[1], found[0].module, found[0])
            self.call(Method(value, setter), [given], {}, None)
            return
        own = self.classes.find(value.cls, "__setattr__") if value.cls else None
        if own and own[0].path != MODULE and isinstance(own[1], ast.FunctionDef):
            function = Function(own[1], own[0].module, own[0])
            self.call(Method(value, function), [name, given], {}, None)
            return
        self.store(value, name, given)

    def store(self, value: Obj, name: str, given: object) -> None:
        """What Python's, or torch's, own `__setattr__` does."""
        self.change(value)
        if name == "__dict__":
            self._replace_vars(value, given)
            return
        if value.cls and is_torch_module(value.cls):
            self._register(value, name, given)
        else:
            value.fields[name] = given

    def _replace_vars(self, obj: Obj, given: object) -> None:
        """`obj.__dict__ = given`."""
        new = given.of.fields if isinstance(given, Vars) else {}
        if isinstance(given, Mapping):
            new = {name: item for name, item in given.items.items() if isinstance(name, str)}
        obj.fields = dict(new)
        if not isinstance(given, Vars) and not (isinstance(given, Mapping) and given.exact):
            obj.doubt("its __dict__ is replaced by one that was not followed")

    def _register(self, obj: Obj, name: str, given: object) -> None:
        """torch's `__setattr__`: what is registered stays so."""
        for registry in ("_parameters", "_buffers", "_modules"):
            entries = obj.fields.get(registry)
            if isinstance(entries, Mapping) and name in entries.items:
                self.change(entries)
                entries.items[name] = given
                return
        is_child = isinstance(given, Obj) and given.cls is not None and is_torch_module(given.cls)
        modules = obj.fields.get("_modules")
        if is_child and isinstance(modules, Mapping):
            self.change(modules)
            modules.items[name] = given
        else:
            obj.fields[name] = given

    def delete_attribute(self, value: object, name: str) -> None:
        """`del value.name`."""
        if not isinstance(value, Obj):
            return
        self.change(value)
        value.fields.pop(name, None)
        for registry in ("_parameters", "_buffers", "_modules"):
            entries = value.fields.get(registry)
            if isinstance(entries, Mapping) and name in entries.items:
                self.change(entries)
                del entries.items[name]
