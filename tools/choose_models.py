"""Choose the models of the atlas: `python -m tools.choose_models` writes models.txt.

Of every model file that any release had, one small architecture: of those that nearly as many
releases have as any of the file, the one with the fewest parameters, and of equals the most
widespread. Its picture is the smallest that it takes, perturbed, in the oldest and in the newest
release that have it and can make it.
"""

from collections import defaultdict
from concurrent.futures import Future
from pathlib import Path

import missing_aa
from helpers.check_model import SUGGESTED
from missing_aa import releases
from missing_aa.matrix import tasks
from missing_aa.releases.processes import Trials
from tools.rescue_table import TRIED, parameters, size_by_name

TARGET = Path(missing_aa.__file__).parent / "matrix" / "models.txt"
HEADER = """\
# The models of the atlas: name, size of the picture in pixels, parameters.
# Made by: python -m tools.choose_models
"""

VICTIMS = (
    *SUGGESTED,
    *("mobilenetv2_100", "mobilenetv3_large_100", "resnetblur18", "dpn68", "vit_tiny_patch16_224"),
    "beit_base_patch16_224",
)
"""Models that the lessons or public reports tell of, beside the smallest ones."""

SPREAD = 0.8
"""A model is in at least this share of the releases that the most widespread one has."""


def choose() -> list[tuple[str, int, int]]:
    """Name, size of the picture and parameters of each model, in the order of the names."""
    with Trials() as trials:
        runs = {release: trials.under(release, _names_by_file) for release in releases.KNOWN}
        listed = {one: run.result() for one, run in runs.items() if run.exception() is None}
        having = defaultdict(list)
        for release, files in listed.items():
            for name in {name for names in files.values() for name in names}:
                having[name].append(release)
        newest = {name: those[-1] for name, those in having.items()}
        oldest = {name: those[0] for name, those in having.items()}

        few = _candidates(listed, having)
        tried = sorted({name for names in few for name in names} | set(VICTIMS))
        counts = _in_release(trials, parameters, tried, newest)
        smallest = {min(names, key=lambda one: (counts[one], -len(having[one]))) for names in few}
        chosen = sorted(smallest | set(VICTIMS))
        sizes = [
            _in_release(trials, tasks.smallest_picture, chosen, when) for when in (oldest, newest)
        ]
    return [
        (name, max(size[name] for size in sizes), counts[name])
        for name in chosen
        if any(size[name] for size in sizes)
    ]


def _candidates(listed: dict[str, dict], having: dict[str, list]) -> list[list[str]]:
    """For each model file the few widespread names that speak of the smallest sizes."""
    files: dict[str, set[str]] = defaultdict(set)
    for by_file in listed.values():
        for file, names in by_file.items():
            files[file] |= set(names)
    few = []
    for names in files.values():
        most = max(len(having[name]) for name in names)
        spread = [name for name in names if len(having[name]) >= SPREAD * most]
        few.append(sorted(spread, key=size_by_name)[:TRIED])
    return few


def _in_release(trials: Trials, function, names: list[str], release: dict[str, str]) -> dict:
    """Name -> `function(name)`, each under its release; a process for each release."""
    by_release = defaultdict(list)
    for name in names:
        by_release[release[name]].append(name)
    runs: list[Future] = [
        trials.under(one, _each, function, those) for one, those in by_release.items()
    ]
    return {name: value for run in runs for name, value in run.result().items()}


def _each(function, names: list[str]) -> dict:
    return {name: function(name) for name in names}


def _names_by_file() -> dict[str, list[str]]:
    import timm

    modules = getattr(timm, "list_modules", None) or timm.models.registry.list_modules
    return {file: names for file in modules() if (names := timm.list_models(module=file))}


if __name__ == "__main__":
    rows = choose()
    lines = [f"{name} {size} {count}" for name, size, count in rows]
    TARGET.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(rows)} models, {sum(count for *_, count in rows) / 1e6:,.0f} million parameters")
