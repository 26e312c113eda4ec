"""The ways out of an error, in the order in which the atlas shows them to work."""

import os
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from missing_aa.explainer.cases import Case, Ledger, is_upgrade
from missing_aa.explainer.errors import ATTRIBUTE, LOOKUP, MODULE, Error
from missing_aa.matrix.summary import Share

RESCUE, READER, WRITER, PATCH, ADVICE = "rescue", "reader", "writer", "patch", "advice"
FILE = "model.pt"
"""What stands in a command for the file that nobody named."""


@dataclass(frozen=True)
class Way:
    """A way out: `kind`, what to do, the lines that do it, and how often it gave the right output.

    `release` is the reader of `share`; `there` the share in the readers that fail.
    """

    kind: str
    text: str
    commands: tuple[str, ...] = ()
    release: str = ""
    share: Share | None = None
    there: Share | None = None


def ways(error: Error, cases: list[Case], ledger: Ledger, file: str = FILE) -> list[Way]:
    """The ways for the files of these cases; those that never work are left out."""
    found = [_rescue(cases, ledger, file), _reader(cases, ledger)]
    if any(case.format == "whole" for case in cases):
        found.append(_writer(cases, ledger, file))
    found = [way for way in found if way.share and way.share.ok]
    found.sort(key=lambda way: -round(float(way.share or 0), 2))
    return [*found, *_patch(error, cases)]


def everyone(
    ledger: Ledger, models: Iterable[str] | None = None, format: str = "whole"
) -> list[Way]:
    """The general ways, with what they come to for all that was measured of some or all models."""
    files = [
        Case(model, format, writer, frozenset({ledger.newest}), "")
        for model in (ledger.models if models is None else models)
        for writer in ledger.models.get(model, ())
    ]
    by_writer = [_writer(files, ledger, FILE)] if format == "whole" else []
    return [_rescue(files, ledger, FILE), *by_writer]


def _rescue(cases: list[Case], ledger: Ledger, file: str) -> Way:
    source, stem = shlex.quote(file), os.path.splitext(file)[0]
    # Weights do not say what they are of.
    named = "" if any(case.format == "whole" for case in cases) else " --architecture NAME"
    return Way(
        RESCUE,
        "Take the weights out of the file, without running any of it, into a folder that the "
        "newest timm loads, through its own filter for old weights.",
        (
            f"missing-aa rescue {source} {shlex.quote(stem)} --format timm{named}",
            f"timm.create_model({f'local-dir:{stem}'!r}, pretrained=True)",
            f"missing-aa rescue {source} {shlex.quote(f'{stem}.safetensors')}"
            "   # or the weights alone, without timm",
        ),
        ledger.releases[ledger.newest],
        ledger.share("rescued", at_newest(cases, ledger)),
        ledger.share("rescued", _there(cases)),
    )


def _writer(cases: list[Case], ledger: Ledger, file: str) -> Way:
    return Way(
        WRITER,
        "If you trust the file: load it with the release that wrote it, and save the weights "
        "alone.",
        (
            f"missing-aa inspect {shlex.quote(file)}   # says which release that can be",
            f"model = torch.load({file!r}, weights_only=False)",
            'torch.save(model.state_dict(), "weights.pt")',
        ),
        ledger.releases[ledger.newest],
        ledger.share("state_dict", at_newest(cases, ledger)),
        ledger.share("state_dict", _there(cases)),
    )


def _reader(cases: list[Case], ledger: Ledger) -> Way:
    """The newest release in which most of these files work as they are; if there are, a later one.

    Later than all that fail.
    """
    works = {
        reader: sum(ledger.works(case.model, case.format, case.writer, reader) for case in cases)
        for reader in range(ledger.newest, -1, -1)
    }
    failing = max(reader for case in cases for reader in case.readers)
    later = {reader: ok for reader, ok in works.items() if reader > failing and ok}
    best = max(later or works, key=works.__getitem__)  # of several the first, and so the newest
    share = Share(works[best], len(cases))
    release = ledger.releases[best]
    return Way(
        READER,
        f"Read the file as it is with timm {release}.",
        (f"pip install timm=={release}",),
        release,
        share,
    )


def at_newest(cases: Iterable[Case], ledger: Ledger) -> list[tuple[str, int, int]]:
    """Each file once, with the newest release as its reader."""
    files = dict.fromkeys((case.model, case.writer) for case in cases)
    return [(*one, ledger.newest) for one in files]


def _there(cases: Iterable[Case]) -> list[tuple[str, int, int]]:
    return [(case.model, case.writer, reader) for case in cases for reader in case.readers]


def _patch(error: Error, cases: list[Case]) -> list[Way]:
    if not is_upgrade(cases):
        return []
    if error.kind == ATTRIBUTE:
        return [
            Way(
                PATCH,
                f"For the authors of a library: give old objects the attribute in `__setstate__`, "
                f"or read it with `getattr(self, '{error.name}', None)`. Not with a default on the "
                "class, which would hide a registered submodule.",
            )
        ]
    if error.kind in (MODULE, LOOKUP):
        return [
            Way(
                PATCH,
                "For the authors of a library: let the old name lead to the new place, in a module "
                "at the old path.",
            )
        ]
    return []
