"""An error that a package's own code raises while it makes its object again out of a pickle."""

import re

from missing_aa.explainer.advice import BY_FRAMES, advise, installed_as, out_of, writer_s
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.errors import OTHER, Error
from missing_aa.explainer.known_breaks import OWN_FORMS
from missing_aa.explainer.seen import TRACEBACK, package_of, seen_in
from missing_aa.explainer.traceback import Frame, frames, said

READERS = {"joblib", "cloudpickle", "dill"}
_LOAD = re.compile(
    r"^(?:return\s+|[\w.,\s]+=\s*)?_?(?:pickle|pkl|cloudpickle|dill|joblib|torch)\.load"
)
_ERROR = re.compile(r"(?m)^[ \t]*([\w.]*(?:Error|Exception)\b.*)")


def by_frames(text: str) -> Answer | None:
    """The answer where all frames behind the one that reads a pickle are of one package."""
    own = text[max(0, text.rfind(TRACEBACK)) :]
    found = frames(own)
    readers = [at for at, frame in enumerate(found) if _reads(frame)]
    packages = {package_of(frame.path) for frame in found[readers[-1] + 1 :]} if readers else set()
    if len(packages) != 1 or packages & {"", "torch"}:
        return None
    (package,) = packages
    errors = _ERROR.findall(said(own))
    seen, name = seen_in(own), installed_as(package)
    return advise(
        Error(OTHER, name=errors[-1].strip() if errors else ""),
        f"code of {package} itself fails while it makes its own object again out of the pickle: "
        f"as a rule another version of {name} wrote the file than reads it. Else the file is "
        "damaged.",
        writer_s(package, seen),
        f"There, save it in a form of {name}'s own that other versions read "
        f"({OWN_FORMS.get(package, 'if it has one')}), and read that with the installed version.",
        *out_of(package, seen),
        known_by=BY_FRAMES,
    )


def _reads(frame: Frame) -> bool:
    code = frame.code.strip()
    return frame.unpickles or package_of(frame.path) in READERS or bool(_LOAD.match(code))
