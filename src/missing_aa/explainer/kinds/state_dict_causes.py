"""What is behind tensors that do not fit, where their names and shapes show it."""

import re
from fractions import Fraction

from missing_aa.explainer.advice import RESCUE, advise
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.errors import Error
from missing_aa.explainer.kinds import divided, state_dict_lacking, state_dict_names
from missing_aa.explainer.kinds.state_dict_names import LENIENTLY, OF_TORCH, PREFIXES, WRITERS, last
from missing_aa.explainer.known_breaks import HEADS, LOSSES, QUANTISED
from missing_aa.explainer.remedies import ADVICE, Way
from missing_aa.explainer.seen import Seen
from missing_aa.provenance import class_record


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
    return "; ".join(parts) or "the text does not say which tensors do not fit, or why"


def known(error: Error, seen: Seen) -> Answer | None:
    """The answer where the names and shapes show what it is; None if they do not."""
    if found := state_dict_names.known(error):
        return found
    if (homes := _losses(error)) and not error.shapes:
        return _beside_the_network(error, homes)
    if _is_same_but_for_ones(error):
        return _laid_out_otherwise(error)
    if found := pooled(error, seen) or empty(error):
        return found
    if found := state_dict_lacking.headless(error, may_be_timm_s(error, seen)):
        return found
    if found := state_dict_lacking.positions(error):
        return found
    if _is_quantised(error):
        return _quantised_otherwise(error)
    if not error.missing and not error.unexpected and (count := _classes(error.shapes)):
        return _other_classes(error, seen, count)
    if factor := divided.factor(error):
        return divided.answer(error, factor)
    return _prefixed(error)


def _other_classes(error: Error, seen: Seen, count: int) -> Answer:
    command = f'timm.create_model("NAME", num_classes={count})'
    wanted = min(int(theirs.partition(",")[0]) for _, _, theirs in error.shapes)
    data = PUBLISHED.get(count)
    return advise(
        error,
        "only the last layers differ, and in their first size alone, all by one ratio: the "
        "model was made for another number of classes than the file.",
        Way(
            ADVICE,
            f"Make the model with the number of classes that the file has ({count}).",
            (command,) if may_be_timm_s(error, seen) else (),
        ),
        *[
            f"Or give the file that was trained for the model's number ({wanted}). {count} is how "
            f"many classes {data} has, so this one may be the file to begin a training with."
        ]
        * bool(data),
        "Or leave the last layers out, if you want to train them anew.",
    )


PUBLISHED = {80: "COCO", 1000: "ImageNet", 21841: "ImageNet-21k"}
"""Numbers of classes -> the data for which most published weights have that many."""


def _prefixed(error: Error) -> Answer | None:
    """The answer where one side's names have a wrapper's prefix, and the other's have not."""
    file, model = error.unexpected, error.missing
    for prefix in PREFIXES:
        # A prefix on both sides is a name in the model, unless the file has it twice.
        fits = bool({name.removeprefix(prefix) for name in file} & {*model})
        alone = prefix in OF_TORCH and not any(name.startswith(prefix) for name in model)
        if _are(file, prefix) and (fits or alone):
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
        if _are(model, prefix) and {f"{prefix}{name}" for name in file} & {*model}:
            return advise(
                error,
                f"every name that the model asks for begins with {prefix!r}, and the file has the "
                "same names without it: the model is in a wrapper, and the one that was saved was "
                "not.",
                Way(
                    ADVICE,
                    "Load them into the model inside, before it is wrapped or through its wrapper.",
                    (f"model.{prefix}load_state_dict(weights)",),
                ),
                Way(
                    ADVICE,
                    "Or put the prefix before the names.",
                    (f'weights = {{"{prefix}" + k: v for k, v in weights.items()}}',),
                ),
                known_by="the names in the text",
            )
    return None


def empty(error: Error) -> Answer | None:
    """The answer where one side has empty tensors, or of one number, for what are matrices."""
    file = [ours for _, ours, theirs in error.shapes if _is_placeholder(ours, theirs)]
    model = [theirs for _, ours, theirs in error.shapes if _is_placeholder(theirs, ours)]
    if len(file) == len(error.shapes) and file:
        return advise(
            error,
            f"the tensors in the file are empty, or of one number ({misfit(error)}). DeepSpeed's "
            "ZeRO stage 3 and FSDP leave such places where the weights were divided among "
            "processes, and were not gathered when the file was saved: the file has no numbers for "
            "them, and no version is to blame. Loading past it (strict=False, "
            "ignore_mismatched_sizes) leaves them as the model was made: random, or untrained.",
            "If a ZeRO checkpoint lies beside it (a folder with files *_optim_states.pt): the "
            "script that DeepSpeed writes there puts the weights together.\n"
            "python zero_to_fp32.py CHECKPOINT_FOLDER OUTPUT",
            "If only the model or the adapter was saved, they are in no file: take an earlier "
            "checkpoint that has them, or save again where they are in memory, gathered "
            "(DeepSpeed: inside deepspeed.zero.GatheredParameters, or with "
            "stage3_gather_16bit_weights_on_model_save; FSDP: a full state_dict).",
            known_by="the shapes in the text",
        )
    if len(model) == len(error.shapes) and model:
        return advise(
            error,
            f"the tensors of the model are empty, or of one number ({misfit(error)}). DeepSpeed's "
            "ZeRO stage 3 leaves such places where a model is divided among processes: then "
            "load_state_dict does not see the whole of it, and no version is to blame.",
            "Load the weights before the model is divided, or by what divided it (from_pretrained "
            "of transformers; deepspeed.zero.GatheredParameters around load_state_dict).",
            known_by="the shapes in the text",
        )
    return None


def _is_placeholder(shape: str, other: str) -> bool:
    return shape != other and (shape == "0" or shape == "1" and len(_sizes(other)) > 1)


def _is_quantised(error: Error) -> bool:
    """Whether names are of quantised layers', or shapes of matrices packed in one column."""
    names = (*error.missing, *error.unexpected, *(name for name, *_ in error.shapes))
    return any(last(name) in QUANTISED for name in names if last(name) != "scales") or any(
        _is_packed(ours, theirs) or _is_packed(theirs, ours) for _, ours, theirs in error.shapes
    )


def _is_packed(shape: str, other: str) -> bool:
    """Whether two numbers of a matrix are in each of the other's one column."""
    sizes, whole = _sizes(shape), _sizes(other)
    return (
        len(sizes) == len(whole) == 2
        and sizes[1] == "1"
        and 2 * int(sizes[0]) == int(whole[0]) * int(whole[1])
    )


def _quantised_otherwise(error: Error) -> Answer:
    groups = next(
        (
            " As GPTQ lays qzeros out, its first size is the number of groups: "
            f"{ours.partition(',')[0]} in the file, {theirs.partition(',')[0]} in the model; 1 is "
            "without groups (group size -1)."
            for name, ours, theirs in error.shapes
            if last(name) == "qzeros"
        ),
        "",
    )
    return advise(
        error,
        "the weights were quantised in another way than the model was made for (method, number of "
        "bits, group size, act-order), or only one of the two is quantised: "
        f"{misfit(error)}.{groups} It is seldom a matter of versions.",
        "Make the model with the settings with which the file was quantised. Its page or its "
        "config (quantize_config.json, quantization_config in config.json) says them.",
        "Or take weights that are not quantised, and quantise them as you want them.",
        known_by="the names and shapes in the text",
    )


def _are(names: tuple[str, ...], prefix: str) -> bool:
    return bool(names) and all(name.startswith(prefix) for name in names)


def _losses(error: Error) -> list[str]:
    """The prefixes below which all names lie, if each of them is a loss's or a metric's."""
    homes: dict[str, None] = {}
    for name in (*error.missing, *error.unexpected):
        parts = name.split(".")[:-1]
        place = next((at for at, part in enumerate(parts) if is_loss(part)), None)
        if place is None:
            return []
        homes[".".join(parts[: place + 1]) + "."] = None
    return list(homes)


def is_loss(part: str) -> bool:
    """Whether a part of a tensor's name is that of a loss or a metric."""
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
            LENIENTLY,
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
        WRITERS,
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


def pooled(error: Error, seen: Seen) -> Answer | None:
    """The answer where the last norm stands before the pooling on one side, and behind it there."""
    if _are(error.missing, "norm.") and _are(error.unexpected, "fc_norm."):
        pool = "avg"
    elif _are(error.missing, "fc_norm.") and _are(error.unexpected, "norm."):
        pool = "token"
    else:
        return None
    command = f'timm.create_model("NAME", global_pool="{pool}")'
    return advise(
        error,
        "the last norm stands elsewhere: the file is of a model that pools otherwise "
        "(a vision transformer's `global_pool`) than the one that it is loaded into.",
        Way(
            ADVICE,
            "Make the model as the writer did.",
            (command,) if may_be_timm_s(error, seen) else (),
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


def may_be_timm_s(error: Error, seen: Seen) -> bool:
    """Whether the class is in timm's record, as others' ResNet is too; or, without one, the text.

    What timm's code loads can be anybody's model.
    """
    return bool(class_record.named([error.class_])) if error.class_ else seen.says_timm
