"""A figure as SVG, for pages that are committed or built."""

import html
import io

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from helpers.plots import style


def svg(fig: Figure, alt: str) -> str:
    """A figure as SVG with its title and description, byte for byte the same each time.

    Text stays text, in whatever sans-serif the viewer has; DejaVu, for which it is laid out, is
    among the widest.
    """
    stream = io.StringIO()
    settings = {
        "svg.hashsalt": "missing-aa",
        "svg.fonttype": "none",
        "font.sans-serif": ["DejaVu Sans", "Verdana"],
    }
    with style(), matplotlib.rc_context(settings):
        FigureCanvasSVG(fig).print_svg(stream, metadata={"Date": None, "Creator": None})
    title = html.escape(fig.axes[0].get_title(), quote=False)
    described = f" <title>{title}</title>\n <desc>{html.escape(alt, quote=False)}</desc>\n"
    head, defs, rest = stream.getvalue().partition(" <defs>")
    return head + described + defs + rest
