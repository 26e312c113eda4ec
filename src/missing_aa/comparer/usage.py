"""What an object meets when its methods call each other, through all that it inherits."""

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from missing_aa.comparer.classes import Class, Classes, works_on_instance
from missing_aa.comparer.flow import GIVEN, LOAD, STORE, SUPER, Event


@dataclass(frozen=True)
class Read:
    """Where a method, `reader`, reads an attribute that its class does not have.

    `under` are attributes whose value decides whether it comes to this.
    """

    reader: str
    module: str
    line: int
    under: frozenset[str]


@dataclass
class Run:
    """What happens to an object of class `of` when some of its methods are called.

    `reads` are the attributes that it must carry itself, `stores` those that are stored on it,
    `made` and `registered` the beginnings of names that are put together at run time, for anything
    and for modules and tensors alone, `elsewhere` the names that its methods ask of other objects,
    and `stored` the dotted names that it stores, each with the module that writes it.
    """

    classes: Classes
    of: Class
    reads: dict[str, list[Read]] = field(default_factory=dict)
    stores: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    registered: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)
    stored: set[tuple[str, str]] = field(default_factory=set)
    _been: dict[tuple[int, int], list[Event]] = field(default_factory=dict)

    def call(self, method: str) -> None:
        """Follow a method by its name, if the class has it."""
        if found := self.of.method(method):
            self._follow(*found, Event(LOAD, method, 0, True))

    def _follow(
        self, home: Class | str, node: ast.FunctionDef, by: Event, argument: int = 0
    ) -> frozenset[str]:
        """Follow a function that `by` leads to; gives what it never ends without storing.

        `home` is the class that it stands in, or a plain function's module.
        """
        been = self._been.setdefault((id(node), argument), [])
        if any(each.have <= by.have and each.under <= by.under for each in been):
            return frozenset()  # it was here before, with no more in its hands
        been.append(by)
        known = self.classes.flow(node, argument)
        self.made |= known.made
        self.registered |= known.registered
        self.elsewhere |= known.elsewhere
        self.stored |= {
            (home if isinstance(home, str) else home.module, each) for each in known.stored
        }
        stored: frozenset[str] = frozenset()
        for event in known.events:
            have = by.have | known.asked | stored | event.have
            under = by.under | event.under
            left = self._meet(home, node, replace(event, have=have, under=under))
            if event.sure:
                stored |= left
        return stored

    def _meet(self, home: Class | str, node: ast.FunctionDef, event: Event) -> frozenset[str]:
        """One event; gives what is stored in the end."""
        module = home if isinstance(home, str) else home.module
        if event.what == STORE:
            self.stores.add(event.name)
            if setter := self.of.setter(event.name):
                return self._follow(*setter, event)
            return frozenset({event.name})
        if event.what == LOAD:
            if found := self.of.find(event.name):
                owner, value = found
                return (
                    self._follow(owner, value, event) if works_on_instance(value) else frozenset()
                )
            if event.name not in event.have and not self.of.has_default(event.name):
                name = home.rpartition(".")[2] if isinstance(home, str) else home.node.name
                read = Read(f"{name}.{node.name}", module, event.line, event.under)
                self.reads.setdefault(event.name, []).append(read)
        elif event.what == GIVEN:
            place = self.classes.package.find(module, event.who)
            if place and isinstance(place.node, ast.FunctionDef):
                return self._follow(place.module, place.node, event, int(event.name))
        elif found := self._above(home, module, event):
            return self._follow(*found, event)
        return frozenset()

    def _above(
        self, home: Class | str, module: str, event: Event
    ) -> tuple[Class, ast.FunctionDef] | None:
        """The method that `super().name` or `Base.name(self)` calls."""
        base = self.classes.get(module, event.who) if event.who else home
        if not isinstance(base, Class) or base not in self.of.order:
            return None
        return self.of.method(event.name, base) if event.what == SUPER else base.method(event.name)


IMPLICIT = (
    *("forward", "__call__", "__len__", "__iter__", "__next__", "__getitem__", "__contains__"),
    *("__bool__", "__eq__", "__hash__", "__enter__", "__exit__", "__repr__", "__str__"),
    *("extra_repr", "train", "_apply", "state_dict", "load_state_dict"),
    *("_save_to_state_dict", "_load_from_state_dict"),
)
"""Methods that are called without their name being written: by Python, by torch."""

MADE_BY = ("__init__", "__post_init__", "__setstate__")

MAKING = ("init", "reset_parameters")
"""Beginnings of the names of methods that belong to the making of an object."""


class Use:
    """What objects of one version's classes meet.

    In use are the methods of IMPLICIT, those that a method in use calls on another object, and, of
    a class that is neither a torch module nor callable, every public method.
    """

    def __init__(self, classes: Classes, tick: Callable[[str, int, int], object] = lambda *_: None):
        self.classes = classes
        self._elsewhere: set[str] = set()
        self._made: dict[Class, Run] = {}
        self._used: dict[Class, Run] = {}
        every = {each for _, _, each in classes.every()}
        before = -1
        while before != len(self._elsewhere):
            before = len(self._elsewhere)
            for done, each in enumerate(every):
                tick("classes followed", done, len(every))
                self._used[each] = self._run(each, self._names(each))
            self._elsewhere = self._elsewhere.union(*(run.elsewhere for run in self._used.values()))

    def made(self, of: Class) -> Run:
        """What an object is given while it is made, or put back."""
        if of not in self._made:
            self._made[of] = self._run(of, MADE_BY)
        return self._made[of]

    def used(self, of: Class) -> Run:
        """What it meets in use."""
        return self._used[of]

    def called(self, of: Class) -> Run:
        """What it meets if any of its public methods may be called as well."""
        return self._run(of, (*self._names(of), *_public(of)))

    def _run(self, of: Class, methods: Iterable[str]) -> Run:
        run = Run(self.classes, of)
        for method in methods:
            run.call(method)
        return run

    def _names(self, of: Class) -> Iterator[str]:
        yield from IMPLICIT
        if not of.is_module and not of.method("__call__"):
            yield from _public(of)
        for each in of.order:
            yield from self._elsewhere & each.own.keys()


def _public(of: Class) -> Iterator[str]:
    for each in of.order:
        yield from (name for name in each.own if not name.startswith(("_", *MAKING)))
