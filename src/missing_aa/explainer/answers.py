"""What is answered to a text: plain values, and the lines that a person reads."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from textwrap import wrap

from missing_aa.explainer.cases import Again, Case, Ledger, Window, again, windows
from missing_aa.explainer.errors import Error
from missing_aa.explainer.remedies import Way, at_newest, ways
from missing_aa.matrix.summary import Share
from missing_aa.text import clean, clean_all

ATLAS, NEAR, OTHER, GENERAL = "atlas", "near", "other", "general"
KINDS = {
    ATLAS: "the atlas has met this error",
    NEAR: "the atlas has not met this error; what follows is the nearest",
    OTHER: "this is understood, and is no matter of a checkpoint from another release of timm",
    GENERAL: "the atlas has not met this error; what follows is the general way out",
}
"""Every kind of answer, and what it is."""

PLACES = {
    "load": "while the file is loaded",
    "forward": "in the forward pass: the file loads without an error, and the first picture fails",
    "create": "when a fresh model is made",
    "import": "when timm is imported",
    "rescue": "when the weights are taken out",
}
WIDTH = 100
SHELL = ("missing-aa ", "pip ", "python ", "git ", "zip ", "cp ", "TORCH_")
"""How a command begins that is for a shell and not for Python."""
MOST_WINDOWS, MOST_MODELS = 4, 6


@dataclass(frozen=True)
class Answer:
    """What an error means: `kind` is one of KINDS.

    `error` is the error as it was read, `changed` what is behind it, `where` it is raised. The
    `windows` say who meets it, over `cells` measured cells of these `models`; `again` where the
    same files work again. `ways` lead out, the best first. `known_by` is what the answer rests on.
    """

    kind: str
    error: str
    changed: str
    where: str = ""
    windows: tuple[Window, ...] = ()
    cells: int = 0
    models: tuple[str, ...] = ()
    again: Again | None = None
    ways: tuple[Way, ...] = ()
    notes: tuple[str, ...] = field(default=())
    known_by: str = ""

    def as_dict(self) -> dict:
        """Plain values for JSON; docs/reference/explain.md has the schema."""
        return clean_all(asdict(self))

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """The answer for a person, in lines of so many columns."""
        if self.error:
            yield clean(self.error, 1000)
        if self.kind in (NEAR, GENERAL):
            met, _, follows = KINDS[self.kind].partition("; ")
            yield f"({met}; {follows})" if self.ways else f"({met})"
        yield ""
        yield from headed("What it is", self.changed, width)
        if self.known_by:
            yield from headed("Known from", f"{self.known_by}.", width)
        if self.where:
            yield from headed("Raised", f"{self.where}.", width)
        yield from self._met(width)
        yield from _again(self.again, width)
        yield from ways_lines(self.ways, width)
        for note in self.notes:
            yield ""
            yield from headed("Note", note, width)

    def _met(self, width: int) -> Iterator[str]:
        if not self.windows:
            return
        yield "Measured:"
        for window in self.windows[:MOST_WINDOWS]:
            yield f"  written by {window.writers} and read by {window.readers}"
        if len(self.windows) > MOST_WINDOWS:
            rest = sum(window.cells for window in self.windows[MOST_WINDOWS:])
            yield f"  and others ({rest:,} cells)"
        models = ", ".join(self.models[:MOST_MODELS])
        more = ", …" if len(self.models) > MOST_MODELS else ""
        count = f"{_many(self.cells, 'measured cell')} of {_many(len(self.models), 'model')}"
        yield from headed("Backed by", f"{count}: {models}{more}", width)


def _again(again: Again | None, width: int) -> Iterator[str]:
    if not again:
        return
    if again.release is None or again.share is None:
        text = f"in no later release, up to {again.newest}, the newest measured."
    else:
        text = f"first in {again.release}, {_of(again.share)} of the same files"
        if again.release != again.newest:
            text += f"; in {again.newest}, {_of(again.newest_share)}"
        text += "."
    if again.instead:
        text += f" Most of the others meet: {clean(again.instead, 200)}"
    yield from headed("Works again", text, width)


def ways_lines(ways: tuple[Way, ...], width: int) -> Iterator[str]:
    """The ways out, numbered."""
    if ways:
        yield ""
        yield "Ways out:"
    for number, way in enumerate(ways, 1):
        yield from wrap(
            f"{number}. {way.text}", width, initial_indent="  ", subsequent_indent=5 * " "
        )
        if way.share:
            sentence = f"Gives the writer's output for {_of(way.share)} files in timm {way.release}"
            if way.there and way.there != way.share:
                sentence += f", and for {_of(way.there)} in the readers that fail"
            yield from wrap(
                f"{sentence}.", width, initial_indent=5 * " ", subsequent_indent=5 * " "
            )
        for command in way.commands:
            yield f"       {'$' if command.startswith(SHELL) else '>>>'} {command}"


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _of(share: Share) -> str:
    return f"{share.ok:,} of {share.cells:,}"


def headed(heading: str, text: str, width: int) -> list[str]:
    return wrap(f"{heading}: {clean(text, 2000)}", width, subsequent_indent="  ")


UNKNOWN = (
    "nothing that is known here. If it came while a file that holds a whole model was loaded or "
    "run: that file is tied to the code that wrote it; tensors in it can be taken out without "
    "that code. Of any other error this says nothing."
)
NO_PICKLE = (
    "nothing that is known here. The text names no pickle and no torch.load. If a file was read by "
    "one of them, ask again with the whole traceback."
)
THE_REST = "nothing that is known here. If there is a traceback, ask again with the whole of it."
NO_MORE = "nothing that is known here, and so no way out."


def from_cases(
    kind: str,
    error: Error,
    cases: list[Case],
    ledger: Ledger,
    what: str,
    notes: tuple[str, ...] = (),
) -> Answer:
    """The answer that these cases give; `what` changed."""
    places = dict.fromkeys(case.where for case in cases)
    models = dict.fromkeys(case.model for case in sorted(cases, key=lambda one: -len(one.readers)))
    return Answer(
        kind,
        str(error),
        what,
        "; or ".join(PLACES[place] for place in places),
        tuple(windows(cases, ledger.releases)),
        sum(len(case.readers) for case in cases),
        tuple(models),
        again(cases, ledger),
        tuple(ways(error, cases, ledger)),
        notes + silent(cases, ledger),
    )


def silent(cases: list[Case], ledger: Ledger) -> tuple[str, ...]:
    """A word on models whose weights load and give another output."""
    found = ledger.silent("rescued", at_newest(cases, ledger))
    if not found:
        return ()
    worst = ", ".join(
        f"{model} ({difference:.1%})" if difference else f"{model} (another shape)"
        for model, difference in sorted(found.items(), key=lambda item: -(item[1] or 9))[:3]
    )
    return (
        f"the weights of {len(found)} of these models load in {ledger.releases[ledger.newest]} "
        f"without an error and give another output: {worst}. Compare outputs before you rely on "
        "them.",
    )


def general(error: str, ways: Iterable[Way], what: str = UNKNOWN) -> Answer:
    """What holds for any file with a whole model."""
    return Answer(GENERAL, error, what, ways=tuple(ways))
