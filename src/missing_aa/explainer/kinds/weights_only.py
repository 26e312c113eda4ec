"""A file that torch does not trust: `Weights only load failed`."""

import re
import sys
from collections.abc import Iterator
from dataclasses import replace

from missing_aa.explainer.advice import RESCUE, advise, installed_as
from missing_aa.explainer.answers import ATLAS, GENERAL, Answer
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.errors import DOTTED, WEIGHTS_ONLY, Error, Hit, find_words
from missing_aa.explainer.kinds import other_texts
from missing_aa.explainer.kinds.device import TO_CPU
from missing_aa.explainer.model_classes import models_with
from missing_aa.explainer.remedies import ADVICE, Way, everyone
from missing_aa.explainer.seen import Seen, package_of
from missing_aa.pickles.known_names import DATA
from missing_aa.pickles.policy import danger
from missing_aa.pickles.program import Global

HOLDERS = ("argparse.Namespace", "types.SimpleNamespace")
"""Beside what known_names has: they hold attributes, each of which is judged for itself."""

WORDS = r"unsupported\s+(?:global:\s+global|class)|weights\s+only\s+load\s+failed"


def read(before: str, words: str, after: str) -> Error | None:
    if words.lower().startswith("weights"):
        return Error(WEIGHTS_ONLY)
    name = re.match(rf"\s*'?({DOTTED})", after)
    if not name:
        return None
    module, _, class_ = name[1].strip(".").rpartition(".")
    return Error(WEIGHTS_ONLY, class_, module)


_TAIL = re.compile(
    r"WeightsUnpickler\s+error:(?:\s|\\n)*(?![\s\\]|Unsupported|Check the doc)(.{1,200})"
)
_REFUSED = re.compile(r"allowlisted|unrecognized function|Can only |persistent_load")
SAID = "Weights only load failed: "


def find(text: str) -> Iterator[Hit]:
    """`said` of an error without a class has what torch gave up at, if the text shows it."""
    for hit in find_words(WORDS, read, text):
        met = None if hit.error.class_ else _TAIL.search(text, hit.end, hit.end + 1_500)
        yield replace(hit, error=replace(hit.error, said=f"{SAID}{met[1].strip()}" if met else ""))


def _gave_up(error: Error) -> Answer:
    """The answer where torch says what it met, and that is no name which it refused."""
    met = error.said.removeprefix(SAID)
    if found := other_texts.by_pattern(f"RuntimeError: {met}"):
        what = f"{found.changed} As far as this says, weights_only is not the cause."
        return replace(found, error=str(error), changed=what)
    of_card = re.search(r"(?i)\b(?:CUDA|HIP) error", met)
    card = ": as a rule it is the graphics card or its driver, and not the file."
    return advise(
        error,
        f"torch gave up at this while it read the file: {met}. weights_only is not the cause"
        f"{card if of_card else ' unless this names a class or a function.'}",
        TO_CPU if of_card else LOOK,
        "Look for the cause of that error alone, and ask again with it.",
        known_by="the words of the error",
    )


def other(error: Error, seen: Seen) -> Answer | None:
    """The answer where no checkpoint from another timm is behind it; None if one can be."""
    if error.said and not _REFUSED.search(error.said):
        return _gave_up(error)
    if error.name.partition(".")[0] == "timm" or not error.class_:
        return None
    if not error.name and error.class_ == "getattr":
        return advise(
            error,
            "the pickle fetches an attribute by name (getattr), as it does for a method that was "
            "kept on an object (ultralytics' -seg and -pose models of 8.0 to 8.2.0 do), or saved "
            "as such: torch.save(model.state_dict, …), without brackets. So does code that means "
            "harm: look before you load it.",
            Way(ADVICE, "Look what it fetches.", ("missing-aa inspect model.pt",)),
            Way(ADVICE, "Take the weights out; it is refused if more is asked.", RESCUE.commands),
            "If model.state_dict was saved without brackets: save it again with them, "
            "torch.save(model.state_dict(), path).",
        )
    named = f"{error.name}.{error.class_}".strip(".")
    if named in PLAIN:
        return _plain_value(error, named, seen)
    return advise(
        error,
        f"the file holds more than weights ({named}). {_refuses(seen)} Nothing of timm is named.",
        LOOK,
        Way(
            ADVICE,
            "If it is a model: take the weights out, without running any of it.",
            RESCUE.commands,
        ),
        *_listed(error, seen),
        *_trust(seen),
    )


def _refuses(seen: Seen, such: str = "such a file") -> str:
    """A sentence on why torch refuses the file."""
    if seen.asks_weights_only:
        return (
            f"torch was asked for weights alone, and refuses {such}: {seen.asks_weights_only}. So "
            "the default of 2.6 is not the cause."
        )
    return f"Since 2.6, torch does not load {such} unless it is told to."


def _listed(error: Error, seen: Seen) -> tuple[Way, ...]:
    """The way out by torch's list, where the text names it and the name is one of a package's."""
    asked = (error.name, error.class_)
    if not error.name or not seen.says_safe_globals or danger(Global(*asked, asked)):
        return ()
    return (
        Way(
            ADVICE,
            f"Only if you trust where it comes from: put {error.class_} on torch's list before the "
            "file is loaded. Its code then runs while the file is read. The next name that "
            "is refused wants the same, and a whole model has dozens.",
            (
                f"import torch, {error.name}",
                f"torch.serialization.add_safe_globals([{error.name}.{error.class_}])",
            ),
        ),
    )


def _trust(seen: Seen) -> tuple[Way, ...]:
    """The ways out for who trusts the file, and those of the library that loads it."""
    outer = [one for one in seen.frames if one.loads and not one.is_torch and not one.unpickles]
    package = package_of(outer[-1].path) if outer else ""
    newer = Way(
        ADVICE,
        f"{'The' if package else 'Where the'} call is a library's: a newer release of "
        f"{installed_as(package) or 'that library'} may put its classes on torch's list, or not "
        "ask for weights alone.",
    )
    if not seen.asks_weights_only:
        return (TRUST, *[newer] * bool(package))
    return (ASKED, newer)


def _plain_value(error: Error, named: str, seen: Seen) -> Answer:
    """The answer for a class of Python's own whose objects hold plain values and do nothing."""
    top = named.partition(".")[0]
    public = f"{top}.{error.class_}" if "._" in error.name else named
    other_system = (
        " A path of the other kind of system (WindowsPath, PosixPath) cannot be made all the same: "
        "then take the weights out."
    )
    return advise(
        error,
        f"the file holds a plain value of Python's own ({named}), which does nothing when it is "
        f"made. {_refuses(seen, 'all that is not on its list')}",
        Way(
            ADVICE,
            "Put it on the list, before the file is loaded; all else stays refused. If another "
            "name is refused next, judge that one for itself."
            f"{other_system if 'Path' in named else ''}",
            (
                f"import torch, {top}",
                f'torch.serialization.add_safe_globals([({public}, "{named}")])',
            ),
        ),
        Way(ADVICE, "Or take the weights out, without running any of it.", RESCUE.commands),
        *_trust(seen),
        known_by="the dotted name in the message, and a list of what does nothing",
    )


PLAIN = {
    name
    for name in (*DATA.split(), *HOLDERS)
    if name.partition(".")[0] in sys.stdlib_module_names - {"builtins", "copyreg"}
    and name.rpartition(".")[2][:1] != "_"
}
"""Classes of the standard library that make plain values of plain values."""

LOOK = Way(ADVICE, "Look what the file asks for.", ("missing-aa inspect model.pt",))
TRUST = Way(
    ADVICE,
    "Only if you trust where it comes from: torch.load(…, weights_only=False). Where that call is "
    "a library's and does not say weights_only itself, this variable does the same:",
    ("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1 python script.py",),
)
ASKED = Way(
    ADVICE,
    "Only if you trust where it comes from: torch.load(…, weights_only=False), in the call that "
    "asks for weights alone. No variable of the environment overrides that call, and "
    "TORCH_FORCE_WEIGHTS_ONLY_LOAD must not be set.",
)
UNSEEN = "the text does not show what it met in it. The lines that follow this one say so."


def nearest(error: Error, seen: Seen, ledger: Ledger) -> Answer:
    """The answer where torch does not trust a file: a whole model, of timm as it seems."""
    if not error.class_ and not seen.says_timm:
        met = error.said.removeprefix(SAID)
        asked = _refuses(seen, "all that holds more")[:-1]
        refused = (
            "torch refused the file, as it does since 2.6 with all that holds more than weights"
        )
        what = f"{asked if seen.asks_weights_only else refused}; "
        what += f"it says of it: {met}" if met else UNSEEN
        return Answer(GENERAL, str(error), what, ways=(LOOK, RESCUE, *_trust(seen)))
    named = f"{error.name}.{error.class_}" if error.class_ else "a class"
    what = (
        f"the file holds a whole model, not weights alone: it asks for {named}. {_refuses(seen)} "
        "That is no fault of the file. Once torch loads it, it can meet what has changed in "
        "timm."
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
    cells = ways[0].share.cells if ways[0].share else 0
    return Answer(ATLAS, str(error), what, cells=cells, models=tuple(models), ways=ways)
