"""Whether the packages, modules and classes that a file names are there."""

import ast
import re

from missing_aa.checker import supply
from missing_aa.checker.findings import LOAD, MODULE, NAME, PACKAGE, Finding
from missing_aa.checker.world import AllClasses, World
from missing_aa.comparer.package import Place
from missing_aa.pickles.program import Global

MAPPED = {"torch.tensor": "torch._tensor"}
"""Modules that torch.load looks for elsewhere."""

MAIN = "__main__"

REACHES = (
    rb"\bimport\b(?:[^\n(]*|\s*\([^)]*)\b%s\b|(?<!self)\.%s\b"
    rb"|sys\.modules|import_module|__import__"
)
"""How a text may get hold of a module of this name, to set something on it."""

GONE = "nothing of that name is in the package"
"""Of a class or function that has not gone to another module either."""


def check_name(world: World, wanted: Global, by_getattr: bool = False) -> Finding | None:
    """What is missing of a name that a file asks for; None if it is there.

    `by_getattr`: it takes a class in a class by `getattr`, as pickle did before protocol 4.
    """
    module, name = MAPPED.get(wanted.module, wanted.module), wanted.name
    if module.partition(".")[0] == "torch" and "Storage" in name:
        return None  # torch.load makes these itself
    if module == "builtins":
        return None
    if module == MAIN and world.environment.find(MAIN) is None:
        finding = _missing(NAME, "AttributeError", _cannot_get(name, "<module '__main__'>"), wanted)
        finding.certain = False
        finding.doubts = ["the script that loads the file may define it"]
        finding.hint = "name that script with --path SCRIPT.py"
        return finding
    top = module.partition(".")[0]
    if world.find(module, name) is not None:
        return None
    world.search_installed(module)
    if not world.has(module):
        kind = MODULE if world.has(top) else PACKAGE
        finding = _missing(kind, "ModuleNotFoundError", world.why_not(module), wanted)
        finding.hint = _moved(world, module, name) if kind == MODULE else ""
        return finding
    if world.find(module, name) is not None:
        return None
    finding = _missing(NAME, "AttributeError", _cannot_get(name, _shown(world, module)), wanted)
    if module in world.modules.unreadable:
        finding.doubts = [f"{module} cannot be parsed: {world.modules.unreadable[module]}"]
    elif world.is_namespace(module):
        finding.doubts = _given_to_namespace(world, module, name)
    elif inside := _class_around(world, module, name):
        around, inner = inside
        classes = AllClasses(world)
        finding.doubts = supply.doubts(world, classes, classes.of(around), inner)
        if by_getattr:
            finding.attribute = inner
            short = around.path.rpartition(".")[2]
            finding.message = f"type object {short!r} has no attribute {inner!r}"
    finding.certain = not finding.doubts
    finding.hint = _moved(world, module, name)
    return finding


def _shown(world: World, module: str) -> str:
    """A module as Python's messages show it; of an address in memory nobody can tell."""
    file = world.environment.find(module)
    if not world.is_namespace(module):
        return f"<module {module!r} from {file.path if file else ''!r}>"
    if world.environment.version.startswith(("3.8.", "3.9.", "3.10.")):
        return f"<module {module!r} (namespace)>"
    loader = "_frozen_importlib_external.NamespaceLoader object at 0x…"
    return f"<module {module!r} (<{loader}>)>"


def _given_to_namespace(world: World, module: str, name: str) -> list[str]:
    """Statements of its package that may put a name on a folder without an `__init__`."""
    top, short = module.partition(".")[0], module.rpartition(".")[2]
    reaches = re.compile(REACHES % (re.escape(short.encode()), re.escape(short.encode())))
    able = {home for home, text in world.texts(top) if reaches.search(text)}
    homes = world.patches(top, name.partition(".")[0])
    return [f"{home} sets attributes on {on}" for home, on in homes if on == short or home in able]


def _class_around(world: World, module: str, name: str) -> tuple[Place, str] | None:
    """The innermost class of a dotted name that is there, and the name that is not in it."""
    around, _, last = name.rpartition(".")
    while around:
        place = world.find(module, around)
        if place is not None:
            return (place, last) if isinstance(place.node, ast.ClassDef) else None
        around, _, last = around.rpartition(".")
    return None


def _missing(kind: str, error: str, message: str, wanted: Global) -> Finding:
    return Finding(kind, error, message, wanted.dotted, when=LOAD)


def _cannot_get(name: str, where: str) -> str:
    return f"Can't get attribute {name!r} on {where}"


def _moved(world: World, module: str, name: str) -> str:
    """Where a class or function has gone to: the one place of its package, as far as it shows."""
    homes = world.homes(module, name.partition(".")[0])
    alike = [home for home in homes if _last(home.rpartition(".")[0]) == _last(module)]
    exact = [home for home in alike or homes if home.rpartition(".")[2] == name]
    chosen = exact or alike or homes
    if not chosen:
        return GONE
    if len(chosen) > 3:
        return f"{len(chosen)} other modules of the package define something of that name"
    return f"it may now be {' or '.join(chosen)}"


def _last(module: str) -> str:
    return module.rpartition(".")[2].lstrip("_")


def place_of(world: World, dotted: str) -> Place | None:
    """What a dotted name of the file leads to."""
    return world.resolve(dotted)
