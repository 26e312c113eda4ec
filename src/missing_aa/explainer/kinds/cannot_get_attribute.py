"""A class that a module does not have: `Can't get attribute 'X' on <module 'y'>`."""

import sys

from missing_aa.explainer.advice import FOR_A_FILE, NAMES, RESCUE, advise, advise_known
from missing_aa.explainer.answers import NEAR, Answer
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.changes import changed
from missing_aa.explainer.errors import Error
from missing_aa.explainer.remedies import ADVICE, Way, everyone
from missing_aa.explainer.seen import Seen
from missing_aa.provenance import class_record


def other(error: Error, seen: Seen) -> Answer | None:
    """The answer where no checkpoint from another timm is behind it; None if one can be."""
    return _another_version(error, seen) or _not_timm(error, seen)


def _another_version(error: Error, seen: Seen) -> Answer | None:
    package = error.name.partition(".")[0]
    if package == "timm" or error.name.startswith("__m"):
        return None
    if package in sys.stdlib_module_names:
        return advise(
            error,
            f"the file asks for {error.name}.{error.class_}, which this Python does not have: "
            "another Python wrote the file, or a library that gives such names to its objects.",
            "Read it with the Python and the libraries that wrote it, and save the state_dict.",
            RESCUE,
            known_by=NAMES,
        )
    return advise_known(
        error,
        f"the file holds an object of {error.name}.{error.class_}, and the {package} that is "
        f"there has that module without that name: another version of {package} wrote the file, "
        "or a fork of it, or the class was renamed; or, if "
        f"{package} is a folder of a project, another of that name was imported in its place.",
        NAMES,
        f"Install the version of {package} that wrote the file; where that is not known, try a "
        "newer one first, and for a file that is older than the installed one, an older one.",
        RESCUE,
        FOR_A_FILE,
    )


def _not_timm(error: Error, seen: Seen) -> Answer | None:
    if error.name.partition(".")[0] == "timm":
        return None
    main = error.name.startswith("__m")
    return advise(
        error,
        f"the file holds an object of a class {error.class_} that was defined in "
        + ("the script that wrote it" if main else f"the module {error.name}, which is not timm's")
        + ".",
        "Define or import that class where you load the file.",
        Way(ADVICE, "Or take the weights out, without that class.", RESCUE.commands),
    )


def nearest(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    """The nearest that the atlas or the record of timm's sources has."""
    if error.class_ not in class_record.modules().get(error.name, ()):
        return None
    return Answer(NEAR, str(error), changed(error), ways=tuple(everyone(ledger)))
