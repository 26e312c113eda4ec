"""Controls that move what a figure shows; where nobody can move one, its still picture.

A lesson that papermill runs, a page and a slide show the picture alone. In JupyterLab the controls
stand above it, and it is there again for whoever opens the saved notebook without them.
"""

from collections.abc import Callable, Sequence

from IPython import get_ipython
from IPython.display import publish_display_data
from ipywidgets import HTML, SelectionSlider, VBox
from matplotlib.figure import Figure

from helpers.plots import bundle

Draw = Callable[..., tuple[Figure, str]]


def explore(draw: Draw, start: dict[str, object], **choices: Sequence) -> None:
    """Show the figure and text alternative that `draw` makes, and a control for each choice.

    `choices` are the values that an argument of `draw` may take, `start` is what it shows at first.
    """
    still = bundle(*draw(**start))
    if not someone_is_there():
        publish_display_data(still)
        return
    # A front end takes the controls if it can, and else the picture.
    controls = panel(draw, start, **choices)._repr_mimebundle_()
    publish_display_data({**controls, **still})


def panel(draw: Draw, start: dict[str, object], **choices: Sequence) -> VBox:
    """A slider for each choice, and below them the picture, drawn anew when one is moved."""
    sliders = {
        name: SelectionSlider(
            options=list(values), value=start[name], description=name, continuous_update=False
        )
        for name, values in choices.items()
    }
    picture = HTML()

    def redraw(_=None) -> None:
        chosen = {name: slider.value for name, slider in sliders.items()}
        picture.value = bundle(*draw(**chosen))["text/html"]

    for slider in sliders.values():
        slider.observe(redraw, "value")
    redraw()
    return VBox([*sliders.values(), picture])


def someone_is_there() -> bool:
    """Whether the front end could ask a person something: papermill and nbconvert cannot."""
    kernel = getattr(get_ipython(), "kernel", None)
    return bool(getattr(kernel, "_allow_stdin", False))
