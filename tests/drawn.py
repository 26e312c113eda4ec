"""What a reader sees of a figure: its words, where they stand, and how large on a telephone."""

import itertools

from matplotlib.backends.backend_agg import FigureCanvasAgg

TELEPHONE = 370
"""Pixels: the width of a figure on a page that is 400 wide."""


def words(fig):
    """Each text that is drawn, with its box in pixels."""
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    texts = [*fig.texts, *filter(None, [fig._suptitle])]
    for axes in fig.axes:
        texts += axes.texts
        if axes.axison:
            texts += [axes.title, axes.xaxis.label, axes.yaxis.label]
            texts += [label for axis in (axes.xaxis, axes.yaxis) for label in labels(axis)]
    legends = [*fig.legends, *filter(None, (axes.get_legend() for axes in fig.axes))]
    texts += [text for legend in legends for text in legend.get_texts()]
    seen = [text for text in dict.fromkeys(texts) if text.get_visible() and text.get_text().strip()]
    return [(text, text.get_window_extent(canvas.get_renderer())) for text in seen]


def labels(axis):
    low, high = sorted(axis.get_view_interval())
    return [
        tick.label1
        for tick in axis.get_major_ticks()
        if axis.get_visible() and low <= tick.get_loc() <= high
    ]


def overlaps(fig):
    """Pairs of texts that touch each other, and texts that reach out of the figure."""
    placed = [(text.get_text(), box.padded(-1)) for text, box in words(fig)]
    width, height = fig.bbox.size
    pairs = [(a, b) for (a, one), (b, other) in itertools.combinations(placed, 2)
             if one.overlaps(other)]  # fmt: skip
    out = [
        (text, "the edge of the figure")
        for text, box in placed
        if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height
    ]
    return pairs + out


def smallest(fig):
    """Pixels that the smallest letters are high where the figure is as wide as a telephone."""
    sizes = [text.get_fontsize() for text, _ in words(fig)]
    return min(sizes) * TELEPHONE / (72 * fig.get_figwidth())


def assert_legible(fig):
    """No text touches another or is cut off, and all can be read on a telephone."""
    assert overlaps(fig) == []
    assert smallest(fig) >= 9
