"""Where does `self.aa` come from? Objects walk down a staircase of places until it is found."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon, Rectangle

from helpers.plots import BLACK, BLUE, GREEN, ORANGE, PURPLE, VERMILION, style
from helpers.plots import shapes as draw

OWN, CLASS = "__dict__", "class"
INNER = ("_parameters", "_buffers", "_modules")
STAIRS = {
    OWN: "its __dict__",
    CLASS: "its class",
    "__getattr__": "only then __getattr__:",
    **dict.fromkeys(INNER, ""),
}
"""Every place in the order in which it is asked, and what is written on its step.

Python asks the object and its class; only if both have nothing, nn.Module.__getattr__ asks three
dictionaries. (A property of the class would come before the object's own: `walk` knows that.)
"""


@dataclass(frozen=True)
class Walk:
    """How an object looked for an attribute: where it was found, and as what.

    `found` is a place of STAIRS, None where it ended in `error`. `hidden` is a place further down
    that holds another one, which was never reached, and `beneath` is what lies there.
    """

    name: str
    attribute: str
    found: str | None
    value: str = ""
    error: str = ""
    hidden: str = ""
    beneath: str = ""


def walk(name: str, module, attribute: str = "aa") -> Walk:
    """Look for an attribute of a torch module as `module.attribute` does, place by place.

    Raises ValueError where Python itself gives another answer than this walk.
    """
    own_dict = vars(module)
    bases = (vars(base) for base in type(module).__mro__)
    of_class = next((names for names in bases if attribute in names), {})
    places = {OWN: own_dict, CLASS: of_class, **{place: own_dict.get(place, {}) for place in INNER}}
    if hasattr(type(of_class.get(attribute)), "__set__"):  # a property and its kind comes first
        places = {CLASS: of_class} | places
    having = [place for place, names in places.items() if attribute in names]
    try:
        value, error = getattr(module, attribute), ""
    except AttributeError as problem:
        value, error = None, str(problem)
    if bool(having) == bool(error) or (
        having and having[0] != CLASS and value is not places[having[0]][attribute]
    ):
        raise ValueError(f"Python found {attribute} elsewhere: {value!r} {error}")
    if error:
        return Walk(name, attribute, None, error=error)
    hidden = having[1] if len(having) > 1 else ""
    beneath = _kind(places[hidden][attribute]) if hidden else ""
    return Walk(name, attribute, having[0], _kind(value), hidden=hidden, beneath=beneath)


def _kind(value: object) -> str:
    return repr(value) if value is None or isinstance(value, (bool, int)) else type(value).__name__


COLOURS = (BLUE, GREEN, VERMILION, PURPLE, ORANGE)
TOP, HIGH = 1.25, 0.7
"""Inches: where the first step lies, and how much lower each next one."""

EDGE, RUN = 2.3, 0.27
"""Inches: where the first step ends, and how much further each next one goes."""


def staircase(walks: Sequence[Walk]) -> tuple[Figure, str]:
    """A walker for each object, on the step on which it found the attribute, or fallen off."""
    attribute = walks[0].attribute
    bottom = TOP + HIGH * len(STAIRS)
    with style():
        fig, axes = draw.canvas(bottom + 1.35)
        draw.headline(axes, f"Where does self.{attribute} come from?")
        for row, (place, text) in enumerate(STAIRS.items()):
            top, edge = TOP + HIGH * row, EDGE + RUN * row
            colour = "#d7e6f2" if row < 2 else "#ececec"
            look = {"facecolor": colour, "edgecolor": BLACK, "linewidth": 1.2}
            axes.add_patch(Rectangle((0.1, top), edge - 0.1, HIGH, **look))
            look = {} if text else {"family": draw.MONO}
            draw.words(axes, 0.25, top + HIGH / 2, text or f"  {place}", draw.SMALL, **look)
        for number, walker in enumerate(walks):
            colour = COLOURS[number % len(COLOURS)]
            beside = sum(other.found == walker.found for other in walks[:number])
            if walker.found:
                _stand(axes, walker, list(STAIRS).index(walker.found), beside, colour)
            else:
                _fall(axes, walker, bottom)
    return fig, (
        f"A staircase of the places where Python looks for self.{attribute}: the object's own "
        f"__dict__, its class, then torch's __getattr__ with {draw.listed(INNER)}. "
        + " ".join(map(_described, walks))
    )


def _stand(axes: Axes, walker: Walk, row: int, beside: int, colour: str) -> None:
    top, edge = TOP + HIGH * row, EDGE + RUN * row
    _pawn(axes, edge - 0.15 - 0.3 * beside, top, colour)
    left = edge - 0.12 - draw.span(walker.value)
    draw.thing(axes, left, top + 0.19, walker.value, edge=colour)
    below = f"never reaches {walker.beneath}" if walker.hidden else f"finds {walker.value}"
    look = {"size": draw.SMALL, "va": "bottom"}
    draw.words(axes, edge + 0.1, top - 0.29, walker.name, weight="bold", **look)
    draw.words(axes, edge + 0.1, top - 0.06, below, **look)


def _fall(axes: Axes, walker: Walk, bottom: float) -> None:
    edge = EDGE + RUN * (len(STAIRS) - 1)
    _pawn(axes, edge + 0.45, bottom + 0.1, VERMILION)
    draw.hole(axes, edge + 0.1, bottom + 0.15, 0.75, 0.42, walker.attribute)
    look = {"size": draw.SMALL, "weight": "bold"}
    draw.words(axes, edge + 0.72, bottom - 0.2, walker.name, **look)
    look = {"ha": "center", "weight": "bold", "color": draw.RED}
    draw.words(axes, draw.WIDTH / 2, bottom + 0.95, walker.error, **look)


def _pawn(axes: Axes, x: float, foot: float, colour: str) -> None:
    body = [(x - 0.13, foot), (x, foot - 0.42), (x + 0.13, foot)]
    look = {"facecolor": colour, "edgecolor": BLACK, "linewidth": 1, "zorder": 5}
    axes.add_patch(Polygon(body, **look))
    axes.add_patch(Circle((x, foot - 0.42), 0.1, **look))


def _described(walk: Walk) -> str:
    if not walk.found:
        return f"{walk.name}: nowhere, so it falls off the end. AttributeError: {walk.error}."
    described = f"{walk.name}: {walk.value}, in {'its ' * (walk.found == CLASS)}{walk.found}"
    hidden = f", which hides the {walk.beneath} in {walk.hidden}" if walk.hidden else ""
    return f"{described}{hidden}."
