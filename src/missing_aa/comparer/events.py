"""What can be told of one function and the object that it works on."""

import ast
from dataclasses import dataclass, field

from missing_aa.comparer.texts import dotted

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
    any), `registered` of names under which it registers a module or a tensor, `spoken` the
    attributes that it loads from anything but `self`, and `held` the dotted names that stand,
    uncalled, in what it stores on `self`.
    """

    events: list[Event] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    registered: set[str] = field(default_factory=set)
    spoken: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)


def catches(handler: ast.ExceptHandler) -> bool:
    """Whether an `except` takes an AttributeError."""
    caught = handler.type
    named = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    taken = ("AttributeError", "Exception", "BaseException")
    return any(each is None or dotted(each) in taken for each in named)
