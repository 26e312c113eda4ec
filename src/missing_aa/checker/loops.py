"""Loops in an abstract run."""

import ast
from functools import partial

from missing_aa.checker.calls import Calls
from missing_aa.checker.findings import Finding
from missing_aa.checker.state import Frame
from missing_aa.checker.values import UNKNOWN

OPEN_LOOP = "it stands in a loop that may not run"


class Loops(Calls):
    """Follows `for` and `while`."""

    def _for(self, node: ast.For, frame: Frame) -> str | None:
        if _leaves_loop(node):
            value = self.evaluate(node.iter, frame)
        else:
            value, generator = self.iterated(node.iter, frame)
            if generator:
                generator(partial(self._take, node, frame, len(self.frames)))
                return self.block(node.orelse, frame)
        if value is None or type(value) in (int, float, bool):
            text = f"{type(value).__name__!r} object is not iterable"
            self.report(Finding("value", "TypeError", text), node.iter)
        items, exact = self.items_of(value)

        def run() -> str | None:
            return self._iterate(node, items if exact or items else [UNKNOWN], frame)

        if exact:
            return run()
        return self.fork([run, lambda: None], OPEN_LOOP)

    def _take(self, node: ast.For, frame: Frame, depth: int, value: object) -> None:
        """One turn of a loop with what a generator yields, which waits meanwhile."""
        doubt, reasons, waiting = self.doubt, len(self.reasons), self.frames[depth:]
        del self.frames[depth:]
        try:
            self.assign(node.target, value, frame)
            self.block(node.body, frame)
        finally:
            self.frames[depth:] = waiting
        self._leave_loop(doubt, reasons, 0)

    def _iterate(self, node: ast.For, items: list, frame: Frame) -> str | None:
        """Run the body for each; the doubt of a `break` that may have come ends with the loop."""
        doubt, reasons, leaves = self.doubt, len(self.reasons), frame.leaves
        end = None
        for item in items:
            self.assign(node.target, item, frame)
            end = self.block(node.body, frame)
            if end in ("return", "break"):
                break
        if end != "break":
            end = end if end == "return" else self.block(node.orelse, frame)
        self._leave_loop(doubt, reasons, frame.leaves - leaves)
        return end if end == "return" else None

    def _leave_loop(self, doubt: int, reasons: int, left: int) -> None:
        self.doubt = doubt + left
        del self.reasons[reasons + left :]

    def _while(self, node: ast.While, frame: Frame) -> str | None:
        doubt, reasons, leaves = self.doubt, len(self.reasons), frame.leaves
        end = None
        while True:
            known = self.truth(self.evaluate(node.test, frame))
            if known is None or self.doubt > doubt:
                end = self.fork([lambda: self._once(node, frame), lambda: None], OPEN_LOOP)
                break
            if not known:
                break
            end = self.block(node.body, frame)
            if end in ("return", "break"):
                break
        self._leave_loop(doubt, reasons, frame.leaves - leaves)
        return end if end == "return" else None

    def _once(self, node: ast.While, frame: Frame) -> str | None:
        end = self.block(node.body, frame)
        return end if end == "return" else None


def _leaves_loop(node: ast.For) -> bool:
    """Whether something in a loop may end it early, or one inside it."""
    parts = (part for statement in node.body for part in ast.walk(statement))
    return any(isinstance(part, ast.Return | ast.Break) for part in parts)
