"""Where in a file a name is used: the way to the object that holds it."""

from collections import deque
from collections.abc import Iterator

from missing_aa.contents.build import class_of
from missing_aa.contents.standins import ORDERED_DICT
from missing_aa.pickles.program import Dict, Global, Object, Program
from missing_aa.text import clean

THROUGH = {"_modules", "_parameters", "_buffers"}
"""What lies between a module and its children, and is no step of the way."""
HOLDERS = (list, tuple, Dict, Object)


def place_of(name: str, program: Program) -> str:
    """`, at model.22.detect in ultralytics.nn.modules.head.Segment`; "" where nothing holds it."""
    seen: set[int] = set()
    waiting: deque[tuple] = deque([(None, None, program.root)])
    while waiting:
        way, owner, node = waiting.popleft()
        if isinstance(node, Global):
            if node.dotted == name:
                return _place(way, owner)
            continue
        if not isinstance(node, HOLDERS) or id(node) in seen:
            continue
        seen.add(id(node))
        waiting.extend(_inside(way, owner, node))
    return ""


def _inside(way: tuple | None, owner: str | None, node) -> Iterator[tuple]:
    """What a node holds, each with the way to it and the class of the object around it."""
    if isinstance(node, list | tuple):
        for item in node:
            yield way, owner, item
        return
    if isinstance(node, Object):
        yield way, owner, node.made_by
        yield way, owner, node.args
        yield way, owner, node.kwargs
        class_ = class_of(node)
        owner = class_ if class_ and class_ != ORDERED_DICT else owner
        for state in node.states:
            yield way, owner, state
        for item in node.items:
            yield way, owner, item
    for key, value in node.pairs:
        step = key if isinstance(key, str) and key not in THROUGH else None
        yield (way if step is None else (way, step)), owner, value
        yield way, owner, key


def _place(way: tuple | None, owner: str | None) -> str:
    steps = []
    while way:
        way, step = way
        steps.append(step)
    at = f", at {clean('.'.join(reversed(steps)), 100)}" if steps else ""
    return f"{at} in {clean(owner, 100)}" if owner else at
