"""The broken window: one whole-model file, and what each release met in it, on a line of dates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers.plots import BLACK, SKY, VERMILION, style
from helpers.plots import shapes as draw
from helpers.plots.matrix import FINE, SILENT, kind_of
from helpers.plots.window import ERROR
from missing_aa.matrix.cells import Cell
from missing_aa.releases import KNOWN, published

REPORTED = date(2024, 12, 3)
"""The day of timm's issue 2352, in which a user reported ERROR."""


@dataclass(frozen=True)
class Span:
    """Measured readers, neighbours, who met the same in a file: an error's text, or that it ran."""

    kind: str
    text: str
    readers: tuple[str, ...]

    @property
    def runs(self) -> bool:
        return self.kind == FINE

    def sentence(self) -> str:
        first, last = self.readers[0], self.readers[-1]
        return first if first == last else f"{first} – {last}"


def spans(cells: Sequence[Cell], model: str, writer: str) -> list[Span]:
    """What the writer itself and each newer release met in its whole file of a model."""
    met = {
        cell.reader: cell.outcome
        for cell in cells
        if (cell.model, cell.writer, cell.format) == (model, writer, "whole")
    }
    found: list[Span] = []
    for reader in sorted(met, key=published):
        if published(reader) < published(writer):
            continue
        kind, text = kind_of(met[reader]), met[reader].text or ""
        if found and (found[-1].kind, found[-1].text) == (kind, text):
            found[-1] = Span(kind, text, (*found[-1].readers, reader))
        else:
            found.append(Span(kind, text, (reader,)))
    return found


def timeline(
    cells: Sequence[Cell], model: str = "mobilevit_xxs", writer: str = "1.0.3"
) -> tuple[Figure, str]:
    """The releases by date: who writes files of a model that will lack `aa`, and who reads one.

    Raises ValueError if no measured release met the missing `aa` in the writer's file.
    """
    story = spans(cells, model, writer)
    if not any(span.text == ERROR for span in story):
        raise ValueError(f"no release met {ERROR} in a file of {model} written by {writer}")
    lacking = {
        cell.writer
        for cell in cells
        if (cell.model, cell.format, cell.outcome.text) == (model, "whole", ERROR)
    }
    writers = sorted(lacking, key=published)
    first, last = published(writers[0]), published(story[-1].readers[-1])
    with style():
        fig, axes = draw.canvas(BOTTOM + 0.3)

        def place(day: date) -> float:
            return TOP + (BOTTOM - TOP) * (day - first).days / (last - first).days

        draw.headline(axes, f"{model}: {_headline(story)}")
        draw.words(axes, 0.1, 0.62, "a tick: a release; a sheet: a file", draw.SMALL)
        _line(axes, place, first, last)
        _writers(axes, place, writers, writer)
        for at, span in enumerate(story[1:], 1):
            end = story[at + 1].readers[0] if at + 1 < len(story) else span.readers[-1]
            _span(axes, place, span, place(published(end)))
    met = "; ".join(
        f"{span.sentence()} (from {_day(published(span.readers[0]))}): {_met(span)}"
        for span in story
    )
    return fig, (
        f"Releases of timm on a line of dates. Files of {model} that lack aa are written by "
        f"{writers[0]} to {writers[-1]}. What releases met in the one of {writer}: {met}. The "
        f"missing aa was reported on {_day(REPORTED)}."
    )


TOP, BOTTOM, LINE, BAR = 0.95, 7.4, 0.9, 1.15
"""Inches: the first and the last day, and where the line of dates and the bar beside it stand."""

Place = Callable[[date], float]


def _headline(story: list[Span]) -> str:
    fixed = [at for at, span in enumerate(story) if at and span.runs]
    if not fixed:
        return "no way back"
    return "the patch was a pause" if story[-1] is not story[fixed[-1]] else "a window, and after"


def _line(axes: Axes, place: Place, first: date, last: date) -> None:
    """The line of dates, every release on it, and the years."""
    axes.plot([LINE, LINE], [TOP - 0.15, BOTTOM + 0.15], color=draw.GREY, linewidth=2)
    for name in KNOWN:
        if first <= published(name) <= last:
            draw.release(axes, LINE, place(published(name)))
    for year in range(first.year + 1, last.year + 1):
        y = place(date(year, 1, 1))
        axes.plot([0.1, LINE - 0.12], [y, y], color=draw.GREY, linewidth=0.8)
        draw.words(axes, 0.1, y + 0.15, str(year), weight="bold", color=draw.GREY)


def _writers(axes: Axes, place: Place, writers: Sequence[str], writer: str) -> None:
    """A sheet for each release that writes such files, its name where there is room."""
    y, named = place(published(writer)), TOP + 0.28
    for name in writers:
        at = place(published(name))
        draw.sheet(axes, BAR, at - 0.13, 0.24, 0.26, fold=0.09)
        if named + 0.25 <= at <= y - 0.35:
            draw.words(axes, BAR + 0.5, at, name, draw.SMALL)
            named = at
    draw.words(axes, BAR + 0.5, TOP, f"{writers[0]} – {writers[-1]}", weight="bold")
    draw.words(axes, BAR + 0.5, TOP + 0.28, f"write files without {_attribute(ERROR)}")
    draw.words(axes, BAR + 0.5, y - 0.1, f"one of them, saved by {writer}:", weight="bold")


def _span(axes: Axes, place: Place, span: Span, end: float) -> None:
    """A bar for what these readers met, and beside it which they are and what it was."""
    start = place(published(span.readers[0]))
    look = {"facecolor": SKY if span.runs else VERMILION, "edgecolor": "white", "linewidth": 2}
    if span.kind == SILENT:
        look["facecolor"] = BLACK
    axes.add_patch(Rectangle((BAR, start), 0.24, max(end - start, 0.15), **look))
    colour = BLACK if span.runs else draw.RED
    draw.words(axes, BAR + 0.5, start + 0.15, span.sentence(), weight="bold")
    draw.words(axes, BAR + 0.5, start + 0.42, _met(span), color=colour)
    if published(span.readers[0]) == REPORTED:
        note = f"reported and patched: {_day(REPORTED)}"
        draw.words(axes, BAR + 0.5, start + 0.67, note, draw.SMALL, style="italic")


def _met(span: Span) -> str:
    """What a span's readers met, in a few words."""
    if span.runs:
        return "the file runs"
    name = _attribute(span.text)
    return f"{span.text.split()[0]} has no {name}" if name else span.kind


def _attribute(text: str) -> str:
    """The missing attribute of an AttributeError's text, in quotes; empty if it names none."""
    return text.partition("has no attribute ")[2]


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
