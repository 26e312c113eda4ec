"""Ways out for a file that will miss something, in the order that serves it."""

import os
from dataclasses import dataclass

from missing_aa.checker.check import Check
from missing_aa.checker.findings import NAME, PACKAGE
from missing_aa.checker.names import GONE, MAIN
from missing_aa.text import shell_path, shell_word

OWN = "torch"
KNOWN = ("torch", "torchvision", "timm", "numpy")
"""Packages that nobody takes for a folder of their own project."""


@dataclass(frozen=True)
class Way:
    """What to do, and the commands that do it."""

    kind: str
    text: str
    commands: tuple[str, ...] = ()


def ways(check: Check) -> list[Way]:
    """The ways out; none where nothing was found."""
    if not check.findings or check.dangerous:
        return []
    found = _project(check)
    if check.models and check.weights:
        found.append(_rescue(check))
    return [*found, *_writers(check)]


def _project(check: Check) -> list[Way]:
    """What a file of a project, and not of a package, needs."""
    missing = [
        finding.class_
        for finding in check.findings
        if finding.kind == PACKAGE or (finding.kind == NAME and finding.class_.startswith(MAIN))
    ]
    tops = dict.fromkeys(path.partition(".")[0] for path in missing)
    found = []
    if MAIN in tops:
        text = "its class was defined in a script: name that script with --path SCRIPT.py"
        found.append(Way("path", text))
    if known := [top for top in tops if top in KNOWN]:
        text = f"{_are(known)} not installed here: install {_it(known)} and check again"
        found.append(Way("path", text, (f"pip install {' '.join(known)}",)))
    if others := [top for top in tops if top != MAIN and top not in KNOWN]:
        one = len(others) == 1
        folder, package = ("a folder", "a package") if one else ("folders", "packages")
        it = "it is" if one else "they are"
        text = (
            f"{_are(others)} not installed: if {it} {folder} of the project that wrote the file, "
            f"name the folder above {_it(others)} with --path DIR; if {it} {package}, install "
            f"{_it(others)}"
        )
        found.append(Way("path", text))
    return found


def _are(names: list[str]) -> str:
    *before, last = names
    return f"{', '.join(before)} and {last} are" if before else f"{last} is"


def _it(names: list[str]) -> str:
    return "it" if len(names) == 1 else "them"


def _rescue(check: Check) -> Way:
    model = check.models[0]
    source = shell_path(check.path)
    stem = os.path.splitext(os.path.basename(check.path))[0]
    root = f" --root {shell_word(model.model)}" if len(check.models) > 1 else ""
    library = _library(check)
    absent = {package.name for package in check.packages if not package.found}
    if library == "timm" and model.architecture and not absent & {"timm", OWN}:
        return Way(
            "rescue",
            "get the weights out, and let the installed timm make the model; it needs no code of "
            "the writer's",
            (
                f"missing-aa rescue --format timm {source} {shell_path(stem)}{root}",
                f"timm.create_model({'local-dir:' + stem!r}, pretrained=True)",
            ),
        )
    target = shell_path(f"{stem}.safetensors")
    if absent & {library, OWN}:
        needless = " and no ".join(dict.fromkeys((OWN, library)))
        make = f"get the weights out, which needs no {needless}; make the model again where "
        make += f"{library} is"
    elif gone := _gone(check, library):
        make = f"get the weights out; the installed {library} has no {gone}: make the model again "
        make += f"where {library} has it, or from a copy of its code"
    else:
        make = f"get the weights out, make the model again with the installed {library}"
    return Way(
        "rescue",
        f"{make}, and load them strictly; compare an output with one that you know",
        (
            f"missing-aa rescue {source} {target}{root}",
            f"model.load_state_dict(safetensors.torch.load_file({stem + '.safetensors'!r}))",
        ),
    )


def _library(check: Check) -> str:
    """The package that makes the model again: its class's, or for a container of torch's that of
    the parts that miss something."""
    own = check.models[0].class_.partition(".")[0]
    if own != OWN:
        return own
    tops = [finding.class_.partition(".")[0] for finding in check.findings]
    named = {package.name for package in check.packages}
    return next((top for top in tops if top != OWN and top in named), own)


def _gone(check: Check, library: str) -> str:
    """The class of the model, or of a part where torch's own holds them, that is there no more."""
    root = check.models[0].class_
    for finding in check.findings:
        top, _, _ = finding.class_.partition(".")
        is_part = root.startswith(f"{OWN}.") and top == library
        if finding.hint == GONE and (finding.class_ == root or is_part):
            return finding.class_.rpartition(".")[2]
    return ""


def _writers(check: Check) -> list[Way]:
    """The version that wrote the file, of the packages whose objects miss something."""
    missing = {finding.class_.partition(".")[0] for finding in check.findings}
    found = []
    for package in check.packages:
        if package.name not in missing or not package.recorded:
            continue
        exact = package.recorded.rpartition(" ")[2]
        if exact == "later":
            exact = package.recorded.partition(" ")[0]
        made_by = f"the file was made by {package.name} {package.recorded}"
        command = f"pip install '{package.distribution or package.name}=={exact}'"
        text = f"{made_by}: in an environment of its own, that version reads it"
        found.append(Way("writer", text, (command,)))
    return found
