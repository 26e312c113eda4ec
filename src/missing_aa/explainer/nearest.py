"""What the atlas has that is near to an error which it has not met."""

import re
from dataclasses import replace

from missing_aa.explainer.answers import ATLAS, GENERAL, NEAR, Answer, from_cases, general
from missing_aa.explainer.cases import Case, Ledger
from missing_aa.explainer.changes import carried, carriers, changed, held, misfit
from missing_aa.explainer.errors import ATTRIBUTE, LOOKUP, MODULE, OTHER, STATE_DICT, Error, squeeze
from missing_aa.explainer.model_classes import models_with
from missing_aa.explainer.other_causes import Seen
from missing_aa.explainer.remedies import ADVICE, Way, everyone
from missing_aa.explainer.whose import RESCUE
from missing_aa.provenance import class_record

SHORT = 600
"""Characters up to which a text is taken for a sentence about an error."""

TELLING = 15
"""Characters, without white space, from which the words of an error are told from others."""

MOST = 4


def by_words(text: str, ledger: Ledger) -> Answer | None:
    """The nearest to a text that names no error in the words of Python or torch."""
    squeezed = squeeze(text)
    for error, cases in ledger.errors.items():
        words = squeeze(error.name.partition(":")[2]) if error.kind == OTHER else ""
        if len(words) >= TELLING and words in squeezed:
            what = (
                "the atlas has met these words, as below. They are general ones, and can have "
                "other causes."
            )
            return from_cases(NEAR, error, cases, ledger, what=what)
    if len(text) > SHORT or not re.search(r"attribut|missing|lack", text, re.I):
        return None
    words = set(re.findall(r"\w+", text))
    named = [
        (error, cases)
        for error, cases in ledger.errors.items()
        if error.kind == ATTRIBUTE and {error.class_, error.name} <= words
    ]
    if not named:
        return None
    error, cases = max(named, key=lambda item: len(item[0].class_))
    return from_cases(NEAR, error, cases, ledger)


def by_name(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    """The nearest to an error that is read, and that the atlas has not met."""
    near = {
        ATTRIBUTE: _attribute,
        MODULE: _module,
        LOOKUP: _lookup,
        STATE_DICT: _state_dict,
    }
    return near[error.kind](error, seen, ledger)


def _attribute(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    known = [one for one in ledger.errors if one.kind == ATTRIBUTE]
    if not class_record.named([error.class_]):
        alike = [one for one in known if one.name == error.name]
        if not alike:
            return None
        what = (
            f"{error.class_} is no class of timm's, and timm's code fails on it: it seems to "
            f"inherit from one of {_listed(one.class_ for one in alike)}, of which the atlas has "
            "met this."
        )
        found = _together(error, alike, ledger, what)
        own = "Make the model with the project's own code, and load the weights into it strictly."
        pins = [way for way in found.ways if any("pip install" in one for one in way.commands)]
        return replace(found, ways=(RESCUE, Way(ADVICE, own), *pins), again=None)
    if not seen.timm_files and not carriers(error.class_, error.name):
        return _never_set(error, known)
    if carried(error.class_, error.name):
        return Answer(NEAR, str(error), changed(error), ways=tuple(everyone(ledger)))
    alike = [one for one in known if one.class_ == error.class_]
    if not alike:
        paths = _listed(class_record.named([error.class_]))
        what = (
            f"nothing that was measured. timm has such a class ({paths}), and the record of its "
            f"sources, which begins with {class_record.releases()[0]}, shows no change of "
            f"`{error.name}` "
            "in it. If the object came whole out of a file, these ways lead out all the same."
        )
        return general(str(error), ledger, what)
    what = (
        f"the atlas has met other attributes that objects of {error.class_} lacked, and not "
        f"`{error.name}`: {_listed(one.name for one in alike)}."
    )
    return _together(error, alike, ledger, what)


def _never_set(error: Error, known: list[Error]) -> Answer:
    """The answer where timm has a class of that name, and none of them sets the attribute."""
    others = [one.name for one in known if one.class_ == error.class_]
    met = f" What its objects were measured to lack: {_listed(others)}." if others else ""
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


def _module(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
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
    names = _listed(one.name for one in alike)
    told = error if held(error.name) else Error(MODULE, name=package)
    return _together(error, alike, ledger, f"{changed(told)} The atlas has met {names}.")


def _lookup(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    if error.class_ not in class_record.modules().get(error.name, ()):
        return None
    return Answer(NEAR, str(error), changed(error), ways=tuple(everyone(ledger)))


def _state_dict(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    names = {*error.missing, *error.unexpected}
    alike = [
        one
        for one in ledger.errors
        if one.kind == STATE_DICT
        and one.class_ == error.class_
        and names & {*one.missing, *one.unexpected}
    ]
    if alike:
        what = f"{changed(error)} The atlas has met other names of the same class."
        return _together(error, alike, ledger, what)
    what = f"{misfit(error)}. {UNFIT}"
    return Answer(GENERAL, str(error), what, ways=tuple(everyone(ledger, format="state_dict")))


UNFIT = (
    "No such change was measured, which is not to say that there was none. Is it the same "
    "architecture, with the same settings (number of classes, size of the picture)? Does a "
    "wrapper's prefix stand before the names?"
)


def refused(error: Error, ledger: Ledger) -> Answer:
    """The answer where torch does not trust a file: a whole model, of timm as it seems."""
    named = f"{error.name}.{error.class_}" if error.class_ else "a class"
    what = (
        f"the file holds a whole model, not weights alone: it asks for {named}. Since "
        "2.6, torch does not load such a file unless it is told to. That is no fault of the file. "
        "Once it is told to, the file can meet what has changed in timm."
    )
    models = [model for model in models_with(error.class_) if model in ledger.models]
    trust = Way(
        ADVICE,
        "Only if you trust where it comes from: torch.load(…, weights_only=False).",
        release=ledger.releases[ledger.newest],
        share=ledger.share(
            "whole",
            [
                (model, writer, ledger.newest)
                for model in models or ledger.models
                for writer in ledger.models[model]
            ],
        ),
    )
    ways = (*everyone(ledger, models or None), trust)
    if not models:
        return Answer(GENERAL, str(error), what, ways=ways)
    cells = ways[0].share.cells
    return Answer(ATLAS, str(error), what, cells=cells, models=tuple(models), ways=ways)


def _together(error: Error, alike: list[Error], ledger: Ledger, what: str) -> Answer:
    cases: list[Case] = [case for one in alike for case in ledger.errors[one]]
    return from_cases(NEAR, error, cases, ledger, what=what)


def _listed(names) -> str:
    names = list(dict.fromkeys(names))
    return ", ".join(names[:MOST]) + (", …" if len(names) > MOST else "")
