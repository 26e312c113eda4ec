"""Every figure of the course, a module for each subject, in one style.

`show(fig, alt=…)` displays a figure with its text alternative. nbconvert and JupyterLab drop a
text alternative given in any other way.
"""

import base64
import html
import io

import matplotlib
from cycler import cycler
from IPython.display import publish_display_data
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito's palette (jfly.uni-koeln.de/color): told apart with any kind of colour vision.
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7",
)  # fmt: skip

STYLE = {
    "figure.dpi": 110,
    "figure.facecolor": "white",
    "figure.titlesize": 15,
    "figure.titleweight": "bold",
    # Large, since a figure is also shown 370 pixels wide.
    "font.size": 12,
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.labelsize": 13,
    "legend.fontsize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=[BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE, BLACK]),
    "image.cmap": "cividis",
    "legend.frameon": False,
    "lines.linewidth": 2,
}


def figure(width: float = 6, height: float = 3.5) -> Figure:
    """An empty figure in the course's style, in inches. Draw on it inside `with style():`.

    What is wider than 6 inches has letters that cannot be read on a telephone.
    """
    with style():
        return Figure(figsize=(width, height), layout="constrained")


def style():
    """The context in which figures are drawn."""
    return matplotlib.rc_context(STYLE)


def show(fig: Figure, alt: str) -> None:
    """Display a figure with `alt` as its text alternative. Raises ValueError for an empty one."""
    publish_display_data(bundle(fig, alt))


def bundle(fig: Figure, alt: str) -> dict[str, str]:
    """A figure as a display takes it: HTML that holds `alt`, the PNG, and `alt` alone.

    Raises ValueError for an empty text alternative.
    """
    if not alt.strip():
        raise ValueError("a figure needs a text alternative: say what a reader should see in it")
    with style():
        stream = io.BytesIO()
        FigureCanvasAgg(fig).print_png(stream)
    png = base64.b64encode(stream.getvalue()).decode()
    # Quotation marks of one kind stay as they are: some readers show the text as it stands here.
    words = html.escape(alt, quote=False).replace('"', "&quot;")
    image = f'<img src="data:image/png;base64,{png}" alt="{words}" style="max-width: 100%">'
    return {"text/html": image, "image/png": png, "text/plain": alt}
