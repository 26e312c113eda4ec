"""A file that torch does not trust: `Weights only load failed`."""

import re
from functools import partial

from missing_aa.explainer.advice import RESCUE, advise
from missing_aa.explainer.answers import ATLAS, GENERAL, Answer
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.errors import DOTTED, WEIGHTS_ONLY, Error, find_words
from missing_aa.explainer.model_classes import models_with
from missing_aa.explainer.remedies import ADVICE, Way, everyone
from missing_aa.explainer.seen import Seen

WORDS = r"unsupported\s+(?:global:\s+global|class)|weights\s+only\s+load\s+failed"


def read(before: str, words: str, after: str) -> Error | None:
    if words.lower().startswith("weights"):
        return Error(WEIGHTS_ONLY)
    name = re.match(rf"\s*'?({DOTTED})", after)
    if not name:
        return None
    module, _, class_ = name[1].strip(".").rpartition(".")
    return Error(WEIGHTS_ONLY, class_, module)


find = partial(find_words, WORDS, read)


def other(error: Error, seen: Seen) -> Answer | None:
    """The answer where no checkpoint from another timm is behind it; None if one can be."""
    if error.name.partition(".")[0] == "timm" or not error.class_:
        return None
    if not error.name and error.class_ == "getattr":
        return advise(
            error,
            "the pickle fetches an attribute by name (getattr), as it does for a method that was "
            "kept on an object (ultralytics' -seg and -pose models of 8.0 to 8.2.0 do). So does "
            "code that means harm: look before you load it.",
            Way(ADVICE, "Look what it fetches.", ("missing-aa inspect model.pt",)),
            Way(ADVICE, "Take the weights out; it is refused if more is asked.", RESCUE.commands),
        )
    named = f"{error.name}.{error.class_}".strip(".")
    return advise(
        error,
        f"the file holds more than weights ({named}). Since 2.6, torch does not "
        "load such a file unless it is told to. Nothing of timm is named.",
        Way(ADVICE, "Look what the file asks for.", ("missing-aa inspect model.pt",)),
        Way(
            ADVICE,
            "If it is a model: take the weights out, without running any of it.",
            RESCUE.commands,
        ),
        "Only if you trust where it comes from: torch.load(…, weights_only=False).",
    )


def nearest(error: Error, seen: Seen, ledger: Ledger) -> Answer:
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
    cells = ways[0].share.cells if ways[0].share else 0
    return Answer(ATLAS, str(error), what, cells=cells, models=tuple(models), ways=ways)
