"""The ways and answers that several kinds of error share."""

from collections.abc import Set

from missing_aa.explainer.answers import NEAR, OTHER, Answer, from_cases
from missing_aa.explainer.cases import Case, Ledger
from missing_aa.explainer.errors import Error
from missing_aa.explainer.known_breaks import DISTRIBUTIONS, WEIGHTLESS, WITHOUT_TENSORS
from missing_aa.explainer.remedies import ADVICE, Way
from missing_aa.explainer.seen import Seen, package_of
from missing_aa.provenance import class_record
from missing_aa.text import in_words

RESCUE = Way(
    ADVICE,
    "Take the weights out, without that code, and load them into a model that the installed "
    "version makes.",
    ("missing-aa rescue model.pt model.safetensors",),
)
FOR_A_FILE = Way(
    ADVICE,
    "What the file itself will miss where, without loading it:",
    ("missing-aa check model.pt",),
)
STRANGER = "Install no package because it has that name: it would be another's."
LINE = "the line of source that the traceback shows"
NAMES = "the dotted name in the message"
TABLE = "torch's source (a table of its own breaks)"
MOST = 4


def installed_as(package: str) -> str:
    """What pip calls a package that is imported under that name, as far as the table knows."""
    return DISTRIBUTIONS.get(package, package)


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
    packages = {package, *(package_of(frame.path) for frame in seen.frames if frame.unpickles)}
    return () if packages & WITHOUT_TENSORS else (RESCUE, FOR_A_FILE)


def advise(error: Error, what: str, *advice: Way | str, known_by: str = "") -> Answer:
    """The answer of what is understood without a measured cell."""
    ways = tuple(one if isinstance(one, Way) else Way(ADVICE, one) for one in advice)
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
