"""What the names of tensors show that do not fit: buffers, other names of the same, one part."""

import re
from collections.abc import Sequence
from os.path import commonprefix

from missing_aa.explainer.advice import advise
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.errors import Error
from missing_aa.explainer.known_breaks import BUFFERS, COUNTERS, RENAMED, Renamed
from missing_aa.explainer.remedies import ADVICE, Way

LENIENTLY = ("print(model.load_state_dict(weights, strict=False))",)
WRITERS = "Or install the version of the library that wrote the file."
MASK = "masked_bias"
OF_TORCH = ("module.", "_orig_mod.")
PREFIXES = (*OF_TORCH, "model.", "encoder.", "backbone.")
"""With which wrappers of torch's and of libraries begin the names of what they wrap."""


def known(error: Error) -> Answer | None:
    """The answer where the names alone show what it is; None if they do not."""
    if error.shapes:
        return None
    if error.unexpected and not error.missing and len(buffers(error)) == len(error.unexpected):
        return _no_longer_saved(error)
    if error.missing and not error.unexpected and {*map(last, error.missing)} <= {*BUFFERS}:
        return _not_saved_yet(error)
    return renamed(error)


def last(name: str) -> str:
    """The last part of a tensor's name."""
    return name.rpartition(".")[2]


def buffers(error: Error) -> tuple[str, ...]:
    """The names in the file that are of buffers which the model does without."""
    masks = {name for name in error.unexpected if last(name) == MASK}
    return tuple(
        name
        for name in error.unexpected
        if last(name) in (*BUFFERS, *COUNTERS) or _mask_beside(name) in masks
    )


def _mask_beside(name: str) -> str:
    return f"{name[: -len('bias')]}{MASK}" if last(name) == "bias" else ""


def _not_saved_yet(error: Error) -> Answer:
    names = ", ".join(sorted({last(name) for name in error.missing}))
    return advise(
        error,
        f"all that the file lacks are buffers ({names}). By their names they are constants, which "
        "the model computes when it is made: nothing that was learned is missing. As a rule "
        "another version of the library wrote the file, which did not save them.",
        Way(
            ADVICE,
            "Load without strictness, which is safe for these, and look that no other name is "
            "printed.",
            LENIENTLY,
        ),
        WRITERS,
        known_by="the names in the text",
    )


def _no_longer_saved(error: Error) -> Answer:
    names = sorted({last(name) for name in error.unexpected})
    ends = tuple(name for name in names if name != "bias")
    constants = [name for name in names if name not in COUNTERS]
    masks = f" and f\"{{k.removesuffix('bias')}}{MASK}\" not in weights" if MASK in names else ""
    what = [COUNTERS[name] for name in names if name in COUNTERS]
    if constants:
        what.insert(
            0,
            f"the file has buffers ({', '.join(constants)}) that the model computes by itself: "
            "a library ceased to save them. Nothing is lost without them, where the model has the "
            "writer's settings (sizes of pictures, windows or texts).",
        )
    return advise(
        error,
        " ".join(what),
        Way(
            ADVICE,
            "Leave them out, and load the rest strictly.",
            (f"weights = {{k: v for k, v in weights.items() if not k.endswith({ends!r}){masks}}}",),
        ),
        WRITERS if constants else "Or install a newer torch, if the one that reads is so old.",
        known_by="the names in the text",
    )


def renamed(error: Error) -> Answer | None:
    """The answer where torch has two names for each of these tensors."""
    for row in RENAMED:
        for newer, pairs in (True, row.names), (False, tuple(pair[::-1] for pair in row.names)):
            here = [_two_names(name, pairs) for name in error.missing]
            there = [_two_names(name, [pair[::-1] for pair in pairs]) for name in error.unexpected]
            if (
                all(here)
                and all(there)
                and {before + two for before, _, two in here} & {*error.unexpected}
            ):
                return _under_other_names(error, row, {names[1:] for names in here}, newer)
    return None


def _two_names(name: str, pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """What stands before a tensor's own name, and both names; () if it has not the first."""
    for one, two in pairs:
        form = re.escape(one).replace(r"\{\}", r"(\w+)")
        if found := re.fullmatch(rf"((?:.*\.)?){form}", name):
            return found[1], one.format(found[2]), two.format(found[2])
    return ()


def _under_other_names(
    error: Error, row: Renamed, found: set[tuple[str, ...]], newer: bool
) -> Answer:
    """The answer for names in the model and in the file, which is the `newer` of both or not."""
    since = f", which torch has since {row.since}" if row.since else ""
    old, new = ("the model", "the file") if newer else ("the file", "the model")
    return advise(
        error,
        f"the file and the model have the same tensors under two names. {old.capitalize()} has "
        f"those of torch.nn.utils.{row.by}, {new} those of its successor, "
        f"torch.nn.utils.parametrizations.{row.by}{since} and libraries use where it is there. The "
        "numbers are the same, and nothing is lost.",
        Way(
            ADVICE,
            "Give them the names that the model has, and load strictly.",
            (
                "import re",
                *(
                    f"weights = {{re.sub(r'\\b{re.escape(two)}$', {one!r}, k): v "
                    "for k, v in weights.items()}"
                    for one, two in sorted(found)
                ),
            ),
        ),
        f"Or read it with a torch of {row.since} or newer, and the library that wrote it."
        if newer and row.since
        else "Or read it with the versions of torch and of the library that wrote it.",
        known_by="the names in the text, and torch's source",
    )


def only_left_over(error: Error) -> bool:
    """Whether the file has all that the model asks for, as far as the text goes."""
    return bool(error.class_ and error.unexpected and not error.missing and not error.shapes)


def part_of(error: Error) -> str:
    """The part of the model below which all names lie, on both sides; "" if there is none.

    What a wrapper has its whole model in is no part.
    """
    if not error.missing or not error.unexpected or error.shapes:
        return ""
    homes = [name.split(".")[:-1] for name in (*error.missing, *error.unexpected)]
    place = ".".join(commonprefix(homes))
    return "" if f"{place}." in PREFIXES else place
