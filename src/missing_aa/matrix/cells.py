"""One measured cell, and what can come out of it."""

from dataclasses import asdict, dataclass

FORMATS = ("whole", "state_dict", "rescued")
"""The whole pickle; the state_dict; the weights that rescue gets out of the whole pickle."""

OK, DIFFERENT, ERROR = "ok", "different output", "error"
NO_MODEL, NOT_WRITTEN = "no such model", "not written"
DIED, HUNG = "died", "hung"
RESULTS = (OK, DIFFERENT, ERROR, NO_MODEL, NOT_WRITTEN, DIED, HUNG)

LONGEST = 300
"""Characters of an error's text that are kept."""


@dataclass(frozen=True)
class Outcome:
    """What came of reading one file.

    `difference` is the deviation of the output, relative, where there is one. An error has its
    class's name, its text, and where it came: in "import", "create", "load" or "forward"; weights
    that could not be rescued have "rescue".
    """

    result: str
    difference: float | None = None
    error: str | None = None
    text: str | None = None
    where: str | None = None

    @classmethod
    def raised(cls, kind: str, text: str, where: str) -> "Outcome":
        return cls(ERROR, error=kind, text=gist(text), where=where)


@dataclass(frozen=True)
class Cell:
    """A model, its writer, its reader and a format, with the outcome.

    A writer that has no such model, or no output to compare with, has one cell alone, without
    reader and format. `same_as` names another writer whose file differs in nothing but tensors and
    whose code computes the same: its outcome was measured and stands for this one too.
    """

    model: str
    writer: str
    reader: str | None
    format: str | None
    outcome: Outcome
    same_as: str | None = None

    @property
    def key(self) -> tuple:
        return self.model, self.writer, self.reader, self.format

    def as_dict(self) -> dict:
        """Plain values for JSON; what is None is left out."""
        values = {"model": self.model, "writer": self.writer, "reader": self.reader}
        values |= {"format": self.format, **asdict(self.outcome), "same_as": self.same_as}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_dict(cls, values: dict) -> "Cell":
        """Raises KeyError and TypeError for what is no cell."""
        values = dict(values)
        place = values.pop("model"), values.pop("writer"), values.pop("reader", None)
        form, same_as = values.pop("format", None), values.pop("same_as", None)
        if values["result"] not in RESULTS:
            raise TypeError(f"{values['result']!r} is no result")
        return cls(*place, form, Outcome(**values), same_as)


def gist(text: str) -> str:
    """An error's text on one line, the long lists of load_state_dict cut to their first names."""
    lines = [_first_names(line) for line in map(str.strip, text.splitlines()) if line]
    if len(lines) > 4:
        lines[4:] = [f"and {len(lines) - 4} more lines"]
    shown = " ".join(lines)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def _first_names(line: str, most: int = 3) -> str:
    names = line.split('", "')
    if len(names) <= most:
        return line
    shown = '", "'.join(names[:most])
    return f'{shown}" and {len(names) - most} more'
