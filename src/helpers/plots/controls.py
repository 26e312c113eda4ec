"""Controls that move what a figure shows; where nobody can move one, its still picture.

A lesson that papermill runs, a page and a slide show the picture alone. In JupyterLab the controls
stand above it; the picture is an output of its own, so that it stays in the saved notebook.
"""

from collections.abc import Callable, Sequence

from IPython import get_ipython
from IPython.display import DisplayHandle, publish_display_data
from ipywidgets import Dropdown, SelectionSlider, VBox
from matplotlib.figure import Figure

from helpers.plots import bundle

MOST_STOPS = 12
"""A slider with more of them is hard to set."""

Draw = Callable[..., tuple[Figure, str]]


def explore(draw: Draw, start: dict[str, object], **choices: Sequence) -> None:
    """Show the figure and text alternative that `draw` makes, and a control for each choice.

    `choices` are the values that an argument of `draw` may take, `start` is what it shows at first.
    """
    if someone_is_there():
        panel(draw, start, **choices)
    else:
        publish_display_data(bundle(*draw(**start)))


def panel(draw: Draw, start: dict[str, object], **choices: Sequence) -> VBox:
    """Show a slider or a list for each choice, and below them the picture, drawn anew each time."""
    sliders = {name: _control(name, list(values), start[name]) for name, values in choices.items()}
    picture = DisplayHandle()

    def redraw(_) -> None:
        chosen = {name: slider.value for name, slider in sliders.items()}
        picture.update(bundle(*draw(**chosen)), raw=True)

    for slider in sliders.values():
        slider.observe(redraw, "value")
    box = VBox(list(sliders.values()))
    # On a page, which has no use for sliders, they are nothing.
    publish_display_data({**box._repr_mimebundle_(), "text/html": ""})
    picture.display(bundle(*draw(**start)), raw=True)
    return box


def _control(name: str, values: list, value: object) -> Dropdown | SelectionSlider:
    """A slider for a few stops; of many, a list to choose from."""
    if len(values) > MOST_STOPS:
        return Dropdown(options=values, value=value, description=name)
    return SelectionSlider(options=values, value=value, description=name, continuous_update=False)


def someone_is_there() -> bool:
    """Whether the front end could ask a person something: papermill and nbconvert cannot."""
    kernel = getattr(get_ipython(), "kernel", None)
    return bool(getattr(kernel, "_allow_stdin", False))
