"""An object without an attribute: `'X' object has no attribute 'y'`."""

import re
from collections.abc import Set
from dataclasses import replace
from functools import partial

from missing_aa.explainer.advice import (
    LINE,
    RESCUE,
    advise,
    in_releases,
    installed_as,
    is_weightless,
    listed,
    out_of,
    together,
    writer_s,
)
from missing_aa.explainer.answers import NEAR, Answer, general
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.errors import ATTRIBUTE, DOTTED, IMPORT, NAME, Error, find_words
from missing_aa.explainer.kinds import fingerprints, library_loaders, particular, torch_attribute
from missing_aa.explainer.kinds.torch_attribute import OUT_OF_A_FILE, WHOSE
from missing_aa.explainer.known_breaks import (
    ESTIMATORS,
    MODULE_ATTRIBUTES,
    MODULE_BASES,
    TORCH_ATTRIBUTES,
    TORCH_CLASSES,
)
from missing_aa.explainer.remedies import ADVICE, Way, everyone
from missing_aa.explainer.seen import Seen, failed_in, mentions, package_of, reads
from missing_aa.provenance import class_record

WEIGHTS = ("dict", "OrderedDict")
OF_MODELS = {"cpu", "cuda", "eval", "forward", "half", "float", "modules", "named_parameters"}
OF_MODELS |= {"parameters", "predict", "state_dict", "to", "train"}
"""What people ask of a model."""
MOST_PATHS = 3
BUILTINS = ("NoneType", "str", "int", "float", "bool", "list", "tuple", "function", "Tensor")

CUT_OFF = (
    "Look in the program's output for the last frame, which is not in this text: it says whose "
    "line reads it."
)
WHICH = " The full traceback says which library's line reads it."

OF_ANOTHER = Way(
    ADVICE,
    "If it came out of a file: look which package its classes are of, and read it with that one.",
    ("missing-aa inspect model.pt",),
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
        said = f"AttributeError: module '{class_}' has no attribute '{name[1]}'"
        return Error(IMPORT, name[1], class_, said=said)
    if is_object and class_ == "module":  # as Python 2 and pickle say it
        said = f"AttributeError: 'module' object has no attribute '{name[1]}'"
        return Error(IMPORT, name[1], said=said)
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
    if particular.is_fused(error, seen):
        return particular.fused(error)
    return (
        fingerprints.answer(error, seen) or _another_version(error, seen) or _not_timm(error, seen)
    )


def _another_version(error: Error, seen: Seen) -> Answer | None:
    if error.class_ in (one.class_ for one in seen.estimators):
        return _of_an_estimator(error, seen)
    failed = failed_in(seen.frames, error.name)
    its_own = failed and (failed.is_torch or failed.is_timm or failed.unpickles)
    if failed and not its_own and not mentions(failed, error.name):
        failed = None  # the frame that reads it was cut off
    package = package_of(failed.path) if failed else ""
    torchs = not failed or failed.is_torch
    if particular.stands_for_weights(error, seen):
        return particular.whole_object(error)
    if particular.is_inside(error, failed):
        return particular.of_the_model_inside(error)
    key = f"{error.class_}.{error.name}"
    if error.name in MODULE_BASES and error.class_ not in (*WEIGHTS, *BUILTINS):
        return torch_attribute.unfinished(error)
    if error.name in MODULE_ATTRIBUTES and torchs:
        return torch_attribute.of_every_module(error)
    if key in TORCH_ATTRIBUTES and torchs:
        return torch_attribute.of_torch(error, *TORCH_ATTRIBUTES[key], alone=not failed)
    if error.class_ in (*WEIGHTS, *BUILTINS):
        return None
    if failed and failed.unpickles:
        return particular.while_loaded(error, seen)
    if package not in ("", "timm") and not torchs and particular.is_made_anew(error, seen):
        return particular.made_anew(error, package)
    if not failed and error.class_ in TORCH_CLASSES:
        return torch_attribute.named_as_torch_s(error, carriers(error.class_, error.name))
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
        writer_s(package, seen)
        if package
        else "Install the version of the project that wrote the file.",
        *ways[1:],
        known_by=LINE,
    )


def _of_an_estimator(error: Error, seen: Seen) -> Answer:
    """The answer where scikit-learn warned of that class when the file was loaded."""
    return advise(
        error,
        f"the object came whole out of a file that another version of scikit-learn wrote, and code "
        f"that is installed here reads `{error.name}`, which the object does not have.",
        writer_s("sklearn", seen),
        "Or train it anew under the installed version.",
        known_by="scikit-learn's warning in the text",
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


def _not_timm(error: Error, seen: Seen) -> Answer | None:
    if error.class_ in WEIGHTS:
        if whole := library_loaders.whole_loader(seen):
            return library_loaders.of_state(error, whole)
        sure = error.name in OF_MODELS
        if error.name in particular.OF_PYTHON_2:
            return particular.of_python_2(error)
        if hasattr("", error.name) and not hasattr({}, error.name):
            return particular.for_a_text(error)
        if not sure and (maker := particular.maker(seen)):
            return particular.of_an_entry(error, maker, seen)
        if not sure and (loader := particular.loader(seen)):
            return particular.of_another_kind(error, loader)
        if settings := particular.of_settings(error, seen, sure):
            return settings
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
        return particular.of_a_value(error, seen)
    failed = seen.failed
    unseen = bool(failed and not failed.is_timm and not mentions(failed, error.name))
    if failed and not failed.is_timm and not unseen:
        releases = carriers(error.class_, error.name)
        timm_s = seen.says_timm or class_record.named([error.class_])
        code = "code outside timm" if timm_s else "code"
        change = "Change that code, or install what it was written for; its requirements say which."
        return advise(
            error,
            f"{code} reads `{error.name}` ({failed.path}) of a class {error.class_}"
            ". It was written for a class that has it. If the object came whole out of a file: "
            "another version of that code wrote it, or a fork or another package whose class has "
            f"the same name.{releases}",
            *(["Install a release of timm that has it, if the class is timm's."] * bool(releases)),
            change,
            *[OF_ANOTHER] * (seen.loads or "/torch/hub/" in failed.path),
        )
    if not class_record.named([error.class_]) and (unseen or not failed):
        if ESTIMATORS.fullmatch(error.class_) and not seen.of_modules:
            return particular.named_as_an_estimator(error, seen)
        return _of_somebody(error, seen, unseen)
    return None


def _of_somebody(error: Error, seen: Seen, unseen: bool) -> Answer:
    """The answer where the text has a class that nobody here knows, and not the line that reads."""
    what = (
        f"{error.class_} is a class of your own or of a library (not of timm's recorded "
        "releases). If the object came whole out of a file, another version of that code "
        "wrote it."
    )
    if not seen.frames and not error.name.startswith("_"):
        what += (
            " Or code changed the object after it was made: a method that was kept on it is looked "
            "up by its name while the file is read, and that fails as a rule in every version."
        )
    library = "install the version of that library that wrote the file."
    named = [frame.path for frame in seen.frames if mentions(frame, error.name)]
    if unseen:
        what += (
            " If it was made anew, its library and one that it is built on do not belong together."
        )
        what += (
            f" The last line in the text that has `{error.name}` is in {named[-1]}; whether it "
            "asks this object for it is not known from the text."
            if named
            else f" No line in the text has `{error.name}`: the frame that reads it is not there, "
            "and it is not known whose code that is."
        )
    weights: tuple[Way, ...] = (OUT_OF_A_FILE,)
    if is_weightless(error.class_, seen):
        what += " By its name it holds no weights, so there are none to take out."
        weights = ()
    if particular.is_made_anew(error, seen):
        weights = ()
    found = advise(
        error,
        what,
        *([CUT_OFF] if unseen and not named else []),
        *weights,
        f"{'Or i' if weights else 'I'}{library[1:]}{'' if unseen else WHICH}",
        *(["For an object that was made anew: what its library's requirements name."] * unseen),
    )
    return found if seen.frames else replace(found, notes=_of_timms(error))


def _of_timms(error: Error) -> tuple[str, ...]:
    """A note on the few classes of timm's that carry a telling attribute since a release."""
    if "_" not in error.name.strip("_"):
        return ()
    names = {name for classes in class_record.modules().values() for name in classes}
    found = [
        f"{path} in timm {in_releases(known.may[error.name])}"
        for path, known in class_record.named(names).items()
        if known.may.get(error.name, known.releases) != known.releases
    ]
    if not 0 < len(found) <= MOST_PATHS:
        return ()
    return (
        f"of timm's classes, `{error.name}` is carried by {'; '.join(found)}. If {error.class_} "
        "inherits from one of them, and came whole out of a file: a timm without it wrote the "
        "file, and such a one reads it.",
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
        return _never_set(error, known, seen)
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


def _never_set(error: Error, known: list[Error], seen: Seen) -> Answer:
    """The answer where timm has a class of that name, and none of them sets the attribute."""
    others = [one.name for one in known if one.class_ == error.class_]
    met = f" What its objects were measured to lack: {listed(others)}." if others else ""
    what = (
        f"the record of timm's sources has a class {error.class_} and no release in which its "
        f"constructor sets `{error.name}`: this class may be another library's of the same name, "
        "or your own; or a helper of timm's sets it, which the record does not follow. If the "
        "object came whole out of a file, another version of its library wrote it, as a rule an "
        f"older one than the installed.{met}"
    )
    return Answer(
        NEAR,
        str(error),
        what,
        ways=(
            Way(ADVICE, WHOSE),
            Way(
                ADVICE,
                "Install the version of the library of that class that wrote the file; where that "
                "is not known, an older one than the installed.",
            ),
            *out_of("", seen, error.class_)[:1],
        ),
        known_by="the record of timm's sources; the text does not show whose class it is",
    )
