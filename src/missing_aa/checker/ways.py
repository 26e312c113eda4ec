"""Ways out for a file that will miss something, in the order that serves it."""

import os
import shlex
from dataclasses import dataclass

from missing_aa.checker.check import Check
from missing_aa.checker.findings import NAME, PACKAGE
from missing_aa.checker.names import MAIN

OWN = "torch"


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
    if check.models:
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
    for top in tops:
        if top == MAIN:
            text = "its class was defined in a script: name that script with --path SCRIPT.py"
        else:
            text = (
                f"{top} is not installed: if it is a folder of the project that wrote the file, "
                "name the folder above it with --path DIR; if it is a package, install it"
            )
        found.append(Way("path", text))
    return found


def _rescue(check: Check) -> Way:
    model = check.models[0]
    source = shlex.quote(check.path)
    stem = os.path.splitext(os.path.basename(check.path))[0]
    root = f" --root {shlex.quote(model.model)}" if len(check.models) > 1 else ""
    library = model.class_.partition(".")[0]
    if library == "timm" and model.architecture:
        target = shlex.quote(stem)
        return Way(
            "rescue",
            "get the weights out, and let the installed timm make the model; it needs no code of "
            "the writer's",
            (
                f"missing-aa rescue --format timm {source} {target}{root}",
                f"timm.create_model({'local-dir:' + stem!r}, pretrained=True)",
            ),
        )
    target = shlex.quote(f"{stem}.safetensors")
    return Way(
        "rescue",
        f"get the weights out, make the model again with the installed {library}, and load them "
        "strictly; compare an output with one that you know",
        (
            f"missing-aa rescue {source} {target}{root}",
            f"model.load_state_dict(safetensors.torch.load_file({stem + '.safetensors'!r}))",
        ),
    )


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
        command = f"pip install '{package.name}=={exact}'"
        text = f"{made_by}: in an environment of its own, that version reads it"
        found.append(Way("writer", text, (command,)))
    return found
