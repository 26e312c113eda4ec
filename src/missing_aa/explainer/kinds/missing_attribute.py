"""An object without an attribute: `'X' object has no attribute 'y'`."""

import re
from collections.abc import Set
from dataclasses import replace
from functools import partial

from missing_aa.explainer import torch_source
from missing_aa.explainer.advice import (
    LINE,
    RESCUE,
    TABLE,
    advise,
    in_releases,
    installed_as,
    is_weightless,
    listed,
    out_of,
    together,
)
from missing_aa.explainer.answers import NEAR, Answer, general
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.errors import ATTRIBUTE, DOTTED, IMPORT, NAME, Error, find_words
from missing_aa.explainer.known_breaks import MODULE_ATTRIBUTES, TORCH_ATTRIBUTES, TORCH_CLASSES
from missing_aa.explainer.remedies import ADVICE, Way, everyone
from missing_aa.explainer.seen import Seen, failed_in, mentions, package_of, reads
from missing_aa.provenance import class_record

WEIGHTS = ("dict", "OrderedDict")
OF_MODELS = {"cpu", "cuda", "eval", "forward", "half", "float", "modules", "named_parameters"}
OF_MODELS |= {"parameters", "predict", "state_dict", "to", "train"}
"""What people ask of a model."""
MOST_PATHS = 3
BUILTINS = ("NoneType", "str", "int", "float", "bool", "list", "tuple", "function", "Tensor")

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

WORDS = r"has\s+no\s+attribute"


def read(before: str, words: str, after: str) -> Error | None:
    name = re.match(rf"\s*'?({NAME})", after)
    # Without the word `object`, and for a module, any word could stand there.
    subject = re.search(rf"(\w+\s+)?'?\b(?!object\b)({DOTTED})'?(\s+object)?\s+\Z", before)
    if not name or not subject:
        return None
    word, class_, is_object = subject.groups()
    word = (word or "").strip()
    if word == "module":
        return Error(IMPORT, name[1], class_)
    if is_object and class_ == "module":  # as Python 2 and pickle say it
        return Error(IMPORT, name[1])
    if word == "object":  # "type object 'X'": the class itself was asked
        return None
    if not is_object and not class_[0].isupper():
        return None
    return Error(ATTRIBUTE, class_.rpartition(".")[2], name[1])


find = partial(find_words, WORDS, read)


def carried(class_: str, attribute: str) -> dict[str, Set[int]]:
    """Path -> the recorded releases in which objects of such a class carry the attribute.

    Only where that is not so in every release that has the class.
    """
    return {
        path: known.may[attribute]
        for path, known in class_record.named([class_]).items()
        if known.may.get(attribute, known.releases) != known.releases
    }


def carriers(class_: str, attribute: str) -> str:
    """A sentence on the classes of timm's of that name that carry it, and when; "" if none does."""
    found = {
        path: known.may[attribute]
        for path, known in class_record.named([class_]).items()
        if attribute in known.may
    }
    sentence = "; ".join(
        f"{path} in timm {in_releases(those)}" for path, those in list(found.items())[:MOST_PATHS]
    )
    return (
        sentence
        and f" Many libraries have a class of that name; of timm's, it is carried by {sentence}."
    )


def changed(error: Error, upgrade: bool = True, files: tuple[str, ...] = ()) -> str:
    """What changed between writer and reader; `files` are those of timm's in the traceback."""
    found = carried(error.class_, error.name)
    here = {path: those for path, those in found.items() if _is_in(path, files)}
    older, newer = "objects that an older release wrote", "objects that a newer release wrote"
    who = older if upgrade else newer
    if not found:
        code = "newer" if upgrade else "older"
        return f"The {code} code of {error.class_} reads `{error.name}`, which {who} do not carry."
    sentences = [
        f"{path} carries `{error.name}` in timm {in_releases(those)}"
        for path, those in list((here or found).items())[:MOST_PATHS]
    ]
    return f"{'; '.join(sentences)}. The code that runs reads it, and {who} do not carry it."


def _is_in(path: str, files: tuple[str, ...]) -> bool:
    file = path.rpartition(".")[0].replace(".", "/") + ".py"
    return any(one.endswith(file) for one in files)


def other(error: Error, seen: Seen) -> Answer | None:
    """The answer where no checkpoint from another timm is behind it; None if one can be."""
    return _another_version(error, seen) or _not_timm(error, seen)


def _another_version(error: Error, seen: Seen) -> Answer | None:
    failed = failed_in(seen.frames, error.name)
    its_own = failed and (failed.is_torch or failed.is_timm or failed.unpickles)
    if failed and not its_own and not mentions(failed, error.name):
        failed = None  # the frame that reads it was cut off
    package = package_of(failed.path) if failed else ""
    torchs = not failed or failed.is_torch
    key = f"{error.class_}.{error.name}"
    if error.name in MODULE_ATTRIBUTES and torchs:
        return _of_every_module(error)
    if key in TORCH_ATTRIBUTES and torchs:
        return _of_torch(error, *TORCH_ATTRIBUTES[key], alone=not failed)
    if error.class_ in (*WEIGHTS, *BUILTINS):
        return None
    if failed and failed.unpickles:
        return _while_loaded(error, seen)
    if not failed and error.class_ in TORCH_CLASSES:
        return _named_as_torch_s(error)
    if not failed or package == "timm":
        return None
    if not reads(failed, error.name):
        return _of_another_object(error, package, seen) if package and not torchs else None
    if not package and carriers(error.class_, error.name):  # code that took a class of timm's over
        return None
    whose = f"{package}'s own code" if package else f"the code of a project ({failed.path})"
    its = installed_as(package) or "the project"
    ways = out_of(package, seen, error.class_)
    return advise(
        error,
        f"{whose} reads `self.{error.name}`, and the object has none: if it came "
        f"whole out of a file, another version of {its} (or a fork of it) wrote it.",
        *ways[:1],
        f"Install the version of {its} that wrote the file.",
        *ways[1:],
        known_by=LINE,
    )


def _of_another_object(error: Error, package: str, seen: Seen) -> Answer | None:
    """The answer where a package reads an attribute of an object that is not the reading one."""
    if class_record.named([error.class_]):
        return None
    name = installed_as(package)
    return advise(
        error,
        f"code of {package} reads `{error.name}` of an object of {error.class_}, which has none: "
        f"another version of {name}, or of the library of that class, made the object; it may "
        "have come whole out of a file.",
        f"Install the versions of {name} and of that library that belong together; for a file, "
        "those that wrote it.",
        *(out_of(package, seen, error.class_) if seen.loads else ()),
        known_by=LINE,
    )


def _named_as_torch_s(error: Error) -> Answer:
    """The answer where nothing but the name says that the class is torch's."""
    named = torch_source.names(error.class_, error.name)
    installed = f"the source of the torch that is installed here ({torch_source.version()})"
    if named is False:
        what = (
            f"the torch that is installed here ({torch_source.version()}) has a class "
            f"{error.class_}, and neither that class nor its bases name `{error.name}` anywhere. "
            "As far as that torch goes, this is another library's class of that name, or code asks "
            "a layer of torch's for what it does not have. Which of them, and whose class it is, "
            f"is not known from the text.{carriers(error.class_, error.name)}"
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


def _while_loaded(error: Error, seen: Seen) -> Answer:
    """The answer where the file's own program asked for it, and no line of code."""
    package = package_of(seen.frames[-1].path)
    return advise(
        error,
        f"while the file was read, its own program asked an object of {error.class_} for "
        f"`{error.name}`: another version of the library of that class (or a fork) wrote the file, "
        "or a method that was kept on the object is looked up by its name.",
        *out_of(package, seen)[:1],
        "Load it with the versions that wrote it, and save the weights alone.",
        known_by="the frames of the traceback",
    )


def _of_every_module(error: Error) -> Answer:
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


def _of_torch(error: Error, default: str, since: str, alone: bool) -> Answer:
    known = f" since {since}," if since else ","
    what = (
        f"torch's own {error.class_} reads `{error.name}`{known} which an older torch did not set: "
        "the object was pickled whole by it. Neither your code nor the weights are to blame."
    )
    if alone:
        what = f"if this {error.class_} is torch's, and not another library's: {what}"
    mend = Way(
        ADVICE,
        f"Or set what torch's constructor sets today on every {error.class_} of the model:",
        (
            f"[setattr(m, {error.name!r}, {default}) for m in model.modules()"
            f" if type(m) is torch.nn.{error.class_}]",
        ),
    )
    return advise(error, what, RESCUE, mend, known_by=TABLE)


def _not_timm(error: Error, seen: Seen) -> Answer | None:
    if error.class_ in WEIGHTS:
        sure = error.name in OF_MODELS
        return advise(
            error,
            "what was loaded is a dictionary of weights, and no model."
            if sure
            else f"a dictionary stands where code wants an object with `{error.name}`. If it came "
            "out of a file: the file holds weights or settings, and no such object.",
            Way(
                ADVICE,
                f"{'M' if sure else 'If it holds weights, m'}ake the model first, and load the "
                "weights into it.",
                ("model.load_state_dict(weights)",),
            ),
        )
    if error.class_ in BUILTINS:
        return advise(
            error,
            f"the value is of Python's or torch's own type {error.class_}, and no part of a model "
            "that a release of timm could have changed.",
            "Look where that value comes from, in the last frame of the traceback that is yours.",
        )
    failed = seen.failed
    unseen = bool(failed and not failed.is_timm and not mentions(failed, error.name))
    if failed and not failed.is_timm and not unseen:
        releases = carriers(error.class_, error.name)
        change = "Change that code, or install what it was written for; its requirements say which."
        return advise(
            error,
            f"code outside timm reads `{error.name}` ({failed.path}) of a class {error.class_}"
            ". It was written for a class that has it; if that line is of the class itself "
            "(`self.`), and the object came whole out of a file, for an object of another "
            f"version.{releases}",
            *(["Install a release of timm that has it, if the class is timm's."] * bool(releases)),
            change,
        )
    if not class_record.named([error.class_]) and (unseen or not failed):
        return _of_somebody(error, seen, unseen)
    return None


def _of_somebody(error: Error, seen: Seen, unseen: bool) -> Answer:
    """The answer where the text has a class that nobody here knows, and not the line that reads."""
    what = (
        f"{error.class_} is a class of your own or of a library (not of timm's recorded "
        "releases). If the object came whole out of a file, another version of that code "
        "wrote it."
    )
    library = "install the version of that library that wrote the file."
    if unseen:
        what += (
            " If it was made anew, its library and one that it is built on do not belong together."
            f" No line in the text has `{error.name}`: the frame that reads it is not there, "
            "and it is not known whose code that is."
        )
    weights: tuple[Way, ...] = (OUT_OF_A_FILE,)
    if is_weightless(error.class_, seen):
        what += " By its name it holds no weights, so there are none to take out."
        weights = ()
    return advise(
        error,
        what,
        *([WHOSE] if unseen else []),
        *weights,
        f"{'Or i' if weights else 'I'}{library[1:]} The full traceback says which library's line "
        "reads it.",
        *(["For an object that was made anew: what its library's requirements name."] * unseen),
    )


def nearest(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    """The nearest that the atlas or the record of timm's sources has."""
    known = [one for one in ledger.errors if one.kind == ATTRIBUTE]
    if not class_record.named([error.class_]):
        alike = [one for one in known if one.name == error.name]
        if not alike:
            return None
        what = (
            f"{error.class_} is no class of timm's, and timm's code fails on it: it seems to "
            f"inherit from one of {listed(one.class_ for one in alike)}, of which the atlas has "
            "met this."
        )
        found = together(error, alike, ledger, what)
        own = "Make the model with the project's own code, and load the weights into it strictly."
        pins = [way for way in found.ways if any("pip install" in one for one in way.commands)]
        return replace(found, ways=(RESCUE, Way(ADVICE, own), *pins), again=None)
    if not seen.timm_files and not carriers(error.class_, error.name):
        return _never_set(error, known)
    if carried(error.class_, error.name):
        return Answer(NEAR, str(error), changed(error), ways=tuple(everyone(ledger)))
    alike = [one for one in known if one.class_ == error.class_]
    if not alike:
        paths = listed(class_record.named([error.class_]))
        what = (
            f"nothing that was measured. timm has such a class ({paths}), and the record of its "
            f"sources, which begins with {class_record.releases()[0]}, shows no change of "
            f"`{error.name}` "
            "in it. If the object came whole out of a file, these ways lead out all the same."
        )
        return general(str(error), everyone(ledger), what)
    what = (
        f"the atlas has met other attributes that objects of {error.class_} lacked, and not "
        f"`{error.name}`: {listed(one.name for one in alike)}."
    )
    return together(error, alike, ledger, what)


def _never_set(error: Error, known: list[Error]) -> Answer:
    """The answer where timm has a class of that name, and none of them sets the attribute."""
    others = [one.name for one in known if one.class_ == error.class_]
    met = f" What its objects were measured to lack: {listed(others)}." if others else ""
    what = (
        f"the record of timm's sources has a class {error.class_} and no release in which its "
        f"constructor sets `{error.name}`: this class may be another library's of the same name, "
        f"or your own; or a helper of timm's sets it, which the record does not follow.{met}"
    )
    return Answer(
        NEAR,
        str(error),
        what,
        ways=(
            Way(ADVICE, WHOSE),
            RESCUE,
        ),
        known_by="the record of timm's sources; the text does not show whose class it is",
    )
