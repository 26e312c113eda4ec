"""What a name that a checkpoint asks for may do: safe, of a library, unknown or dangerous.

This is a tripwire, not the protection. Nothing here ever imports a name, and rescue builds inert
stand-ins whatever the verdict; but a file that asks for `os.system` was made to harm, and a person
should hear that. The lists are short on purpose and cannot be complete.
"""

import re
from functools import cache

from helpers.checkpoints.nodes import Global
from helpers.checkpoints.pickles import COMPUTED
from helpers.checkpoints.policy_names import (
    LIBRARIES,
    MODULES,
    NAMES,
    PASSAGES,
    STANDARD,
    STANDARD_MODULES,
    VERBS,
)
from helpers.checkpoints.safe_names import SAFE

SAFE_, LIBRARY, UNKNOWN, DANGEROUS = VERDICTS = ("safe", "library", "unknown", "dangerous")
"""From the best to the worst."""


@cache
def _by_word(table: tuple) -> dict[str, str]:
    return {word: reason for reason, words in table for word in words.split()}


def judge(wanted: Global) -> tuple[str, str]:
    """The verdict on a name and, for a dangerous one, what it does: `("dangerous", "runs code")`.

    A name is judged as it stands in the file and as Python 3 calls it; the worse one counts.
    """
    modern = _judge(wanted.module, wanted.name)
    asked = _judge(*wanted.asked)
    return asked if asked[0] == DANGEROUS else modern


def _judge(module: str, name: str) -> tuple[str, str]:
    path = f"{module}.{name}"
    if path in SAFE:
        return SAFE_, ""
    if module == COMPUTED:
        return DANGEROUS, "puts its name together while it is loaded"
    if reason := _danger(path.split("."), len(module.split("."))):
        return DANGEROUS, reason
    root = module.partition(".")[0]
    known = root in LIBRARIES.split() or module in STANDARD_MODULES.split()
    return (LIBRARY if known or path in STANDARD.split() else UNKNOWN), ""


def _danger(parts: list[str], depth: int) -> str:
    """Why a dotted path, whose first `depth` parts are the module's, is dangerous; "" if not."""
    path = ".".join(parts)
    if path in STANDARD.split():
        return ""
    modules, names = _by_word(tuple(MODULES.items())), _by_word(tuple(NAMES.items()))
    for end in range(1, len(parts) + 1):
        start = ".".join(parts[:end])
        if reason := modules.get(start) or names.get(start):
            return reason
    for part in parts[1:]:
        if part in PASSAGES.split():
            return f"leads through another module to {part}"
    if any(re.fullmatch(r"__\w+__", part) for part in parts[depth:]):
        return "reaches into Python's own machinery"
    if parts[0] in LIBRARIES.split() and _is_loader(parts[-1]):
        return "reads, writes or runs something of the file's choosing"
    return ""


def _is_loader(function: str) -> bool:
    verb = function.lstrip("_").partition("_")[0]
    return function.islower() and verb in VERBS.split()
