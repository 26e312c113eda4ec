"""What all models met between two releases."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from helpers.matrix.cells import FORMATS, Cell
from helpers.plots import figure, style
from helpers.plots.matrix import KINDS, kind_of


def pair(cells: Sequence[Cell], writer: str, reader: str) -> tuple[Figure, str]:
    """What all models met between two releases: a bar for each format, in the order of KINDS."""
    met = defaultdict(Counter)
    for cell in cells:
        if (cell.writer, cell.reader) == (writer, reader):
            met[cell.format][kind_of(cell.outcome)] += 1
    forms = [form for form in FORMATS if met[form]]
    fig = figure(8, 2.9)
    notes = []
    with style():
        axes = fig.subplots()
        for place, form in enumerate(forms):
            left = 0
            for kind, colour in KINDS.items():
                if count := met[form][kind]:
                    axes.barh(place, count, left=left, color=colour, edgecolor="white")
                    left += count
            counts = ", ".join(f"{kind} {met[form][kind]}" for kind in KINDS if met[form][kind])
            notes.append(f"{form}: {counts}")
        seen = [kind for kind in KINDS if any(met[form][kind] for form in forms)]
        patches = [Patch(color=KINDS[kind], label=kind) for kind in seen]
        if patches:
            fig.legend(handles=patches, ncols=3, loc="outside lower center", fontsize=10)
        axes.set_yticks(range(len(forms)), forms)
        axes.set(title=f"Written by {writer}, read by {reader}", xlabel="models")
        axes.invert_yaxis()
    what = "; ".join(notes) or "nothing was measured"
    return fig, f"Models written by {writer} and read by {reader}. {what}."
