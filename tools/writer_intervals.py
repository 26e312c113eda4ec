"""How well a file shows which timm made it: `python -m tools.writer_intervals`.

Every published release writes the architectures below whole, in a process of its own; each file is
inspected, and the releases that can have made it are compared with the one that did.
"""

import dataclasses
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

from missing_aa import releases
from missing_aa.inspector import inspect
from missing_aa.provenance.writer import Writer
from missing_aa.releases.processes import Trials

HEAD = """\
# Which timm wrote this file?

What `missing-aa inspect` says of whole models that every published release wrote, against the
release that did. Made by `python -m tools.writer_intervals`.
"""

ARCHITECTURES = ("resnet18", "regnetx_002", "vit_tiny_patch16_224")


def measure() -> dict[str, dict[str, Writer]]:
    """Release -> architecture -> what the file shows of its writer."""
    for release in releases.KNOWN:
        releases.fetch(release)
    with tempfile.TemporaryDirectory(prefix="missing-aa-") as folder, Trials() as trials:
        runs = {
            release: trials.under(release, _write, f"{folder}/{release}")
            for release in releases.KNOWN
        }
        for run in runs.values():
            run.result()
        return {
            release: {
                name: inspect(Path(folder, f"{release}-{name}.pt")).writer for name in ARCHITECTURES
            }
            for release in runs
        }


def _write(path: str) -> None:
    try:
        import timm
    except ValueError:
        _let_defaults_be_shared()
        import timm
    import torch

    for name in ARCHITECTURES:
        torch.save(timm.create_model(name), f"{path}-{name}.pt")


def _let_defaults_be_shared() -> None:
    """Some releases of 2022 use as default of a dataclass what Python 3.11 refuses there."""
    dataclasses.dataclass = partial(dataclasses.dataclass, unsafe_hash=True)
    for module in [name for name in sys.modules if name.partition(".")[0] == "timm"]:
        del sys.modules[module]


def table(measured: dict[str, dict[str, Writer]]) -> str:
    """The measurement in Markdown: an interval per file, then how often right and how wide."""
    lines = [
        HEAD,
        *(f"- {line}" for line in _summary(measured)),
        "",
        f"| written by | {' | '.join(ARCHITECTURES)} |",
        "|---" * (len(ARCHITECTURES) + 1) + "|",
    ]
    for release, found in measured.items():
        cells = [
            f"{writer}{'' if release in writer.releases else ' **wrong**'}"
            for writer in found.values()
        ]
        lines.append(f"| {release} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _summary(measured: dict[str, dict[str, Writer]]):
    for name in ARCHITECTURES:
        right = sum(release in found[name].releases for release, found in measured.items())
        widths = [len(found[name].releases) for found in measured.values()]
        yield (
            f"{name}: the true release lies inside {right} of {len(measured)} intervals; an "
            f"interval holds {median(widths):g} of {len(releases.KNOWN)} releases in the median, "
            f"{min(widths)} to {max(widths)}"
        )


if __name__ == "__main__":
    print(table(measure()))
