"""What lies at and below a value of a checkpoint, and which timm can have made it."""

from collections.abc import Iterable

from helpers.checkpoints import writers
from helpers.checkpoints.pickles import Program
from helpers.checkpoints.standins import Standin, View, attributes, pairs
from helpers.checkpoints.weights import is_module
from helpers.checkpoints.writers import Carried, Writer

STATES = ("_parameters", "_buffers", "_modules")
HOLDERS = (Standin, View, dict, list, tuple)


def walk(top: object) -> tuple[list[Standin], list[View]]:
    """Every object and every tensor below a value, each once."""
    objects, views, seen, waiting = [], [], set(), [top]
    while waiting:
        value = waiting.pop()
        if not isinstance(value, HOLDERS) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, View):
            views.append(value)
        elif isinstance(value, list | tuple):
            waiting += value
        else:
            waiting += [item for _, item in pairs(value)]
        if isinstance(value, Standin):
            objects.append(value)
            waiting += [value.state, *value.given, *value.items]
    return objects, views


def made_by(program: Program, objects: Iterable[Standin]) -> Writer | None:
    """The timm releases that can have made these objects of a file; None if none are timm's."""
    carried: dict[str, Carried] = {}
    for value in objects:
        if value.dotted.startswith("timm."):
            names, registered = _names_carried(value)
            known = carried.setdefault(value.dotted, Carried(set(), set(names), set()))
            known.add(names, registered)
    asked = [str(wanted) for wanted in program.globals.values()]
    texts = {
        str(class_): source[1]
        for class_, source in program.sources.items()
        if isinstance(source[1], str)
    }
    return writers.find_writer(asked, carried, texts)


def _names_carried(value: Standin) -> tuple[set[str], set[str]]:
    """The attributes of an object, and those among them that a module has registered."""
    state = attributes(value)
    held = [pairs(state.get(kind)) for kind in STATES] if is_module(value) else []
    registered = {key for entry in held for key, _ in entry if type(key) is str}
    return set(state) | registered, registered
