"""The verdict on each name that a checkpoint asks for, in the use that it is put to.

- fine: on a closed list of what is known to be inert, used so.
- needs code: a class of which objects are made; loading runs the code of the class's package.
- unjudged: a function, or a class that is given more than plain values; nobody followed it.
- dangerous: reaches code, files, processes or imports, as no checkpoint needs to.

Nothing here ever imports a name, and rescue builds inert stand-ins whatever the verdict; but a file
that asks for `os.system` was made to harm, and a person should know. The list of dangerous names
cannot be complete, and nothing rests on it: what is on no list is not called fine.
"""

import re
import sys
from dataclasses import dataclass

from missing_aa.pickles import known_names
from missing_aa.pickles.program import COMPUTED, PICKLE_IN_PICKLE, Global, Object, Program, class_of
from missing_aa.pickles.uses import TAKES_ATTRIBUTES, Uses, takes_own_methods, uses_of

VERDICTS = ("fine", "needs code", "unjudged", "dangerous")
"""From the best to the worst."""
FINE, NEEDS_CODE, UNJUDGED, DANGEROUS = VERDICTS

REASONS = {
    word: reason
    for table in (known_names.MODULES, known_names.NAMES)
    for reason, words in table.items()
    for word in words.split()
}
DEEPEST = max(word.count(".") for word in REASONS) + 1
VERBS = frozenset(known_names.VERBS.split())
PASSAGES = frozenset(known_names.PASSAGES.split())
LISTED = known_names.SAFE | frozenset([*known_names.DATA.split(), *known_names.STANDARD.split()])
"""Names known to be inert: they run nothing but what they are given, which is judged as called."""
INERT = known_names.SAFE | frozenset(known_names.DATA.split())
"""Those among them that make plain values of plain values."""
LISTED_MODULES = frozenset(known_names.LISTED_MODULES.split())
COMPILED = frozenset(known_names.COMPILED.split())
LIBRARIES = frozenset(known_names.LIBRARIES.split())


@dataclass(frozen=True)
class Judged:
    """A name, the verdict on it and, for a dangerous one, what it does."""

    name: str
    verdict: str
    reason: str = ""


def judge_all(program: Program) -> list[Judged]:
    """Every name that a pickle asks for, each once, in the order of the file."""
    uses = uses_of(program, INERT)
    judged: dict[str, Judged] = {}
    for wanted in program.globals.values():
        name, (verdict, reason) = str(wanted), judge(wanted, uses)
        if wanted.dotted == PICKLE_IN_PICKLE and _looked_into(program):
            verdict, reason = FINE, ""
        if wanted.dotted == TAKES_ATTRIBUTES and takes_own_methods(program, _is_own_method):
            verdict, reason = NEEDS_CODE, ""
        known = judged.get(name)
        if not known or VERDICTS.index(known.verdict) < VERDICTS.index(verdict):
            judged[name] = Judged(name, verdict, reason)
    return list(judged.values())


def judge(wanted: Global, uses: Uses) -> tuple[str, str]:
    """The verdict on a name in the use that it is put to, and what a dangerous one does."""
    if reason := danger(wanted):
        return DANGEROUS, reason
    name = wanted.asked
    if name in uses.filled:
        return DANGEROUS, "is changed while the file is loaded"
    if wanted.dotted in LISTED or wanted.module in LISTED_MODULES:
        return FINE, ""
    is_class = _is_class_name(wanted.name.rpartition(".")[2]) or name in uses.new
    used = uses.made | uses.called
    if "." in wanted.name and not is_class:  # a method of a class
        if name in used | uses.given:
            return DANGEROUS, "is called while the file is loaded"
        return UNJUDGED, ""
    if name in used and not is_class and _is_standard(wanted.module):
        return DANGEROUS, "is a function of Python's own that no checkpoint calls"
    only_made = is_class and name not in uses.called | uses.given
    return NEEDS_CODE if only_made else UNJUDGED, ""


def danger(wanted: Global) -> str:
    """What a name does that no checkpoint needs, whatever its use: "runs code"; "" if nothing.

    A name is judged as it stands in the file and as Python 3 calls it.
    """
    return _danger(*wanted.asked) or _danger(wanted.module, wanted.name)


def _looked_into(program: Program) -> bool:
    """Whether each pickle within the pickle was followed too, its names among the others."""
    return bool(program.embedded) and all(
        storage is not None for storage in program.embedded.values()
    )


def _is_own_method(call: Object) -> bool:
    """Whether a call takes an attribute of a class, or of an object that only got its state."""
    match call.args:
        case (Object() | Global() as owner, str(name)) if _is_plain_name(name):
            kind = owner if isinstance(owner, Global) else class_of(owner)
            return (
                kind is not None
                and _is_class_name(kind.name.rpartition(".")[2])
                and not danger(kind)
                and not (isinstance(owner, Object) and (owner.items or owner.pairs))
            )
    return False


def _is_plain_name(name: str) -> bool:
    return name.isidentifier() and not name.startswith("__")


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def _is_class_name(name: str) -> bool:
    return name.lstrip("_")[:1].isupper()


def _danger(module: str, name: str) -> str:
    path = f"{module}.{name}"
    if path in LISTED or path in COMPILED:
        return ""
    if module == COMPUTED:
        return "puts its name together while it is loaded"
    parts = path.split(".")
    for end in range(1, min(len(parts), DEEPEST) + 1):
        if reason := REASONS.get(".".join(parts[:end])):
            return reason
    first, *inner = name.split(".")
    if inner and not _is_class_name(first):
        return "leads through what another module has imported"
    if not all(map(_is_class_name, inner[:-1])):
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
