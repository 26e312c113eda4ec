"""The figures of lesson 07: who reads what which release wrote, and how long a file lives.

Each function takes measured cells and returns a figure and its text alternative, made from what is
drawn. Writers are rows, readers columns, both from the oldest to the newest.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from helpers.plots import BLACK, BLUE, ORANGE, SKY, VERMILION, figure, style
from missing_aa.matrix.cells import (
    DIFFERENT,
    ERROR,
    FORMATS,
    NO_MODEL,
    NOT_WRITTEN,
    OK,
    Cell,
    Outcome,
)
from missing_aa.matrix.summary import by_pair, by_years, share, upgrades

FEW = 12
"""Releases up to which a cell has room for a label."""

FINE, SILENT, NOTHING = "the writer's output", "another output, no error", "nothing to compare"
Frame = tuple[str, str, str, str]
"""Squares to point out: from which writer to which, from which reader to which."""

LOAD, FORWARD, OTHER = "error on load", "error on forward", "another error"
# From light to dark, so that they can be told apart without colours too.
KINDS = {
    FINE: "#e3eef5",
    NOTHING: "#c4c4c4",
    LOAD: ORANGE,
    FORWARD: VERMILION,
    OTHER: BLUE,
    SILENT: BLACK,
}


def what_happened(
    cells: Sequence[Cell],
    releases: Sequence[str],
    forms: Sequence[str],
    frames: Sequence[Frame] = (),
) -> tuple[Figure, str]:
    """What each release met in the files of each other one: one model, a panel for each format.

    Frames are drawn in every panel.

    Raises ValueError for cells of no model, or of several.
    """
    models = {cell.model for cell in cells}
    if len(models) != 1:
        raise ValueError(f"cells of one model are drawn here, and these are of {len(models)}")
    (model,) = models
    met = {(c.format, c.writer, c.reader): c.outcome for c in cells}
    fig, panels = _panels(releases, forms)
    names = list(KINDS)
    colours = ListedColormap(list(KINDS.values()))
    told, seen = [], set()
    with style():
        for axes, form in zip(panels, forms, strict=True):
            outcomes = [[met.get((form, w, r)) for r in releases] for w in releases]
            kinds = [[kind_of(outcome) for outcome in row] for row in outcomes]
            numbers = np.array([[names.index(kind) for kind in row] for row in kinds])
            _draw(axes, numbers, colours, len(names) - 1)
            if len(releases) <= FEW:
                _label(
                    axes, [[_words(outcome) for outcome in row] for row in outcomes], numbers > 2
                )
            _frame(axes, releases, frames)
            seen |= {kind for row in kinds for kind in row}
            told.append(f"{form}: {_count(releases, kinds, outcomes)}")
        patches = [Patch(color=KINDS[kind], label=kind) for kind in KINDS if kind in seen]
        columns = 1 + len(forms)
        fig.legend(handles=patches, ncols=columns, loc="outside lower center", fontsize=10)
        fig.suptitle(f"{model}: what a reader met")
    told = " ".join(told) + _framed(frames)
    return fig, f"Writers by readers, {len(releases)} releases, {model}. {told}"


def kind_of(outcome: Outcome | None) -> str:
    """One of KINDS."""
    if outcome is None or outcome.result in (NO_MODEL, NOT_WRITTEN):
        return NOTHING
    if outcome.result in (OK, DIFFERENT):
        return FINE if outcome.result == OK else SILENT
    return {"load": LOAD, "forward": FORWARD}.get(outcome.where, OTHER)


def _words(outcome: Outcome | None) -> str:
    """What stands in a cell: the error's class, or how far an output is off."""
    if outcome is None or outcome.result == NOT_WRITTEN:
        return "–"
    if outcome.result == DIFFERENT:
        return "shape" if outcome.difference is None else f"{outcome.difference:.1%}"
    if outcome.result == ERROR:
        return re.sub("(?<=[a-z])(?=[A-Z])", "\n", outcome.error)
    return {NO_MODEL: "no\nmodel"}.get(outcome.result, outcome.result)


def _count(releases: Sequence[str], kinds: list[list[str]], outcomes: list[list]) -> str:
    """How many pairs met what, and which ones, where they are few."""
    pairs = defaultdict(list)
    for writer, row, met in zip(releases, kinds, outcomes, strict=True):
        for reader, kind, outcome in zip(releases, row, met, strict=True):
            error = f" ({outcome.error})" if outcome and outcome.error else ""
            pairs[kind + error].append(f"{writer} read by {reader}")
    notes = []
    for kind, those in sorted(pairs.items()):
        which = f": {', '.join(those)}" if len(those) <= FEW and kind != FINE else ""
        notes.append(f"{kind} in {len(those)} of {len(releases) ** 2} pairs{which}")
    return f"{'; '.join(notes)}."


def survival(
    cells: Sequence[Cell],
    releases: Sequence[str],
    forms: Sequence[str],
    frames: Sequence[Frame] = (),
) -> tuple[Figure, str]:
    """The share of models that give the writer's output, pair by pair: a panel for each format.

    A line marks the diagonal; frames are drawn in every panel.
    """
    fig, panels = _panels(releases, forms)
    told = []
    with style():
        for axes, form in zip(panels, forms, strict=True):
            pairs = by_pair(cells, form)
            shares = [[float(pairs.get((w, r), "nan")) for r in releases] for w in releases]
            shares = np.ma.masked_invalid(shares)
            mesh = _draw(axes, shares, "Blues_r", 1)  # pale is fine, as in the other figures
            axes.plot([0, len(releases)], [0, len(releases)], color=VERMILION, linewidth=0.8)
            _frame(axes, releases, frames)
            if len(releases) <= FEW:
                texts = [
                    ["–" if value is np.ma.masked else f"{100 * value:.0f}" for value in row]
                    for row in shares
                ]
                _label(axes, texts, shares.filled(0) < 0.5)
            told.append(_upgrades_and_downgrades(form, cells, releases))
        fig.colorbar(mesh, ax=panels, label="share of models", format=lambda x, _: f"{x:.0%}")
        fig.suptitle("Models that give the writer's output")
    return fig, f"Writers by readers, {len(releases)} releases. {' '.join(told)}{_framed(frames)}"


def _upgrades_and_downgrades(form: str, cells: Sequence[Cell], releases: Sequence[str]) -> str:
    these = [cell for cell in cells if cell.format == form]
    up, down = share(upgrades(these, releases)), share(upgrades(these, releases[::-1]))
    return f"{form}: {up} survive in a newer reader, {down} in an older one."


def survival_by_years(
    cells: Sequence[Cell], releases: Sequence[str], forms: Sequence[str]
) -> tuple[Figure, str]:
    """The share of files that a newer release reads, by whole years between the two."""
    fig = figure(8, 3.6)
    newer = upgrades(cells, releases)
    groups = {form: by_years(newer, form) for form in forms}
    years = sorted({year for shares in groups.values() for year in shares})
    width = 0.84 / len(forms)
    notes = []
    with style():
        axes = fig.subplots()
        colours = zip(forms, (VERMILION, BLUE, SKY), strict=False)
        for place, (form, colour) in enumerate(colours):
            values = [100 * float(groups[form].get(year, "nan")) for year in years]
            left = [year + (place - (len(forms) - 1) / 2) * width for year in years]
            bars = axes.bar(left, values, 0.9 * width, color=colour, label=form)
            axes.bar_label(bars, fmt="%.3g", fontsize=8)
            told = ", ".join(f"{year} years {groups[form][year]}" for year in groups[form])
            notes.append(f"{form}: {told}")
        axes.set_xticks(years, [_between(year) for year in years])
        axes.set(
            title="Files that a newer release still reads",
            xlabel="years between the two releases",
            ylabel="share with the writer's output (%)",
            ylim=(0, 112),
        )
        fig.legend(ncols=len(forms), loc="outside lower center")
    return fig, f"Files that a newer release reads, by years between. {'; '.join(notes)}."


def _between(year: int) -> str:
    return f"{year} – {year + 1}" if year else "less than 1"


def _panels(releases: Sequence[str], forms: Sequence[str]) -> tuple[Figure, list[Axes]]:
    """A figure with an empty square grid for each format."""
    few = len(releases) <= FEW
    side = 0.95 + 0.62 * len(releases) if few else 4.6
    fig = figure(side * len(forms) + 1, side + 0.9)
    with style():
        panels = list(fig.subplots(1, len(forms), sharey=True, squeeze=False)[0])
        for axes, form in zip(panels, forms, strict=True):
            places = np.arange(len(releases)) + 0.5
            size = {"fontsize": 9 if few else 7}
            axes.set_xticks(places, releases, rotation=45 if few else 90, **size)
            axes.set_yticks(places, releases, **size)
            axes.set(title=form, xlabel="read by")
            axes.set_aspect("equal")
        panels[0].set_ylabel("written by")
        panels[0].invert_yaxis()
    return fig, panels


def _draw(axes: Axes, values: np.ndarray, colours, most: float) -> ScalarMappable:
    """Squares with white gaps between them; what is masked stays empty."""
    gap = 1.5 if len(values) <= FEW else 0.3
    return axes.pcolormesh(values, cmap=colours, vmin=0, vmax=most, edgecolors="w", linewidth=gap)


def _label(axes: Axes, texts: list[list[str]], dark: np.ndarray) -> None:
    for row, line in enumerate(texts):
        for column, text in enumerate(line):
            colour = "white" if dark[row, column] else BLACK
            place = {"ha": "center", "va": "center", "fontsize": 8, "color": colour}
            axes.text(column + 0.5, row + 0.5, text, **place)


def _frame(axes: Axes, releases: Sequence[str], frames: Sequence[Frame]) -> None:
    for frame in frames:
        top, bottom, left, right = map(releases.index, frame)
        size = right - left + 1, bottom - top + 1
        axes.add_patch(
            Rectangle((left, top), *size, fill=False, edgecolor=BLACK, linewidth=2, clip_on=False)
        )


def _framed(frames: Sequence[Frame]) -> str:
    def span(first: str, last: str) -> str:
        return first if first == last else f"{first} to {last}"

    spans = [f"{span(*frame[:2])} read by {span(*frame[2:])}" for frame in frames]
    return f" Framed: {'; '.join(spans)}." if spans else ""


def pair(cells: Sequence[Cell], writer: str, reader: str) -> tuple[Figure, str]:
    """What all models met between two releases: a bar for each format, in the order of KINDS."""
    met = defaultdict(Counter)
    for cell in cells:
        if (cell.writer, cell.reader) == (writer, reader):
            met[cell.format][kind_of(cell.outcome)] += 1
    forms = [form for form in FORMATS if met[form]]
    fig = figure(8, 2.9)
    notes = []
    with style():
        axes = fig.subplots()
        for place, form in enumerate(forms):
            left = 0
            for kind, colour in KINDS.items():
                if count := met[form][kind]:
                    axes.barh(place, count, left=left, color=colour, edgecolor="white")
                    left += count
            counts = ", ".join(f"{kind} {met[form][kind]}" for kind in KINDS if met[form][kind])
            notes.append(f"{form}: {counts}")
        seen = [kind for kind in KINDS if any(met[form][kind] for form in forms)]
        patches = [Patch(color=KINDS[kind], label=kind) for kind in seen]
        if patches:
            fig.legend(handles=patches, ncols=3, loc="outside lower center", fontsize=10)
        axes.set_yticks(range(len(forms)), forms)
        axes.set(title=f"Written by {writer}, read by {reader}", xlabel="models")
        axes.invert_yaxis()
    what = "; ".join(notes) or "nothing was measured"
    return fig, f"Models written by {writer} and read by {reader}. {what}."
