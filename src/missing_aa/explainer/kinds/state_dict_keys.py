"""Tensors that do not fit a model: `Error(s) in loading state_dict for X`."""

from missing_aa.explainer.advice import RESCUE, advise, together
from missing_aa.explainer.answers import GENERAL, Answer
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.changes import changed, misfit
from missing_aa.explainer.errors import STATE_DICT, Error
from missing_aa.explainer.known_breaks import BUFFERS
from missing_aa.explainer.remedies import ADVICE, Way, everyone
from missing_aa.explainer.seen import Seen

HEADS = ("head", "fc", "classifier", "head_dist", "last_linear", "last_layer")


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
    if _are(error.missing, "norm.") and _are(error.unexpected, "fc_norm."):
        return _pooled(error, "avg")
    if _are(error.missing, "fc_norm.") and _are(error.unexpected, "norm."):
        return _pooled(error, "token")
    names = [name for name, *_ in error.shapes]
    if names and not error.missing and not error.unexpected and all(map(_is_head, names)):
        return advise(
            error,
            "only the last layer differs: the model was made for another number of classes than "
            "the file.",
            Way(
                ADVICE,
                "Make the model with the number of classes that the file has.",
                (f'timm.create_model("NAME", num_classes={error.shapes[0][1].split(",")[0]})',),
            ),
            "Or leave the last layer out, if you want to train it anew.",
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


def _pooled(error: Error, pool: str) -> Answer:
    return advise(
        error,
        "the last norm stands elsewhere: the file is of a model that pools otherwise "
        "(`global_pool` of a vision transformer of timm's) than the one that it is loaded into.",
        Way(
            ADVICE,
            "Make the model as the writer did.",
            (f'timm.create_model("NAME", global_pool="{pool}")',),
        ),
    )


def _is_head(name: str) -> bool:
    return name.rpartition(".")[0].split(".")[0] in HEADS


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
    return Answer(GENERAL, str(error), what, ways=tuple(everyone(ledger, format="state_dict")))


UNFIT = (
    "No such change was measured, which is not to say that there was none. Is it the same "
    "architecture, with the same settings (number of classes, size of the picture)? Does a "
    "wrapper's prefix stand before the names?"
)
