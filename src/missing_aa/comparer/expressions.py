"""What the expressions of a function do to its `self`, in the order in which they run."""

import ast

from missing_aa.comparer.events import BASE, GIVEN, LOAD, STORE, SUPER, Event, Flow
from missing_aa.comparer.texts import beginning, dotted, text

REGISTERING = {"register_buffer", "register_parameter", "register_module", "add_module"}


class Expressions:
    """Visits expressions; wherever the source leaves a doubt, it counts as harmless.

    `have`, `under` and `sure` are those of the next event; `locals` holds what local names were
    last assigned.
    """

    def __init__(self, function: ast.FunctionDef, argument: int):
        arguments = [*function.args.posonlyargs, *function.args.args]
        self.self = arguments[argument].arg if argument < len(arguments) else ""
        self.flow = Flow()
        self.have: frozenset[str] = frozenset()
        self.under: frozenset[str] = frozenset()
        self.sure = True
        self.locals: dict[str, ast.expr] = {}

    def event(self, what: str, name: str, node: ast.AST, who: str = "") -> None:
        self.flow.events.append(
            Event(what, name, node.lineno, self.sure, self.have, self.under, who)
        )
        if what == STORE:
            self.have |= {name}

    def is_self(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Name) and node.id == self.self

    def is_dict(self, node: ast.AST, *functions: str) -> bool:
        """`self.__dict__`, or what one of the functions makes of `self`."""
        if isinstance(node, ast.Call):
            return dotted(node.func) in functions and any(map(self.is_self, node.args))
        return dotted(node) == f"{self.self}.__dict__"

    def visit(self, node: ast.AST | None) -> None:
        if node is not None:
            (getattr(self, f"at_{type(node).__name__}", None) or self.children)(node)

    def children(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            self.visit(child)

    def asked_in(self, test: ast.expr | None) -> frozenset[str]:
        """The attributes that a test looks at."""
        return frozenset(
            part.attr
            for part in (ast.walk(test) if test else ())
            if isinstance(part, ast.Attribute) and self.is_self(part.value)
        )

    def maybe(self, *nodes: ast.AST, test: ast.expr | None = None) -> None:
        """Expressions that are not always worked out."""
        before, sure, under = self.have, self.sure, self.under
        self.sure, self.under = False, under | self.asked_in(test)
        for node in nodes:
            self.visit(node)
        self.have, self.sure, self.under = before, sure, under

    def at_Lambda(self, node: ast.Lambda) -> None:
        self.maybe(node.body)

    def at_IfExp(self, node: ast.IfExp) -> None:
        self.visit(node.test)
        self.maybe(node.body, test=node.test)
        self.maybe(node.orelse, test=node.test)

    def at_BoolOp(self, node: ast.BoolOp) -> None:
        first, *rest = node.values
        self.visit(first)
        self.maybe(*rest, test=first)

    def at_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> None:
        first, *rest = node.generators
        self.visit(first.iter)
        self.maybe(first.target, *first.ifs, *rest, node.elt)

    at_SetComp = at_GeneratorExp = at_ListComp

    def at_DictComp(self, node: ast.DictComp) -> None:
        first, *rest = node.generators
        self.visit(first.iter)
        self.maybe(first.target, *first.ifs, *rest, node.key, node.value)

    def at_Attribute(self, node: ast.Attribute) -> None:
        if self.is_self(node.value):
            if not isinstance(node.ctx, ast.Del):
                self.event(LOAD if isinstance(node.ctx, ast.Load) else STORE, node.attr, node)
        elif isinstance(node.value, ast.Call) and dotted(node.value.func) == "super":
            start = node.value.args[:1]
            self.event(SUPER, node.attr, node, dotted(start[0]) if start else "")
        else:
            self.flow.spoken.add(node.attr)
            self.visit(node.value)

    def at_Compare(self, node: ast.Compare) -> None:
        where = node.comparators[0]
        if isinstance(node.ops[0], ast.In | ast.NotIn) and self.is_dict(where, "vars", "dir"):
            self.flow.asked.add(text(node.left))
        self.children(node)

    def at_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.ctx, ast.Store) and self.is_dict(node.value, "vars"):
            self.store(node.slice, node)
        self.children(node)

    def at_Call(self, node: ast.Call) -> None:
        self.children(node)
        called, args = dotted(node.func), node.args
        head, _, method = called.rpartition(".")
        form = (called, len(args)) if args and self.is_self(args[0]) else ()
        if form in (("hasattr", 2), ("getattr", 3)):
            self.flow.asked.add(text(args[1]))
        elif form == ("getattr", 2) and text(args[1]):
            self.event(LOAD, text(args[1]), node)
        elif form in (("setattr", 3), ("object.__setattr__", 3)):
            self.store(args[1], node)
        elif head == self.self and method in REGISTERING:
            names = [word.value for word in node.keywords if word.arg == "name"]
            for name in [*args, *names][:1]:
                self.store(name, node, self.flow.registered)
        elif isinstance(node.func, ast.Attribute) and self.is_dict(node.func.value, "vars"):
            if node.func.attr == "setdefault":
                self.store(args[0], node)
            elif node.func.attr == "update":
                self.flow.made.add("")
        else:
            self.hand_on(called, node)

    def store(self, name: ast.expr, node: ast.AST, made: set[str] | None = None) -> None:
        """Store under a name that is written out, or put together at run time."""
        if isinstance(name, ast.Name):
            name = self.locals.get(name.id, name)
        if text(name):
            self.event(STORE, text(name), node)
        else:
            (self.flow.made if made is None else made).add(beginning(name))

    def hand_on(self, called: str, node: ast.Call) -> None:
        """`self` as an argument of a method of another class, or of a function."""
        head, _, method = called.rpartition(".")
        for number, value in enumerate(node.args):
            if called and self.is_self(value):
                if number == 0 and head:
                    self.event(BASE, method, node, head)
                self.event(GIVEN, str(number), node, called)
