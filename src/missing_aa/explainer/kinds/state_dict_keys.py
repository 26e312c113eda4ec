"""Tensors that do not fit a model: `Error(s) in loading state_dict for X`."""

import re
from collections.abc import Iterator

from missing_aa.explainer.advice import listed, together
from missing_aa.explainer.answers import GENERAL, Answer
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.errors import NEAR, STATE_DICT, Error, Hit
from missing_aa.explainer.kinds import state_dict_causes
from missing_aa.explainer.kinds.state_dict_causes import buffers, may_be_timm_s, misfit
from missing_aa.explainer.pasted import squeeze
from missing_aa.explainer.remedies import ADVICE, Way, everyone
from missing_aa.explainer.seen import Seen

MOST_KEYS = 5_000
_SECTIONS = re.compile(
    r"Error\(s\)\s+in\s+loading\s+state_dict\s+for\s+(?P<class>\w{1,100})"
    r"|(?P<missing>missing\s+key\(s\)(?:\s+in\s+state_dict)?)"
    r"|(?P<unexpected>unexpected\s+key\(s\)(?:\s+in\s+state_dict)?)"
    r"|size\s+mismatch\s+for\s+(?P<shape>[\w.\s]{1,300}?):",
    re.I,
)
_SHAPES = re.compile(
    r"[^:]{0,40}?torch\.Size\(\[([\d,]*)\]\)fromcheckpoint.{0,40}?torch\.Size\(\[([\d,]*)\]\)"
)


def find(text: str) -> Iterator[Hit]:
    """The last mismatch of a state_dict, put together from its parts."""
    parts = list(_SECTIONS.finditer(text))[-MOST_KEYS:]
    heads = [at for at, part in enumerate(parts) if part["class"]]
    parts = parts[heads[-1] :] if heads else parts
    if not parts:
        return
    names: dict[str, tuple] = {"missing": (), "unexpected": ()}
    shapes = []
    ends = [part.start() for part in parts[1:]] + [len(text)]
    for part, end in zip(parts, ends, strict=True):
        if part.lastgroup in names:
            names[part.lastgroup] = _keys(text[part.end() : end])
        elif part.lastgroup == "shape":
            sizes = _SHAPES.match(squeeze(text[part.end() : end][:NEAR]))
            saved, made = sizes.groups() if sizes else ("", "")
            shapes.append((squeeze(part["shape"]), saved, made))
    class_ = parts[0]["class"] or ""
    error = Error(STATE_DICT, class_, "", **names, shapes=tuple(shapes))
    yield Hit(parts[0].start(), parts[-1].end(), error)


def _keys(text: str) -> tuple[str, ...]:
    """The quoted names at the beginning; one that is cut off is left out."""
    listed = re.match(r":?((?:'[^']{1,300}'[,.]?)*)", squeeze(text))
    return tuple(re.findall(r"'([^']+)'", listed[1] if listed else "")[:MOST_KEYS])


def changed(error: Error, upgrade: bool = True, files: tuple[str, ...] = ()) -> str:
    """What changed between writer and reader."""
    who = error.class_ or "the model"
    return f"Tensors of {who} were renamed, added or reshaped: {misfit(error)}."


def other(error: Error, seen: Seen) -> Answer | None:
    """The answer where no checkpoint from another timm is behind it; None if one can be."""
    return state_dict_causes.known(error, seen)


def nearest(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    """The nearest that the atlas or the record of timm's sources has."""
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
        return together(error, alike, ledger, what)
    what = f"{misfit(error)}. {_known_names(error)}{UNFIT}"
    if may_be_timm_s(error, seen):
        ways = tuple(everyone(ledger, format="state_dict"))
        notes = () if seen.says_timm else (OTHERS.format(error.class_),)
        return Answer(GENERAL, str(error), what, ways=ways, notes=notes)
    return Answer(GENERAL, str(error), what, ways=(LOOK, SAME))


def _known_names(error: Error) -> str:
    """A sentence on names that are known, where others stand beside them; "" if none is."""
    known = buffers(error)
    if not known:
        return ""
    return (
        "Some of the names in the file are of buffers that the model computes by itself, and that "
        f"libraries ceased to save: {listed(known)}. They can be left out. The others are not "
        "explained by that. "
    )


LOOK = Way(
    ADVICE,
    "Look which names and shapes the file has, and compare them with the model's.",
    ("missing-aa inspect model.pt",),
)
SAME = Way(
    ADVICE,
    "Make the model as the writer made it: the same settings, and the version of the library that "
    "wrote the file.",
)
UNFIT = (
    "No such change was measured, which is not to say that there was none. Is it the same "
    "architecture, with the same settings (number of classes, size of the picture)? Does a "
    "wrapper's prefix stand before the names?"
)
OTHERS = (
    "timm has a class {}, and the text does not say that this is timm's. If it is another "
    "library's, none of these ways holds: make the model as the writer made it."
)
