"""Dictionaries that set a key twice: one reader keeps the first value, another the last."""

from helpers.checkpoints.errors import Refused
from helpers.checkpoints.nodes import Dict, Object, class_of, inside
from helpers.checkpoints.pickles import Program
from helpers.checkpoints.standins import Ordered

HOLDERS = {list, tuple, Dict, Object}


def check(program: Program) -> None:
    """Raise Refused for a name that stands twice in one dictionary; nothing honest writes that."""
    seen, waiting = set(), [program.root]
    while waiting:
        node = waiting.pop()
        if type(node) not in HOLDERS or id(node) in seen:
            continue
        seen.add(id(node))
        waiting += inside(node)
        if isinstance(node, Dict) or str(class_of(node)) == Ordered.dotted:
            _check(node.pairs)


def _check(pairs: list[tuple]) -> None:
    seen = set()
    for key, _ in pairs:
        if type(key) is str and key in seen:
            raise Refused(
                f"a dictionary in it sets {ascii(key)} twice: readers would see different files; "
                "do not load it, ask for the original"
            )
        if type(key) is str:
            seen.add(key)
