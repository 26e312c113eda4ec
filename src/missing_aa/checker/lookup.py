"""What an attribute of a value is in an abstract run, and whether anything gives it."""

import ast
import sys
from typing import TypeGuard

from missing_aa.checker import supply
from missing_aa.checker.expressions import Expressions
from missing_aa.checker.findings import ATTRIBUTE, Finding
from missing_aa.checker.getattribute import HOOK, name_looked_up
from missing_aa.checker.objects import Kept
from missing_aa.checker.state import Frame, Raises, Try
from missing_aa.checker.torch_rules import HOLDERS, MODULE_METHODS, TENSOR_VALUES
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
    Vars,
    is_plain,
)
from missing_aa.checker.world import MODULE, is_torch_module
from missing_aa.comparer.classes import Class
from missing_aa.comparer.names import Definition, dotted
from missing_aa.comparer.package import Place

ABSENT = object()
"""Stands for an attribute that nothing gives."""

REGISTRIES = ("_parameters", "_buffers", "_modules")


class Lookup(Expressions):
    """Looks attributes and global names up."""

    def attribute(self, value: object, name: str, node: ast.AST | None) -> object:
        """`value.name`; what is missing is reported, and UNKNOWN from then on."""
        if isinstance(value, Obj):
            found = self.find_attribute(value, name)
            if found is not ABSENT:
                return found
            return self._miss(value, self.name_looked_up(value, name) or name, node)
        if isinstance(value, Tensor):
            return self._of_tensor(value, name)
        if isinstance(value, ModuleRef):
            place = self.world.find(value.path, name)
            return UNKNOWN if place is None else self.value_at(place)
        if isinstance(value, External):
            return External(f"{value.path}.{name}")
        if isinstance(value, Super):
            found = self._find_in_class(value.of, name, value.after)
            if found is ABSENT and name == "__setattr__":
                return Method(value.of, Builtin("object.__setattr__"))
            return UNKNOWN if found is ABSENT else found
        if isinstance(value, ClassRef):
            return self._of_class(value.cls, name)
        if isinstance(value, Partial):
            return {"func": value.function, "args": value.args}.get(name, UNKNOWN)
        if isinstance(value, Vars):
            return Native(value, name)
        if value == Builtin("object") and name == "__setattr__":
            return Builtin("object.__setattr__")
        return self._of_plain(value, name, node)

    def _of_plain(self, value: object, name: str, node: ast.AST | None) -> object:
        kind = (
            dict
            if isinstance(value, Mapping)
            else value.kind
            if isinstance(value, Items)
            else type(value)
            if is_plain(value) or isinstance(value, tuple)
            else None
        )
        if kind is None:
            return UNKNOWN
        if name == "__class__":
            return Builtin(kind.__name__)
        if hasattr(kind, name):
            return Native(value, name)
        if kind in (dict, list, set, frozenset) and self.is_subclassed(value):
            return UNKNOWN
        text = f"{kind.__name__!r} object has no attribute {name!r}"
        finding = Finding(ATTRIBUTE, "AttributeError", text, kind.__name__, name)
        self.report(finding, node)
        return UNKNOWN

    def is_subclassed(self, value: object) -> bool:
        """Whether a dictionary or list may be of a class of its own, as an OrderedDict is."""
        return isinstance(value, Mapping)

    def _of_tensor(self, value: Tensor, name: str) -> object:
        if name == "shape" and value.shape is not None:
            return value.shape
        if name in ("T", "mT", "data", "real", "grad"):
            return TENSOR
        if name in TENSOR_VALUES:
            return UNKNOWN
        return Native(value, name)

    def has_attribute(self, value: object, name: str) -> bool | None:
        """`hasattr`; None if that is open."""
        if isinstance(value, Obj):
            if self.find_attribute(value, name) is not ABSENT:
                return True
            return None if self.doubts_about(value, name) else False
        if isinstance(value, ModuleRef):
            return self.world.find(value.path, name) is not None or None
        if isinstance(value, ClassRef):
            return True if self._of_class(value.cls, name) is not UNKNOWN else None
        if is_plain(value) or isinstance(value, tuple):
            return hasattr(value, name)
        if isinstance(value, Items):
            return hasattr(value.kind, name)
        if isinstance(value, Mapping):
            return hasattr(dict, name) or None
        if isinstance(value, Partial):
            return True if name in ("func", "args", "keywords", "__call__") else None
        return None

    def find_attribute(self, obj: Obj, name: str) -> object:
        """The value of an object's attribute, by Python's order; ABSENT if nothing gives it."""
        if name == "__dict__":
            return Vars(obj)
        if name == "__class__":
            return ClassRef(obj.cls) if obj.cls else UNKNOWN
        if obj.cls is None:
            return self._shown(obj.fields[name]) if name in obj.fields else UNKNOWN
        looked_up = self.name_looked_up(obj, name)
        name = looked_up or name
        found = self.classes.find(obj.cls, name)
        self.asked.add(name)
        home, entry = found or (obj.cls, None)
        if _is_getter(entry) and not _is_cached(entry):
            return self._run_getter(obj, name, home, entry)
        if name in obj.fields:
            return self._shown(obj.fields[name])
        if _is_getter(entry):
            return self._run_getter(obj, name, home, entry)
        if entry is not None:
            return self._bind(obj, home, entry)
        registered = self._registered(obj, name)
        if registered is not ABSENT:
            return registered
        if looked_up is None and supply.may_map(obj.cls, name, HOOK):
            return UNKNOWN
        return UNKNOWN if self.is_given_by_class(obj.cls, name) else ABSENT

    def is_given_by_class(self, cls: Class, name: str) -> bool:
        """Whether a class gives its objects an attribute, without their having it."""
        return (
            self.classes.find(cls, name) is not None
            or supply.is_given_by_builtin(cls, name)
            or supply.may_map(cls, name, "__getattr__")
        )

    def name_looked_up(self, obj: Obj, name: str) -> str | None:
        """The name that a `__getattribute__` of the object's class leads to; None if it is open."""
        if obj.cls is None or not any(HOOK in each.own for each in obj.cls.order):
            return name
        held = (obj.cls, *sorted(key for key in obj.fields if isinstance(key, str)))
        key = (held, name)
        if key not in self.looked_up:
            self.looked_up[key] = name_looked_up(
                self.world, self.classes, obj.cls, name, obj.fields
            )
        return self.looked_up[key]

    def _registered(self, obj: Obj, name: str) -> object:
        """What torch's own `__getattr__` gives: a parameter, buffer or child of that name."""
        for registry in REGISTRIES if obj.cls and is_torch_module(obj.cls) else ():
            entries = obj.fields.get(registry)
            if isinstance(entries, Mapping) and name in entries.items:
                return entries.items[name]
        return ABSENT

    def _find_in_class(self, value: object, name: str, after: Class) -> object:
        """What `super()` finds behind a class."""
        own = value.cls if isinstance(value, Obj | ClassRef) else None
        if own is None or after not in own.order:
            return UNKNOWN
        self.asked.add(name)
        found = own.find(name, after)
        if found is None:
            return ABSENT
        home, entry = found
        if isinstance(value, Obj) and _is_getter(entry):
            return self._run_getter(value, name, home, entry)
        return self._bind(value, home, entry)

    def _shown(self, value: object) -> object:
        """A value that lies in an object; a method that an instance keeps is looked up.

        Where it is kept under a method's name, the class has it: it was fetched before the object
        got its state.
        """
        if not isinstance(value, Kept):
            return value
        owner = value.of
        if not isinstance(owner, Obj):
            return UNKNOWN
        if isinstance(owner.fields.get(value.name), Kept):
            entry = self.classes.find(owner.cls, value.name) if owner.cls else None
            return self._bind(owner, *entry) if entry else UNKNOWN
        found = self.find_attribute(owner, value.name)
        return UNKNOWN if found is ABSENT else found

    def _bind(self, owner: object, home: Class, node: ast.AST | None) -> object:
        """What a class's entry is when it is read through an object, or through the class."""
        if isinstance(node, ast.FunctionDef):
            if home.path == MODULE and node.name in MODULE_METHODS:
                return Native(owner, node.name)
            if home.path in HOLDERS and node.name in HOLDERS[home.path]:
                return Native(owner, node.name)
            function = Function(node, home.module, home)
            marks = {dotted(each).rpartition(".")[2] for each in node.decorator_list}
            if "staticmethod" in marks:
                return function
            if "classmethod" in marks:
                cls = owner.cls if isinstance(owner, Obj | ClassRef) else home
                return Method(ClassRef(cls or home), function)
            return function if isinstance(owner, ClassRef) else Method(owner, function)
        if isinstance(node, ast.ClassDef):
            found = self.classes.at(f"{home.path}.{node.name}")
            return ClassRef(found) if found else UNKNOWN
        if isinstance(node, ast.expr):
            if home.path == MODULE and dotted(node) in ("_wrapped_call_impl", "_call_impl"):
                return Native(owner, "__call__")
            value = self._class_value(home, node)
            if isinstance(value, Function) and isinstance(owner, Obj):
                return Method(owner, value)
            return value
        return UNKNOWN

    def _class_value(self, home: Class, node: ast.expr) -> object:
        """The value of an attribute of a class: evaluated among the names of its body."""
        scope = Scope()
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and part.id in home.own:
                entry = home.own[part.id]
                scope[part.id] = (
                    Function(entry, home.module, home)
                    if isinstance(entry, ast.FunctionDef)
                    else UNKNOWN
                )
        return self.constant(node, home.module, scope)

    def _of_class(self, cls: Class, name: str) -> object:
        if name == "__name__":
            return cls.node.name
        found = self.classes.find(cls, name)
        if found is None:
            return UNKNOWN
        if _is_getter(found[1]):
            return UNKNOWN
        return self._bind(ClassRef(cls), *found)

    def _run_getter(self, obj: Obj, name: str, home: Class, node: ast.FunctionDef) -> object:
        """Run a property; where it fails, Python asks a `__getattr__` of the object's class."""
        method = Method(obj, Function(node, home.module, home))
        asked = self.classes.find(obj.cls, "__getattr__") if obj.cls else None
        if asked is None:
            return self.call(method, [], {}, node)
        scope = Try(lambda error: error == "AttributeError", self.doubt)
        place = self._place()
        self.tries.append(scope)
        try:
            value = self.call(method, [], {}, node)
            self.tries.pop()
            return value
        except Raises as error:
            self._go_back(place)
            if error.error != "AttributeError":
                raise
            return self._registered(obj, name) if asked[0].path == MODULE else UNKNOWN

    def _miss(self, obj: Obj, name: str, node: ast.AST | None) -> object:
        """Report what an object lacks."""
        text = f"{obj.name!r} object has no attribute {name!r}"
        path = obj.cls.path if obj.cls else obj.dotted
        finding = Finding(ATTRIBUTE, "AttributeError", text, path, name)
        finding.places = self.places_of(obj)
        finding.doubts = self.doubts_about(obj, name)
        if finding.doubts:
            self.note(f"{path}: {finding.doubts[0]}")
        self.report(finding, node)
        return UNKNOWN

    def doubts_about(self, obj: Obj, name: str) -> list[str]:
        """Why an object may have an attribute that nothing seems to give."""
        followed = self.name_looked_up(obj, name) is not None
        key = (obj.cls, name, followed)
        if key not in self.class_doubts:
            self.class_doubts[key] = supply.doubts(
                self.world, self.classes, obj.cls, name, (HOOK,) if followed else ()
            )
        return [*obj.doubts, *self.class_doubts[key], *self._replaced_by(obj.cls)]

    def _replaced_by(self, cls: Class | None) -> list[str]:
        """Why what ran before on objects of a class may have been something else."""
        if cls is None:
            return []
        if cls not in self.set_at_top:
            self.set_at_top[cls] = supply.set_at_top(self.world, cls)
        return [why for name, why in self.set_at_top[cls].items() if name in self.asked]

    def places_of(self, obj: Obj) -> list[str]:
        """The ways to an object in the model."""
        return []

    def truth_of_object(self, obj: Obj) -> bool | None:
        """An object counts as true but for a `__bool__` or a `__len__` of its class."""
        if obj.cls is None:
            return None
        for name in ("__bool__", "__len__"):
            if found := self.classes.find(obj.cls, name):
                if found[0].path in HOLDERS:
                    modules = obj.fields.get("_modules")
                    return self.truth(modules) if isinstance(modules, Mapping) else None
                return None
        return None if obj.cls.foreign != [] and not supply.is_plain_object(obj.cls) else True

    def global_value(self, module: str, name: str) -> object:
        """What a name means at the top of a module."""
        place = self.world.find(module, name)
        if place is None:
            return Builtin(name) if name in supply.BUILTINS else UNKNOWN
        return self.value_at(place)

    def value_at(self, place: Place) -> object:
        """The value that a place in a source has."""
        key = (place.module, place.path)
        if key not in self.values:
            self.values[key] = UNKNOWN  # for a value that leads back to itself
            self.values[key] = self._value_at(place)
        return self.values[key]

    def _value_at(self, place: Place) -> object:
        name = place.path.removeprefix(f"{place.module}.") if place.module else place.path
        if place.module.partition(".")[0] in sys.stdlib_module_names and place.path != place.module:
            return External(place.path)
        if isinstance(place.node, ast.ClassDef):
            cls = self.classes.of(place)
            return ClassRef(cls) if cls else UNKNOWN
        if isinstance(place.node, Definition):
            module = self.world.modules.module(place.module)
            if module and name in module.twice:
                return External(place.path)
            return Function(place.node, place.module)
        if place.path == place.module or self.environment_has(place.path):
            return ModuleRef(place.path)
        if isinstance(place.node, ast.expr) and supply.is_given_once(
            self.world, place.module, name
        ):
            return self.constant(place.node, place.module, Scope())
        return External(place.path) if place.node is None else UNKNOWN

    def environment_has(self, path: str) -> bool:
        return self.world.environment.find(path) is not None

    def constant(self, node: ast.expr, module: str, scope: Scope) -> object:
        """The value of an expression at the top of a module or class; it reports nothing."""
        function = Function(ast.Lambda(args=supply.NO_ARGUMENTS, body=node), module)
        quiet = Try(lambda error: True, self.doubt)
        place = self._place()
        self.tries.append(quiet)
        try:
            value = self.evaluate(node, Frame(function, scope))
        except Raises:
            value = UNKNOWN
        self._go_back(place)
        # What it holds can be changed by any code of the module, at any time.
        return value if not isinstance(value, Items | Mapping) else UNKNOWN


def _is_getter(node: ast.AST | None) -> TypeGuard[ast.FunctionDef]:
    return isinstance(node, ast.FunctionDef) and any(
        dotted(each).rpartition(".")[2] in ("property", "cached_property")
        for each in node.decorator_list
    )


def _is_cached(node: ast.FunctionDef) -> bool:
    return any(dotted(each).rpartition(".")[2] == "cached_property" for each in node.decorator_list)
