"""A model of a file, loaded, set to `eval()` and given one picture, in an abstract run."""

from functools import partial

from missing_aa.checker import supply
from missing_aa.checker.findings import ATTRIBUTE, CALL, EVAL, LOAD, Finding, Walked
from missing_aa.checker.getattribute import HOOK
from missing_aa.checker.objects import FileObjects, Kept
from missing_aa.checker.state import OutOfSteps
from missing_aa.checker.torch_rules import HOLDERS
from missing_aa.checker.values import (
    TENSOR,
    UNKNOWN,
    Function,
    Items,
    Mapping,
    Method,
    Native,
    Obj,
)
from missing_aa.checker.walk import Walk
from missing_aa.checker.world import MODULE, is_torch_module

MOST_PLACES = 100_000
"""So many ways to objects are named."""


def load(run: Walk, objects: FileObjects) -> None:
    """What pickle does with the objects: their state, by `__setstate__` where there is one."""
    run.when = LOAD
    given = _given_by_torch(run)
    for owner, name in objects.kept:
        if isinstance(owner, Obj):
            _fetch_from_class(run, owner, name)
    for obj in objects.objects:
        if obj.cls is None:
            continue
        found = run.classes.find(obj.cls, "__setstate__")
        if found and found[0].path != MODULE:
            state = objects.states.get(id(obj), Mapping(dict(obj.fields)))
            obj.fields = {}
            method = run.find_attribute(obj, "__setstate__")
            run.attempt(partial(run.call, method, [state], {}, None))
        elif found:
            for name, value in given.items():
                obj.fields.setdefault(name, _fresh(value))
    for owner, name in objects.kept:
        if isinstance(owner, Obj):
            run.note(f"{owner.name}: a method that an instance keeps ({name})")
            run.attempt(partial(run.attribute, owner, name, None))


def _fetch_from_class(run: Walk, obj: Obj, name: str) -> None:
    """A method that an object keeps under the method's own name: pickle asks for it before the
    object gets its state, so that the class alone can give it."""
    kept = obj.fields.get(name)
    if obj.cls is None or not isinstance(kept, Kept) or kept.of is not obj or kept.name != name:
        return
    if run.is_given_by_class(obj.cls, name) or supply.may_map(obj.cls, name, HOOK):
        return
    doubts = [*obj.doubts, *supply.doubts(run.world, run.classes, obj.cls, name)]
    if run.classes.find(obj.cls, "__new__"):
        doubts.append("its class has a __new__ of its own")
    text = f"{obj.name!r} object has no attribute {name!r}"
    finding = Finding(ATTRIBUTE, "AttributeError", text, obj.cls.path, name, doubts=doubts)
    run.attempt(partial(run.report, finding))


def _given_by_torch(run: Walk) -> dict[str, object]:
    """The attributes that this torch gives an old module when it is loaded."""
    module = run.classes.at(MODULE)
    if not (module and run.classes.find(module, "__setstate__")):
        return {}
    empty = Obj(module, MODULE)
    method = run.find_attribute(empty, "__setstate__")
    run.attempt(lambda: run.call(method, [Mapping()], {}, None))
    return empty.fields


def _fresh(value: object) -> object:
    if isinstance(value, Mapping):
        return Mapping(dict(value.items), value.exact)
    return Items(list(value.items), value.exact, value.kind) if isinstance(value, Items) else value


def name_places(run: Walk, root: Obj) -> list[Obj]:
    """Name the ways to every object below a model; its modules, in order."""
    modules: list[Obj] = []
    seen: set[int] = set()
    waiting: list[tuple[str, object, bool]] = [("", root, True)]
    while waiting and len(seen) < MOST_PLACES:
        place, value, is_module = waiting.pop()
        if isinstance(value, Obj):
            run.places.setdefault(id(value), []).append(place or "the model itself")
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Kept):
            continue
        if isinstance(value, Obj) and is_module:
            modules.append(value)
        waiting += reversed(list(_below(place, value)))
    return modules


def _below(place: str, value: object):
    """What an object, list or dictionary holds: its place, and whether it is a child module."""
    dot = f"{place}." if place else ""
    if isinstance(value, Obj):
        children = value.fields.get("_modules")
        if isinstance(children, Mapping):
            yield from ((f"{dot}{name}", child, True) for name, child in children.items.items())
        for name, item in value.fields.items():
            if name != "_modules" and isinstance(item, Obj | Items | Mapping | tuple):
                yield f"{dot}{name}", item, False
    elif isinstance(value, Mapping):
        for name, item in value.items.items():
            yield f"{place}[{name!r}]", item, False
    elif isinstance(value, Items | tuple):
        items = value.items if isinstance(value, Items) else value
        for at, item in enumerate(items):
            yield f"{place}[{at}]", item, False


def walk_model(run: Walk, root: Obj, name: str, defaults: bool = True) -> Walked:
    """Follow `eval()` and `forward` of a model; without the defaults, of any call of it."""
    modules = name_places(run, root)
    walked = Walked(name, root.dotted, modules=len(modules))
    try:
        run.when = EVAL
        run.attempt(lambda: _evaluate(run, root))
        run.when = CALL
        run.attempt(partial(_forward, run, root, walked, defaults))
    except OutOfSteps:
        run.note(f"the budget of {run.steps:,} steps is spent")
    except RecursionError:
        run.note("it is nested deeper than can be followed")
    ran = [each for each in modules if id(each) in run.walked or _is_empty_holder(each)]
    walked.walked = len(ran)
    return walked


def _is_empty_holder(obj: Obj) -> bool:
    children = obj.fields.get("_modules")
    empty = isinstance(children, Mapping) and not children.items
    return empty and obj.cls is not None and obj.cls.path in HOLDERS


def _evaluate(run: Walk, root: Obj) -> None:
    if root.cls is None:
        return
    method = run.attribute(root, "eval", None)
    if isinstance(method, Native):
        method = run.attribute(root, "train", None)
    if isinstance(method, Native):
        run.set_training(root, False)
    else:
        args = [False] if isinstance(method, Method) and method.function.name == "train" else []
        run.call(method, args, {}, None)


def _forward(run: Walk, root: Obj, walked: Walked, defaults: bool) -> None:
    args, named, walked.defaults = arguments(run, root)
    run.call(root, args, named, exact=defaults)


def arguments(run: Walk, root: Obj) -> tuple[list, dict, list[str]]:
    """One tensor for the first parameter of a model's forward, and unknown ones for the others
    that have no default; the names of those that have one."""
    found = None
    if root.cls is not None and is_torch_module(root.cls):
        found = run.find_attribute(root, "forward")
    if not isinstance(found, Method) or not isinstance(found.function, Function):
        return [TENSOR], {}, []
    given = found.function.node.args
    positional = [*given.posonlyargs, *given.args][1:]
    needed = max(len(positional) - len(given.defaults), 1)
    args: list = [TENSOR, *[UNKNOWN] * (needed - 1)] if positional else [TENSOR]
    named = list(zip(given.kwonlyargs, given.kw_defaults, strict=True))
    missing = [arg.arg for arg, default in named if default is None]
    left = [arg.arg for arg in positional[needed:]]
    left += [arg.arg for arg, default in named if default is not None]
    left += [
        f"{stars}{arg.arg}" for stars, arg in (("*", given.vararg), ("**", given.kwarg)) if arg
    ]
    return args, dict.fromkeys(missing, UNKNOWN), left
