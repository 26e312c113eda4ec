"""What a name that a checkpoint asks for may do: safe, of a library, unknown or dangerous.

This is a tripwire, not the protection. Nothing here ever imports a name, and rescue builds inert
stand-ins whatever the verdict; but a file that asks for `os.system` was made to harm, and a person
should hear that. The lists are short on purpose and cannot be complete.
"""

import re
import sys
from dataclasses import dataclass

from missing_aa.pickles import known_names
from missing_aa.pickles.known_names import SAFE as SAFE_NAMES
from missing_aa.pickles.program import (
    COMPUTED,
    PICKLE_IN_PICKLE,
    Global,
    Object,
    Program,
    class_of,
    hands_on,
    is_only_kept,
)

SAFE, LIBRARY, UNKNOWN, DANGEROUS = VERDICTS = ("safe", "library", "unknown", "dangerous")
"""From the best to the worst."""

REASONS = {
    word: reason
    for table in (known_names.MODULES, known_names.NAMES)
    for reason, words in table.items()
    for word in words.split()
}
ATTRIBUTE = "builtins.getattr"
DEEPEST = max(word.count(".") for word in REASONS) + 1
VERBS = frozenset(known_names.VERBS.split())
PASSAGES = frozenset(known_names.PASSAGES.split())
STANDARD = frozenset([*known_names.STANDARD.split(), *known_names.COMPILED.split()])
STANDARD_MODULES = frozenset(known_names.STANDARD_MODULES.split())
LIBRARIES = frozenset(known_names.LIBRARIES.split())


@dataclass(frozen=True)
class Judged:
    """A name, the verdict on it and, for a dangerous one, what it does."""

    name: str
    verdict: str
    reason: str = ""


def judge_all(program: Program) -> list[Judged]:
    """Every name that a pickle asks for, each once, in the order of the file."""
    judged: dict[str, Judged] = {}
    for wanted in program.globals.values():
        name, (verdict, reason) = str(wanted), judge(wanted)
        if wanted.dotted == PICKLE_IN_PICKLE and _looked_into(program):
            verdict, reason = LIBRARY, ""
        if wanted.dotted == ATTRIBUTE and _takes_methods_of_its_own(program):
            verdict, reason = UNKNOWN, ""
        known = judged.get(name)
        if not known or VERDICTS.index(known.verdict) < VERDICTS.index(verdict):
            judged[name] = Judged(name, verdict, reason)
    return list(judged.values())


def judge(wanted: Global) -> tuple[str, str]:
    """The verdict on a name and, for a dangerous one, what it does: `("dangerous", "runs code")`.

    A name is judged as it stands in the file and as Python 3 calls it; a dangerous one counts.
    """
    asked = _judge(*wanted.asked)
    return asked if asked[0] == DANGEROUS else _judge(wanted.module, wanted.name)


def _looked_into(program: Program) -> bool:
    """Whether each pickle within the pickle was followed too, its names among the others."""
    return bool(program.embedded) and all(
        storage is not None for storage in program.embedded.values()
    )


def _takes_methods_of_its_own(program: Program) -> bool:
    """Whether attributes are only taken from the file's own objects, by name, and kept.

    That is how pickle stores a bound method, such as the `forward` that some models choose when
    they are made. The owners have to be classes that the file names, or objects of such classes
    that were filled by their state alone, and what is taken is only kept.
    """
    taken = {made for made in program.objects if getattr(made.made_by, "dotted", "") == ATTRIBUTE}
    called = any(
        made.made_by in taken for made in program.objects if isinstance(made.made_by, Object)
    )
    return (
        not called
        and not hands_on(program, ATTRIBUTE)
        and is_only_kept(program, taken)
        and all(map(_is_own_method, taken))
    )


def _is_own_method(call: Object) -> bool:
    match call.args:
        case (Object() | Global() as owner, str(name)) if _is_plain_name(name):
            kind = owner if isinstance(owner, Global) else class_of(owner)
            return (
                kind is not None
                and kind.name.rpartition(".")[2].lstrip("_")[:1].isupper()
                and judge(kind)[0] != DANGEROUS
                and not (isinstance(owner, Object) and (owner.items or owner.pairs))
            )
    return False


def _is_plain_name(name: str) -> bool:
    return name.isidentifier() and not name.startswith("__")


def _judge(module: str, name: str) -> tuple[str, str]:
    path = f"{module}.{name}"
    if path in SAFE_NAMES:
        return SAFE, ""
    if path in STANDARD:
        return LIBRARY, ""
    if module == COMPUTED:
        return DANGEROUS, "puts its name together while it is loaded"
    if reason := _danger(module, name):
        return DANGEROUS, reason
    known = module.partition(".")[0] in LIBRARIES or module in STANDARD_MODULES
    return LIBRARY if known else UNKNOWN, ""


def _danger(module: str, name: str) -> str:
    """What a name can do that no checkpoint needs; "" if nothing is known."""
    parts = f"{module}.{name}".split(".")
    for end in range(1, min(len(parts), DEEPEST) + 1):
        if reason := REASONS.get(".".join(parts[:end])):
            return reason
    first, *inner = name.split(".")
    if inner and not first.lstrip("_")[:1].isupper():
        return "leads through what another module has imported"
    if any(not part.lstrip("_")[:1].isupper() for part in inner[:-1]):
        return "leads through what another module has imported"
    if inner and any(part in sys.stdlib_module_names for part in (first, *inner[:-1])):
        return "leads through what another module has imported"
    for part in parts[1:]:
        if part in PASSAGES:
            return f"leads through another module to {part}"
    if any(re.fullmatch(r"__\w+__", part) for part in name.split(".")):
        return "reaches into Python's own machinery"
    method_of_a_path = parts[0] == "pathlib" and "." in name
    if method_of_a_path or (parts[0] in LIBRARIES and _is_loader(parts[-1])):
        return "reads, writes or runs something of the file's choosing"
    return ""


def _is_loader(function: str) -> bool:
    verb = function.lstrip("_").partition("_")[0]
    return function.islower() and (verb in VERBS or function in VERBS)
