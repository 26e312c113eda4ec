"""Follows a function through its statements, in the order in which they run."""

import ast

from missing_aa.comparer.events import LOAD, Flow, catches
from missing_aa.comparer.expressions import Expressions
from missing_aa.comparer.texts import uncalled


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
                self.flow.held.update(uncalled(node.value))

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
