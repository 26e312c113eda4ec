"""Classes of a package with all that they inherit from inside it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeGuard

from missing_aa.comparer.flow import Flow, flow
from missing_aa.comparer.names import Definition, dotted, named_tuple
from missing_aa.comparer.package import Package, answers, bound_by

NAMED_TUPLE = "typing.NamedTuple"


@dataclass(eq=False)
class Class:
    """A class, its bases inside the package, and the dotted paths of those outside."""

    path: str
    module: str
    node: ast.ClassDef
    bases: list["Class"] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    @cached_property
    def order(self) -> list["Class"]:
        """Itself and the classes it inherits from, in the order in which a name is looked up."""
        every = [self, *(above for base in self.bases for above in base.order)]
        # A base that several share comes after all that inherit from it.
        last = {id(each): place for place, each in enumerate(every)}
        return [each for place, each in enumerate(every) if last[id(each)] == place]

    @cached_property
    def foreign(self) -> list[str]:
        """Every base outside the package."""
        return [path for each in self.order for path in each.outside]

    @cached_property
    def is_module(self) -> bool:
        """Whether it is, or may well be, a torch.nn.Module."""
        return any(path.startswith("torch.nn.") for path in self.foreign) or any(
            each.path == "torch.nn.modules.module.Module" for each in self.order
        )

    @cached_property
    def own(self) -> dict[str, Definition | ast.expr]:
        """What its body binds: methods, nested classes, and the values of class attributes."""
        bound: dict[str, Definition | ast.expr] = {}
        for node in self.node.body:
            if isinstance(node, Definition):
                if not _marked(node, "setter", "deleter"):
                    bound[node.name] = node
            elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
                bound |= dict.fromkeys(bound_by(node), node.value)
        return bound

    @cached_property
    def setters(self) -> dict[str, ast.FunctionDef]:
        """The setters of its properties."""
        return {node.name: node for node in self.node.body if _marked(node, "setter")}

    def find(
        self, name: str, after: "Class | None" = None
    ) -> "tuple[Class, Definition | ast.expr] | None":
        """The class and node that give a name its value, of those that come `after` one."""
        order = self.order if after is None else self.order[self.order.index(after) + 1 :]
        return next(((each, each.own[name]) for each in order if name in each.own), None)

    def method(
        self, name: str, after: "Class | None" = None
    ) -> tuple["Class", ast.FunctionDef] | None:
        """The same for what works on an instance: a method, or a property's getter."""
        found = self.find(name, after)
        return (found[0], node) if found and works_on_instance(node := found[1]) else None

    def setter(self, name: str) -> tuple["Class", ast.FunctionDef] | None:
        """The setter of a property."""
        return next(
            ((each, each.setters[name]) for each in self.order if name in each.setters), None
        )

    def has_default(self, name: str) -> bool:
        """Whether an instance that carries no such attribute has it all the same."""
        hooks = (self.method("__getattr__"), self.method("__getattribute__"))
        return self.find(name) is not None or any(
            hook is not None and answers(hook[1], name) for hook in hooks
        )


class Classes:
    """The classes of one package, each made once, and the flows of its functions.

    `flows` may be shared by two versions that share syntax trees. `modules_only` leaves out what is
    no torch.nn.Module.
    """

    def __init__(
        self,
        package: Package,
        flows: dict[tuple[int, int], Flow] | None = None,
        modules_only: bool = False,
    ):
        self.package, self._modules_only = package, modules_only
        self._flows = {} if flows is None else flows
        self._made: dict[str, Class] = {}

    def every(self) -> Iterator[tuple[str, str, Class]]:
        """Module, qualified name and class of all that a pickle can name."""
        for module, names in self.package.modules.items():
            for name, node in names.bound.items():
                for nested in _nested(name, node) if isinstance(node, ast.ClassDef) else ():
                    # None where something took its module's place.
                    found = self.get(module, nested)
                    if found and (found.is_module or not self._modules_only):
                        yield module, nested, found

    def get(self, module: str, name: str) -> Class | None:
        """The class that a name leads to in a module, through aliases; None if it is none."""
        place = self.package.find(module, name)
        if place is None or not isinstance(place.node, ast.ClassDef):
            return None
        if place.path not in self._made:
            # Known before its bases are looked at, in case one of them leads back to it.
            made = self._made[place.path] = Class(place.path, place.module, place.node)
            for base in place.node.bases:
                self._add_base(made, base.value if isinstance(base, ast.Subscript) else base)
        return self._made[place.path]

    def flow(self, function: ast.FunctionDef, argument: int) -> Flow:
        """What a function of the package does to one of its arguments."""
        key = (id(function), argument)
        if key not in self._flows:
            self._flows[key] = flow(function, argument)
        return self._flows[key]

    def _add_base(self, made: Class, base: ast.expr) -> None:
        if tuple_ := named_tuple(made.node.name, base):
            above = Class(f"{made.path}.<tuple>", made.module, tuple_, [], [NAMED_TUPLE])
            made.bases.append(above)
        elif found := self.get(made.module, dotted(base)):
            if not _leads_to(found, made):
                made.bases.append(found)
        else:
            place = self.package.find(made.module, dotted(base))
            made.outside.append(place.path if place else ast.unparse(base))


def _leads_to(one: Class, other: Class) -> bool:
    """Whether a class inherits from another, or is it."""
    return one is other or any(_leads_to(base, other) for base in one.bases)


def _nested(name: str, node: ast.ClassDef) -> list[str]:
    inner = [part for part in node.body if isinstance(part, ast.ClassDef)]
    return [name, *(deep for part in inner for deep in _nested(f"{name}.{part.name}", part))]


def works_on_instance(node: ast.AST | None) -> TypeGuard[ast.FunctionDef]:
    """Whether it is a function whose first argument is the instance."""
    return isinstance(node, ast.FunctionDef) and not _marked(node, "staticmethod", "classmethod")


def _marked(node: ast.AST, *marks: str) -> TypeGuard[ast.FunctionDef]:
    """Whether a function carries one of these decorators, as `@mark` or `@name.mark`."""
    return isinstance(node, ast.FunctionDef) and any(
        dotted(each).rpartition(".")[2] in marks for each in node.decorator_list
    )
