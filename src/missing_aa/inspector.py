"""Say what a checkpoint holds, without running any of it and without torch."""

import os

from helpers.checkpoints import contents, facts, formats, places, policy, roots
from helpers.checkpoints.container import Container, open_checkpoint
from helpers.checkpoints.errors import CheckpointError, unforeseen
from helpers.checkpoints.findings import Findings, Model
from helpers.checkpoints.inside import made_by, walk
from helpers.checkpoints.limits import DEFAULT, Limits
from helpers.checkpoints.pickles import Program
from helpers.checkpoints.roots import Root
from helpers.checkpoints.safetensors_header import read_header
from helpers.errors import Problem


def inspect(path: str | os.PathLike, limits: Limits = DEFAULT) -> Findings:
    """What a file is and holds; only its directory and its pickle are read, and nothing is run.

    A file that asks for dangerous names is described, not refused: see `Findings.dangerous`.
    Raises Unreadable; Malformed for what is damaged or no checkpoint; Refused for a zip that can be
    read in two ways; LimitReached. All of them are helpers.errors.Problem.
    """
    try:
        return _inspect(path, limits.started())
    except Problem:
        raise
    except Exception as error:
        raise unforeseen(error) from error


def _inspect(path: str | os.PathLike, limits: Limits) -> Findings:
    with open_checkpoint(path) as container:
        findings = Findings(os.fspath(path), container.format, container.size)
        if container.format == "safetensors":
            _describe_safetensors(findings, container, limits)
        elif container.format not in formats.FOREIGN:
            _describe_pickle(findings, container, container.follow(limits), limits)
    return findings


def _describe_safetensors(findings: Findings, container: Container, limits: Limits) -> None:
    metadata, _ = read_header(container.file, container.size)
    views = places.views(container)
    findings.metadata = metadata
    findings.kind = "state_dict"
    findings.models = [_model(Root("", views, ""), limits)]
    findings.count(views.values())


def _describe_pickle(
    findings: Findings, container: Container, program: Program, limits: Limits
) -> None:
    findings.protocol, findings.opcodes = program.protocol, program.opcodes
    findings.names = policy.judge_all(program)
    try:
        held = contents.read(container, program, limits)
        findings.kind = held.kind
        findings.models = [_model(root, limits) for root in held.models]
        objects, views = walk(held.top)
        findings.count(views)
        findings.writer = made_by(program, objects)
    except CheckpointError as problem:
        if not findings.dangerous:
            raise
        findings.notes.append(f"it cannot be followed to its end: {problem}")


def _model(root: Root, limits: Limits) -> Model:
    model = Model(name=root.name, class_=root.dotted)
    try:
        weights = root.weights(limits)
        model.tensors, model.bytes = len(weights.tensors), weights.nbytes
        model.elements = sum(view.elements for view in weights.tensors.values())
        model.parameters = weights.parameters
        model.prefix, model.notes = weights.prefix, weights.notes
    except CheckpointError as problem:
        model.notes = [f"its weights cannot be told: {problem}"]
    if root.dotted:
        inner, _ = roots.unwrap(root.value)
        model.architecture = facts.architecture(inner)
        model.num_classes = facts.num_classes(inner)
    return model
