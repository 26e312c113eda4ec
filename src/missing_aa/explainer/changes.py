"""What changed in timm, in plain words, from the record of its sources."""

import difflib
from collections import Counter
from collections.abc import Iterable, Set

from missing_aa.explainer.cases import Case
from missing_aa.explainer.errors import ATTRIBUTE, LOOKUP, MODULE, STATE_DICT, Error
from missing_aa.provenance import class_record
from missing_aa.text import in_words

PLACES = {
    "load": "while the file is loaded",
    "forward": "in the forward pass: the file loads without an error, and the first picture fails",
    "create": "when a fresh model is made",
    "import": "when timm is imported",
    "rescue": "when the weights are taken out",
}
MOST = 3


def is_upgrade(cases: Iterable[Case]) -> bool:
    """Whether it is newer code that fails on older files, rather than the other way round."""
    newer = sum(
        1 if reader > case.writer else -1
        for case in cases
        for reader in case.readers
        if reader != case.writer
    )
    return newer >= 0


def changed(error: Error, upgrade: bool = True, files: Iterable[str] = ()) -> str:
    """What changed between writer and reader; `files` are those of timm's in the traceback."""
    if error.kind == ATTRIBUTE:
        return _attribute(error, upgrade, list(files))
    if error.kind == MODULE:
        return _module(error.name)
    if error.kind == LOOKUP:
        return _class(error.name, error.class_)
    if error.kind == STATE_DICT:
        who = error.class_ or "the model"
        return f"Tensors of {who} were renamed, added or reshaped: {misfit(error)}."
    return "The code of one release uses an object of the other in a way that it was not made for."


def carried(class_: str, attribute: str) -> dict[str, Set[int]]:
    """Path -> the recorded releases in which objects of such a class carry the attribute.

    Only where that is not so in every release that has the class.
    """
    return {
        path: known.may[attribute]
        for path, known in class_record.named([class_]).items()
        if known.may.get(attribute, known.held) != known.held
    }


def carriers(class_: str, attribute: str) -> str:
    """A sentence on the classes of timm's of that name that carry it, and when; "" if none does."""
    found = {
        path: known.may[attribute]
        for path, known in class_record.named([class_]).items()
        if attribute in known.may
    }
    said = "; ".join(f"{path} in timm {_in(those)}" for path, those in list(found.items())[:MOST])
    return (
        said and f" Many libraries have a class of that name; of timm's, it is carried by {said}."
    )


def _attribute(error: Error, upgrade: bool, files: list[str]) -> str:
    found = carried(error.class_, error.name)
    here = {path: those for path, those in found.items() if _is_in(path, files)}
    older, newer = "objects that an older release wrote", "objects that a newer release wrote"
    who = older if upgrade else newer
    if not found:
        code = "newer" if upgrade else "older"
        return f"The {code} code of {error.class_} reads `{error.name}`, which {who} do not carry."
    said = [
        f"{path} carries `{error.name}` in timm {_in(those)}"
        for path, those in list((here or found).items())[:MOST]
    ]
    return f"{'; '.join(said)}. The code that runs reads it, and {who} do not carry it."


def _is_in(path: str, files: list[str]) -> bool:
    file = path.rpartition(".")[0].replace(".", "/") + ".py"
    return any(one.endswith(file) for one in files)


def _in(numbers: Set[int]) -> str:
    return in_words(numbers, class_record.releases(), and_later=True)


def held(module: str) -> Set[int]:
    """The recorded releases that have classes in a module or package of that name."""
    found: set[int] = set()
    for name, classes in class_record.modules().items():
        if name == module or name.startswith(f"{module}."):
            found.update(*classes.values())
    return found


def _module(module: str) -> str:
    there = held(module)
    if not there:
        return f"No recorded release of timm has classes in a module {module}."
    last = len(class_record.releases()) - 1
    if last in there:
        return (
            f"timm has {module} in {_in(there)}: the release that reads is too old for what a "
            "newer one wrote."
        )
    home = home_of(module)
    moved = f"; what was in it is in {home} now" if home else ""
    return f"timm has {module} in {_in(there)}, and no longer since{moved}."


def home_of(module: str) -> str:
    """Where most of a module's classes are in the newest recorded release; "" if nowhere."""
    modules = class_record.modules()
    if module not in modules:  # a package
        inside = [home_of(name) for name in modules if name.startswith(f"{module}.")]
        packages = Counter(home.rpartition(".")[0] for home in inside if home)
        return packages.most_common(1)[0][0] if packages else ""
    last, tail = len(class_record.releases()) - 1, module.rpartition(".")[2].lstrip("_")
    homes: Counter[str] = Counter()
    for name, classes in modules.items():
        if shared := sum(last in classes.get(one, ()) for one in modules[module]):
            homes[name] = 2 * shared + (name.rpartition(".")[2].lstrip("_") == tail)
    return homes.most_common(1)[0][0] if homes else ""


def _class(module: str, class_: str) -> str:
    there = class_record.modules().get(module, {})
    if class_ not in there:
        return f"No recorded release of timm has a class {class_} in {module}."
    others = [name for name, releases in there.items() if not releases & there[class_]]
    same = [name for name in others if name.casefold() == class_.casefold()]
    near = same or difflib.get_close_matches(class_, others, n=1, cutoff=0.6)
    said = f"timm has {module}.{class_} in {_in(there[class_])}"
    if near:
        return f"{said}; in {_in(there[near[0]])} there is {near[0]} in its place."
    last = len(class_record.releases()) - 1
    homes = [path for path, known in class_record.named([class_]).items() if last in known.held]
    if last not in there[class_] and homes:
        return f"{said}; later it is {homes[0]}."
    return f"{said}, and in no other release."


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
