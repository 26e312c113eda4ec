"""What stands around an error, and what it shows to be no matter of timm's releases."""

import re
from dataclasses import dataclass

from missing_aa.explainer.answers import OTHER, Answer
from missing_aa.explainer.changes import carriers, held, home_of
from missing_aa.explainer.errors import (
    ATTRIBUTE,
    IMPORT,
    LOOKUP,
    MODULE,
    STATE_DICT,
    WEIGHTS_ONLY,
    Error,
    Hit,
)
from missing_aa.explainer.known_breaks import BUFFERS, TEXTS
from missing_aa.explainer.remedies import ADVICE, Way
from missing_aa.explainer.traceback import Frame, frames, imports_timm, innermost
from missing_aa.explainer.whose import another_version
from missing_aa.provenance import class_record

TRACEBACK = "Traceback (most recent call last)"
WEIGHTS = ("dict", "OrderedDict")
BUILTINS = ("NoneType", "str", "int", "float", "bool", "list", "tuple", "function", "Tensor")
HEADS = ("head", "fc", "classifier", "head_dist", "last_linear", "last_layer")
RESCUE = "missing-aa rescue model.pt model.safetensors"


@dataclass(frozen=True)
class Seen:
    """The frames of the error's own traceback; those of timm's; whether code of one's own imports.

    `loads` says that a pickle was being loaded.
    """

    frames: tuple[Frame, ...]
    failed: Frame | None
    imports: bool

    @property
    def timm_files(self) -> tuple[str, ...]:
        return tuple(frame.path for frame in self.frames if frame.is_timm)

    @property
    def loads(self) -> bool:
        return any(frame.loads for frame in self.frames)


def seen(text: str, hit: Hit) -> Seen:
    """What a plain text shows of the error in it."""
    before = text[: hit.start]
    own = before[max(0, before.rfind(TRACEBACK)) :]
    found = frames(own)
    failed = innermost(found)
    line = failed.imports if failed else imports_timm(own)
    return Seen(tuple(found), failed, line)


def other(error: Error, seen: Seen) -> Answer | None:
    """The answer to an error that no checkpoint from another release brings, if this is one."""
    checks = {
        ATTRIBUTE: _attribute,
        MODULE: _module,
        LOOKUP: _lookup,
        IMPORT: _import,
        STATE_DICT: _state_dict,
        WEIGHTS_ONLY: _weights_only,
    }
    return another_version(error, seen.frames) or checks[error.kind](error, seen)


def by_pattern(text: str) -> Answer | None:
    """The answer to a text that names none of these errors, and is known by its words."""
    for pattern, what, advice in TEXTS:
        if found := re.search(pattern, text):
            ways = tuple(Way(ADVICE, one) for one in advice)
            said = text.strip().splitlines()[-1] if found else ""
            return Answer(OTHER, said[:300], what, ways=ways, known_by="the words of the error")
    return None


def _answer(error: Error, what: str, *advice: Way | str) -> Answer:
    ways = tuple(one if isinstance(one, Way) else Way(ADVICE, one) for one in advice)
    return Answer(OTHER, str(error), what, ways=ways)


def _attribute(error: Error, seen: Seen) -> Answer | None:
    if error.class_ in WEIGHTS:
        return _answer(
            error,
            "what was loaded is a dictionary of weights, and no model.",
            Way(
                ADVICE,
                "Make the model first, and load the weights into it.",
                ("model.load_state_dict(weights)",),
            ),
        )
    if error.class_ in BUILTINS:
        return _answer(
            error,
            f"the value is of Python's or torch's own type {error.class_}, and no part of a model "
            "that a release of timm could have changed.",
            "Look where that value comes from, in the last frame of the traceback that is yours.",
        )
    if seen.failed and not seen.failed.is_timm:
        releases = carriers(error.class_, error.name)
        return _answer(
            error,
            f"code outside timm reads `{error.name}` ({seen.failed.path}) of a class {error.class_}"
            ". It was written for a class that has it; if that line is of the class itself "
            "(`self.`), and the object came whole out of a file, for an object of another "
            f"version.{releases}",
            *(["Install a release of timm that has it, if the class is timm's."] * bool(releases)),
            "Or change that code, or install what it was written for; its requirements say which.",
        )
    if not class_record.named([error.class_]) and not seen.failed:
        return _answer(
            error,
            f"no recorded release of timm has a class {error.class_}: it is your own, or another "
            "library's, of which another version wrote the object, if it came whole out of a "
            f"file.",
            Way(ADVICE, "Take the weights out, without that code:", (RESCUE,)),
            "Or install the version of that library that wrote the file. The full traceback says "
            "which library's line reads it.",
        )
    return None


def _module(error: Error, seen: Seen) -> Answer | None:
    if error.name == "timm":
        return _answer(
            error,
            "timm is not installed in the environment that runs this.",
            Way(ADVICE, "Install it.", ("pip install timm",)),
            "For a whole-model file that is not the end: the release matters, and this command "
            "names those that can have written it: missing-aa inspect model.pt",
        )
    if not error.name.startswith("timm."):
        return _answer(
            error,
            f"the module {error.name.partition('.')[0]} is not timm's: what is imported or loaded "
            "here wants another package, or your own script.",
            Way(ADVICE, "The weights in a file can be taken out without that module.", (RESCUE,)),
        )
    if seen.imports and not seen.loads:
        home = home_of(error.name)
        return _answer(
            error,
            f"code of your own, or of a library, imports {error.name}. No checkpoint has a part in "
            "it: that module is not in the timm that is installed.",
            f"Import from {home} instead." if home else "Import from where it is now.",
            "Or install the timm that this code was written for.",
        )
    package = error.name.rpartition(".")[0]
    if not held(error.name) and package not in ("timm.models.layers", "timm.layers"):
        return _answer(
            error,
            f"no recorded release of timm has classes in a module {error.name}: it belongs to a "
            "fork, or to code of your own.",
            Way(ADVICE, "The weights in a file can be taken out without that module.", (RESCUE,)),
        )
    return None


def _lookup(error: Error, seen: Seen) -> Answer | None:
    if error.name.partition(".")[0] == "timm":
        return None
    main = error.name.startswith("__m")
    return _answer(
        error,
        f"the file holds an object of a class {error.class_} that was defined in "
        + ("the script that wrote it" if main else f"the module {error.name}, which is not timm's")
        + ".",
        "Define or import that class where you load the file.",
        Way(ADVICE, "Or take the weights out, without that class.", (RESCUE,)),
    )


def _import(error: Error, seen: Seen) -> Answer | None:
    last = len(class_record.releases()) - 1
    homes = [
        path for path, known in class_record.named([error.class_]).items() if last in known.held
    ]
    where = f"in the newest recorded release it is {homes[0]}. " if homes else ""
    return _answer(
        error,
        f"code imports or reads `{error.class_}` from {error.name or 'a module'}, and the version "
        "that is installed does not have it there. No checkpoint has a part in it.",
        f"{where}Change the import, or install the version that this code was written for.".strip(),
    )


def _state_dict(error: Error, seen: Seen) -> Answer | None:
    last = {name.rpartition(".")[2] for name in error.unexpected}
    if last and last <= {*BUFFERS} and not error.missing and not error.shapes:
        return _answer(
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
        return _answer(
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
            return _answer(
                error,
                f"every name in the file begins with {prefix!r}: a wrapper was saved with the "
                "model, and the names fit no model without it.",
                Way(
                    ADVICE,
                    "Take the prefix off.",
                    (f'weights = {{k.removeprefix("{prefix}"): v for k, v in weights.items()}}',),
                ),
                Way(ADVICE, "Or let it be taken off (of a wrapper of torch's).", (RESCUE,)),
            )
    return None


def _are(names: tuple[str, ...], prefix: str) -> bool:
    return bool(names) and all(name.startswith(prefix) for name in names)


def _pooled(error: Error, pool: str) -> Answer:
    return _answer(
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


def _weights_only(error: Error, seen: Seen) -> Answer | None:
    if error.name.partition(".")[0] == "timm" or not error.class_:
        return None
    whose = error.name.partition(".")[0] or "Python"
    if not error.name and error.class_ == "getattr":
        return _answer(
            error,
            "the pickle fetches an attribute by name (getattr), as it does for a method that was "
            "kept on an object (ultralytics' -seg and -pose models of 8.0 to 8.2.0 do). So does "
            "code that means harm: look before you load it.",
            Way(ADVICE, "Look what it fetches.", ("missing-aa inspect model.pt",)),
            Way(ADVICE, "Take the weights out; it is refused if more is asked.", (RESCUE,)),
        )
    return _answer(
        error,
        f"the file holds more than weights (an object of {whose}'s). Since 2.6, torch does not "
        "load such a file unless it is told to. Nothing of timm is named.",
        Way(ADVICE, "Look what the file asks for.", ("missing-aa inspect model.pt",)),
        Way(
            ADVICE, "If it is a model: take the weights out, without running any of it.", (RESCUE,)
        ),
        "Only if you trust where it comes from: torch.load(…, weights_only=False).",
    )
