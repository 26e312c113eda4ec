"""A missing attribute by which a library is known, whatever the name of its class says."""

import re

from missing_aa.explainer.advice import LINE, advise, library
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.errors import Error
from missing_aa.explainer.kinds.torch_attribute import OUT_OF_A_FILE
from missing_aa.explainer.known_attributes import FINGERPRINTS, Fingerprint
from missing_aa.explainer.known_breaks import TORCH_CLASSES
from missing_aa.explainer.seen import Seen, failed_in, package_of, reads


def answer(error: Error, seen: Seen) -> Answer | None:
    """The answer of the table; None where nothing is known, or a frame shows more.

    A line that reads the attribute of its own object belongs to the class, and says whose it is.
    """
    known = _known(error)
    failed = failed_in(seen.frames, error.name)
    if not known or (failed and reads(failed, error.name)):
        return None
    asking = failed if failed and not (failed.is_torch or failed.unpickles) else None
    package = package_of(asking.path) if asking else ""
    asks = f" Code of {package} asks for it." if package else ""
    others = (
        f" (Of another library's {error.class_} that has such a name this says nothing.)"
        if error.class_ in TORCH_CLASSES
        else ""
    )
    what = known.what.format(bare=error.name.strip("_"))
    return advise(
        error,
        f"`{error.name}` is known of {library(known.package)}: {what}{asks}{others}",
        *known.ways,
        *[OUT_OF_A_FILE] * known.whole,
        known_by="the names of class and attribute (a table of such, read off the library's "
        f"source){f', and {LINE}' if asks else ''}",
    )


def _known(error: Error) -> Fingerprint | None:
    return next(
        (
            one
            for one in FINGERPRINTS
            if re.fullmatch(one.classes, error.class_) and re.fullmatch(one.attributes, error.name)
        ),
        None,
    )
