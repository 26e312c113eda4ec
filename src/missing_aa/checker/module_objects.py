"""What torch.nn.Module and its containers hold in an abstract run, and what is set on objects."""

import ast

from missing_aa.checker.findings import VALUE, Finding
from missing_aa.checker.lookup import ABSENT, Lookup
from missing_aa.checker.torch_rules import CONTAINER, HOLDERS
from missing_aa.checker.values import (
    UNKNOWN,
    ClassRef,
    Function,
    Items,
    Mapping,
    Method,
    Obj,
    Vars,
    is_plain,
)
from missing_aa.checker.world import MODULE, is_torch_module
from missing_aa.comparer.classes import Class
from missing_aa.comparer.names import dotted


class ModuleObjects(Lookup):
    """Objects that hold modules, and objects that are changed."""

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
            if obj.cls and obj.cls.module == CONTAINER:  # a ParameterList, which never runs
                self.walked.add(id(obj))
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

    def store_in_tensor(self, value: object, name: str, node: ast.AST) -> None:
        """`value.name[…] = …` where a tensor of the file stands: its class here may make a list."""
        if not isinstance(value, Obj) or value.cls is None or not _makes_list(value.cls, name):
            return
        self.open_steps += 1
        error = "RuntimeError"
        if not value.of_file or any(each.catches(error) for each in self.tries):
            return
        text = f"the file has a tensor for {name!r}, where {value.name!r} now makes a list"
        finding = Finding(VALUE, error, text, value.cls.path, name)
        finding.places = self.places_of(value)
        finding.doubts = ["it depends on shapes whether the tensor takes the items"]
        self.report(finding, node)

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


def _makes_list(cls: Class, name: str) -> bool:
    """Whether the `__init__` that sets an attribute gives it a list that is written out."""
    for each in cls.order:
        init = each.own.get("__init__")
        given = [
            part.value
            for part in (ast.walk(init) if isinstance(init, ast.FunctionDef) else ())
            if isinstance(part, ast.Assign)
            and f"self.{name}" in [dotted(target) for target in part.targets]
        ]
        if given:
            return all(isinstance(made, ast.List | ast.ListComp) for made in given)
    return False
