"""A name that a module does not have: `cannot import name 'X' from 'y'`."""

from missing_aa.explainer.advice import advise
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.errors import Error
from missing_aa.explainer.seen import Seen
from missing_aa.provenance import class_record


def other(error: Error, seen: Seen) -> Answer | None:
    """The answer where no checkpoint from another timm is behind it; None if one can be."""
    last = len(class_record.releases()) - 1
    homes = [
        path for path, known in class_record.named([error.class_]).items() if last in known.held
    ]
    where = f"in the newest recorded release it is {homes[0]}. " if homes else ""
    return advise(
        error,
        f"code imports or reads `{error.class_}` from {error.name or 'a module'}, and the version "
        "that is installed does not have it there. No checkpoint has a part in it.",
        f"{where}Change the import, or install the version that this code was written for.".strip(),
    )


def nearest(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    return None
