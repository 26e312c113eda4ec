"""Whether the packages, modules and classes that a file names are there."""

from missing_aa.checker.findings import LOAD, MODULE, NAME, PACKAGE, Finding
from missing_aa.checker.world import World
from missing_aa.comparer.package import Place
from missing_aa.pickles.program import Global

MAPPED = {"torch.tensor": "torch._tensor"}
"""Modules that torch.load looks for elsewhere."""

MAIN = "__main__"


def check_name(world: World, wanted: Global) -> Finding | None:
    """What is missing of a name that a file asks for; None if it is there."""
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
    file = world.environment.find(module)
    where = f"<module {module!r} from {file.path if file else ''!r}>"
    finding = _missing(NAME, "AttributeError", _cannot_get(name, where), wanted)
    if module in world.modules.unreadable:
        finding.certain = False
        finding.doubts = [f"{module} cannot be parsed: {world.modules.unreadable[module]}"]
    finding.hint = _moved(world, module, name)
    return finding


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
        return "nothing of that name is in the package"
    if len(chosen) > 3:
        return f"{len(chosen)} other modules of the package define something of that name"
    return f"it may now be {' or '.join(chosen)}"


def _last(module: str) -> str:
    return module.rpartition(".")[2].lstrip("_")


def place_of(world: World, dotted: str) -> Place | None:
    """What a dotted name of the file leads to."""
    return world.resolve(dotted)
