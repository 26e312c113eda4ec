"""Attributes that are missing for a reason of their own: of wrappers, of values, while loading."""

import re

from missing_aa.explainer.advice import (
    BY_FRAMES,
    LINE,
    RESCUE,
    advise,
    installed_as,
    out_of,
    writer_s,
)
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.errors import Error
from missing_aa.explainer.kinds.torch_attribute import OF_A_LIBRARY, OUT_OF_A_FILE
from missing_aa.explainer.known_breaks import (
    MODULE_ATTRIBUTES,
    MODULE_BASES,
    SETTINGS,
    TORCH_CLASSES,
    WRAPPERS,
)
from missing_aa.explainer.remedies import ADVICE, Way
from missing_aa.explainer.seen import Seen, package_of, reads
from missing_aa.explainer.traceback import Frame
from missing_aa.provenance import class_record

_PRIVATE = re.compile(r"__\w*(?<!__)$|_[A-Z]\w*?__\w*(?<!__)$")
SAVING = re.compile(r"lightning/(?:pytorch/)?core/saving\.py$")
"""Where Lightning makes a model anew from a checkpoint."""
OF_PYTHON_2 = {"has_key", "iteritems", "iterkeys", "itervalues"}
OF_PYTHON_2 |= {"viewitems", "viewkeys", "viewvalues"}
"""Methods of dictionaries that Python 3 took away."""
_MAKES = re.compile(
    r"\b_?(?:init|make|build|create|restore|from)_\w*(?:state|dict|checkpoint|ckpt)\w*\("
)
"""What a library calls that makes an object out of a file's entries."""


def is_inside(error: Error, failed: Frame | None) -> bool:
    """Whether one of torch's wrappers was asked for what the model inside it has."""
    own = {*MODULE_ATTRIBUTES, *MODULE_BASES, WRAPPERS.get(error.class_)}
    by_itself = failed and (failed.unpickles or failed.is_torch and reads(failed, error.name))
    return error.class_ in WRAPPERS and error.name not in own and not by_itself


def of_the_model_inside(error: Error) -> Answer:
    """The answer where a wrapper was asked in the place of the model."""
    inner = WRAPPERS[error.class_]
    return advise(
        error,
        f"{error.class_} is torch's wrapper around a model, which it keeps as `.{inner}`. "
        f"`{error.name}` was asked of the wrapper, and as a rule the model inside has it: then it "
        "is no matter of versions, and the weights have no part in it.",
        Way(ADVICE, "Ask the model inside.", (f"model.{inner}.{error.name}",)),
        "Or do that before the model is wrapped, or do not wrap it; then the names in the file "
        f"must be without `{inner}.` at their beginning.",
        known_by="torch's source",
    )


def is_fused(error: Error, seen: Seen) -> bool:
    """Whether a convolution lacks its norm, where the text speaks of what fuses the two."""
    return bool(
        re.fullmatch(r"(?:bn|norm|batch_?norm)\d?", error.name)
        and re.fullmatch(r"\w*Conv\w*", error.class_)
        and error.class_ not in TORCH_CLASSES
        and not class_record.named([error.class_])
        and re.search(r"(?i)(?:\b|_)fused?\b|\bfuse_|autobackend|validator\b|yolo", seen.text)
    )


def fused(error: Error) -> Answer:
    """The answer where the norm of a convolution was folded into it, and code still asks for it."""
    name = error.name
    return advise(
        error,
        f"as a rule the model was fused: fuse() folds `{name}` into the convolution and deletes "
        "it, as programs of YOLO's kind do by themselves before they validate, predict or export, "
        "and code still reads it. Then the file is right, unless it was saved fused. Else another "
        f"version of the code of {error.class_} wrote it.",
        f"In the code that reads it: skip `{name}` where it is gone "
        f'(hasattr(conv, "{name}")), or install a version of that code that does.',
        "Or do not fuse: take out the call of fuse(), or use the setting for it.",
        known_by="the names of class and attribute, and what the text speaks of",
    )


def stands_for_weights(error: Error, seen: Seen) -> bool:
    """Whether torch's load_state_dict was given an object in the place of a dictionary."""
    return error.name in ("copy", "get", "items", "keys") and any(
        frame.is_torch and re.search(rf"\bstate_dict\.{error.name}\b", frame.code)
        for frame in seen.frames
    )


def whole_object(error: Error) -> Answer:
    """The answer where load_state_dict was given the object that has the weights."""
    return advise(
        error,
        f"torch's load_state_dict reads `{error.name}` of a dictionary of weights, and was given "
        f"an object of {error.class_}. If that came out of a file: the file holds the whole model, "
        "where a state_dict is wanted; then no version is to blame.",
        Way(
            ADVICE,
            "Give it the state_dict of what was loaded.",
            ("model.load_state_dict(loaded.state_dict())",),
        ),
        "Or use what was loaded as the model, without load_state_dict.",
        Way(ADVICE, "Or take the weights out of the file.", RESCUE.commands),
        known_by=LINE,
    )


def of_settings(error: Error, seen: Seen, sure: bool) -> Answer | None:
    """The answer where settings are a dictionary, and the line that fails wants an object.

    `sure`, where the attribute is one that people ask of a model.
    """
    line = seen.failed.code if seen.failed else ""
    found = re.search(rf"([\w.]+)\.{error.name}\b(?!\s*\()", line)  # a method is no setting
    named = found and re.fullmatch(rf"(?:\w+\.)*{SETTINGS}", found[1])
    made = any(SAVING.search(frame.path) for frame in seen.frames[:-1])
    if not (found and (named or made and not sure)) or error.name == "param_groups":
        return None
    who = "settings stand as a dictionary" if named else "a dictionary, as a rule settings, stands"
    short = found[1].rpartition(".")[2]
    packages = " ".join(package_of(frame.path) for frame in seen.frames)
    lightning = made or (short == "hparams" and "lightning" in packages)
    return advise(
        error,
        f"{who} where code reads `{found[0]}`: that was written for an object with attributes."
        + " As a rule another release of Lightning gives them in another form." * lightning,
        Way(ADVICE, "Read them with brackets.", (f'{found[1]}["{error.name}"]',)),
        Way(
            ADVICE,
            "Or make an object of the dictionary before it is handed on.",
            (f"{short} = argparse.Namespace(**{short})",),
        ),
        *["Or install the Lightning for which that code was written, as a rule an older one."]
        * lightning,
        known_by=LINE,
    )


def of_python_2(error: Error) -> Answer:
    """The answer where code asks a dictionary for a method that Python 3 took away."""
    instead = "in" if error.name == "has_key" else re.sub("^(?:iter|view)", "", error.name)
    return advise(
        error,
        f"dictionaries had `{error.name}` in Python 2, and have it no longer in Python 3: the code "
        "that asks for it was written for Python 2. No file has a part in it.",
        f"In that code: take `{instead}` in its place.",
        "Or install a version of that code that was written for Python 3.",
        known_by="the name of the method",
    )


def for_a_text(error: Error) -> Answer:
    """The answer where a dictionary stands where code wants a text."""
    return advise(
        error,
        f"a text has `{error.name}`, and a dictionary came in its place: as a rule what was loaded "
        "already was given where the path of a file is wanted, or an entry of settings is a "
        "dictionary where its name is wanted.",
        "Give the path, and let that code load the file.",
        Way(
            ADVICE,
            "Or, if it was to load weights into a model: do that with what is loaded.",
            ("model.load_state_dict(weights)",),
        ),
        known_by="the name of the method",
    )


def maker(seen: Seen) -> str:
    """The package whose code was making an object out of a file's entries; "" if none was."""
    outer = _outer(seen)
    loading = any(frame.loads for frame in outer[:-1])
    making = any(_MAKES.search(frame.code) and package_of(frame.path) for frame in outer)
    return package_of(seen.failed.path) if seen.failed and (loading or making) else ""


def loader(seen: Seen) -> str:
    """The package whose loader fails on the very thing that it read; "" if none does."""
    outer = _outer(seen)
    return package_of(seen.failed.path) if seen.failed and outer and outer[-1].loads else ""


def _outer(seen: Seen) -> tuple[Frame, ...]:
    """The frames around the one that failed; none of timm, of which more is known."""
    if not seen.failed or seen.failed.is_timm:
        return ()
    return seen.frames[: seen.frames.index(seen.failed)]


def of_an_entry(error: Error, package: str, seen: Seen) -> Answer:
    """The answer where a package makes a model out of a file, and an entry is a dictionary."""
    name = installed_as(package)
    found = re.search(rf"(\w[\w.]*)\.{error.name}\b", seen.failed.code if seen.failed else "")
    what = f"`{found[1]}` is a dictionary" if found else "it got a dictionary"
    return advise(
        error,
        f"code of {package} reads `{error.name}` while it makes something out of what was loaded, "
        f"and {what} there: that entry has another form than this {name} expects. As a rule "
        f"another version of {name} wrote the file. Which of the two is newer, the text does not "
        f"say; often an older {name} reads a newer file. Else the file, or what was passed beside "
        f"it, is not of the kind that {name} reads.",
        Way(ADVICE, f"Upgrade {name} first.", (f"pip install --upgrade {name}",)),
        f"If that does not read it: install the version of {name} that wrote the file. The page or "
        "the project that it comes from may name it.",
        Way(ADVICE, "Look which entries the file has.", ("missing-aa inspect model.pt",)),
        known_by=BY_FRAMES,
    )


def of_another_kind(error: Error, package: str) -> Answer:
    """The answer where a loader of a package got a dictionary out of the file."""
    name = installed_as(package)
    return advise(
        error,
        f"a loader of {package} wants an object with `{error.name}`, and got a dictionary. As a "
        "rule the file is of another kind than that loader reads: weights or a checkpoint of a "
        f"training, in the place of what {name} saves for it. Else another version of {name} wrote "
        "the file.",
        Way(
            ADVICE,
            "Look what is in it, and read it with the function that belongs to the one that wrote "
            "it.",
            ("missing-aa inspect model.pt",),
        ),
        Way(
            ADVICE,
            "If it holds weights, make the model first, and load the weights into it.",
            ("model.load_state_dict(weights)",),
        ),
        f"If the same loader should read it: try a newer {name} first, then the version that wrote "
        "the file.",
        known_by=BY_FRAMES,
    )


def named_as_an_estimator(error: Error, seen: Seen) -> Answer:
    """The answer where nothing but the name says that the class is scikit-learn's."""
    fitted = (
        f" scikit-learn sets names such as `{error.name}` in fit(): it may not have been fitted."
        if re.fullmatch(r"[^_].*_", error.name)
        else ""
    )
    return advise(
        error,
        f"scikit-learn has a class {error.class_}. If it is that, and not another's of that name: "
        "as a rule the object came whole out of a file that another version wrote, most often an "
        f"older one, and code that is installed here reads `{error.name}`, which it does not have."
        f"{fitted}",
        writer_s("sklearn", seen),
        "Or train it anew under the installed version.",
        OF_A_LIBRARY,
        *[OUT_OF_A_FILE] * seen.says_torch,
        known_by="the name of the class",
    )


def while_loaded(error: Error, seen: Seen) -> Answer:
    """The answer where the file's own program asked for it, and no line of code."""
    package = package_of(seen.frames[-1].path)
    asked = f"while the file was read, its own program asked an object of {error.class_} for"
    if _PRIVATE.match(error.name):
        return _private(error, asked, seen)
    return advise(
        error,
        f"{asked} `{error.name}`: another version of the library of that class (or a fork) wrote "
        "the file, or a method that was kept on the object is looked up by its name.",
        *out_of(package, seen)[:1],
        "Load it with the versions that wrote it"
        f"{', and save the weights alone' if out_of(package, seen) else ''}.",
        known_by=BY_FRAMES,
    )


def is_made_anew(error: Error, seen: Seen) -> bool:
    """Whether the frames show that the object was being made, and no pickle was read."""
    lines = "\n".join(frame.code for frame in seen.frames)
    return (
        not any(frame.unpickles for frame in seen.frames)
        and bool(re.search(rf"from_pretrained\(|\b{re.escape(error.class_)}\(", lines))
        and not re.search(r"\b(?:pickle|torch|joblib|dill)\.load\(", lines)
    )


def made_anew(error: Error, package: str) -> Answer:
    """The answer where code of a package asks a new object for what its class does not set."""
    name = installed_as(package)
    return advise(
        error,
        f"as the frames show it, the object was made here and not read whole out of a file. Code "
        f"of {package} reads `{error.name}` of it, and the code of {error.class_} does not set "
        f"that: the two do not belong together. As a rule {name} is newer than what "
        f"{error.class_} was written for. The weights have no part in it.",
        f"Install the {name} for which the code of {error.class_} was written; its requirements "
        "name it, and as a rule it is an older one.",
        f"Or fetch that code anew, if it was mended for the {name} that is installed.",
        known_by=BY_FRAMES,
    )


def _private(error: Error, asked: str, seen: Seen) -> Answer:
    """The answer where pickle looks a method up by a name that Python changes in a class."""
    model = bool(out_of("", seen))
    brackets = (
        " For a model that is most often `torch.save(model.state_dict, …)` without brackets, or "
        "torch.save(model): both save the whole model with it."
    )
    return advise(
        error,
        f"{asked} `{error.name}`. As a rule that is a private method (its name begins with two "
        "underscores) which was pickled with the object: Python keeps it under a longer name, and "
        "pickle looks for the short one. So the versions that wrote the file do not read it either."
        f"{brackets if model else ''}",
        *[
            Way(
                ADVICE,
                "Where the model was made: save the weights alone, with brackets.",
                ('torch.save(model.state_dict(), "weights.pt")',),
            ),
            Way(
                ADVICE,
                "If only this file is left: take the weights out, which runs none of it. Without "
                "the last word it is refused, because the pickle fetches something by its name; "
                "look what that is.",
                ("missing-aa inspect model.pt", f"{RESCUE.commands[0]} --even-if-dangerous"),
            ),
        ]
        * model,
        "In the code of the class: give that method a name with one underscore, and save anew.",
        known_by=BY_FRAMES,
    )


def of_a_value(error: Error, seen: Seen) -> Answer:
    """The answer where a value of Python's or torch's own stands in the place of an object."""
    where = "Look where that value comes from, in the last frame of the traceback that is yours."
    what = f"the value is of Python's or torch's own type {error.class_}"
    package = package_of(seen.failed.path) if seen.failed else ""
    if seen.failed and package and not seen.failed.is_timm and seen.loads:
        return advise(
            error,
            f"{what}, where code of {package} reads `{error.name}` while a file is loaded. That "
            "alone says nothing of the version of a file: the value can come from the call, or "
            f"from a library that {package} is built on and that is newer or older than it wants; "
            "or the file is of another kind than that code reads.",
            where,
            f"Install versions of {installed_as(package)} and of what it is built on that belong "
            "together; its requirements name them.",
            "If the value comes out of the file: read it with the version of "
            f"{installed_as(package)} that wrote it.",
            known_by=BY_FRAMES,
        )
    timms = ", and no part of a model that a release of timm could have changed"
    return advise(error, f"{what}{timms if seen.says_timm else ''}.", where)
