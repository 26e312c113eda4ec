"""Choose the models of the atlas: `python -m helpers.matrix.choose` writes models.txt.

Of every model file that any release had, one small architecture: of those that the most releases
have, the one with the fewest parameters. Its picture is the smallest that it takes, perturbed, in
the oldest and in the newest release that have it.
"""

from collections import Counter
from pathlib import Path

from helpers import releases
from helpers.checkpoints.survey import TRIED, parameters, size_by_name
from helpers.matrix import tasks
from helpers.trials import SUGGESTED, Trials

TARGET = Path(__file__).with_name("models.txt")
HEADER = """\
# The models of the atlas: name, size of the picture in pixels, parameters.
# Made by: python -m helpers.matrix.choose
"""

VICTIMS = (*SUGGESTED, "mobilenetv2_100", "mobilenetv3_large_100", "resnetblur18", "dpn68")
"""Models that the lessons tell of, beside the smallest ones."""


def choose() -> list[tuple[str, int, int]]:
    """Name, size of the picture and parameters of each model, in the order of the names."""
    with Trials() as trials:
        runs = {release: trials.under(release, _names_by_file) for release in releases.KNOWN}
        files = {release: run.result() for release, run in runs.items() if run.exception() is None}
        having = {}
        for release, listed in files.items():
            for name in {name for names in listed.values() for name in names}:
                having.setdefault(name, []).append(release)
        wanted = [
            trials.under(having[names[0]][-1], _smallest, names)
            for names in _candidates(files, having)
        ]
        chosen = {run.result() for run in wanted} | set(VICTIMS)
        fits = {
            name: [trials.under(having[name][end], tasks.smallest_picture, name) for end in (0, -1)]
            for name in sorted(chosen)
        }
        found = []
        for name, (oldest, newest) in fits.items():
            count = trials.under(having[name][-1], parameters, name)
            if size := max(oldest.result(), newest.result()):
                found.append((name, size, count.result()))
    return found


def _candidates(files: dict[str, dict], having: dict[str, list]) -> list[list[str]]:
    """For each model file a few names that the most releases have, all of the newest of these."""
    union: dict[str, set[str]] = {}
    for listed in files.values():
        for file, names in listed.items():
            union.setdefault(file, set()).update(names)
    spread = Counter({name: len(those) for name, those in having.items()})
    few = []
    for names in union.values():
        most = max(spread[name] for name in names)
        best = sorted((n for n in names if spread[n] == most), key=size_by_name)
        newest = having[best[0]][-1]
        few.append([name for name in best if having[name][-1] == newest][:TRIED])
    return few


def _names_by_file() -> dict[str, list[str]]:
    import timm

    modules = getattr(timm, "list_modules", None) or timm.models.registry.list_modules
    return {file: names for file in modules() if (names := timm.list_models(module=file))}


def _smallest(names: list[str]) -> str:
    return min(names, key=parameters)


if __name__ == "__main__":
    rows = choose()
    lines = [f"{name} {size} {count}" for name, size, count in rows]
    TARGET.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(rows)} models, {sum(count for *_, count in rows) / 1e6:,.0f} million parameters")
