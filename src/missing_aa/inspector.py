"""Say what a checkpoint holds, without running any of it and without torch."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from missing_aa import collector
from missing_aa.containers import formats
from missing_aa.containers.container import Container, open_checkpoint
from missing_aa.containers.formats import FORMATS
from missing_aa.containers.safetensors_header import read_header
from missing_aa.contents import read, timm_config
from missing_aa.contents.find_models import Root
from missing_aa.contents.standins import walk
from missing_aa.contents.state_dict import Weights
from missing_aa.contents.views import View
from missing_aa.errors import CheckpointError, Problem, unforeseen
from missing_aa.limits import DEFAULT, Limits
from missing_aa.pickles import policy
from missing_aa.pickles.policy import Judged
from missing_aa.pickles.program import Program
from missing_aa.provenance.writer import Writer, made_by


@dataclass
class Model:
    """A model or a state_dict in a file.

    `name` is the way to it (keys and attributes, joined by dots), "" for the file itself. `class_`
    is a model's class, "" for a state_dict. `tensors`, `elements` and `bytes` are those of its
    state_dict; `parameters` counts the elements of its parameters, each once, and is None for a
    state_dict, which does not tell parameters from buffers; all four are None where the weights
    cannot be counted, and `notes` say why. `prefix` is what a wrapper such as DataParallel put
    before every name.
    """

    name: str
    class_: str
    tensors: int | None = None
    elements: int | None = None
    bytes: int | None = None
    parameters: int | None = None
    architecture: str | None = None
    num_classes: int | None = None
    prefix: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass
class Findings:
    """What a file is: its `format` (one of `formats.FORMATS`), and what it holds.

    `kind` is "whole model", "state_dict", "training checkpoint", "object with a model inside",
    "other", or "" where the file is of another kind. `tensors` and `bytes` are those of the whole
    file. `names` are all that its pickle asks for; `writer` the timm releases that can have made
    its models, None where there is nothing to go by.
    """

    path: str
    format: str
    size: int
    kind: str = ""
    protocol: int | None = None
    opcodes: int = 0
    models: list[Model] = field(default_factory=list)
    tensors: int = 0
    bytes: int = 0
    names: list[Judged] = field(default_factory=list)
    writer: Writer | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def dangerous(self) -> list[Judged]:
        """The names that reach code, files, processes or imports."""
        return [name for name in self.names if name.verdict == policy.DANGEROUS]

    @property
    def is_unjudged(self) -> bool:
        """Whether a name is used so that nobody knows what it does, or it is a program."""
        return self.format == formats.PROGRAM or any(
            name.verdict == policy.UNJUDGED for name in self.names
        )

    @property
    def whole_models(self) -> list[Model]:
        """The models that are in the file as objects of their class: tied to the writer's code."""
        return [model for model in self.models if model.class_]

    def count(self, views: Iterable[View]) -> None:
        views = list(views)
        self.tensors, self.bytes = len(views), sum(view.nbytes for view in views)

    def as_dict(self) -> dict:
        """Plain values for JSON; the schema is documented in docs/reference/inspect.md."""
        return {
            "path": self.path,
            "format": self.format,
            "description": FORMATS[self.format],
            "kind": self.kind,
            "size": self.size,
            "protocol": self.protocol,
            "opcodes": self.opcodes,
            "tensors": self.tensors,
            "bytes": self.bytes,
            "models": [_model_as_dict(model) for model in self.models],
            "names": [vars(name) for name in self.names],
            "dangerous": bool(self.dangerous),
            "writer": self.writer and self.writer.as_dict(),
            "metadata": self.metadata,
            "notes": self.notes,
        }


def _model_as_dict(model: Model) -> dict:
    values = dict(vars(model))
    return {"name": values.pop("name"), "class": values.pop("class_"), **values}


def inspect(path: str | os.PathLike, limits: Limits = DEFAULT) -> Findings:
    """What a file is and holds; only its directory and its pickle are read, and nothing is run.

    A file that asks for dangerous names is described, not refused: see `Findings.dangerous`.
    Raises Unreadable; Malformed for what is damaged or no checkpoint; Refused for a zip that can be
    read in two ways; LimitReached. All of them are missing_aa.errors.Problem.
    """
    try:
        return _inspect(path, limits.started())
    except Problem:
        raise
    except Exception as error:
        raise unforeseen(error) from error


def _inspect(path: str | os.PathLike, limits: Limits) -> Findings:
    with open_checkpoint(path) as container, collector.paused():
        findings = Findings(os.fspath(path), container.format, container.size)
        if container.format == "safetensors":
            _describe_safetensors(findings, container, limits)
        elif container.format not in formats.FOREIGN:
            _describe_pickle(findings, container, container.follow(limits), limits)
    return findings


def _describe_safetensors(findings: Findings, container: Container, limits: Limits) -> None:
    metadata, _ = read_header(container.file, container.size)
    views = read.views(container)
    findings.metadata = metadata
    findings.kind = "state_dict"
    findings.models = list(_models([Root("", views, "")], limits))
    findings.count(views.values())


def _describe_pickle(
    findings: Findings, container: Container, program: Program, limits: Limits
) -> None:
    findings.protocol, findings.opcodes = program.protocol, program.opcodes
    findings.names = policy.judge_all(program)
    try:
        contents = read.read_contents(container, program, limits)
        findings.kind = contents.kind
        findings.models = list(_models(contents.models, limits))
        objects, views = walk(contents.top)
        findings.count(views)
        findings.writer = made_by(program, objects)
    except CheckpointError as problem:
        if not findings.dangerous:
            raise
        findings.notes.append(f"it cannot be followed to its end: {problem}")


def _models(roots: list[Root], limits: Limits) -> Iterator[Model]:
    parts = 0
    for root in roots:
        weights, model = _model(root, limits)
        parts += weights.parts if weights else 0
        limits.check("objects", parts, "the number of all models' modules and tensors")
        yield model


def _model(root: Root, limits: Limits) -> tuple[Weights | None, Model]:
    model, weights = Model(name=root.name, class_=root.dotted), None
    try:
        weights = root.weights(limits)
        model.tensors, model.bytes = len(weights.tensors), weights.nbytes
        model.elements = sum(view.elements for view in weights.tensors.values())
        model.parameters = weights.parameters
        model.prefix, model.notes = weights.prefix, weights.notes
        if inner := root.model:
            model.architecture = timm_config.architecture(inner)
            model.num_classes = timm_config.num_classes(inner, weights.tensors.values())
    except CheckpointError as problem:
        model.notes = [f"its weights cannot be counted: {problem}"]
    return weights, model
