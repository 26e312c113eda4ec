"""What of torch's own an object lacks: an attribute of its classes, or of every module."""

from missing_aa.explainer import torch_source
from missing_aa.explainer.advice import RESCUE, TABLE, advise
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.errors import Error
from missing_aa.explainer.known_breaks import MODULE_ATTRIBUTES, SUPPLIED
from missing_aa.explainer.remedies import ADVICE, Way

WHOSE = "Look in the full traceback whose line reads it, and ask with all of it."
OF_A_LIBRARY = (
    "If the class is another library's and the object came whole out of a file: install the "
    "version of that library that wrote the file."
)
OUT_OF_A_FILE = Way(
    ADVICE,
    "If the object came whole out of a file: take the weights out, without that code.",
    RESCUE.commands,
)


def unfinished(error: Error) -> Answer:
    """The answer where a module lacks what it cannot be without: it was never made."""
    return advise(
        error,
        f"`{error.name}` is what torch's own Module.__init__ sets, since 1.0 at least, so that no "
        "version is the cause: this object never went through it. Either a class of your own or of "
        "a library does not call super().__init__() first; or the object came whole out of a file, "
        "and its class has a __setstate__ or __reduce__ that does not fill it. torch's quantised "
        "modules are such: a whole quantised model is saved without an error, and does not work "
        "when it is loaded.",
        "If it fails where the object is made: call super().__init__() first in its __init__.",
        Way(
            ADVICE,
            "If it came out of a file: save the state_dict where the model was made, and load that "
            "into a model that was made (and quantised) in the same way.",
            ('torch.save(model.state_dict(), "weights.pt")', "model.load_state_dict(weights)"),
        ),
        "A quantised model can also be kept as a program: torch.jit.save(torch.jit.script(model), "
        "path).",
        known_by="torch's source",
    )


def named_as_torch_s(error: Error, carriers: str) -> Answer:
    """The answer where nothing but the name says that the class is torch's.

    `carriers` is a sentence on classes of timm's of that name that carry the attribute.
    """
    named = torch_source.names(error.class_, error.name)
    installed = f"the source of the torch that is installed here ({torch_source.version()})"
    if named is False:
        what = (
            f"the torch that is installed here ({torch_source.version()}) has a class "
            f"{error.class_}, and neither that class nor its bases name `{error.name}` anywhere. "
            "As far as that torch goes, this is another library's class of that name, or code asks "
            "a layer of torch's for what it does not have. Which of them, and whose class it is, "
            f"is not known from the text.{carriers}"
        )
        return advise(error, what, WHOSE, OF_A_LIBRARY, OUT_OF_A_FILE, known_by=installed)
    what = (
        f"if this {error.class_} is torch's, and not another library's, another torch wrote "
        "the object, or it was changed by hand before it was saved."
    )
    if not torch_source.version():
        what += (
            f" Whether torch's class ever had `{error.name}` was not looked up: torch is not "
            "installed here."
        )
    return advise(
        error,
        what,
        OUT_OF_A_FILE,
        "If the class is torch's: load the file with the torch that wrote it, and save the weights "
        "alone.",
        OF_A_LIBRARY,
        known_by=f"the name of the class, and {installed}" if named else "the name of the class",
    )


def of_every_module(error: Error) -> Answer:
    """The answer to what torch's `__setstate__` gives to modules of an older torch."""
    default = MODULE_ATTRIBUTES[error.name]
    command = f"[setattr(m, {error.name!r}, {default}) for m in model.modules()]"
    return advise(
        error,
        f"torch itself gives `{error.name}` to each of its modules, and this object is of a torch "
        "that did not: it was pickled whole by it. Neither your code nor the weights are to blame.",
        "Install a newer torch: nn.Module gives it to older objects as they are loaded.",
        Way(ADVICE, "Or set it, after `import collections`, once the model is loaded:", (command,)),
        RESCUE,
        known_by=TABLE,
    )


def of_torch(error: Error, default: str, since: str, alone: bool) -> Answer:
    """The answer to a row of the table; `alone`, where only the name says that it is torch's."""
    known = f" since {since}," if since else ","
    what = (
        f"torch's own {error.class_} reads `{error.name}`{known} which an older torch did not set: "
        "the object was pickled whole by it. Neither your code nor the weights are to blame."
    )
    if alone:
        what = f"if this {error.class_} is torch's, and not another library's: {what}"
    newer = SUPPLIED.get(error.name)
    supplies = (
        f"Or install torch {newer} or a newer one, whose {error.class_} gives `{error.name}` to "
        "older objects as they are loaded."
    )
    mend = Way(
        ADVICE,
        f"Or set what torch's constructor sets today on every {error.class_} of the model:",
        (
            f"[setattr(m, {error.name!r}, {default}) for m in model.modules()"
            f" if type(m) is torch.nn.{error.class_}]",
        ),
    )
    return advise(error, what, RESCUE, *[supplies] * bool(newer), mend, known_by=TABLE)
