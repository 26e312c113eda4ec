"""Ways of giving an object an attribute that a reader of source may overlook.

Each of them makes a missing attribute a possible one, and no more a certain one.
"""

import ast
import builtins
import enum
import re
from collections.abc import Iterator

from missing_aa.checker.decorators import is_harmless
from missing_aa.checker.lazy import Module
from missing_aa.checker.world import MODULE, AllClasses, World
from missing_aa.comparer.classes import NAMED_TUPLE, Class
from missing_aa.comparer.names import Definition, dotted

BUILTINS = frozenset(dir(builtins))

NO_ARGUMENTS = ast.arguments([], [], None, [], [], None, [])

KNOWN_BASES: dict[str, type] = {
    "object": object,
    "dict": dict,
    "list": list,
    "tuple": tuple,
    "set": set,
    "str": str,
    "int": int,
    "float": float,
    "Exception": Exception,
    "collections.OrderedDict": dict,
    "collections.UserDict": dict,
    "enum.Enum": enum.Enum,
    "enum.IntEnum": enum.IntEnum,
    "typing.Generic": object,
    "typing.Protocol": object,
    "abc.ABC": object,
    NAMED_TUPLE: tuple,
}
"""Bases whose source is not read, and what stands for them here."""

ANY = ""
"""Stands for names that a class's body binds by `locals()` or `exec`."""

LOOKING = {"hasattr", "getattr", "issubclass", "isinstance", "super"}
"""Functions that change nothing on what they are given."""

HARMLESS_METACLASSES = {"abc.ABCMeta", "ABCMeta", "type"}


def is_plain_object(cls: Class) -> bool:
    """Whether no base of a class is hidden, or a container."""
    return all(KNOWN_BASES.get(path) is object for path in cls.foreign)


def is_given_by_builtin(cls: Class, name: str) -> bool:
    """Whether a built-in type among the bases gives an attribute."""
    known = [KNOWN_BASES[path] for path in cls.foreign if path in KNOWN_BASES]
    return any(hasattr(kind, name) for kind in (object, *known))


def doubts(
    world: World,
    classes: AllClasses,
    cls: Class | None,
    name: str,
    followed: tuple[str, ...] = (),
) -> list[str]:
    """Why objects of a class may have an attribute that they seem to lack.

    `followed` are those of Python's hooks that were followed, and did not give it.
    """
    if cls is None:
        return ["its class cannot be read"]
    return list(dict.fromkeys(_doubts(world, cls, name, followed)))


def _doubts(world: World, cls: Class, name: str, followed: tuple[str, ...]) -> Iterator[str]:
    for path in cls.foreign:
        if path not in KNOWN_BASES:
            yield f"its base {path} cannot be read"
    for each in cls.order:
        if each.path == MODULE:
            continue
        short = each.node.name
        for hook in ("__getattr__", "__getattribute__"):
            if hook in each.own and hook not in followed:
                yield f"{short} has a {hook} of its own"
        inherited = each.own.get("__init_subclass__")
        if inherited and each is not cls and _may_give(inherited, cls, name):
            yield f"{short} changes the classes that inherit from it"
        for word in each.node.keywords:
            if word.arg == "metaclass" and dotted(word.value) not in HARMLESS_METACLASSES:
                yield f"{short} is made by the metaclass {ast.unparse(word.value)}"
        for decorator in each.node.decorator_list:
            if not is_harmless(world, each.module, decorator):
                yield f"{short} is changed by the decorator {ast.unparse(decorator)[:60]}"
        # A property of that name has failed: the body gives nothing else.
        if name not in each.own and not {name, ANY}.isdisjoint(_bound_somewhere(each.node)):
            yield f"the body of {short} may give it"
        module = world.modules.module(each.module)
        top = each.path.removeprefix(f"{each.module}.").partition(".")[0]
        if module:
            if top in module.twice:
                yield f"{short} is defined more than once in {each.module}"
            yield from _changed_at_top(world, module, top, name)
    yield from _patches(world, cls, name)


def _may_give(method: object, cls: Class, name: str, seen: tuple[object, ...] = ()) -> bool:
    """Whether a method that works on a class may give it this name, or change what its code does.

    It does neither where it sets only other names, which are no methods, and looks at the class;
    and the methods that it calls likewise.
    """
    if method in seen or _is_static(method):
        return False
    if not isinstance(method, ast.FunctionDef) or not method.args.args:
        return True
    first = method.args.args[0].arg
    known: set[ast.AST] = set()
    for part in ast.walk(method):
        if isinstance(part, ast.Call):
            known.update(part.args if dotted(part.func) in LOOKING else ())
            owner, _, called = dotted(part.func).rpartition(".")
            found = cls.find(called) if owner == first else None
            if owner == first and _may_give(found and found[1], cls, name, (*seen, method)):
                return True
        elif isinstance(part, ast.Attribute) and dotted(part.value) == first:
            known.add(part.value)
            sets = not isinstance(part.ctx, ast.Load)
            if sets and (part.attr == name or not _is_plain(cls, part.attr)):
                return True
    names = [part for part in ast.walk(method) if isinstance(part, ast.Name) and part.id == first]
    return not known.issuperset(names)


def _is_static(method: object) -> bool:
    return isinstance(method, ast.FunctionDef) and any(
        dotted(each) == "staticmethod" for each in method.decorator_list
    )


def _is_plain(cls: Class, name: str) -> bool:
    """Whether a name is not a class's method, nor one that Python calls by itself."""
    found = cls.find(name)
    return not name.startswith("__") and (found is None or isinstance(found[1], ast.Constant))


def _changed_at_top(world: World, module: Module, short: str, name: str) -> Iterator[str]:
    """Statements at a module's top that reach one of its classes by another way than its name."""
    for node in module.tree.body:
        if isinstance(node, Definition):
            continue
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
                hook = part.attr.startswith("__") and dotted(part.value) == short
                if part.attr == name or hook:
                    yield f"the top of {module.name} sets {ast.unparse(part)[:40]}"
            elif isinstance(part, ast.Call) and (written := dotted(part.func)):
                if written == "setattr":
                    yield f"the top of {module.name} sets attributes on classes"
                elif _is_given(part, short) and not is_harmless(world, module.name, part.func):
                    yield f"{module.name} hands {short} to {written}"


def set_at_top(world: World, cls: Class) -> dict[str, str]:
    """The names that statements at the tops of their own modules put on a class and its bases.

    Each with a sentence. Such a name gives no other, but what runs under it may.
    """
    found: dict[str, str] = {}
    for each in cls.order:
        module = world.modules.module(each.module)
        for node in module.tree.body if module and each.path != MODULE else ():
            for part in () if isinstance(node, Definition) else ast.walk(node):
                if not isinstance(part, ast.Attribute) or not isinstance(part.ctx, ast.Store):
                    continue
                if dotted(part.value) == each.node.name:
                    why = f"the top of {each.module} sets {ast.unparse(part)[:40]}"
                    found.setdefault(part.attr, why)
    return found


def may_map(cls: Class, name: str, hook: str) -> bool:
    """Whether a class's own way of looking names up may lead this one to another name.

    A dictionary of the class has it as a key.
    """
    if not any(hook in each.own for each in cls.order):
        return False
    return any(
        isinstance(entry, ast.Dict)
        and any(isinstance(key, ast.Constant) and key.value == name for key in entry.keys)
        for each in cls.order
        for entry in each.own.values()
    )


def _is_given(call: ast.Call, name: str) -> bool:
    return any(dotted(each) == name for each in call.args)


def _bound_somewhere(node: ast.ClassDef) -> set[str]:
    """Names that statements in a class's body may bind: under an `if`, in a loop, by an import."""
    found: set[str] = set()
    waiting: list[ast.AST] = [*node.body]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Definition):
            found.add(part.name)
            continue
        if isinstance(part, ast.AnnAssign) and part.value is None:
            continue
        if isinstance(part, ast.Call) and dotted(part.func) in ("locals", "vars", "exec"):
            found.add(ANY)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            found.add(part.id)
        if isinstance(part, ast.alias):
            found.add(part.asname or part.name)
        waiting += ast.iter_child_nodes(part)
    return found


def _patches(world: World, cls: Class, name: str) -> Iterator[str]:
    """Statements anywhere in its packages that put something on one of the classes."""
    names = [each.node.name for each in cls.order]
    tops = dict.fromkeys(each.module.partition(".")[0] for each in cls.order)
    for top in tops:
        if top == "torch" and cls.module.partition(".")[0] != "torch":
            continue
        for module, short in world.patches(top, name):
            if short in names:
                yield f"{module} sets attributes on {short}"


def is_given_once(world: World, module: str, name: str) -> bool:
    """Whether one statement gives a module's name its value, and no function changes it.

    Where the text leaves a doubt, as with an argument of the same name, it does not.
    """
    found = world.modules.module(module)
    if found is None:
        return False
    wanted = re.escape(name.encode())
    if re.search(rb"\b(?:global|for|as|import)\b[^\n]*\b%s\b" % wanted, found.text):
        return False
    return len(re.findall(rb"\b%s\b\s*(?::[^=\n(]*)?=(?!=)" % wanted, found.text)) == 1
