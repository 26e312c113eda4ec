"""A call that gives what its function does not take: `f() got an unexpected keyword argument`."""

import re

from missing_aa.explainer.advice import BY_FRAMES, advise, installed_as, library
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.errors import NAME, OTHER, Error, line_at
from missing_aa.explainer.known_texts import LOADED
from missing_aa.explainer.seen import TRACEBACK, package_of
from missing_aa.explainer.traceback import Frame, frames, innermost, said

_WORDS = re.compile(
    rf"\b(?:({NAME})\.)?({NAME})\(\)\s+got\s+an\s+unexpected\s+keyword\s+argument\s+'({NAME})'"
)
MADE = ("__init__", "__new__")
NO_FILE = "The line names it itself, so no file has a part in it."
MAYBE_FILE = (
    "If it comes out of settings that a file keeps: another version of the code of that class "
    "wrote the file, as a rule a newer one, or the class was changed since."
)


def answer(text: str) -> Answer | None:
    """What the frames show of the two sides of a call; None for a text without such words."""
    words = said(text)
    found = list(_WORDS.finditer(words))
    if not found:
        return None
    last = found[-1]
    class_, function, argument = (part or "" for part in last.groups())
    called = f"{class_}.{function}" if class_ else function
    error = Error(OTHER, name=line_at(words, last.start()))
    caller = innermost(frames(text[max(0, text.rfind(TRACEBACK)) :]))
    calling = package_of(caller.path) if caller else ""
    if caller and re.search(LOADED, caller.code) and not _gives(caller, argument):
        return None  # the file's own program makes the call
    if not calling or not caller:
        return _from_elsewhere(error, called, argument, caller)
    defining = _imported_from(class_, text)
    if defining and defining != calling:
        return _two_packages(error, called, argument, (calling, defining), caller)
    if called.endswith(MADE) and not _gives(caller, argument):
        return _handed_on(error, called, argument, calling)
    return _by_a_package(error, called, argument, calling, caller)


def _two_packages(
    error: Error, called: str, argument: str, packages: tuple[str, str], caller: Frame
) -> Answer:
    calling, defining = map(installed_as, packages)
    return advise(
        error,
        f"code of {library(packages[0])} calls `{called}` with `{argument}`, and the one that it "
        f"reaches does not take it. The class comes from {library(packages[1])}. So the two that "
        f"are installed do not fit: this {calling} is newer than the one that this {defining} was "
        f"written for, as a rule. {_of_a_file(called, argument, caller)}",
        f"Install an older {calling}, from before it gave `{argument}`; the requirements of "
        f"{defining} or its page may name one.",
        f"Or a newer {defining}, if there is one that takes it.\npip install --upgrade {defining}",
        known_by=f"{BY_FRAMES}, and the line that imports the class",
    )


def _handed_on(error: Error, called: str, argument: str, calling: str) -> Answer:
    """The answer where a package makes an object, and its line does not name the argument."""
    return advise(
        error,
        f"code of {library(calling)} makes an object, and hands `{argument}` on to `{called}`, "
        "which does not take it. Its line does not name that argument, so it comes from further "
        f"up: out of the call, or out of settings. {MAYBE_FILE} Whose class it is, and where the "
        "argument comes from, is not known from the text.",
        f"If a line of your own gives `{argument}`: leave it out, or install the version of the "
        "library that the line was written for.",
        "If it comes out of a file: install the version of that class's library that wrote it, as "
        "a rule a newer one; or take the entry out, in a copy, and compare an output.",
        f"If the class is your own: let it take `{argument}` (or **kwargs).",
        known_by=BY_FRAMES,
    )


def _by_a_package(error: Error, called: str, argument: str, calling: str, caller: Frame) -> Answer:
    name = installed_as(calling)
    return advise(
        error,
        f"code of {library(calling)} calls `{called}` with `{argument}`, and the one that it "
        f"reaches does not take it: that is of another package, or of your own code, that was "
        f"written for another {name}, as a rule an older one; or of a package that is older than "
        f"this {name} wants. Whose it is, is not known from the text. "
        f"{_of_a_file(called, argument, caller)}",
        f"Look whose `{called}` it is: the package or your file that defines it, or that sets it "
        "in the place of another.",
        f"If it is a package's: install a newer one of it, or an older {name}, from before it gave "
        f"`{argument}`; the requirements of the two say what belongs together.",
        f"If it is your own: let it take `{argument}` (or **kwargs).",
        known_by=BY_FRAMES,
    )


def _from_elsewhere(error: Error, called: str, argument: str, caller: Frame | None) -> Answer:
    who = (
        f"a line of your own or of a project ({caller.path})" if caller else "code, not shown here,"
    )
    shown = "" if caller else ", and neither is whose code calls it"
    return advise(
        error,
        f"{who} gives `{argument}` to `{called}`, and the one that is reached does not take it: "
        "the call was written for a newer version of it than is installed, or for an older one "
        f"that still took it, or for another one of that name. Whose `{called}` it is, is not "
        f"known from the text{shown}. {_of_a_file(called, argument, caller)}",
        f"If your own line gives it: leave `{argument}` out, or install the version of the library "
        "that the line was written for.",
        *(() if caller else ("If a library's line gives it: ask with the whole traceback.",)),
        known_by="the words of the error" + (", and the last frame" if caller else ""),
    )


def _of_a_file(called: str, argument: str, caller: Frame | None) -> str:
    """A sentence on whether a file can have brought the argument; "" where nothing says it."""
    if caller and _gives(caller, argument):
        return NO_FILE
    return MAYBE_FILE if called.endswith(MADE) else ""


def _gives(caller: Frame, argument: str) -> bool:
    """Whether the line that calls names the argument itself."""
    return bool(re.search(rf"\b{argument}\s*=", caller.code))


def _imported_from(class_: str, text: str) -> str:
    """The package from which a line of the text imports a class; "" if none does."""
    if not class_:
        return ""
    found = re.search(
        rf"\bfrom\s+({NAME})[\w.]*\s+import\s+(?:[\w, ]*,\s*)?{re.escape(class_)}\b", text
    )
    return found[1] if found else ""
