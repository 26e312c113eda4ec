"""Which methods an object meets: while it is made, and in use."""

from collections.abc import Iterable, Iterator

from missing_aa.comparer.classes import Class, Classes
from missing_aa.comparer.usage import Run

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

    def __init__(self, classes: Classes):
        self.classes = classes
        self._spoken: set[str] = set()
        self._made: dict[Class, Run] = {}
        self._used: dict[Class, Run] = {}
        every = {classes.get(*name) for name in classes.names()}
        before = -1
        while before != len(self._spoken):
            before = len(self._spoken)
            self._used = {each: self._run(each, self._names(each)) for each in every}
            self._spoken = self._spoken.union(*(run.spoken for run in self._used.values()))

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
            yield from self._spoken & each.own.keys()


def _public(of: Class) -> Iterator[str]:
    for each in of.order:
        yield from (name for name in each.own if not name.startswith(("_", *MAKING)))
