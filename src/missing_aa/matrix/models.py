"""Which models and which releases a matrix is measured for."""

import difflib
from collections.abc import Callable
from concurrent.futures import Future
from importlib.resources import files

from missing_aa import releases
from missing_aa.errors import UsageProblem
from missing_aa.matrix import tasks
from missing_aa.releases.processes import Trials


def known_models() -> dict[str, int]:
    """The models of the atlas and the size of the picture for each, pixels."""
    lines = files("missing_aa.matrix").joinpath("models.txt").read_text("utf-8").splitlines()
    rows = (line.split() for line in lines if not line.startswith("#"))
    return {name: int(size) for name, size, _ in rows}


def sizes(models: list[str], among: list[str]) -> dict[str, int]:
    """The size of the picture for each of these models, pixels.

    One that is not of the atlas is tried in these releases. Raises UsageProblem for one that none
    of them has.
    """
    known = known_models()
    strange = [model for model in models if model not in known]
    if strange:
        with Trials() as trials:
            runs = {
                model: [_try(trials, one, tasks.smallest_picture, model) for one in among]
                for model in strange
            }
            known |= {model: max(run.result() for run in tried) for model, tried in runs.items()}
    for model in models:
        if not known[model]:
            near = difflib.get_close_matches(model, [name for name in known if known[name]], 3)
            raise UsageProblem(
                f"no model {model!r} runs in any of {', '.join(among)}"
                + (f"; the nearest here are {', '.join(near)}" if near else "")
            )
    return {model: known[model] for model in models}


def importable() -> tuple[list[str], list[str]]:
    """Of all recorded releases those that this Python can import, and the others.

    Fetches them. Some of 2022 have a dataclass that Python 3.11 and later refuse.
    """
    with Trials() as trials:
        runs = {one: _try(trials, one, _import) for one in releases.KNOWN}
        failed = [release for release, run in runs.items() if run.exception()]
    return [release for release in runs if release not in failed], failed


def _try(trials: Trials, release: str, function: Callable, *args) -> Future:
    releases.fetch(release)
    return trials.under(release, function, *args)


def _import() -> None:
    import timm  # noqa: F401
