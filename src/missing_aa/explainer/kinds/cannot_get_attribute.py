"""A class that a module does not have: `Can't get attribute 'X' on <module 'y'>`."""

import difflib
import re
import sys
from functools import partial

from missing_aa.explainer.advice import (
    NAMES,
    RESCUE,
    advise,
    in_releases,
    is_library,
    library,
    may_hold_tensors,
    moved,
    out_of,
    writer_s,
)
from missing_aa.explainer.answers import NEAR, Answer
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.errors import DOTTED, LOOKUP, Error, find_words
from missing_aa.explainer.known_breaks import GROWING, SELDOM_FORKED
from missing_aa.explainer.remedies import ADVICE, Way, everyone
from missing_aa.explainer.seen import Seen
from missing_aa.provenance import class_record

NEWER_FIRST = (
    "; where that is not known, try a newer one first (what is not found in this package is as a "
    "rule newer than what is installed), and for a file that is older, an older one"
)
GONE_FIRST = (
    "; where that is not known: as a rule one that is older than the installed, which took the "
    "name away or moved it; but a newer one, if the file is newer than what is installed"
)
PRIVATE = (
    "; where that is not known, try an older one and a newer one: a name that begins with an "
    "underscore is the package's own affair, and comes and goes"
)
OLDER_FIRST = (
    "; where that is not known, try an older one first, because the name of that module is itself "
    "an old one"
)
FORK = (
    "If no release of {} has that name: a branch or a fork of it wrote the file. Put its code in "
    "the place of the package."
)
WITH_IT = (
    "; where that is not known, try those that have that module ({}), newer and older ones than "
    "what is installed"
)
MEND = "Or, if you trust the file: let the old name lead to the new one, and then load it."
WORDS = r"get\s+attribute"


def read(before: str, words: str, after: str) -> Error | None:
    names = re.match(rf"\s*'?({DOTTED})'?\s+on\s+<?module\s+'?({DOTTED})", after)
    return Error(LOOKUP, names[1], names[2]) if names else None


find = partial(find_words, WORDS, read)


def changed(error: Error, upgrade: bool = True, files: tuple[str, ...] = ()) -> str:
    """What changed between writer and reader."""
    module, class_ = error.name, error.class_
    there = class_record.modules().get(module, {})
    if class_ not in there:
        return f"No recorded release of timm has a class {class_} in {module}."
    others = [name for name, releases in there.items() if not releases & there[class_]]
    same = [name for name in others if name.casefold() == class_.casefold()]
    near = same or difflib.get_close_matches(class_, others, n=1, cutoff=0.6)
    where = f"timm has {module}.{class_} in {in_releases(there[class_])}"
    if near:
        return f"{where}; in {in_releases(there[near[0]])} there is {near[0]} in its place."
    last = len(class_record.releases()) - 1
    homes = [path for path, known in class_record.named([class_]).items() if last in known.releases]
    if last not in there[class_] and homes:
        return f"{where}; later it is {homes[0]}."
    return f"{where}, and in no other release."


def other(error: Error, seen: Seen) -> Answer | None:
    """The answer where no checkpoint from another timm is behind it; None if one can be."""
    module, class_ = error.name, error.class_
    package = module.partition(".")[0]
    if package == "timm":
        return None
    if module.startswith("__m"):
        return advise(
            error,
            f"the file asks for `{class_}`, which was defined in the script that wrote it.",
            "Define or import it where you load the file.",
            *[Way(ADVICE, "Or take the weights out, without it.", RESCUE.commands)]
            * may_hold_tensors("", seen),
            known_by=NAMES,
        )
    if not package or package in sys.stdlib_module_names:
        name = f"{module}.{class_}".strip(".")
        return advise(
            error,
            f"the file asks for {name}, which is not there: another Python wrote the file, or "
            "another version of a library, or one that gives such names to its objects.",
            "Read it with the Python and the libraries that wrote it.",
            *out_of("", seen)[:1],
            known_by=NAMES,
        )
    known = moved(module)
    if not known and (named := moved(f"{module}.{class_}")):
        return advise(
            error,
            f"the file asks for {module}.{class_}, which the {package} that is there does not "
            f"have. {named.what}",
            writer_s(package, seen, f"{module}.{class_}"),
            *out_of(package, seen),
            *[Way(ADVICE, MEND, (named.mend,))] * bool(named.mend),
            known_by=f"{NAMES}, and a table of such names",
        )
    is_old = bool(known and known.need)
    private = class_.startswith("_") and not class_.startswith("_rebuild_")
    ways = out_of(package, seen)
    is_one = is_library(package, seen) and package not in SELDOM_FORKED
    forked = is_one and not known and not private
    growing = PRIVATE if private else NEWER_FIRST
    older = WITH_IT.format(known.need) if is_old and known and package in GROWING else OLDER_FIRST
    return advise(
        error,
        f"the file asks for {module}.{class_}, and the {package} that is there has that module "
        f"without that name: another version of {library(package)} wrote the file, "
        "or a fork of it, or the name was changed; or, if "
        f"{package} is a folder of a project, another of that name was imported in its place.",
        writer_s(package, seen, "", older)
        if is_old
        else writer_s(package, seen, module, growing if package in GROWING else GONE_FIRST),
        *[FORK.format(library(package))] * bool(forked and ways),
        *ways,
        known_by=NAMES,
    )


def nearest(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    """The nearest that the atlas or the record of timm's sources has."""
    if error.class_ not in class_record.modules().get(error.name, ()):
        return None
    return Answer(NEAR, str(error), changed(error), ways=tuple(everyone(ledger)))
