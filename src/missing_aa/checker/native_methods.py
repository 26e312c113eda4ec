"""What methods of Python's own types and of torch.nn.Module give in an abstract run."""

import ast
import math

from missing_aa.checker.module_objects import ModuleObjects
from missing_aa.checker.operators import LARGE
from missing_aa.checker.torch_rules import GIVES_TENSOR, RETURNS_ITSELF
from missing_aa.checker.values import (
    TENSOR,
    UNKNOWN,
    Items,
    Mapping,
    Native,
    Obj,
    Tensor,
    Vars,
    is_plain,
)

SETTERS = ("__setattr__", "register_buffer", "register_parameter", "add_module", "register_module")
"""Methods of a module that give it an attribute."""


class NativeMethods(ModuleObjects):
    """Calls of methods that no source in Python is read for."""

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
