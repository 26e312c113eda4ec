"""Objects whose state is put back by a rule of their own, and the rule has changed."""

import ast
from collections.abc import Iterator

from missing_aa.comparer.classes import NAMED_TUPLE, Class, Classes
from missing_aa.comparer.names import Definition, dotted, text
from missing_aa.comparer.usage import Read, Run


def given_back(classes: Classes, of: Class) -> tuple[set[str], set[str]]:
    """Names of attributes that `__setstate__` gives, and beginnings of such names.

    Every text in it counts, as there are many ways: `self.x = …`, `state.setdefault("x", …)`,
    a loop over a dictionary of defaults.
    """
    run = Run(classes, of)
    run.call("__setstate__")
    texts = {text(part) for each in of.order for part in _parts(each)}
    return run.stores | texts - {""}, run.made | run.registered


def demanded(of: Class) -> dict[str, list[Read]]:
    """Keys that `__setstate__` takes out of the state as if they were there: `state["x"]`."""
    found: dict[str, list[Read]] = {}
    for each in of.order:
        taken, given = [], set()
        for part in _parts(each):
            if isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Load):
                taken.append(part)
            elif isinstance(part, ast.Subscript):
                given.add(text(part.slice))
            elif isinstance(part, ast.Compare):
                given.add(text(part.left))
            elif isinstance(part, ast.Call) and part.args:
                given.add(text(part.args[0]))
        for part in taken:
            if (name := text(part.slice)) not in given | {""}:
                reader = f"{each.node.name}.__setstate__"
                read = Read(reader, each.module, part.lineno, frozenset())
                found.setdefault(name, []).append(read)
    return found


def _parts(of: Class):
    """The parts of a class's own `__setstate__`."""
    method = of.own.get("__setstate__")
    return ast.walk(method) if isinstance(method, ast.FunctionDef) else ()


RULES = ("__setstate__", "__reduce__", "__reduce_ex__", "__getnewargs__", "__getnewargs_ex__")
PLAIN_BASES = {"object", "abc.ABC", "typing.Generic"}

Change = tuple[str, ast.stmt | ast.expr, str, str]
"""The attribute that it is about, where in the new class, what is wrong, what to do."""


def changes(old: Class, new: Class) -> Iterator[Change]:
    """What is different in the way in which an object's state is put back."""
    yield from _rules(old, new)
    yield from _slots(old, new)
    if _is(old, "enum.") and _is(new, "enum."):
        yield from _members(old, new)
    elif _is_tuple(old):
        yield from _ordered(fields(old), fields(new), new, "named tuple")
    elif _is_dataclass(old):
        yield from _dataclass(old, new)


def _rules(old: Class, new: Class) -> Iterator[Change]:
    """An old pickle calls by the old rule; what a rule newly there says is not asked."""
    for rule in RULES:
        before, after = old.method(rule), new.method(rule)
        if before is None or (rule == "__setstate__" and old.method("__getstate__") is None):
            continue  # the state is then the object's attributes, which are looked at elsewhere
        if after is None:
            yield rule, new.node, f"{rule} is gone, and old files need it", f"keep {rule}"
        elif ast.dump(before[1]) != ast.dump(after[1]):
            problem = f"{rule} has changed; old files hold what goes with the old one"
            yield rule, after[1], problem, f"let {rule} take both, and test it on an old file"


def _slots(old: Class, new: Class) -> Iterator[Change]:
    if new.method("__setstate__") or _has_dict(new):
        return
    now = _slot_names(new)
    if _has_dict(old):
        node, what = new.node, "has __slots__ and no __dict__ now, so an old state cannot be set"
    elif lost := sorted(_slot_names(old) - now):
        node, what = new.node, f"has no slot {', '.join(lost)} any more, which old files set"
    else:
        return
    yield "__slots__", node, what, "take the old state in a __setstate__"


def _has_dict(of: Class) -> bool:
    slotted = all("__slots__" in each.own for each in of.order) and not (
        set(of.foreign) - PLAIN_BASES
    )
    return not slotted or "__dict__" in _slot_names(of)


def _slot_names(of: Class) -> set[str]:
    names: set[str] = set()
    for each in of.order:
        if "__slots__" in each.own:
            for part in ast.walk(each.own["__slots__"]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    names |= set(part.value.split())
    return names


def _is(of: Class, beginning: str) -> bool:
    return any(path.startswith(beginning) for path in of.foreign)


def _members(old: Class, new: Class) -> Iterator[Change]:
    after = _values(new)
    for name, value in _values(old).items():
        if name not in after:
            yield name, new.node, f"has no member {name} any more", f"keep {name}, if deprecated"
        elif after[name] != value:
            problem = f"member {name} has another value, and pickles go by the value"
            yield name, new.own.get(name) or new.node, problem, f"keep the value of {name}"


def _values(of: Class) -> dict[str, str]:
    """The members of an enumeration; `auto()` counts, so its place is part of the value."""
    found: dict[str, str] = {}
    for each in reversed(of.order):
        for name, node in each.own.items():
            if not (name.startswith("_") or isinstance(node, Definition) or node is None):
                value = ast.unparse(node)
                found[name] = f"{value} at {len(found)}" if "auto()" in value else value
    return found


def _is_tuple(of: Class) -> bool:
    return NAMED_TUPLE in of.foreign


def _is_dataclass(of: Class) -> bool:
    return any(_dataclass_mark(each) is not None for each in of.order)


def _dataclass_mark(of: Class) -> ast.expr | None:
    for mark in of.node.decorator_list:
        called = mark.func if isinstance(mark, ast.Call) else mark
        if dotted(called).rpartition(".")[2] == "dataclass":
            return mark
    return None


def fields(of: Class) -> dict[str, ast.AnnAssign]:
    """The fields of a dataclass or a named tuple, with those that it inherits, in order."""
    if not (_is_tuple(of) or _is_dataclass(of)):
        return {}
    found: dict[str, ast.AnnAssign] = {}
    for each in reversed(of.order):
        for node in each.node.body:
            if isinstance(node, ast.AnnAssign) and "ClassVar" not in ast.unparse(node.annotation):
                found[ast.unparse(node.target)] = node
    return found


def _ordered(before: dict, after: dict, new: Class, what: str) -> Iterator[Change]:
    """Fields that are put back by their place."""
    for place, name in enumerate(before):
        if list(after)[place : place + 1] != [name]:
            problem = f"field {name} of the {what} has left its place, and pickles go by the place"
            yield (
                name,
                after.get(name, new.node),
                problem,
                "add fields at the end, and keep the old",
            )
            return
    for name in list(after)[len(before) :]:
        if after[name].value is None:
            problem = f"field {name} is new and has no default, and old files do not give it"
            yield name, after[name], problem, f"give {name} a default"


def _dataclass(old: Class, new: Class) -> Iterator[Change]:
    """Fields that are put back by their name; a plain default stands on the class as well."""
    before, after = fields(old), fields(new)
    mark = _dataclass_mark(new)
    if mark is not None and "slots=True" in ast.unparse(mark):
        yield from _ordered(before, after, new, "dataclass with slots")
        return
    for name in after:
        if name not in before and not _stays_on_class(after[name].value):
            problem = f"field {name} is new and old objects have none; repr and == read it"
            yield name, after[name], problem, f"set {name} in a __setstate__, where it is not there"


def _stays_on_class(default: ast.expr | None) -> bool:
    """Whether a field's default is to be found on the class."""
    if isinstance(default, ast.Call) and dotted(default.func).rpartition(".")[2] == "field":
        return any(word.arg == "default" for word in default.keywords)
    return default is not None
