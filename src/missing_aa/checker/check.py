"""What a file will miss in an environment, before it is loaded."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from missing_aa import collector
from missing_aa.checker.environment import Environment, of_python, of_this_python
from missing_aa.checker.findings import (
    MAY_FAIL,
    NOTHING,
    WILL_FAIL,
    Finding,
    Walked,
    hangs_on_arguments,
    is_lacking,
)
from missing_aa.checker.model_run import load, walk_model
from missing_aa.checker.names import MAIN, check_name, place_of
from missing_aa.checker.objects import FileObjects
from missing_aa.checker.recorded import recorded
from missing_aa.checker.state import OutOfSteps
from missing_aa.checker.values import UNKNOWN, Obj
from missing_aa.checker.walk import Walk
from missing_aa.checker.world import AllClasses, World
from missing_aa.containers import formats
from missing_aa.containers.container import open_checkpoint
from missing_aa.contents import read, timm_config
from missing_aa.contents.find_models import choose
from missing_aa.contents.standins import Standin, walk
from missing_aa.contents.state_dict import is_module
from missing_aa.errors import Malformed, Problem, UsageProblem, unforeseen
from missing_aa.limits import DEFAULT, Limits
from missing_aa.pickles import policy
from missing_aa.pickles.program import Program

STEPS = 5_000_000
"""So many steps of the abstract run are granted."""

OTHERS = "other arguments of forward may avoid it"

DEEPEST = 60_000
"""Frames of Python that the run may take; each call that is followed takes a dozen."""


@dataclass
class Package:
    """A package that the file names: its version here, and the one that the file records.

    `distribution` is what it is installed as, where that has another name.
    """

    name: str
    version: str | None
    found: bool
    recorded: str | None = None
    distribution: str | None = None


@dataclass
class Check:
    """The answer for one file.

    `models` are those that were walked. `notes` say what of this file was not followed. `dangerous`
    are names that no checkpoint needs. `steps` is what the run took.
    """

    path: str
    environment: str
    findings: list[Finding] = field(default_factory=list)
    models: list[Walked] = field(default_factory=list)
    packages: list[Package] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dangerous: list[str] = field(default_factory=list)
    kind: str = ""
    steps: int = 0
    weights: bool = True
    """Whether the models hold tensors, which can be got out."""

    @property
    def certain(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.certain]

    @property
    def enough(self) -> bool:
        """Whether so much was walked that "nothing missing" says something."""
        return all(model.enough for model in self.models)

    @property
    def answer(self) -> str:
        """WILL_FAIL, MAY_FAIL or NOTHING."""
        if self.certain:
            return WILL_FAIL
        return MAY_FAIL if self.findings or self.notes or not self.enough else NOTHING


def check(
    path: str | os.PathLike,
    *,
    python: str | os.PathLike | None = None,
    with_: Sequence[str] = (),
    paths: Sequence[str | os.PathLike] = (),
    root: str | None = None,
    steps: int = STEPS,
    limits: Limits = DEFAULT,
) -> Check:
    """What a whole-model file will miss where it is to be loaded; nothing of it is run.

    `python` is another interpreter than this one, `with_` are releases (`timm==1.0.31`), folders or
    archives that stand before what is installed, `paths` folders that are read first (a script
    stands for `__main__`). `root` chooses one of several models. Raises what `inspect` raises, and
    UsageProblem and Problem for what is asked in vain.
    """
    return check_in(environment(python, with_, paths), path, root, steps, limits)


def environment(
    python: str | os.PathLike | None = None,
    with_: Sequence[str] = (),
    paths: Sequence[str | os.PathLike] = (),
) -> Environment:
    """The environment that is asked for; see `check`."""
    from missing_aa.checker.fetch import folder_of

    first: list[str | os.PathLike] = []
    script = None
    for each in map(Path, paths):
        if each.suffix == ".py" and each.is_file():
            script = os.fspath(each)
            first.append(each.resolve().parent)
        elif each.is_dir():
            first.append(each.resolve())
        else:
            raise UsageProblem(f"{each}: neither a folder nor a script")
    first += [folder_of(named) for named in with_]
    if python is None:
        return of_this_python(first, script)
    return of_python(python, first, script)


def check_in(
    where: Environment,
    path: str | os.PathLike,
    root: str | None = None,
    steps: int = STEPS,
    limits: Limits = DEFAULT,
) -> Check:
    """The same for an environment that may serve several files."""
    try:
        with _room():
            return _check(where, path, root, steps, limits.started())
    except Problem:
        raise
    except Exception as error:
        raise unforeseen(error) from error


def _check(
    where: Environment, path: str | os.PathLike, root: str | None, steps: int, limits: Limits
) -> Check:
    result = Check(os.fspath(path), f"Python {where.version}")
    with open_checkpoint(path) as container:
        if container.format in formats.FOREIGN or container.format == "safetensors":
            result.kind = "state_dict" if container.format == "safetensors" else container.format
            if container.format != "safetensors":
                result.notes.append(f"{formats.FORMATS[container.format]} is not followed here")
            return result
        program = container.follow(limits)
        contents = read.read_contents(container, program, limits)
    result.kind = contents.kind
    result.dangerous = [
        judged.name for judged in policy.judge_all(program) if judged.verdict == policy.DANGEROUS
    ]
    world = World(where)
    _check_names(result, world, program)
    models = [model for model in contents.models if model.dotted]
    if root is not None:
        models = [choose(models, root)]
    roots = [(each.name, each.model) for each in models]
    if not models and is_module(contents.top):  # of no tensors: a filter, a metric
        roots, result.weights = [("", contents.top)], False
    _walk_models(result, world, roots, steps)
    for walked, model in zip(result.models, models, strict=False):
        if model.model:
            walked.architecture = timm_config.architecture(model.model)
    objects, _ = walk(contents.top)
    _name_packages(result, world, program, contents.top, objects)
    return result


def _check_names(result: Check, world: World, program: Program) -> None:
    for wanted in program.globals.values():
        finding = check_name(world, wanted, program.protocol < 4)
        if finding:
            result.findings.append(finding)


def _walk_models(result: Check, world: World, models: list, steps: int) -> None:
    run, result.models = _walk(world, models, steps)
    result.steps = steps - max(run.left, 0)
    found = run.found[0]
    doubtful = {key: finding for key, finding in found.items() if hangs_on_arguments(finding)}
    if doubtful and any(model.defaults for model in result.models):
        any_call, walked = _walk(world, models, steps, defaults=False)
        result.steps += steps - max(any_call.left, 0)
        anyway = any_call.found[0]
        lacking = {key: one for key, one in doubtful.items() if is_lacking(one)}
        certain = lacking.keys() | {key for key, one in anyway.items() if one.certain}
        if not doubtful.keys() <= certain:
            if not lacking:
                walked = [replace(each, defaults=[]) for each in walked]
            run, result.models = any_call, walked
            hanging = {
                key: replace(one, certain=False, doubts=[OTHERS]) for key, one in doubtful.items()
            }
            both = hanging | anyway | lacking
            found = {key: both[key] for key in {**found, **anyway} if key in both}
    result.findings += found.values()
    result.notes += run.notes


def _walk(
    world: World, models: list, steps: int, defaults: bool = True
) -> tuple[Walk, list[Walked]]:
    classes = AllClasses(world)
    run = Walk(world, classes, steps)

    def value_of(dotted: str) -> object:
        place = place_of(world, dotted)
        return UNKNOWN if place is None else run.value_at(place)

    objects = FileObjects(classes, value_of)
    try:
        roots = [(name, objects.value(standin)) for name, standin in models]
        load(run, objects)
    except OutOfSteps:
        run.note(f"the budget of {steps:,} steps is spent")
        roots = []
    except RecursionError as error:
        raise Malformed("it is nested deeper than can be followed") from error
    walked = [
        walk_model(run, root, name, defaults) for name, root in roots if isinstance(root, Obj)
    ]
    return run, walked


def _name_packages(
    result: Check, world: World, program: Program, top: object, objects: list[Standin]
) -> None:
    """The packages that the file names, but for Python's own."""
    tops = dict.fromkeys(wanted.module.partition(".")[0] for wanted in program.globals.values())
    names = [name for name in tops if name not in (*sys.stdlib_module_names, MAIN)]
    versions = recorded(program, top, objects, names)
    for name in names:
        there = world.environment.find(name) is not None
        version = world.environment.version_of(name)
        brought = world.environment.brought_by(name)
        other = brought[0] if brought and brought[0] != name.lower().replace("_", "-") else None
        result.packages.append(Package(name, version, there, versions.get(name), other))


@contextmanager
def _room() -> Iterator[None]:
    """With frames enough for deep models."""
    frames = sys.getrecursionlimit()
    sys.setrecursionlimit(max(frames, DEEPEST))
    try:
        with collector.paused():
            yield
    finally:
        sys.setrecursionlimit(frames)
