"""Tensors that do not fit a model: `Error(s) in loading state_dict for X`."""

import re
from collections.abc import Iterator
from dataclasses import replace

from missing_aa.explainer.advice import advise, listed, together, way
from missing_aa.explainer.answers import GENERAL, Answer
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.errors import NEAR, STATE_DICT, Error, Hit
from missing_aa.explainer.kinds import other_texts, state_dict_causes
from missing_aa.explainer.kinds.state_dict_causes import may_be_timm_s, misfit
from missing_aa.explainer.kinds.state_dict_lacking import (
    BUILT,
    NAMES_IN_FILE,
    SWITCH,
    TRAIN,
    besides,
    built_otherwise,
    is_another_architecture,
    only_lacking,
)
from missing_aa.explainer.kinds.state_dict_names import (
    LENIENTLY,
    WRITERS,
    buffers,
    only_left_over,
    part_of,
)
from missing_aa.explainer.pasted import squeeze
from missing_aa.explainer.remedies import ADVICE, Way, everyone
from missing_aa.explainer.seen import Seen

MOST_KEYS = 5_000
_SECTIONS = re.compile(
    r"Error\(s\)\s+in\s+loading\s+state_dict\s+for\s+(?P<class>\w{1,100})"
    r"|(?P<missing>missing\s+key\(s\)(?:\s+in\s+state_dict)?)"
    r"|(?P<unexpected>unexpected\s+key\(s\)(?:\s+in\s+state_dict)?)"
    r"|size\s+mismatch\s+for\s+(?P<shape>[\w.\s]{1,300}?):"
    r"|while\s+copying\s+the\s+parameter\s+named\s+'?(?P<copied>[\w.\s]{1,300}?)'?,\s+whose"
    r"\s+dimensions\s+in\s+the\s+model\s+are\s",
    re.I,
)
_SHAPES = re.compile(
    r"[^:]{0,40}?torch\.Size\(\[([\d,]*)\]\)fromcheckpoint.{0,40}?torch\.Size\(\[([\d,]*)\]\)"
)


_COPIED = re.compile(r"torch\.Size\(\[([\d,]*)\]\).{0,60}?checkpointaretorch\.Size\(\[([\d,]*)\]\)")
_FAILED = re.compile(r"an\s+exception\s+occurred\s*:\s*\(?'?(.+?)(?:',?\)|\\n|\n(?=\S)|\Z)", re.S)


def find(text: str) -> Iterator[Hit]:
    """The last mismatch of a state_dict, put together from its parts."""
    parts = list(_SECTIONS.finditer(text))[-MOST_KEYS:]
    heads = [at for at, part in enumerate(parts) if part["class"]]
    parts = parts[heads[-1] :] if heads else parts
    if not parts:
        return
    names: dict[str, tuple] = {"missing": (), "unexpected": ()}
    shapes: list[tuple[str, str, str]] = []
    failed = ""
    cut = False
    ends = [part.start() for part in parts[1:]] + [len(text)]
    for part, end in zip(parts, ends, strict=True):
        if part.lastgroup in names:
            names[part.lastgroup], is_cut = _keys(text[part.end() : end])
            cut |= is_cut
        elif part.lastgroup == "shape":
            sizes = _SHAPES.match(squeeze(text[part.end() : end][:NEAR]))
            saved, made = sizes.groups() if sizes else ("", "")
            shapes.append((squeeze(part["shape"]), saved, made))
        elif part.lastgroup == "copied":
            rest = text[part.end() : end][: 2 * NEAR]
            sizes = _COPIED.match(squeeze(rest))
            made, saved = sizes.groups() if sizes else ("", "")
            if made != saved:
                shapes.append((squeeze(part["copied"]), saved, made))
            elif reason := _FAILED.search(rest):
                failed = " ".join(reason[1].split())
    class_ = parts[0]["class"] or ""
    error = Error(
        STATE_DICT, class_, failed, names["missing"], names["unexpected"], tuple(shapes), cut=cut
    )
    yield Hit(parts[0].start(), parts[-1].end(), error)


def _keys(text: str) -> tuple[tuple[str, ...], bool]:
    """The quoted names at the beginning, and whether the list is cut off behind them.

    A name that is cut off itself is left out.
    """
    squeezed = squeeze(text)
    listed = re.match(r":?((?:'[^']{1,300}'[,.]?)*)", squeezed)
    names = tuple(re.findall(r"'([^']+)'", listed[1] if listed else "")[:MOST_KEYS])
    rest = squeezed[listed.end() if listed else 0 :]
    return names, bool(listed and listed[1].endswith(",")) or bool(re.match(r"\.\.|…|'\w", rest))


def changed(error: Error, upgrade: bool = True, files: tuple[str, ...] = ()) -> str:
    """What changed between writer and reader."""
    who = error.class_ or "the model"
    return f"Tensors of {who} were renamed, added or reshaped: {misfit(error)}."


def other(error: Error, seen: Seen) -> Answer | None:
    """The answer where no checkpoint from another timm is behind it; None if one can be."""
    if error.name and not (error.missing or error.unexpected or error.shapes):
        return _not_copied(error)
    return state_dict_causes.known(error, seen)


def _not_copied(error: Error) -> Answer:
    """The answer where a tensor fits, and something else failed while it was copied."""
    fits = "the tensors have the same shape in the file and in the model, so the file fits."
    found = other_texts.by_pattern(error.name)
    if found:
        return replace(
            found, error=str(error), changed=f"{fits} What failed is this: {found.changed}"
        )
    return advise(
        error,
        f"{fits} Copying one into the model failed for another reason, which the message names at "
        f"its end: {error.name}",
        "Look for the cause of that error alone, and ask again with it.",
        known_by="the words of the error",
    )


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
    what = f"{misfit(error)}. {_known_names(error)}{_place(error)}{_questions(error)}"
    own = _own_ways(error)
    if may_be_timm_s(error, seen) and not (own and error.cut):
        ways = (*everyone(ledger, format="state_dict"), *own[:1])
        notes = () if seen.says_timm else (OTHERS.format(error.class_),)
        return Answer(GENERAL, str(error), what, ways=ways, notes=notes)
    if own:
        return Answer(GENERAL, str(error), what, ways=own)
    if only_left_over(error):
        return Answer(GENERAL, str(error), what, ways=(WITHOUT, SAME))
    if part_of(error):
        code = f"print(type(model.get_submodule({part_of(error)!r})).__module__)"
        return Answer(GENERAL, str(error), what, ways=(replace(MAKER, commands=(code,)), SAME))
    return Answer(GENERAL, str(error), what, ways=(LOOK, SAME))


def _own_ways(error: Error) -> tuple[Way, ...]:
    """The ways where only the file lacks something, or the model's first layer is not there."""
    if is_another_architecture(error):
        return (BUILT, NAMES_IN_FILE)
    return (SWITCH, TRAIN, way(WRITERS)) if only_lacking(error) else ()


def _place(error: Error) -> str:
    """A sentence on what fits nevertheless; "" if the names say nothing of it."""
    if only_left_over(error):
        return (
            "As far as the text goes, every tensor that the model asks for is in the file and has "
            "its shape; the file only has others besides. "
        )
    if is_another_architecture(error):
        return built_otherwise(error)
    if only_lacking(error):
        return besides(error)
    place = part_of(error)
    return place and (
        f"All these names lie below {place!r}: as far as the text goes, only that part of the "
        "model differs. Another version of the package whose class makes it wrote the file, or "
        "it was made with other settings. "
    )


def _questions(error: Error) -> str:
    known = bool(error.missing or error.unexpected or error.shapes)
    if not known:
        return "Ask again with the whole message: its next lines say it."
    if only_left_over(error) or part_of(error) or _own_ways(error):
        return ""
    settings = " (number of classes, size of the picture)" if error.shapes else ""
    prefix = " Does a wrapper's prefix stand before the names?" if error.missing else ""
    return f"{UNFIT.format(settings)}{prefix}"


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
    "architecture, with the same settings{}?"
)
WITHOUT = Way(
    ADVICE,
    "If you need none of them (a head, a part for training): load without strictness, and look "
    "that nothing but these names is printed.",
    LENIENTLY,
)
MAKER = Way(
    ADVICE,
    "Look which package's class makes that part, and install the version of it that the file was "
    "written with; the requirements of the project as a rule name it.",
)
OTHERS = (
    "timm has a class {}, and the text does not say that this is timm's. If it is another "
    "library's, none of these ways holds: make the model as the writer made it."
)
