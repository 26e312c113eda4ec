"""The verdict on each name that a checkpoint asks for, in the use that it is put to.

- fine: on a closed list of what is known to be inert, used so.
- needs code: a class of which objects are made; loading runs the code of the class's package.
- unjudged: a function, or a class that is given more than plain values, or that may take what it
  is called with for memory at any address; nobody followed it.
- dangerous: reaches code, files, processes or imports, as no checkpoint needs to.

Nothing here ever imports a name, and rescue builds inert stand-ins whatever the verdict; but a file
that asks for `os.system` was made to harm, and a person should know. The list of dangerous names
cannot be complete, and nothing rests on it: what is on no list is not called fine.
"""

import functools
import re
import sys
from dataclasses import dataclass

from missing_aa.pickles import aliases, known_names
from missing_aa.pickles.joblib_arrays import DTYPE, is_plain_dtype
from missing_aa.pickles.keeping import hands_on, only_keeps
from missing_aa.pickles.program import (
    COMPUTED,
    PICKLE_IN_PICKLE,
    Dict,
    Global,
    Object,
    Program,
    class_of,
    is_class_name,
)
from missing_aa.pickles.uses import (
    CALLS_BACK,
    TAKES_ATTRIBUTES,
    Uses,
    name_of,
    reached,
    uses_of,
    with_others,
)

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
CLASSES = {word: reason for reason, words in known_names.CLASSES.items() for word in words.split()}
LISTED = known_names.LISTED
INERT = known_names.SAFE | frozenset(known_names.DATA.split())
"""Those of LISTED that make plain values of plain values."""
GETTERS = frozenset(known_names.GETTERS.split())
KEPT = frozenset(known_names.KEPT.split())
"""Listed names that are only kept: what they give, called, may be anything."""
SCALARS = frozenset(known_names.SCALARS.split())
SPARSE = ("torch._utils._rebuild_sparse_tensor", "torch._utils._rebuild_sparse_csr_tensor")
WRAPS = (
    *("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"),
    "collections.OrderedDict",
)
"""They keep a tensor that they are given, and do not compute with it."""
COMPILED = frozenset(known_names.COMPILED.split())
INDUCTOR = "torch._TorchCompileInductorWrapper"
CONSTRUCTORS = tuple(f"{module}." for module in known_names.CONSTRUCTORS.split())
LIBRARIES = frozenset(known_names.LIBRARIES.split())


@dataclass
class Judged:
    """A name, the verdict on it and, for a dangerous one, what it does."""

    name: str
    verdict: str
    reason: str = ""


@dataclass
class _File:
    """What a whole file says of its names: how each is used, and the verdicts that follow.

    `excused` are names that are dangerous but for what the file does with them. `worse` are listed
    names that are not fine in it. Both are by dotted name.
    """

    uses: Uses
    excused: dict[str, str]
    worse: dict[str, tuple[str, str]]


def judge_all(program: Program) -> list[Judged]:
    """Every name that a pickle asks for, each once, in the order of the file."""
    file = _look_at(program)
    judged: dict[str, Judged] = {}
    for wanted in program.globals.values():
        name, (verdict, reason) = str(wanted), _judge(wanted, file)
        known = judged.get(name)
        if not known or VERDICTS.index(known.verdict) < VERDICTS.index(verdict):
            judged[name] = Judged(name, verdict, reason)
    return list(judged.values())


def _look_at(program: Program) -> _File:
    uses = uses_of(program, INERT, LISTED)
    asked = {wanted.dotted: wanted.asked for wanted in program.globals.values()}
    file = _File(uses, {}, {})
    for wanted in program.globals.values():
        if wanted.dotted in LISTED and _is_used_otherwise(wanted, uses):
            file.worse[wanted.dotted] = UNJUDGED, ""
    is_compiled = bool(COMPILED & asked.keys())
    if not file.worse and TAKES_ATTRIBUTES in asked:
        is_harmless = _is_config_of_compiler if is_compiled else _is_own_method
        if only_keeps(program, TAKES_ATTRIBUTES, is_harmless, uses):
            file.excused[TAKES_ATTRIBUTES] = NEEDS_CODE
    if not file.worse and not is_compiled:
        for name in GETTERS & asked.keys():
            if only_keeps(program, name, _is_of_text, uses):
                file.excused[name] = UNJUDGED
    if PICKLE_IN_PICKLE in asked and _looked_into(program):
        file.excused[PICKLE_IN_PICKLE] = FINE
    if any(name in asked for name in SPARSE) and _computes_with_sparse(program):
        file.worse.update(dict.fromkeys(SPARSE, (UNJUDGED, "")))
    if DTYPE in asked and _has_odd_dtype(program):
        file.worse[DTYPE] = UNJUDGED, ""
    for name in aliases.filled(program):
        file.worse[name] = DANGEROUS, "gives what may lie elsewhere too, which is then changed"
    for name in aliases.borrowing(program, asked.keys()):
        file.worse[name] = DANGEROUS, "looks into memory that may not be there any more"
    for name in aliases.never_filled(program, asked.keys()):
        file.worse.setdefault(name, (UNJUDGED, ""))
    return file


def _is_used_otherwise(wanted: Global, uses: Uses) -> bool:
    """Whether a listed name is used in a way in which it may do anything."""
    name = wanted.asked
    is_handed = name in uses.called or name in uses.given or name in uses.touched
    if wanted.dotted in KEPT and (is_handed or name in uses.made):
        return True
    if wanted.dotted in SCALARS and is_handed:
        return True
    if wanted.dotted == CALLS_BACK and (name in uses.given or name in uses.touched):
        return True
    if wanted.dotted in known_names.BARE and name in uses.with_more:
        return True
    return name in uses.with_keywords and wanted.dotted not in known_names.WITH_KEYWORDS


def _judge(wanted: Global, file: _File) -> tuple[str, str]:
    """The verdict on a name in the use that it is put to, and what a dangerous one does."""
    name, uses = wanted.asked, file.uses
    if name in uses.filled:
        return DANGEROUS, "is changed while the file is loaded"
    if verdict := file.excused.get(wanted.dotted):
        return verdict, ""
    if reason := danger(wanted):
        return DANGEROUS, reason
    if wanted.dotted in LISTED:
        return file.worse.get(wanted.dotted, (FINE, ""))
    is_class = is_class_name(wanted.name.rpartition(".")[2])
    is_class = is_class or (name in uses.new and name not in uses.reduced)
    is_used = name in uses.made or name in uses.called
    if "." in wanted.name and not is_class:  # a method of a class
        if is_used or name in uses.given:
            return DANGEROUS, "is called while the file is loaded"
        return UNJUDGED, ""
    if is_used and not is_class and _is_standard(wanted.module):
        return DANGEROUS, "is a function of Python's own that no checkpoint calls"
    only_made = is_class and name not in uses.called and name not in uses.given
    only_made = only_made and not _is_standard(wanted.module)  # its own inert classes are listed
    if name in uses.reduced and wanted.dotted.startswith(CONSTRUCTORS):
        only_made = False
    is_memory = wanted.name.rpartition(".")[2] in known_names.MEMORY
    if name in uses.with_keywords or is_memory and name in uses.with_more:
        only_made = False
    return NEEDS_CODE if only_made else UNJUDGED, ""


def danger(wanted: Global) -> str:
    """What a name does that no checkpoint needs, whatever its use: "runs code"; "" if nothing.

    A name is judged as it stands in the file and as Python 3 calls it.
    """
    return _danger(*wanted.asked) or _danger(wanted.module, wanted.name)


def _looked_into(program: Program) -> bool:
    """Whether each pickle within the pickle was followed too, its names among the others."""
    programs = list(with_others(program))
    followed = [storage for one in programs for storage in one.embedded.values()]
    handed = any(hands_on(one, PICKLE_IN_PICKLE) for one in programs)
    return bool(followed) and None not in followed and not handed


def _computes_with_sparse(program: Program) -> bool:
    """Whether a call may compute with a sparse tensor, whose indices can be of any place."""
    for one in with_others(program):
        given: list = []
        for made in one.objects:
            if not _wraps(made):
                given += [made.args, made.kwargs]
        for node in reached(given, deep=True):
            if name_of(node.made_by if isinstance(node, Object) else node) in SPARSE:
                return True
    return False


def _wraps(made: Object) -> bool:
    """Whether a call keeps a tensor; one of torch's calls a function, which may make a new one."""
    function = name_of(made.args[0]) if isinstance(made.args, tuple) and made.args else ""
    is_making = function.startswith(known_names.NEW_TENSORS)
    return name_of(made.made_by) in WRAPS or name_of(made.made_by) == CALLS_BACK and is_making


def _has_odd_dtype(program: Program) -> bool:
    """Whether a dtype has fields or another size: what lies in its arrays is not known then."""
    return any(
        isinstance(made.made_by, Global)
        and made.made_by.dotted == DTYPE
        and not is_plain_dtype(made)
        for one in with_others(program)
        for made in one.objects
    )


def _is_config_of_compiler(call: Object) -> bool:
    """Whether a call takes the method of inductor's wrapper that a compiled model keeps.

    A compiled model calls some of what it keeps while it is loaded, so no other method will do.
    """
    match call.args:
        case (Object() as owner, "get_compiler_config"):
            kind = class_of(owner)
            (state,) = owner.states if len(owner.states) == 1 else (None,)
            keys = [key for key, _ in state.pairs] if isinstance(state, Dict) else [None]
            is_its_own = all(isinstance(key, str) and key != "get_compiler_config" for key in keys)
            return kind is not None and kind.dotted == INDUCTOR and is_its_own
    return False


def _is_own_method(call: Object) -> bool:
    """Whether a call takes an attribute of a class, or of an object that only got its state."""
    match call.args:
        case (Object() | Global() as owner, str(name)) if _is_plain_name(name):
            kind = owner if isinstance(owner, Global) else class_of(owner)
            if isinstance(owner, Global) and f"{owner.dotted}.{name}" in LISTED:
                return True
            return (
                kind is not None
                and is_class_name(kind.name.rpartition(".")[2])
                and not danger(kind)
                and not _is_standard(kind.module)
                and not (isinstance(owner, Object) and (owner.items or owner.pairs))
            )
    return False


def _is_of_text(call: Object) -> bool:
    return isinstance(call.args, tuple) and all(isinstance(a, str | int) for a in call.args)


def _is_plain_name(name: str) -> bool:
    return name.isidentifier() and not name.startswith("__")


def _is_standard(module: str) -> bool:
    package = module.partition(".")[0]
    return package in sys.stdlib_module_names and package not in ("operator", "_operator")


@functools.lru_cache(1000)
def _danger(module: str, name: str) -> str:
    path = f"{module}.{name}"
    if path in LISTED or path in COMPILED:
        return ""
    if module == COMPUTED:
        return "puts its name together while it is loaded"
    parts = path.split(".")
    if reason := CLASSES.get(parts[-1]):
        return reason
    if "__main__" in parts[1:]:
        return "runs a program when it is imported"
    for end in range(1, min(len(parts), DEEPEST) + 1):
        if reason := REASONS.get(".".join(parts[:end])):
            return reason
    first, *inner = name.split(".")
    if inner and not is_class_name(first):
        return "leads through what another module has imported"
    if not all(map(is_class_name, inner[:-1])):
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
