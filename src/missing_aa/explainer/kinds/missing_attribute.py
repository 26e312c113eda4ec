"""An object without an attribute: `'X' object has no attribute 'y'`."""

import re
from dataclasses import replace

from missing_aa.explainer.advice import (
    FOR_A_FILE,
    LINE,
    RESCUE,
    TABLE,
    advise,
    advise_known,
    listed,
    together,
)
from missing_aa.explainer.answers import NEAR, Answer, general
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.changes import carried, carriers, changed
from missing_aa.explainer.errors import ATTRIBUTE, LOOKUP, Error
from missing_aa.explainer.kinds import cannot_get_attribute
from missing_aa.explainer.known_breaks import (
    TORCH_ATTRIBUTES,
)
from missing_aa.explainer.remedies import ADVICE, Way, everyone
from missing_aa.explainer.seen import Seen, failed_in, package_of
from missing_aa.provenance import class_record

WEIGHTS = ("dict", "OrderedDict")
BUILTINS = ("NoneType", "str", "int", "float", "bool", "list", "tuple", "function", "Tensor")


def other(error: Error, seen: Seen) -> Answer | None:
    """The answer where no checkpoint from another timm is behind it; None if one can be."""
    return _another_version(error, seen) or _not_timm(error, seen)


def _another_version(error: Error, seen: Seen) -> Answer | None:
    failed = failed_in(seen.frames)
    package = package_of(failed.path) if failed else ""
    if error.class_ == "module" and error.name.startswith("_rebuild_"):
        return cannot_get_attribute.other(Error(LOOKUP, error.name, "torch._utils"), seen)
    key = f"{error.class_}.{error.name}"
    if key in TORCH_ATTRIBUTES and (not failed or failed.is_torch):
        return _of_torch(error, *TORCH_ATTRIBUTES[key], alone=not failed)
    if (
        not failed
        or package in ("", "timm")
        or not re.search(rf"\bself\.{error.name}\b", failed.code)
    ):
        return None
    return advise_known(
        error,
        f"{package}'s own code reads `self.{error.name}`, and the object has none: if it came "
        f"whole out of a file, another version of {package} (or a fork of it) wrote it.",
        LINE,
        RESCUE,
        f"Or install the version of {package} that wrote the file.",
        FOR_A_FILE,
    )


def _of_torch(error: Error, default: str, since: str, alone: bool) -> Answer:
    known = f" since {since}," if since else ","
    what = (
        f"torch's own {error.class_} reads `{error.name}`{known} which an older torch did not set: "
        "the object was pickled whole by it. Neither your code nor the weights are to blame."
    )
    if alone:
        what = f"if this {error.class_} is torch's, and not another library's: {what}"
    mend = Way(
        ADVICE,
        f"Or set what torch's constructor sets today on every {error.class_} of the model:",
        (
            f"[setattr(m, {error.name!r}, {default}) for m in model.modules()"
            f" if type(m) is torch.nn.{error.class_}]",
        ),
    )
    return advise_known(error, what, TABLE, RESCUE, mend)


def _not_timm(error: Error, seen: Seen) -> Answer | None:
    if error.class_ in WEIGHTS:
        return advise(
            error,
            "what was loaded is a dictionary of weights, and no model.",
            Way(
                ADVICE,
                "Make the model first, and load the weights into it.",
                ("model.load_state_dict(weights)",),
            ),
        )
    if error.class_ in BUILTINS:
        return advise(
            error,
            f"the value is of Python's or torch's own type {error.class_}, and no part of a model "
            "that a release of timm could have changed.",
            "Look where that value comes from, in the last frame of the traceback that is yours.",
        )
    if seen.failed and not seen.failed.is_timm:
        releases = carriers(error.class_, error.name)
        return advise(
            error,
            f"code outside timm reads `{error.name}` ({seen.failed.path}) of a class {error.class_}"
            ". It was written for a class that has it; if that line is of the class itself "
            "(`self.`), and the object came whole out of a file, for an object of another "
            f"version.{releases}",
            *(["Install a release of timm that has it, if the class is timm's."] * bool(releases)),
            "Or change that code, or install what it was written for; its requirements say which.",
        )
    if not class_record.named([error.class_]) and not seen.failed:
        return advise(
            error,
            f"no recorded release of timm has a class {error.class_}: it is your own, or another "
            "library's, of which another version wrote the object, if it came whole out of a "
            f"file.",
            Way(ADVICE, "Take the weights out, without that code:", RESCUE.commands),
            "Or install the version of that library that wrote the file. The full traceback says "
            "which library's line reads it.",
        )
    return None


def nearest(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    """The nearest that the atlas or the record of timm's sources has."""
    known = [one for one in ledger.errors if one.kind == ATTRIBUTE]
    if not class_record.named([error.class_]):
        alike = [one for one in known if one.name == error.name]
        if not alike:
            return None
        what = (
            f"{error.class_} is no class of timm's, and timm's code fails on it: it seems to "
            f"inherit from one of {listed(one.class_ for one in alike)}, of which the atlas has "
            "met this."
        )
        found = together(error, alike, ledger, what)
        own = "Make the model with the project's own code, and load the weights into it strictly."
        pins = [way for way in found.ways if any("pip install" in one for one in way.commands)]
        return replace(found, ways=(RESCUE, Way(ADVICE, own), *pins), again=None)
    if not seen.timm_files and not carriers(error.class_, error.name):
        return _never_set(error, known)
    if carried(error.class_, error.name):
        return Answer(NEAR, str(error), changed(error), ways=tuple(everyone(ledger)))
    alike = [one for one in known if one.class_ == error.class_]
    if not alike:
        paths = listed(class_record.named([error.class_]))
        what = (
            f"nothing that was measured. timm has such a class ({paths}), and the record of its "
            f"sources, which begins with {class_record.releases()[0]}, shows no change of "
            f"`{error.name}` "
            "in it. If the object came whole out of a file, these ways lead out all the same."
        )
        return general(str(error), ledger, what)
    what = (
        f"the atlas has met other attributes that objects of {error.class_} lacked, and not "
        f"`{error.name}`: {listed(one.name for one in alike)}."
    )
    return together(error, alike, ledger, what)


def _never_set(error: Error, known: list[Error]) -> Answer:
    """The answer where timm has a class of that name, and none of them sets the attribute."""
    others = [one.name for one in known if one.class_ == error.class_]
    met = f" What its objects were measured to lack: {listed(others)}." if others else ""
    what = (
        f"the record of timm's sources has a class {error.class_} and no release in which its "
        f"constructor sets `{error.name}`: this class may be another library's of the same name, "
        f"or your own; or a helper of timm's sets it, which the record does not follow.{met}"
    )
    return Answer(
        NEAR,
        str(error),
        what,
        ways=(
            Way(ADVICE, "Look in the full traceback whose line reads it, and ask with all of it."),
            RESCUE,
        ),
        known_by="the record of timm's sources; the text does not show whose class it is",
    )
