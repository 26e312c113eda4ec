"""The figures of lesson 07: who reads what which release wrote, and how long a file lives.

Each function takes measured cells and returns a figure and its text alternative, made from what is
drawn. Writers are rows, readers columns, both from the oldest to the newest.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke

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

Frames = Sequence[Frame] | Mapping[str, Frame]
"""Frames, or a few words to write above each of them."""

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
    frames: Frames = (),
) -> tuple[Figure, str]:
    """What each release met in the files of each other one: one model, a panel for each format.

    In few squares stands what each met, in large fields of many which attribute was missing. Frames
    are drawn in every panel.

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
    described, seen = [], set()
    with style():
        for axes, form in zip(panels, forms, strict=True):
            outcomes = [[met.get((form, w, r)) for r in releases] for w in releases]
            kinds = [[kind_of(outcome) for outcome in row] for row in outcomes]
            numbers = np.array([[names.index(kind) for kind in row] for row in kinds])
            _draw(axes, numbers, colours, len(names) - 1)
            if len(releases) <= FEW:
                texts = [[_words(outcome) for outcome in row] for row in outcomes]
                _label(axes, texts, numbers > 2)
            else:
                lacks = [[_lack(outcome) for outcome in row] for row in outcomes]
                _label_fields(axes, lacks, numbers == names.index(FINE), releases)
                squares = [[(kind_of(one), _lack(one)) for one in row] for row in outcomes]
                _name_edges(axes, squares, releases)
            _frame(axes, releases, frames)
            seen |= {kind for row in kinds for kind in row}
            described.append(f"{form}: {_count(releases, kinds, outcomes)}")
        patches = [Patch(color=KINDS[kind], label=kind) for kind in KINDS if kind in seen]
        fig.legend(handles=patches, ncols=2, loc="outside lower center")
        fig.suptitle(f"{model}: what a reader met")
    described = " ".join(described) + _framed(frames)
    return fig, f"Writers by readers, {len(releases)} releases, {model}. {described}"


def _lack(outcome: Outcome | None) -> tuple[str, str]:
    """Class and missing attribute, where the text of an AttributeError names them."""
    found = re.match(r"'(\w+)' object has no attribute '(\w+)'", (outcome and outcome.text) or "")
    return found.groups() if found else ("", "")


AGAIN = "runs"
LETTER, LINE = 0.11, 0.21
"""Inches that a letter of a field's text takes in width, and a line in height."""


def _label_fields(
    axes: Axes, lacks: list[list[tuple]], fine: np.ndarray, releases: Sequence[str]
) -> None:
    """Write what is missing into the largest field of squares in which the same is, if it fits.

    Beside it stands AGAIN where the next reader runs these files.
    """
    square = axes.figure.get_figwidth() * 0.75 / len(lacks)
    look = {"ha": "center", "va": "center", "fontsize": 12, "weight": "bold"}
    for kind, attribute in sorted({lack for row in lacks for lack in row} - {("", "")}):
        mask = np.array([[lack == (kind, attribute) for lack in row] for row in lacks])
        left, top, width, height = _largest(mask)
        middle = left + width / 2, top + height / 2
        for text in (f"{kind}:\nno {attribute}", f"no {attribute}"):
            lines = text.split("\n")
            long, thick = max(map(len, lines)) * LETTER, len(lines) * LINE
            if width * square >= long and height * square >= thick:
                axes.text(*middle, text, color="white", **look)
                break
            if height * square >= long and width * square >= thick:
                axes.text(*middle, text, color="white", rotation=90, **look)
                break
        else:
            continue
        after = left + width
        again = [row for row in range(top, top + height) if fine[row, after : after + 1].any()]
        if again and len(again) * square >= len(AGAIN) * LETTER:
            place = after + 0.85 * LINE / square, (again[0] + again[-1] + 1) / 2
            axes.text(*place, AGAIN, rotation=90, color=BLACK, **look)


def _largest(mask: np.ndarray) -> tuple[int, int, int, int]:
    """The largest rectangle of a mask in which all is True: left, top, width, height."""
    best = (0, 0, 0, 0)
    rows, columns = mask.shape
    above = np.zeros(columns, int)
    for row in range(rows):
        above = np.where(mask[row], above + 1, 0)
        for left in range(columns):
            height = above[left]
            for right in range(left, columns):
                height = min(height, above[right])
                if height == 0:
                    break
                if height * (right - left + 1) > best[2] * best[3]:
                    best = (left, row - height + 1, right - left + 1, int(height))
    return best


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
    frames: Frames = (),
) -> tuple[Figure, str]:
    """The share of models that give the writer's output, pair by pair: a panel for each format.

    A line marks the diagonal; frames are drawn in every panel.
    """
    fig, panels = _panels(releases, forms)
    described = []
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
            described.append(_upgrades_and_downgrades(form, cells, releases))
        percent = {"format": lambda x, _: f"{x:.0%}", "ticks": [0, 0.25, 0.5, 0.75, 1]}
        below = {"location": "bottom", "fraction": 0.06, "aspect": 40}
        fig.colorbar(
            mesh, ax=panels, label="share of models that run as before", **percent, **below
        )
        fig.suptitle("Pale survives, dark is lost")
    return (
        fig,
        f"Writers by readers, {len(releases)} releases. {' '.join(described)}{_framed(frames)}",
    )


def _upgrades_and_downgrades(form: str, cells: Sequence[Cell], releases: Sequence[str]) -> str:
    these = [cell for cell in cells if cell.format == form]
    up, down = share(upgrades(these, releases)), share(upgrades(these, releases[::-1]))
    return f"{form}: {up} survive in a newer reader, {down} in an older one."


def survival_by_years(
    cells: Sequence[Cell], releases: Sequence[str], forms: Sequence[str]
) -> tuple[Figure, str]:
    """The share of files that a newer release reads, by whole years between the two."""
    fig = figure(6, 4.2)
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
            axes.bar_label(bars, fmt="%.0f", fontsize=11)
            described = ", ".join(
                f"{_between(year)}: {groups[form][year]}" for year in groups[form]
            )
            notes.append(f"{form}: {described}")
        axes.set_xticks(years, [_between(year) for year in years])
        axes.set(
            title="Files that a newer release still reads",
            xlabel="years between the two releases",
            ylabel="same output (%)",
            ylim=(0, 112),
        )
        fig.legend(ncols=len(forms), loc="outside lower center")
    return fig, f"Files that a newer release reads, by years between. {'; '.join(notes)}."


def _between(year: int) -> str:
    return f"{year} – {year + 1}" if year else "< 1"


def _panels(releases: Sequence[str], forms: Sequence[str]) -> tuple[Figure, list[Axes]]:
    """A figure with an empty square grid for each format, side by side.

    Of many releases the first of each series has the name of the series at the axis.
    """
    few = len(releases) <= FEW
    side = 5.6 / len(forms)
    if few:
        side = max(side, 1.1 + 0.88 * len(releases))
    fig = figure(max(6, side * len(forms)), side + (1.6 if few else 1.8))
    fig.get_layout_engine().set(wspace=0.1)
    with style():
        panels = list(fig.subplots(1, len(forms), sharey=True, squeeze=False)[0])
        for axes, form in zip(panels, forms, strict=True):
            axes.set(title=form, xlabel="read by")
            axes.set_aspect("equal")
            places, names = np.arange(len(releases)) + 0.5, list(releases)
            if not few:
                places, names = _series(releases, gap=2.2 * len(forms))
            axes.set_xticks(places, names, rotation=45 if few else 0)
            axes.set_yticks(places, names)
        panels[0].set_ylabel("written by")
        panels[0].invert_yaxis()
    return fig, panels


def _series(releases: Sequence[str], gap: float) -> tuple[list[float], list[str]]:
    """Where each series of releases begins, and its name; none nearer to another than `gap`."""
    begins: dict[str, float] = {}
    for at, name in enumerate(releases):
        series = ".".join(name.split(".")[:2])
        if series not in begins and all(at + 0.5 - other >= gap for other in begins.values()):
            begins[series] = at + 0.5
    names = {place: series for series, place in begins.items()}
    names[len(releases) - 0.5] = releases[-1]
    return list(names), list(names.values())


def _name_edges(axes: Axes, squares: list[list], releases: Sequence[str]) -> None:
    """At each edge of a field the release that begins there, and the newest; no name on another."""
    gap = 5 / axes.figure.get_figwidth()
    for axis, lines in ((axes.yaxis, squares), (axes.xaxis, list(zip(*squares, strict=True)))):
        newest = len(releases) - 1
        edges = [0, *(at for at in range(1, newest) if lines[at] != lines[at - 1])]
        kept: list[int] = []
        for at in edges:
            if newest - at >= gap and (not kept or at - kept[-1] >= gap):
                kept.append(at)
        kept.append(newest)
        names = [releases[at].removesuffix(".dev0") for at in kept]
        axis.set_ticks([at + 0.5 for at in kept], names)
    axes.tick_params("x", rotation=90)


def _draw(axes: Axes, values: np.ndarray, colours, most: float) -> ScalarMappable:
    """Squares with white gaps between them; what is masked stays empty."""
    gap = 1.5 if len(values) <= FEW else 0
    return axes.pcolormesh(values, cmap=colours, vmin=0, vmax=most, edgecolors="w", linewidth=gap)


def _label(axes: Axes, texts: list[list[str]], dark: np.ndarray) -> None:
    for row, line in enumerate(texts):
        for column, text in enumerate(line):
            colour = "white" if dark[row, column] else BLACK
            place = {"ha": "center", "va": "center", "fontsize": 12, "color": colour}
            axes.text(column + 0.5, row + 0.5, text, **place)


def _frame(axes: Axes, releases: Sequence[str], frames: Frames) -> None:
    named = frames if isinstance(frames, Mapping) else dict(enumerate(frames))
    for name, frame in named.items():
        top, bottom, left, right = map(releases.index, frame)
        size = right - left + 1, bottom - top + 1
        axes.add_patch(
            Rectangle((left, top), *size, fill=False, edgecolor=BLACK, linewidth=2, clip_on=False)
        )
        if isinstance(name, str):
            look = {"ha": "center", "va": "bottom", "fontsize": 12, "weight": "bold"}
            halo = [withStroke(linewidth=4, foreground="white")]
            axes.text(left + size[0] / 2, top - 0.3, name, path_effects=halo, **look)


def _framed(frames: Frames) -> str:
    def span(first: str, last: str) -> str:
        return first if first == last else f"{first} to {last}"

    named = frames if isinstance(frames, Mapping) else dict(enumerate(frames))
    spans = [
        f"{name}, " * isinstance(name, str) + f"{span(*frame[:2])} read by {span(*frame[2:])}"
        for name, frame in named.items()
    ]
    return f" Framed: {'; '.join(spans)}." if spans else ""


def pair(cells: Sequence[Cell], writer: str, reader: str) -> tuple[Figure, str]:
    """What all models met between two releases: a bar for each format, in the order of KINDS."""
    met = defaultdict(Counter)
    for cell in cells:
        if (cell.writer, cell.reader) == (writer, reader):
            met[cell.format][kind_of(cell.outcome)] += 1
    forms = [form for form in FORMATS if met[form]]
    fig = figure(6, 3.6)
    notes = []
    most = max((count.total() for count in met.values()), default=1)
    with style():
        axes = fig.subplots()
        for place, form in enumerate(forms):
            left = 0
            for kind, colour in KINDS.items():
                if count := met[form][kind]:
                    axes.barh(place, count, left=left, color=colour, edgecolor="white")
                    if count >= 0.06 * most:
                        dark = kind in (FORWARD, OTHER, SILENT)
                        look = {"ha": "center", "va": "center", "color": "white" if dark else BLACK}
                        axes.text(left + count / 2, place, str(count), weight="bold", **look)
                    left += count
            counts = ", ".join(f"{kind} {met[form][kind]}" for kind in KINDS if met[form][kind])
            notes.append(f"{form}: {counts}")
        seen = [kind for kind in KINDS if any(met[form][kind] for form in forms)]
        patches = [Patch(color=KINDS[kind], label=kind) for kind in seen]
        if patches:
            fig.legend(handles=patches, ncols=2, loc="outside lower center")
        axes.set_yticks(range(len(forms)), forms)
        axes.set(title=f"Written by {writer}, read by {reader}", xlabel="models")
        axes.invert_yaxis()
    what = "; ".join(notes) or "nothing was measured"
    return fig, f"Models written by {writer} and read by {reader}. {what}."
