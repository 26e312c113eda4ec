"""A module that is not there: `No module named 'x.y'`."""

import re
from collections import Counter
from collections.abc import Set
from dataclasses import replace
from functools import partial

from missing_aa.explainer.advice import (
    LINE,
    NAMES,
    RESCUE,
    STRANGER,
    TABLE,
    advise,
    in_releases,
    installed_as,
    is_library,
    library,
    listed,
    may_hold_tensors,
    moved,
    out_of,
    together,
    writer_s,
)
from missing_aa.explainer.answers import NEAR, Answer
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.errors import DOTTED, MODULE, Error, find_words
from missing_aa.explainer.kinds.cannot_get_attribute import NEWER_FIRST
from missing_aa.explainer.known_breaks import BECAME_PACKAGES, PROJECTS
from missing_aa.explainer.remedies import ADVICE, Way, everyone
from missing_aa.explainer.seen import Seen
from missing_aa.provenance import class_record

PUBLISHED = TABLE.replace("torch's source", "published releases")
GROWTH = (
    "Which of the two is newer, the text does not say; a file that becomes a package is the usual "
    "way of growth, so most often what is read is newer than what is installed."
)
PACKAGE_SINCE = (
    "{} has it as one file up to {} and as a package since {}: the installed one is older than "
    "what asks for it."
)
_PLAIN = "; '{}' is not a package"
WORDS = r"no\s+module\s+named|ModuleNotFoundError"


def read(before: str, words: str, after: str) -> Error | None:
    if words.lower() == "modulenotfounderror":
        # Where only the names of error and module were left as they are.
        name = re.match(r"\W[^'\n]{0,40}'(timm[\w.]{0,200})'", after)
        return Error(MODULE, name=name[1]) if name else None
    name = re.match(rf"\s*'?({DOTTED})", after)
    if not name:
        return None
    error = Error(MODULE, name=name[1].strip("."))
    plain = re.match(rf"'?;\s*'?({DOTTED})'?\s+is\s+not\s+a\s+package", after[name.end() :])
    return replace(error, said=f"{error}{_PLAIN.format(plain[1])}") if plain else error


find = partial(find_words, WORDS, read)


def releases_with(module: str) -> Set[int]:
    """The recorded releases that have classes in a module or package of that name."""
    found: set[int] = set()
    for name, classes in class_record.modules().items():
        if name == module or name.startswith(f"{module}."):
            found.update(*classes.values())
    return found


def changed(error: Error, upgrade: bool = True, files: tuple[str, ...] = ()) -> str:
    """What changed between writer and reader."""
    module = error.name
    there = releases_with(module)
    if not there:
        return f"No recorded release of timm has classes in a module {module}."
    last = len(class_record.releases()) - 1
    if last in there:
        return (
            f"timm has {module} in {in_releases(there)}: the release that reads is too old for "
            "what a newer one wrote."
        )
    home = home_of(module)
    moved = f"; what was in it is in {home} now" if home else ""
    return f"timm has {module} in {in_releases(there)}, and no longer since{moved}."


def home_of(module: str) -> str:
    """Where most of a module's classes are in the newest recorded release; "" if nowhere."""
    modules = class_record.modules()
    if module not in modules:  # a package
        inside = [home_of(name) for name in modules if name.startswith(f"{module}.")]
        packages = Counter(home.rpartition(".")[0] for home in inside if home)
        return packages.most_common(1)[0][0] if packages else ""
    last, tail = len(class_record.releases()) - 1, module.rpartition(".")[2].lstrip("_")
    homes: Counter[str] = Counter()
    for name, classes in modules.items():
        if shared := sum(last in classes.get(one, ()) for one in modules[module]):
            homes[name] = 2 * shared + (name.rpartition(".")[2].lstrip("_") == tail)
    return homes.most_common(1)[0][0] if homes else ""


def other(error: Error, seen: Seen) -> Answer | None:
    """The answer where no checkpoint from another timm is behind it; None if one can be."""
    return _another_version(error, seen) or _not_timm(error, seen)


def _another_version(error: Error, seen: Seen) -> Answer | None:
    package, _, rest = error.name.partition(".")
    if package == "timm" or not rest:
        return None
    known = moved(error.name)
    name = installed_as(package)
    plain = re.search(_PLAIN.format(r"([\w.]+)"), error.said)
    one_file = plain[1] if plain and package not in PROJECTS and not known else ""
    if one_file == package:
        return _one_file(error, package)
    if seen.imports(error.name) and not known:
        return advise(
            error,
            f"code imports {error.name}, which the {package} that is installed does not have. No "
            "file has a part in it.",
            f"Put the project that this code is of on the path before any other {package}, or "
            "change the import."
            if package in PROJECTS
            else f"Install the version of {name} that this code was written for"
            f"{', most often a newer one' * bool(one_file)}, or change the import.",
            known_by=LINE if seen.failed else "the line that imports it",
        )
    if one_file:
        return _laid_out_otherwise(error, package, one_file, seen)
    wants = f"wants another version of {library(package)}, or a folder of your own has its name"
    if package in PROJECTS:
        wants = "is of another project with a folder of that name, or another revision of this one"
    private = any(part.startswith("_") for part in rest.split("."))
    return advise(
        error,
        f"{package} itself was found and has no module {error.name}: what is read or imported "
        f"{wants}. {known.what if known else ''}",
        writer_s(package, seen, error.name, NEWER_FIRST * (package == "torch" and not private)),
        *out_of(package, seen),
        known_by=PUBLISHED if known else NAMES,
    )


def _laid_out_otherwise(error: Error, package: str, module: str, seen: Seen) -> Answer:
    """The answer where a module of a package is one file, and a package is wanted."""
    name, known = installed_as(package), BECAME_PACKAGES.get(module)
    direction = PACKAGE_SINCE.format(name, *known) if known else GROWTH
    upgrade = f"pip install --upgrade {name}" if is_library(package, seen) else ""
    return advise(
        error,
        f"the {package} that was found has {module} as one file, and what is read or imported "
        f"wants a package with {error.name.removeprefix(module + '.')} in it: it was written for "
        f"a version of {name} that is laid out otherwise. {direction}",
        Way(ADVICE, f"Upgrade {name} first.", (upgrade,))
        if upgrade
        else f"Take a newer {name} first, or a newer revision if it is a project's folder.",
        f"If that does not read it: the version of {name} that wrote the file. Do not pip install "
        f"{error.name}: it is a part of {name}, and a package of that name would be another's.",
        *out_of(package, seen),
        known_by=PUBLISHED if known else NAMES,
    )


def _one_file(error: Error, package: str) -> Answer:
    """The answer where a whole package is one file: as a rule it is another of that name."""
    return advise(
        error,
        f"what Python found as {package} is one file, {package}.py, and no package: as a rule a "
        "file of your own that has the name of the package, and stands before it on the path. Then "
        "no version is the cause.",
        Way(
            ADVICE,
            "Look which file it is, in the folder where the error comes.",
            (f'python -c "import {package}; print({package}.__file__)"',),
        ),
        "If it is yours: give it another name, and delete the __pycache__ beside it.",
        f"If it is the installed {installed_as(package)}: what is read or imported wants a version "
        f"of it that is laid out otherwise, most often a newer one. Do not pip install "
        f"{error.name}.",
        known_by=NAMES,
    )


def _not_timm(error: Error, seen: Seen) -> Answer | None:
    if error.name == "timm":
        return advise(
            error,
            "timm is not installed in the environment that runs this.",
            Way(ADVICE, "Install it.", ("pip install timm",)),
            "For a whole-model file that is not the end: the release matters, and this command "
            "names those that can have written it: missing-aa inspect model.pt",
        )
    if not error.name.startswith("timm."):
        if seen.imports(error.name):
            return advise(
                error,
                f"code imports {error.name}, which is not installed, or a file of the project that "
                "is not on the path. No checkpoint has a part in it.",
                "Install what the code's requirements name, or put its folder on the path.",
            )
        wants = "the file that is loaded names" if seen.loads else "code or a file wants"
        return advise(
            error,
            f"{wants} a module {error.name}, which is not there: a package that is not "
            "installed, or a file or folder of the project that the model is of.",
            "If it is of a project: load the file where that project's folder is on the path "
            f"(sys.path). {STRANGER}",
            *[Way(ADVICE, "Or take the weights out of the file, without it.", RESCUE.commands)]
            * may_hold_tensors(error.name.partition(".")[0], seen),
        )
    if seen.imports("timm") and not seen.loads:
        home = home_of(error.name)
        return advise(
            error,
            f"code of your own, or of a library, imports {error.name}. No checkpoint has a part in "
            "it: that module is not in the timm that is installed.",
            f"Import from {home} instead." if home else "Import from where it is now.",
            "Or install the timm that this code was written for.",
        )
    package = error.name.rpartition(".")[0]
    if not releases_with(error.name) and package not in ("timm.models.layers", "timm.layers"):
        return advise(
            error,
            f"no recorded release of timm has classes in a module {error.name}: it belongs to a "
            "fork, or to code of your own.",
            Way(
                ADVICE,
                "The weights in a file can be taken out without that module.",
                RESCUE.commands,
            ),
        )
    return None


def nearest(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    """The nearest that the atlas or the record of timm's sources has."""
    package = error.name.rpartition(".")[0]
    alike = [
        one
        for one in ledger.errors
        if one.kind == MODULE
        and (one.name.startswith(f"{error.name}.") or one.name.rpartition(".")[0] == package)
    ]
    if package == "timm.models":  # modules of models, which have nothing to do with each other
        alike = [one for one in alike if one.name.startswith(f"{error.name}.")]
    if not alike:
        return Answer(NEAR, str(error), changed(error), ways=tuple(everyone(ledger)))
    names = listed(one.name for one in alike)
    package_error = error if releases_with(error.name) else Error(MODULE, name=package)
    return together(error, alike, ledger, f"{changed(package_error)} The atlas has met {names}.")
