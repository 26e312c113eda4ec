"""The ways and answers that several kinds of error share."""

import re
from collections.abc import Set

from missing_aa.explainer.answers import NEAR, OTHER, Answer, from_cases
from missing_aa.explainer.cases import Case, Ledger
from missing_aa.explainer.errors import Error
from missing_aa.explainer.known_breaks import (
    BESIDE_WEIGHTS,
    DISTRIBUTIONS,
    MODULES,
    PROJECTS,
    SELDOM_TENSORS,
    WEIGHTLESS,
    WITHOUT_TENSORS,
    Moved,
)
from missing_aa.explainer.remedies import ADVICE, Way
from missing_aa.explainer.seen import Seen, package_of
from missing_aa.pickles.known_names import LIBRARIES
from missing_aa.provenance import class_record
from missing_aa.text import in_words

RESCUE = Way(
    ADVICE,
    "Take the weights out, without that code, and load them into a model that the installed "
    "version makes.",
    ("missing-aa rescue model.pt model.safetensors",),
)
RESCUE_IF = Way(
    ADVICE,
    "If the file holds the weights of a model besides: take them out, without that code.",
    RESCUE.commands,
)
FOR_A_FILE = Way(
    ADVICE,
    "What the file itself will miss where, without loading it:",
    ("missing-aa check model.pt",),
)
STRANGER = "Install no package because it has that name: it would be another's."
BY_FRAMES = "the frames of the traceback"
LINE = "the line of source that the traceback shows"
NAMES = "the dotted name in the message"
TABLE = "torch's source (a table of its own breaks)"
MOST = 4


def installed_as(package: str) -> str:
    """What pip calls a package that is imported under that name, as far as the table knows."""
    return DISTRIBUTIONS.get(package, package)


def moved(module: str) -> Moved | None:
    """What is known of a module that a release took away or brought."""
    return next((one for one in MODULES if re.match(one.name, module)), None)


def is_library(package: str, seen: Seen) -> bool:
    """Whether that is an installed package by its name or a frame, and no folder of a project."""
    known = {*LIBRARIES.split(), *DISTRIBUTIONS, *WITHOUT_TENSORS}
    there = (package_of(frame.path) for frame in seen.frames)
    return package in known or (package not in PROJECTS and package in there)


def writer_s(package: str, seen: Seen, module: str = "", unknown: str = "") -> Way:
    """The way out by the version of a package that wrote the file, as far as it is known.

    `unknown` ends the sentence where it is not.
    """
    name = installed_as(package)
    install = f"Install the version of {name} that wrote the file"
    if package == "sklearn" and seen.estimators:
        version = seen.estimators[-1].version
        return Way(
            ADVICE,
            f"{install}: {version}, as the warning in the text says.",
            (f"pip install {name}=={version}",),
        )
    known = moved(module)
    if package in PROJECTS:
        return Way(
            ADVICE,
            f"Put the project that wrote the file, at the revision that wrote it, on the path "
            f"(sys.path) before any other {package}; where the revision is not known, try newer "
            f"and older ones. {STRANGER}",
        )
    if not known and not is_library(package, seen):
        return Way(
            ADVICE,
            f"Put the code that wrote the file on the path (sys.path), at that revision, if {name} "
            f"is a project's folder; if it is a package, install its version that wrote the file"
            f"{unknown}.",
        )
    if not known:
        return Way(ADVICE, f"{install}{unknown}.")
    if not known.need:
        return Way(
            ADVICE,
            "A newer one, if the file or the code is newer:",
            (f"pip install --upgrade {name}",),
        )
    return Way(
        ADVICE,
        f"{install}; where that is not known, an older one, because that name is an old one. It "
        "may want an older Python.",
        (f"pip install '{known.need}'",),
    )


def library(package: str) -> str:
    """A package in a sentence: what pip calls it, and its own name where that is another."""
    name = installed_as(package)
    return name if name == package else f"{name} (imported as {package})"


def is_weightless(class_: str, seen: Seen) -> bool:
    """Whether objects of a class hold no weights, by its name, and nothing speaks of a module."""
    return class_.endswith(WEIGHTLESS) and not seen.of_modules


def out_of(package: str, seen: Seen, class_: str = "") -> tuple[Way, ...]:
    """The ways out for a file with objects of a package; none where those hold no tensors."""
    if is_weightless(class_, seen):
        return ()
    if package in BESIDE_WEIGHTS and seen.says_torch:
        return (RESCUE_IF, FOR_A_FILE)
    return (RESCUE, FOR_A_FILE) if may_hold_tensors(package, seen) else ()


def may_hold_tensors(package: str, seen: Seen) -> bool:
    """Whether a file with objects of a package may hold tensors of torch's.

    Not where frames show who reads it, and nothing in the whole text is torch's.
    """
    readers = {package_of(frame.path) for frame in seen.frames if frame.unpickles}
    if {package, *readers} & WITHOUT_TENSORS:
        return False
    if seen.says_torch:
        return True
    if not seen.frames:
        return "joblib.load" not in seen.text
    failed = package_of(seen.failed.path) if seen.failed else ""
    return not seen.loads and package not in SELDOM_TENSORS and failed not in WITHOUT_TENSORS


def way(advice: str) -> Way:
    """A way out from a sentence, with the commands that are its lines below the first."""
    text, *commands = advice.split("\n")
    return Way(ADVICE, text, tuple(commands))


def advise(error: Error, what: str, *advice: Way | str, known_by: str = "") -> Answer:
    """The answer of what is understood without a measured cell."""
    ways = tuple(one if isinstance(one, Way) else way(one) for one in advice)
    return Answer(OTHER, str(error), what.strip(), ways=ways, known_by=known_by)


def together(error: Error, alike: list[Error], ledger: Ledger, what: str) -> Answer:
    """The nearest, from the cells of these errors of the atlas."""
    cases: list[Case] = [case for one in alike for case in ledger.errors[one]]
    return from_cases(NEAR, error, cases, ledger, what)


def in_releases(numbers: Set[int]) -> str:
    """Releases of timm by their numbers, in words."""
    return in_words(numbers, class_record.releases(), and_later=True)


def listed(names) -> str:
    """The first few names."""
    names = list(dict.fromkeys(names))
    return ", ".join(names[:MOST]) + (", …" if len(names) > MOST else "")
