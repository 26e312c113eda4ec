"""A name that is asked of a registry or table of models and is not in it."""

import re
from collections.abc import Iterator

from missing_aa.explainer.advice import LINE, advise, installed_as
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.errors import UNREGISTERED, Error, Hit, line_at
from missing_aa.explainer.known_registries import FAMILY, NOT_TABLES, REGISTRIES, TABLE, Registry
from missing_aa.explainer.model_classes import classes
from missing_aa.explainer.remedies import ADVICE, Way
from missing_aa.explainer.seen import TRACEBACK, Seen, package_of
from missing_aa.explainer.traceback import Frame, frames

_KEY = re.compile(r"\bKeyError:\s*'(?P<name>[^'\s]{1,200})'")


def find(text: str) -> Iterator[Hit]:
    """What registries say in their own words, and the last name that a package's table lacks."""
    for number, registry in enumerate(REGISTRIES):
        for found in list(re.finditer(registry.words, text))[-1:]:
            said = " ".join(line_at(text, found.start()).split())
            error = Error(UNREGISTERED, str(number), found["name"], said=said)
            yield Hit(found.start(), found.end(), error)
    for found in list(_KEY.finditer(text))[-1:]:
        shown = frames(text[max(0, text.rfind(TRACEBACK, 0, found.start())) : found.start()])
        if shown and _table(shown) and _is_argument(found["name"], shown[:-1]):
            said = " ".join(found[0].split())
            yield Hit(found.start(), found.end(), Error(UNREGISTERED, "", found["name"], said=said))


def _table(shown: list[Frame]) -> str:
    """The name of the table in which the last frame, a package's own, looks a name up."""
    found = re.search(TABLE, shown[-1].code)
    is_one = found and package_of(shown[-1].path) and not re.search(NOT_TABLES, found[1])
    return found[1] if found and is_one else ""


def _is_argument(name: str, callers: list[Frame]) -> bool:
    return any(re.search(rf"\(.*'{re.escape(name)}'", frame.code) for frame in callers)


def other(error: Error, seen: Seen) -> Answer:
    """The answer, by the words of a registry or by the line that looks the name up."""
    if error.class_:
        return _registered(error, REGISTRIES[int(error.class_)])
    return _in_table(error, seen)


def _in_table(error: Error, seen: Seen) -> Answer:
    failed = seen.frames[-1]
    package, table = installed_as(package_of(failed.path)), _table([failed])
    module = re.split(r"(?:site|dist)-packages/", failed.path)[-1].removesuffix(".py")
    module = module.removesuffix("/__init__").replace("/", ".")
    return advise(
        error,
        f"{package} looks {error.name!r} up in a table of its own ({table}), and the release of it "
        "that is installed has no such name there. As a rule the name is newer than that release, "
        "or it is written in another way.",
        f"Install a newer one.\npip install --upgrade {package}",
        f"Or take a name that is in the table.\nfrom {module} import {table}; print(list({table}))",
        known_by=LINE,
    )


def _registered(error: Error, registry: Registry) -> Answer:
    name, package = error.name, registry.package
    inner = re.split(r"[/:]", name)[-1] or name
    upgrade = Way(
        ADVICE,
        f"If it is a name of {package or 'the package'}'s own: install a newer one. Look first "
        "which one runs: another package can have put an older one in its place.",
        (*registry.look, f"pip install --upgrade {package}") if package else (),
    )
    own = Way(
        ADVICE,
        "If it is a project's own model: import the module that registers it before the model is "
        f"made ({registry.registers}), from the project's folder, at the revision that has it.",
    )
    whose = f"{package}'s registry, or one built like it," if package else "the registry"
    what = f"{whose} has nothing of the name {name!r}."
    if inner != name and registry.prefixes:
        return advise(
            error,
            f"{what} As a rule the name of the model is what stands behind the prefix, {inner!r}; "
            f"but a repository can be called otherwise than its model. {registry.prefixes}",
            upgrade,
            Way(
                ADVICE,
                "If it is a repository of the Hugging Face Hub: ask a newer one for it with its "
                "source before it, or for the model that its config.json names (architecture).",
                (registry.repository.format(name),),
            ),
            known_by="the words of the error",
        )
    first = [upgrade, own] if not package or _is_of_a_family(inner) else [own, upgrade]
    return advise(
        error,
        f"{what} The release that is installed is older than the name, or has given it up; or a "
        "project registers it, and its module was not imported; or it is written in another way.",
        *first,
        known_by="the words of the error",
    )


def _is_of_a_family(name: str) -> bool:
    """Whether a model of the atlas has a name that begins so."""
    families = {found[0] for one in classes() if (found := re.match(FAMILY, one))}
    family = re.match(FAMILY, name.lower())
    return family is not None and family[0] in families


def nearest(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    return None
