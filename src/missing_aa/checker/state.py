"""The state of an abstract run: what is certain, what was found, what must be undone."""

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from missing_aa.checker.findings import CALL, Finding
from missing_aa.checker.values import Function, Mutable, Obj, Scope, join_states
from missing_aa.checker.world import AllClasses, World
from missing_aa.comparer.classes import Class


class Raises(Exception):
    """The code that is followed raises an error here."""

    def __init__(self, error: str, message: str, finding: Finding | None = None):
        super().__init__(f"{error}: {message}")
        self.error = error
        self.message = message
        self.finding = finding


class OutOfSteps(Exception):
    """The budget is spent."""


@dataclass
class Frame:
    """A function that runs: its names, whose method it is, on what, and what it has returned.

    `leaves` is how much of the doubt comes from a return that may have been taken. `take` is what a
    loop over a generator does with each value that it yields.
    """

    function: Function
    scope: Scope
    first: object = None
    results: list = field(default_factory=list)
    leaves: int = 0
    take: Callable[[object], None] | None = None

    @property
    def module(self) -> str:
        return self.function.module


@dataclass
class Try:
    """A `try` that is being run: the errors that it catches; `maybe` if one may have come."""

    catches: Callable[[str], bool]
    doubt: int
    maybe: bool = False


class State(ABC):
    """What all parts of a run share, and what each asks of those that build on it.

    `doubt` is 0 where every way of the code comes by; above, how many open questions stand before
    it. `notes` are what was not followed, each once.
    """

    def __init__(self, world: World, classes: AllClasses, steps: int):
        self.world = world
        self.classes = classes
        self.steps = steps
        self.left = steps
        self.doubt = 0
        self.when = CALL
        self.notes: dict[str, None] = {}
        self.found: list[dict[tuple, Finding]] = [{}]
        """Of each fork that is open the findings, the outermost first."""
        self.bases = [0]
        """The doubt at the beginning of each."""
        self.changed: list[dict[int, tuple[Mutable, object]]] = []
        """Of each way that is open, what it changed and its state before."""
        self.tries: list[Try] = []
        self.frames: list[Frame] = []
        self.open_steps = 0
        self.reasons: list[str] = []
        """Why there is doubt, from the outermost question in."""
        self.values: dict[tuple[str, str], object] = {}
        self.places: dict[int, list[str]] = {}
        self.walked: set[int] = set()
        self.again: dict[tuple[int, int], int] = {}
        self.changed_classes: dict[Class, set[str]] = {}
        self.class_doubts: dict[tuple, list[str]] = {}
        self.looked_up: dict[tuple, str | None] = {}
        self.set_at_top: dict[Class, dict[str, str]] = {}
        self.asked: set[str] = set()
        """Names that were looked up on objects."""

    @abstractmethod
    def attribute(self, value: object, name: str, node: ast.AST | None) -> object:
        """`value.name`; see Lookup."""

    @abstractmethod
    def global_value(self, module: str, name: str) -> object: ...

    @abstractmethod
    def truth_of_object(self, obj: Obj) -> bool | None: ...

    @abstractmethod
    def items_of_object(self, obj: Obj) -> tuple[list, bool]:
        """What iterating over an object gives; see ModuleObjects."""

    @abstractmethod
    def item_of_object(self, obj: Obj, key: object, node: ast.AST | None) -> object: ...

    @abstractmethod
    def object_contains(self, obj: Obj, item: object) -> bool | None: ...

    @abstractmethod
    def call(
        self,
        function: object,
        args: list,
        kwargs: dict,
        node: ast.AST | None = None,
        exact: bool = True,
    ) -> object:
        """What a call gives; see Calls."""

    @abstractmethod
    def generator(
        self, function: object, args: list, kwargs: dict, node: ast.AST, exact: bool
    ) -> Callable | None:
        """What runs a generator piece by piece, if this call makes one; see Calls."""

    @abstractmethod
    def unknown_call(self, args: list, kwargs: dict, harmless: bool = False) -> object: ...

    @abstractmethod
    def forward(
        self, obj: Obj, args: list, kwargs: dict, node: ast.AST | None, exact: bool
    ) -> object: ...

    @abstractmethod
    def super_of(self, node: ast.Call, frame: Frame) -> object: ...

    @abstractmethod
    def block(self, body: list[ast.stmt], frame: Frame) -> str | None:
        """Run statements; see Walk."""

    @abstractmethod
    def assign(self, target: ast.expr, value: object, frame: Frame) -> None: ...

    def step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OutOfSteps

    def note(self, what: str) -> None:
        """Say that something was not followed."""
        self.notes[what] = None

    def change(self, value: Mutable) -> None:
        """Remember the state of a value that is about to be changed."""
        if self.changed and id(value) not in self.changed[-1]:
            self.changed[-1][id(value)] = (value, value.copy())

    def report(self, finding: Finding, node: ast.AST | None = None) -> None:
        """Note a finding down; one that a `try` around it catches is raised there instead."""
        for each in reversed(self.tries):
            if each.catches(finding.error):
                if self.doubt == each.doubt:
                    raise Raises(finding.error, finding.message, finding)
                each.maybe = True
                return
        finding.when = self.when
        if node is not None and self.frames:
            finding.file = self.world.shown(self.frames[-1].module)
            finding.line = getattr(node, "lineno", 0)
        if self.doubt > self.bases[-1] or finding.doubts:
            finding.certain = False
        if self.doubt and not finding.doubts and self.reasons:
            finding.doubts = [self.reasons[-1]]
        self._keep(finding)

    def _keep(self, finding: Finding) -> None:
        known = self.found[-1].get(finding.key)
        if known:
            known.merge(finding)
        else:
            self.found[-1][finding.key] = finding

    @contextmanager
    def in_doubt(self, why: str):
        """What runs inside may not run at all."""
        self.doubt += 1
        self.reasons.append(why)
        try:
            yield
        finally:
            self.doubt -= 1
            self.reasons.pop()

    def fork(self, ways: Sequence[Callable[[], str | None]], why: str) -> str | None:
        """Run each way from the same state; afterwards stands what they have in common.

        A way gives how it ended: None, "return", "break" or "continue". The result is how the code
        goes on: None also where only some ways go on.
        """
        ends, states, found, raised = [], [], [], []
        for way in ways:
            self.changed.append({})
            self.found.append({})
            self.bases.append(self.doubt + 1)
            before = self._place()
            try:
                with self.in_doubt(why):
                    end = way()
            except Raises as error:
                end = "raise"
                raised.append(error)
                self._go_back(before)
            finally:
                self.bases.pop()
                those = self.found.pop()
                changed = self.changed.pop()
            after = {key: (value, value.copy()) for key, (value, _) in changed.items()}
            for value, earlier in changed.values():
                value.restore(earlier)
            ends.append(end)
            found.append(those)
            states.append((changed, after))
        self._merge_findings(ends, found)
        for each in raised:
            self._may_raise(each.error)
        going = [at for at, end in enumerate(ends) if end is None]
        kept = going or [at for at, end in enumerate(ends) if end != "raise"]
        self._merge_states([states[at] for at in kept])
        if not kept:
            raise raised[0]
        ended = {end for end in ends if end not in (None, "raise")}
        return self._go_on(bool(going), ended, why)

    def _place(self) -> tuple:
        leaves = self.frames[-1].leaves if self.frames else 0
        return self.doubt, len(self.reasons), len(self.tries), len(self.frames), leaves

    def _go_back(self, place: tuple) -> None:
        """Leave whatever was entered since, as an error does."""
        self.doubt, reasons, tries, frames, leaves = place
        del self.reasons[reasons:], self.tries[tries:], self.frames[frames:]
        if self.frames:
            self.frames[-1].leaves = leaves

    def _go_on(self, going: bool, ended: set[str], why: str) -> str | None:
        if not going and len(ended) == 1:
            return ended.pop()
        if not ended:
            return None
        # From here on the code may have left already: its function, or its loop.
        self.doubt += 1
        self.reasons.append(why)
        if "return" in ended and self.frames:
            self.frames[-1].leaves += 1
        return None if going else "continue"

    def _merge_findings(self, ends: list, found: list[dict]) -> None:
        """A finding that every way meets, but for those that raise an error, is as sure as they."""
        counted = [those for end, those in zip(ends, found, strict=True) if end != "raise"]
        for those in found:
            for key, finding in those.items():
                everywhere = all(key in each and each[key].certain for each in counted or found)
                finding.certain = everywhere and self.doubt == self.bases[-1]
                if finding.certain:
                    finding.doubts = []
                self._keep(finding)

    def _may_raise(self, error: str) -> None:
        for each in reversed(self.tries):
            if each.catches(error):
                each.maybe = True
                return

    def _merge_states(self, states: list[tuple[dict, dict]]) -> None:
        """Every value that one of the ways changed gets what the ways have in common."""
        touched = {key: value for changed, _ in states for key, (value, _) in changed.items()}
        for key, value in touched.items():
            self.change(value)
            now = value.copy()
            after = [after[key][1] if key in after else now for _, after in states]
            value.restore(join_states(value, after))
