"""Say of a checkpoint what the releases of timm make of it; nothing of it is run."""

import os
from importlib import metadata

from helpers.checkpoints import formats, record
from helpers.checkpoints.errors import CheckpointError, Refused
from helpers.checkpoints.findings import Findings, Model
from helpers.checkpoints.inspecting import inspect
from helpers.checkpoints.limits import DEFAULT, Limits
from helpers.explain import kin
from helpers.explain.answers import ATLAS, GENERAL, NEAR
from helpers.explain.building import silent
from helpers.explain.errors import OTHER, Error
from helpers.explain.ledger import Case, Ledger, load
from helpers.explain.outlook import FORMS, Outlook, fates, words
from helpers.explain.ways import FILE, everyone, ways

ALL = tuple(FORMS)
WEIGHTS = ("state_dict",)


STANDS_IN = (
    "the architecture itself was not measured. What stands in for it is of the same class, and "
    "shares most classes inside."
)


def about(path: str | os.PathLike, limits: Limits = DEFAULT) -> Outlook:
    """The outlook of a checkpoint. Raises what `checkpoints.inspect` raises.

    And Refused for a file that asks for dangerous names, CheckpointError for one that holds no
    model.
    """
    findings = inspect(path, limits)
    if findings.dangerous:
        bad = findings.dangerous[0]
        raise Refused(
            f"do not load it: it asks for {bad.name}, which {bad.reason}; missing-aa inspect "
            "says more"
        )
    if findings.format in formats.FOREIGN:
        what = f"{formats.FORMATS[findings.format]}: {formats.FOREIGN[findings.format]}"
        raise CheckpointError(f"it is no checkpoint of torch's but a {what}")
    if not findings.models:
        raise CheckpointError("it holds no model and no weights: there is nothing to explain")
    return _outlook(findings, [*findings.whole_models, *findings.models][0], load())


def of_architecture(name: str) -> Outlook:
    """The outlook of a model of the atlas, whichever release wrote it."""
    ledger = load()
    files = [(name, writer) for writer in ledger.models[name]]
    return _measured(ATLAS, name, "a model of the atlas", files, ledger)


def _outlook(findings: Findings, model: Model, ledger: Ledger) -> Outlook:
    architecture = model.architecture or findings.metadata.get("architecture")
    first = f"the first of {len(findings.models)} models in it:" if findings.models[1:] else ""
    parts = [findings.kind, first, model.class_, architecture and f"({architecture})"]
    made = str(findings.writer or findings.metadata.get("writer", ""))
    holds = " ".join(filter(None, [*parts, made and f"made by timm {made}"]))
    models, kind = _in_place_of(findings, model, architecture, ledger)
    if not models:
        return Outlook(
            GENERAL,
            findings.path,
            holds,
            ways=tuple(everyone(ledger)) if model.class_ else (),
            notes=(_unknown(model, architecture),),
        )
    can = _can_have_made(findings)
    files = [
        (name, writer) for name in models for writer in _writers(can, ledger.models[name], ledger)
    ]
    return _measured(kind, findings.path, holds, files, ledger, ALL if model.class_ else WEIGHTS)


def _in_place_of(findings: Findings, model: Model, architecture: str | None, ledger: Ledger):
    """The measured models that speak for a file's, and how near they are."""
    if architecture in ledger.models:
        return [architecture], ATLAS
    if not model.class_.startswith("timm."):
        return [], GENERAL
    inside = (name.name for name in findings.names if name.name.startswith("timm."))
    alike = kin.most_alike(_last(model.class_), map(_last, inside))
    return [name for name in alike if name in ledger.models], NEAR


def _last(dotted: str) -> str:
    return dotted.rpartition(".")[2]


def _unknown(model: Model, architecture: str | None) -> str:
    if model.class_.startswith("timm."):
        return "no model of this class was measured; the figures are those of all that were."
    if model.class_:
        return (
            f"{model.class_} is no class of timm's: the file is tied to the code that "
            "defines it too. The figures are those of timm's models."
        )
    named = f" {architecture}" if architecture else ""
    return (
        f"it holds weights alone, which no change of a class can break. Whether the architecture"
        f"{named} changed under them is not told by the file; for a model of the atlas ask for "
        "its name, for example: missing-aa explain dpn68"
    )


def _can_have_made(findings: Findings) -> list[str]:
    """The releases that can have made a file, by its own evidence or by what a rescue noted."""
    if findings.writer:
        return list(findings.writer.releases)
    names = record.releases()
    ends = [
        names.index(word) for word in findings.metadata.get("writer", "").split() if word in names
    ]
    if not ends:
        return []
    return (
        names[ends[0] :]
        if "later" in findings.metadata["writer"]
        else names[ends[0] : ends[-1] + 1]
    )


def _writers(can: list[str], written: list[int], ledger: Ledger) -> list[int]:
    """The measured releases among those that can have made it; else the ones beside them."""
    known = record.releases()
    age = {number: known.index(ledger.releases[number]) for number in written}
    wanted = sorted(known.index(release) for release in can)
    if not wanted:
        return written
    inside = [number for number in written if age[number] in wanted]
    before = [number for number in written if age[number] < wanted[0]]
    after = [number for number in written if age[number] > wanted[-1]]
    return inside or [*before[-1:], *after[:1]]


def _measured(
    kind: str,
    file: str,
    holds: str,
    files: list[tuple[str, int]],
    ledger: Ledger,
    forms: tuple[str, ...] = ALL,
) -> Outlook:
    """The outlook that these files of the atlas give, (model, writer)."""
    cases = [
        Case(*one[:1], forms[0], one[1], _failing(*one, forms[0], ledger), "") for one in files
    ]
    name = file if file.isprintable() and file not in ledger.models else FILE
    notes = () if kind == ATLAS else (STANDS_IN,)
    return Outlook(
        kind,
        file,
        holds,
        {form: fates(form, files, ledger) for form in forms},
        _here(forms, files, ledger),
        tuple(ways(Error(OTHER), cases, ledger, name)) if forms[0] == "whole" else (),
        notes + silent(cases, ledger),
    )


def _failing(model: str, writer: int, form: str, ledger: Ledger) -> frozenset[int]:
    """The readers that fail on a file; the newest where none does."""
    readers = range(ledger.newest + 1)
    failing = {reader for reader in readers if not ledger.works(model, form, writer, reader)}
    return frozenset(failing or {ledger.newest})


def _here(forms: tuple[str, ...], files: list[tuple[str, int]], ledger: Ledger) -> str:
    """What to expect of the timm that is installed, by itself or by the measured ones beside it."""
    try:
        version = metadata.version("timm")
    except metadata.PackageNotFoundError:
        return ""
    known = record.releases()
    if version not in known:
        return f"timm {version} is installed, which is not among the releases that are known here."
    at, ages = known.index(version), [known.index(release) for release in ledger.releases]
    before = [reader for reader, age in enumerate(ages) if age <= at]
    after = [reader for reader, age in enumerate(ages) if age >= at]
    readers = {*before[-1:], *after[:1]}
    measured = "" if len(readers) == 1 else ", which was not measured itself, but its neighbours"
    expected = []
    for form in forms:
        met = {
            words(ledger.outcome(model, form, writer, reader))
            for model, writer in files
            for reader in readers
        }
        expected.append(f"{FORMS[form]}: {' or '.join(sorted(met, reverse=True))}")
    return f"timm {version} is installed{measured}. {'. '.join(expected)}."
