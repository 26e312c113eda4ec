"""A load that went on without some tensors: what is random now, and whether that is normal."""

import re
from collections.abc import Iterable
from dataclasses import replace

from missing_aa.explainer.advice import advise, listed
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.errors import Error
from missing_aa.explainer.kinds.load_messages import Message, read
from missing_aa.explainer.kinds.state_dict_causes import empty, is_loss, pooled
from missing_aa.explainer.kinds.state_dict_names import last, renamed
from missing_aa.explainer.known_breaks import BUFFERS, COPIES, COUNTERS, HEADS, NEW_HEADS
from missing_aa.explainer.known_texts import RAISED
from missing_aa.explainer.remedies import ADVICE, Way
from missing_aa.explainer.seen import seen_in

BY = "the words of the message, and the names in it"
MOST_TRIED = 30
"""Names that are compared in search of a prefix."""

BY_TORCH = (
    "Whether they were loaded all the same, the message does not prove: torch's newer weight_norm "
    "takes the older names while it loads, and who compares names alone does not see that."
)
NOT_LOADED = "They were not loaded: the model is random there, though no error came."
LOOK = Way(
    ADVICE,
    "Compare the names in the file with the model's.",
    ("missing-aa inspect model.pt", "print(*model.state_dict(), sep='\\n')"),
)
TRAIN = "Nothing is to be mended where that is the plan: train the new layers (fine-tuning)."
TRAINED = (
    "If a model was expected that is trained for this task already: give the file of that one. Its "
    "page, or `architectures` in its config.json, says for which class it was saved."
)
MAKE = (
    "Make the model with the class and the settings with which the file was written, and with that "
    "version of the library; or give the file of this model."
)
NOT_YET = "Until nothing of the body is missing, do not rely on what the model computes."


def answer(text: str, shapes: tuple[tuple[str, str, str], ...] = ()) -> Answer | None:
    """The answer to a plain text that has such messages, and no error besides.

    `shapes` are those that the text says do not fit.
    """
    message = read(text)
    if not message or re.search(RAISED, text[message.end :]):
        return None
    if not message.strict and re.search(RAISED, text):
        return None
    error = replace(message.error, shapes=message.error.shapes or shapes)
    message = replace(message, error=error)
    if not (error.missing or error.unexpected or error.shapes):
        return _whole(error)
    if error.shapes and (found := empty(error)):
        return found
    if found := pooled(error, seen_in(text)):
        return _besides(found, message, NOT_LOADED)
    return _under_other_names(message) or _in_part(message)


def _besides(found: Answer, message: Message, sentence: str) -> Answer:
    """An answer that holds for an error too, with what has become of a load without one."""
    return found if message.strict else replace(found, changed=f"{found.changed} {sentence}")


def _whole(error: Error) -> Answer:
    return advise(
        error,
        "torch's load_state_dict says that the file and the model have the same names: nothing is "
        "missing, and nothing is left over. It is no error.",
        "If the output is not what it was all the same: compare the settings, the preprocessing "
        "and eval().",
        known_by="the words of the message",
    )


def _under_other_names(message: Message) -> Answer | None:
    """The answer where both sides have the same tensors, and call them otherwise."""
    error = message.error
    prefix, on_model, count = _prefix(error)
    if not prefix or all(map(_is_of_a_head, error.missing)):
        found = renamed(error)
        by_torch = any(name.endswith("_g") for name in error.unexpected)
        return found and _besides(found, message, BY_TORCH if by_torch else NOT_LOADED)
    here, there = ("the model", "the file") if on_model else ("the file", "the model")
    line = (
        f'weights = {{"{prefix}" + k: v for k, v in weights.items()}}'
        if on_model
        else f'weights = {{k.removeprefix("{prefix}"): v for k, v in weights.items()}}'
    )
    return advise(
        error,
        f"{count} of the names are the same on both sides but for {prefix!r}, which {here} has "
        f"before them and {there} has not. So these weights did not reach the model"
        + (", and the load stopped." if message.strict else ", which is random there: it is not ")
        + ("" if message.strict else "the model that was saved, though no error came."),
        Way(
            ADVICE,
            f"{'Put that before' if on_model else 'Take that off'} the names in the file, and load "
            "strictly.",
            (line, "model.load_state_dict(weights)"),
        ),
        "Or load them into the part of the model (or the wrapper's inside) that has these names.",
        known_by=BY,
    )


def _prefix(error: Error) -> tuple[str, bool, int]:
    """The prefix that one side has; whether that is the model; and of how many names."""
    missing, unexpected = {*error.missing}, {*error.unexpected}
    best = ("", False, 0)
    tried = set()
    for one in error.missing[:MOST_TRIED]:
        for two in error.unexpected[:MOST_TRIED]:
            on_model = one.endswith(f".{two}")
            if not on_model and not two.endswith(f".{one}"):
                continue
            prefix = (one if on_model else two)[: abs(len(one) - len(two))]
            if (prefix, on_model) in tried:
                continue
            tried.add((prefix, on_model))
            long, short = (missing, unexpected) if on_model else (unexpected, missing)
            count = sum(f"{prefix}{name}" in long for name in short)
            if count > best[2]:
                best = prefix, on_model, count
    fewest = min(len(missing), len(unexpected))
    return best if 2 * best[2] > fewest else ("", False, 0)


def _in_part(message: Message) -> Answer:
    error = message.error
    lost = (*error.missing, *(name for name, *_ in error.shapes))
    random = [name for name in lost if not _is_computed(name) and not _is_of_a_loss(name)]
    body = [name for name in random if not _is_of_a_head(name)]
    parts = [
        "the loader is strict, and stopped at these."
        if message.strict
        else "this is a message and no error: the program went on with what fits.",
        *_lost(error),
        *_needless(lost),
        *_judged(random, body, message),
        *_left_over(error),
    ]
    if not lost:
        parts.append(_nothing_missing(message))
    return advise(error, " ".join(parts), *_ways(random, body, error), known_by=BY)


def _lost(error: Error) -> Iterable[str]:
    if error.missing:
        yield f"Not in the file, and so not loaded: {_counted(error.missing)}."
    if error.shapes:
        name, ours, theirs = error.shapes[0]
        yield (
            "Of another shape in the file, and so not loaded: "
            f"{_counted([name for name, *_ in error.shapes])}; {name} has [{ours}] in the file and "
            f"[{theirs}] in the model."
        )


def _needless(lost: tuple[str, ...]) -> Iterable[str]:
    """Sentences on what is not in the file and need not be."""
    if computed := list(filter(_is_computed, lost)):
        yield (
            f"By their names, {listed(computed)} are constants or counters, which the model makes "
            "by itself: nothing that was learned is missing there."
        )
    if losses := list(filter(_is_of_a_loss, lost)):
        yield f"By their names, {listed(losses)} belong to a loss or a metric, beside the network."


def _judged(random: list[str], body: list[str], message: Message) -> Iterable[str]:
    if random and not message.strict:
        yield "What was not loaded is as the model was made: random, until it is trained."
    if body:
        yield (
            f"By the names, no part of a head: {listed(body)}. That is normal only for parts that "
            "were added to the model on purpose; else the file is of another architecture, of "
            "other settings or of another version, or its names have another prefix."
        )
    elif random:
        rest = "All else was loaded" + ("" if message.both else ", as far as the text goes")
        yield (
            "By their names they belong to a head. That is normal where a pretrained body gets a "
            f"new head, before it is fine-tuned. {rest}. Until then, what the model predicts is "
            "random, and differs from one run to the next."
        )


def _left_over(error: Error) -> Iterable[str]:
    names = error.unexpected
    if not names:
        return
    copies = [name for name in names if re.search(COPIES, name)]
    counted = list(filter(_is_computed, names))
    heads = [name for name in names if name not in copies and _is_of_a_head(name)]
    yield f"In the file, and not used: {_counted(names)}."
    if copies:
        yield (
            f"{_of(copies, names)} moving averages of the weights (EMA), which training keeps "
            "beside them: they can be left out."
        )
    if counted:
        yield f"{_of(counted, names)} constants or counters, which can be left out."
    if heads:
        yield (
            f"{_of(heads, names)} of a head, by their names, as of the pretraining or of another "
            "task: normal where the model has another head, or none."
        )
    if len({*copies, *counted, *heads}) < len(names):
        others = [name for name in names if name not in {*copies, *counted, *heads}]
        yield (
            f"This model has no place for {listed(others)}; one of another class or with other "
            "settings has."
        )


def _of(some: list[str], names: tuple[str, ...]) -> str:
    return "These are" if len(some) == len(names) else f"{listed(some)} are"


def _nothing_missing(message: Message) -> str:
    goes = "" if message.both else "as far as the text goes, "
    return f"{goes}nothing that the model asks for is missing.".capitalize()


def _counted(names) -> str:
    number = len({*names})
    return f"{number} tensor{'s' * (number != 1)} ({listed(names)})"


def _ways(random: list[str], body: list[str], error: Error) -> Iterable[Way | str]:
    if body:
        return LOOK, MAKE, NOT_YET
    if random:
        return TRAIN, TRAINED
    if all(re.search(COPIES, name) or _is_computed(name) for name in error.unexpected):
        return ("Nothing is to be mended. Only names that the model lacks would matter.",)
    if all(map(_is_of_a_head, error.unexpected)):
        return (
            "Nothing is to be mended, if the model is to do without these.",
            "If it is to have them: make it with the class for which the file was saved (`"
            "architectures` in its config.json, or its page).",
        )
    return LOOK, "If the model is to have these parts: " + MAKE[0].lower() + MAKE[1:]


def _is_computed(name: str) -> bool:
    return last(name) in (*BUFFERS, *COUNTERS)


def _is_of_a_loss(name: str) -> bool:
    return any(map(is_loss, name.split(".")[:-1]))


def _is_of_a_head(name: str) -> bool:
    """Whether a tensor lies below a head, and that in no block of a stack."""
    parts = re.split(r"[./]|___", name)
    known = {*HEADS, *NEW_HEADS} - {"out_proj"}
    at = next(
        (
            at
            for at, part in enumerate(parts)
            if part in known or re.fullmatch(r"(?:\w+_)?heads?|dropout(?:_\d+)?", part)
        ),
        None,
    )
    return at is not None and not any(part.isdigit() for part in parts[:at])
