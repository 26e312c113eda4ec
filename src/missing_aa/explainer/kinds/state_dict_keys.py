"""Tensors that do not fit a model: `Error(s) in loading state_dict for X`."""

import re
from collections.abc import Iterator
from fractions import Fraction

from missing_aa.explainer.advice import RESCUE, advise, together
from missing_aa.explainer.answers import GENERAL, Answer
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.errors import NEAR, STATE_DICT, Error, Hit
from missing_aa.explainer.known_breaks import BUFFERS, LOSSES
from missing_aa.explainer.pasted import squeeze
from missing_aa.explainer.remedies import ADVICE, Way, everyone
from missing_aa.explainer.seen import Seen
from missing_aa.provenance import class_record

HEADS = {
    "box_predictor",
    "classifier",
    "cls_head",
    "fc",
    "fc_cls",
    "head",
    "head_dist",
    "heads",
    "last_layer",
    "last_linear",
    "mask_fcn_logits",
    "out_proj",
    "score",
    "segmentation_head",
}
"""Layers that libraries call so and that have an output for each class."""


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


def misfit(error: Error) -> str:
    """How the tensors of a state_dict do not fit a model."""
    parts = []
    if error.missing:
        parts.append(f"the model asks for names that are not in the file ({error.missing[0]}, …)")
    if error.unexpected:
        parts.append(f"the file has names that the model does not know ({error.unexpected[0]}, …)")
    if error.shapes:
        name, ours, theirs = error.shapes[0]
        parts.append(f"shapes differ ({name}: [{ours}] in the file, [{theirs}] in the model)")
    return "; ".join(parts) or "the tensors do not fit"


def other(error: Error, seen: Seen) -> Answer | None:
    """The answer where no checkpoint from another timm is behind it; None if one can be."""
    last = {name.rpartition(".")[2] for name in error.unexpected}
    if last and last <= {*BUFFERS} and not error.missing and not error.shapes:
        return advise(
            error,
            f"the file has buffers ({', '.join(sorted(last))}) that the model computes by itself: "
            "a library ceased to save them. Nothing is lost without them, where the model has the "
            "writer's settings (window, picture size).",
            Way(
                ADVICE,
                "Leave them out, and load the rest strictly.",
                (
                    f"weights = {{k: v for k, v in weights.items() "
                    f"if not k.endswith({tuple(sorted(last))!r})}}",
                ),
            ),
            "Or install the version of the library that wrote the file.",
        )
    if (homes := _losses(error)) and not error.shapes:
        return _beside_the_network(error, homes)
    if _is_same_but_for_ones(error):
        return _laid_out_otherwise(error)
    if _are(error.missing, "norm.") and _are(error.unexpected, "fc_norm."):
        return _pooled(error, seen, "avg")
    if _are(error.missing, "fc_norm.") and _are(error.unexpected, "norm."):
        return _pooled(error, seen, "token")
    if not error.missing and not error.unexpected and (count := _classes(error.shapes)):
        command = f'timm.create_model("NAME", num_classes={count})'
        return advise(
            error,
            "only the last layers differ, and in their first size alone, all by one ratio: the "
            "model was made for another number of classes than the file.",
            Way(
                ADVICE,
                f"Make the model with the number of classes that the file has ({count}).",
                (command,) if _may_be_timm_s(error, seen) else (),
            ),
            "Or leave the last layers out, if you want to train them anew.",
        )
    for prefix in ("module.", "model.", "_orig_mod.", "encoder.", "backbone."):
        if error.unexpected and all(name.startswith(prefix) for name in error.unexpected):
            return advise(
                error,
                f"every name in the file begins with {prefix!r}: a wrapper was saved with the "
                "model, and the names fit no model without it.",
                Way(
                    ADVICE,
                    "Take the prefix off.",
                    (f'weights = {{k.removeprefix("{prefix}"): v for k, v in weights.items()}}',),
                ),
                Way(ADVICE, "Or let it be taken off (of a wrapper of torch's).", RESCUE.commands),
            )
    return None


def _are(names: tuple[str, ...], prefix: str) -> bool:
    return bool(names) and all(name.startswith(prefix) for name in names)


def _losses(error: Error) -> list[str]:
    """The prefixes below which all names lie, if each of them is a loss's or a metric's."""
    homes: dict[str, None] = {}
    for name in (*error.missing, *error.unexpected):
        parts = name.split(".")[:-1]
        place = next((at for at, part in enumerate(parts) if _is_loss(part)), None)
        if place is None:
            return []
        homes[".".join(parts[: place + 1]) + "."] = None
    return list(homes)


def _is_loss(part: str) -> bool:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", part).lower().split("_")
    return any(word.rstrip("0123456789") in LOSSES for word in words)


def _beside_the_network(error: Error, homes: list[str]) -> Answer:
    return advise(
        error,
        f"all these names lie below {', '.join(map(repr, homes[:3]))}, which by its name is a loss "
        "or a metric: it stands beside the network and is no part of it, and another version of "
        "its library keeps other tensors in it. What the network computes does not depend on it; "
        "only who trains on loses what such tensors had learned, if they learn.",
        Way(
            ADVICE,
            "Load without strictness, and look that no other name is printed; then nothing of the "
            "network is missing. (Whatever loads the file for you may pass strict=False on.)",
            ("print(model.load_state_dict(weights, strict=False))",),
        ),
        "Or install the version of the library of that loss that wrote the file.",
        known_by="the names in the text",
    )


def _is_same_but_for_ones(error: Error) -> bool:
    """Whether nothing differs but dimensions of size 1."""
    return (
        bool(error.shapes)
        and not error.missing
        and not error.unexpected
        and all(
            ours != theirs and _without_ones(ours) == _without_ones(theirs)
            for _, ours, theirs in error.shapes
        )
    )


def _sizes(shape: str) -> list[str]:
    return [size for size in shape.split(",") if size]


def _without_ones(shape: str) -> list[str]:
    return [size for size in _sizes(shape) if size != "1"]


def _laid_out_otherwise(error: Error) -> Answer:
    return advise(
        error,
        f"{misfit(error)}: they differ in nothing but dimensions of size 1. The numbers are the "
        "same, in the same order, and nothing is lost but the layout: another version of a library "
        "lays these tensors out in another way. Whether it means the same by them, the shapes do "
        "not say.",
        Way(
            ADVICE,
            f"Lay them out as the model has them{_by_hand(error)}, and load strictly; then compare "
            "an output with one that you know.",
            (
                "made = model.state_dict()",
                "fits = lambda k, v: k in made and v.squeeze().shape == made[k].squeeze().shape",
                "weights = {k: v.reshape(made[k].shape) if fits(k, v) else v "
                "for k, v in weights.items()}",
                "model.load_state_dict(weights)",
            ),
        ),
        "Or install the version of the library that wrote the file.",
        known_by="the shapes in the text",
    )


def _by_hand(error: Error) -> str:
    """The same for each of them in words, where one more dimension does it everywhere."""
    places = [_added(_sizes(ours), _sizes(theirs)) for _, ours, theirs in error.shapes]
    return f" (`v.unsqueeze({places[0]})`)" if len(set(places)) == 1 and places[0] >= 0 else ""


def _added(ours: list[str], theirs: list[str]) -> int:
    """Where one dimension more makes the one shape of the other; -1 if that is not so."""
    for at in range(len(ours) + 1):
        if [*ours[:at], "1", *ours[at:]] == theirs:
            return at
    return -1


def _pooled(error: Error, seen: Seen, pool: str) -> Answer:
    command = f'timm.create_model("NAME", global_pool="{pool}")'
    return advise(
        error,
        "the last norm stands elsewhere: the file is of a model that pools otherwise "
        "(a vision transformer's `global_pool`) than the one that it is loaded into.",
        Way(
            ADVICE,
            "Make the model as the writer did.",
            (command,) if _may_be_timm_s(error, seen) else (),
        ),
    )


def _classes(shapes: tuple[tuple[str, str, str], ...]) -> int:
    """The number of classes of the file, if nothing but that differs; else 0."""
    sizes = [
        [list(map(int, one.split(","))) for one in (ours, theirs) if one]
        for _, ours, theirs in shapes
    ]
    if not sizes or any(len(pair) < 2 or pair[0][1:] != pair[1][1:] for pair in sizes):
        return 0
    ratios = {Fraction(ours[0], theirs[0]) for ours, theirs in sizes if theirs[0]}
    heads = all(set(name.split(".")) & HEADS for name, *_ in shapes)
    return min(ours[0] for ours, _ in sizes) if len(ratios) == 1 and heads else 0


def _may_be_timm_s(error: Error, seen: Seen) -> bool:
    """Whether the text names timm, or a class that is in its record; others have a ResNet too."""
    return seen.says_timm or bool(error.class_ and class_record.named([error.class_]))


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
    what = f"{misfit(error)}. {UNFIT}"
    if _may_be_timm_s(error, seen):
        ways = tuple(everyone(ledger, format="state_dict"))
        notes = () if seen.says_timm else (OTHERS.format(error.class_),)
        return Answer(GENERAL, str(error), what, ways=ways, notes=notes)
    return Answer(GENERAL, str(error), what, ways=(LOOK, SAME))


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
