"""Follows a function through its statements, in the order in which they run."""

import ast
from dataclasses import dataclass, field

from missing_aa.comparer.names import beginning, dotted, text, uncalled

LOAD, STORE, SUPER, BASE, GIVEN = "load", "store", "super", "base", "given"


@dataclass(frozen=True)
class Event:
    """One thing that a function does to `self`, in `line`.

    `what` is one of
    - LOAD, STORE: the attribute `name`;
    - SUPER: calls the method `name` of what comes after the class written `who` ("": its own);
    - BASE: calls the method `name` of the class written `who`, with `self`;
    - GIVEN: hands `self` on as argument number `name` of the function written `who`.

    It is `sure` if the function never ends without it. `have` are attributes that it can count on
    there, having stored them; `under` those whose value decides whether it comes
    to this.
    """

    what: str
    name: str
    line: int
    sure: bool
    have: frozenset[str] = frozenset()
    under: frozenset[str] = frozenset()
    who: str = ""


@dataclass
class Flow:
    """All events of a function, in order.

    `asked` are attributes that it asks about anywhere, as whoever asks knows that they may not be
    there. `made` are the beginnings of attribute names that it puts together at run time ("" for
    any), `registered` of names under which it registers a module or a tensor, `elsewhere` the
    attributes that it loads from anything but `self`, and `stored` the dotted names that stand,
    uncalled, in what it stores on `self`.
    """

    events: list[Event] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    registered: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)
    stored: set[str] = field(default_factory=set)


def catches(handler: ast.ExceptHandler) -> bool:
    """Whether an `except` takes an AttributeError."""
    caught = handler.type
    named = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    taken = ("AttributeError", "Exception", "BaseException")
    return any(each is None or dotted(each) in taken for each in named)


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

    def event(self, what: str, name: str, node: ast.expr, who: str = "") -> None:
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
            self.flow.elsewhere.add(node.attr)
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

    def store(self, name: ast.expr, node: ast.expr, made: set[str] | None = None) -> None:
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


def flow(function: ast.FunctionDef, argument: int = 0) -> Flow:
    """What a function does to its argument of this number."""
    return _Statements(function, argument).flow


class _Statements(Expressions):
    """Runs through the statements; `ended` says that what follows is never reached."""

    def __init__(self, function: ast.FunctionDef, argument: int):
        super().__init__(function, argument)
        self.ended = False
        self.body(function.body)

    def body(self, nodes: list[ast.stmt]) -> None:
        for node in nodes:
            self.visit(node)
            if self.ended:
                return

    def ways(self, *bodies: list[ast.stmt], test: ast.expr | None = None) -> None:
        """Run through bodies of which one is taken, and go on with what all of them leave."""
        before, sure, under, left, ended = self.have, self.sure, self.under, [], []
        within = under | self.asked_in(test)
        for body in bodies:
            self.have, self.sure, self.under, self.ended = before, False, within, False
            self.body(body)
            ended.append(self.ended)
            if not self.ended:
                left.append(self.have)
        self.ended = all(ended)
        self.have = frozenset.intersection(*left) if left else before
        # Where one of them has ended the function, the test decides about all that follows.
        self.sure = sure and not any(ended)
        self.under = within if any(ended) else under

    def at_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self.ways(node.body, node.orelse, test=node.test)

    def at_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self.ways(node.body, [], test=node.test)
        self.body(node.orelse)

    def at_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self.visit(node.target)
        self.ways(node.body, [])
        self.body(node.orelse)

    def at_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        self.ways([], *(case.body for case in node.cases), test=node.subject)

    def at_With(self, node: ast.With) -> None:
        for item in node.items:
            self.visit(item)
        self.body(node.body)

    def at_Try(self, node: ast.Try) -> None:
        before, sure, seen = self.have, self.sure, len(self.flow.events)
        self.sure = sure and not node.handlers
        self.body(node.body + node.orelse)
        after, ended, events = self.have, self.ended, self.flow.events
        if any(map(catches, node.handlers)):
            # That an attribute may not be there is what this is about.
            events[seen:] = [event for event in events[seen:] if event.what != LOAD]
        self.have, self.sure = before, sure
        self.ways(*(handler.body for handler in node.handlers))
        if self.ended:  # only the body leads on
            self.have, self.ended = after, ended
        elif not ended:
            self.have &= after
        ended, self.ended = self.ended, False
        self.body(node.finalbody)
        self.ended |= ended

    def at_Return(self, node: ast.Return) -> None:
        self.visit(node.value)
        self.ended = True

    def at_Raise(self, node: ast.Raise) -> None:
        self.visit(node.exc)
        self.ended = True

    def at_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)
            if isinstance(target, ast.Name):
                self.locals[target.id] = node.value
            elif isinstance(target, ast.Attribute) and self.is_self(target.value):
                self.flow.stored.update(uncalled(node.value))

    def at_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)

    def at_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Attribute) and self.is_self(node.target.value):
            self.event(LOAD, node.target.attr, node.target)
        self.visit(node.value)
        self.visit(node.target)

    def at_FunctionDef(self, node: ast.FunctionDef) -> None:
        """A function inside this one may be called later, or never."""
        if self.self in [each.arg for each in node.args.args]:  # it has a `self` of its own
            return
        before, sure, ended = self.have, self.sure, self.ended
        self.sure = False
        self.body(node.body)
        self.have, self.sure, self.ended = before, sure, ended

    def at_ClassDef(self, node: ast.ClassDef) -> None:
        """So has a class."""

    at_AsyncFor, at_AsyncWith, at_AsyncFunctionDef = at_For, at_With, at_FunctionDef
