"""Say of a checkpoint what the releases of timm make of it; nothing of it is run."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from itertools import groupby

from missing_aa.checker.check import Check, check
from missing_aa.checker.findings import Finding
from missing_aa.checker.ways import ways as check_ways
from missing_aa.containers import formats
from missing_aa.errors import CheckpointError, Refused
from missing_aa.explainer import model_classes
from missing_aa.explainer.advice import RESCUE
from missing_aa.explainer.answers import ATLAS, GENERAL, NEAR, WIDTH, headed, silent, ways_lines
from missing_aa.explainer.cases import Case, Ledger
from missing_aa.explainer.errors import OTHER, Error
from missing_aa.explainer.kinds import of_cell
from missing_aa.explainer.ledger import load
from missing_aa.explainer.remedies import ADVICE, FILE, Way, everyone, ways
from missing_aa.inspector import Findings, Model, inspect
from missing_aa.limits import DEFAULT, Limits
from missing_aa.matrix.cells import DIFFERENT, NO_MODEL, OK, Outcome
from missing_aa.matrix.cells import ERROR as RAISED
from missing_aa.provenance import class_record
from missing_aa.text import clean, clean_all, in_words

CHANGED = "another output"
WORDS = {
    OK: "the writer's output",
    DIFFERENT: CHANGED,
    NO_MODEL: "has no such model",
}
MOST = 6
"""Fates that are told to a person."""

FORMS = {
    "whole": "The file as it is",
    "state_dict": "Its state_dict, loaded strictly",
    "rescued": "Its rescued weights, through the reader's own filter",
}


@dataclass(frozen=True)
class Stretch:
    """What consecutive readers make of the file in a format."""

    readers: str
    result: str


@dataclass(frozen=True)
class Fate:
    """What becomes of a model's files by these writers."""

    models: str
    writers: str
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True)
class Outlook:
    """What each measured release makes of a file.

    `kind` is one of answers.KINDS. `formats` has, for each format, what became of those that were
    measured in its place. `here` is the same for the timm that is installed. `answer` is what
    `check` says of it in this environment, "" for weights alone, and `missing` what it will miss.
    """

    kind: str
    file: str
    holds: str
    formats: dict[str, tuple[Fate, ...]] = field(default_factory=dict)
    here: str = ""
    ways: tuple[Way, ...] = ()
    notes: tuple[str, ...] = ()
    answer: str = ""
    missing: tuple[str, ...] = ()

    def as_dict(self) -> dict:
        """Plain values for JSON; docs/reference/explain.md has the schema."""
        return clean_all(asdict(self))

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """The outlook for a person, in lines of so many columns."""
        yield clean(f"{self.file}: {self.holds}", 1000)
        if self.answer:
            yield from headed(
                "In this environment (from source lines, as check reads them)", self.answer, width
            )
        for one in self.missing[:MOST]:
            yield clean(f"  {one}", 400)
        for form, found in self.formats.items():
            yield ""
            yield f"{FORMS[form]} (measured cells):"
            for fate in found[:MOST]:
                yield f"  {fate.models}, written by {fate.writers}, is read by"
                wide = max(len(stretch.readers) for stretch in fate.stretches)
                for stretch in fate.stretches:
                    yield clean(f"    {stretch.readers:<{wide}}  {stretch.result}", 400)
            if len(found) > MOST:
                yield f"  and {len(found) - MOST} other fates; --json has them all"
        if self.here:
            yield ""
            yield from headed("Here", self.here, width)
        yield from ways_lines(self.ways, width)
        for note in self.notes:
            yield ""
            yield from headed("Note", note, width)


def fates(form: str, files: Iterable[tuple[str, int]], ledger: Ledger) -> tuple[Fate, ...]:
    """What becomes of these files, (model, writer), in a format; together what has one fate."""
    alike = defaultdict(list)
    for model, writer in files:
        met = [
            ledger.outcome(model, form, writer, reader) for reader in range(len(ledger.releases))
        ]
        alike[tuple(map(words, met))].append((model, writer, met))
    return tuple(
        _fate(those, results, ledger.releases)
        for results, those in sorted(alike.items(), key=lambda item: -len(item[1]))
    )


def _fate(those: list[tuple], results: tuple[str, ...], releases: list[str]) -> Fate:
    found, start = [], 0
    for result, group in groupby(results):
        end = start + len(list(group))
        if result == CHANGED:
            off = [met[at].difference for *_, met in those for at in range(start, end)]
            result += f", up to {max(off):.1%} off" if all(off) else ", of another shape"
        found.append(Stretch(in_words(range(start, end), releases), result))
        start = end
    models = ", ".join(dict.fromkeys(model for model, *_ in those))
    writers = in_words({writer for _, writer, _ in those}, releases)
    return Fate(models, writers, tuple(found))


def words(outcome: Outcome | None) -> str:
    """What a reader met, in words."""
    if outcome is None:
        return "not measured"
    if outcome.result == RAISED:
        return f"{of_cell(outcome.error, outcome.text)} ({outcome.where})"
    return WORDS.get(outcome.result) or f"its process {outcome.result}"


ALL = tuple(FORMS)
WEIGHTS = ("state_dict",)


STANDS_IN = (
    "the architecture itself was not measured. What stands in for it is of the same class, and "
    "shares most classes inside."
)


def explain_file(path: str | os.PathLike, limits: Limits = DEFAULT) -> Outlook:
    """The outlook of a checkpoint. Raises what `inspect` raises.

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
    outlook = _outlook(findings, [*findings.whole_models, *findings.models][0], load())
    if not findings.whole_models:
        return outlook
    checked = check(path, limits=limits)
    return replace(
        outlook,
        answer=f"{checked.answer}. Whether the output is what it was, no check can tell.",
        missing=tuple(dict.fromkeys(_missing(one) for one in checked.findings)),
        ways=outlook.ways or _ways_out(checked),
    )


def _missing(finding: Finding) -> str:
    sure = "" if finding.certain else "perhaps, "
    where = f", {finding.file}:{finding.line}" if finding.file else ""
    return f"{finding.text} ({sure}{finding.when}{where})"


def _ways_out(checked: Check) -> tuple[Way, ...]:
    """Those of `check`; where it found nothing, the weights, which are free of the code."""
    found = tuple(Way(ADVICE, one.text, one.commands) for one in check_ways(checked))
    return found or (RESCUE,)


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
            ways=tuple(everyone(ledger)) if model.class_.startswith("timm.") else (),
            notes=(_unknown(model, architecture),),
        )
    can = _can_have_made(findings)
    files = [
        (name, writer) for name in models for writer in _writers(can, ledger.models[name], ledger)
    ]
    return _measured(kind, findings.path, holds, files, ledger, ALL if model.class_ else WEIGHTS)


def _in_place_of(findings: Findings, model: Model, architecture: str | None, ledger: Ledger):
    """The measured models that speak for a file's, and how near they are."""
    if architecture in ledger.models and (not model.class_ or model.class_.startswith("timm.")):
        return [architecture], ATLAS
    if not model.class_.startswith("timm."):
        return [], GENERAL
    inside = (name.name for name in findings.names if name.name.startswith("timm."))
    alike = model_classes.most_alike(_last(model.class_), map(_last, inside))
    return [name for name in alike if name in ledger.models], NEAR


def _last(dotted: str) -> str:
    return dotted.rpartition(".")[2]


def _unknown(model: Model, architecture: str | None) -> str:
    if model.class_.startswith("timm."):
        return "no model of this class was measured; the figures are those of all that were."
    if model.class_:
        return (
            f"{model.class_} is no class of timm's: the file is tied to the code that "
            "defines it, and the atlas measured nothing of it."
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
    names = class_record.releases()
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
    known = class_record.releases()
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
    known = class_record.releases()
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
