"""The page about the atlas: its figures, and every error in it, from what the package carries."""

from pathlib import Path

from as_markdown import plain
from helpers.plots import matrix as draw
from helpers.plots.svg import svg
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.explain import index
from missing_aa.matrix import atlas, summary
from missing_aa.text import clean

FORMS = ["whole", "state_dict", "rescued"]

PAGE = """# The atlas

{models} models, each written by up to {releases} releases of timm ({first} to {last}) and read by
the same, in three ways: as a whole-model pickle, as a state_dict, and as rescued weights. Each of
the {cells:,} cells was measured with torch {torch}: did it load, did it run, was the output that
of the writer? Lesson [07](notebooks/07_version_matrix.ipynb) reads it with you, and says what it
cannot tell.

## By age

![{years_alt}](years.svg)

Of the pairs in which the reader is the newer one:

| what was saved | gave the writer's output |
|---|---|
{shares}

## From release to release

![{pairs_alt}](pairs.svg)

## Every error

{errors} different ones, those that most pairs met first. Copy yours into the search, or let
`missing-aa explain` look: it knows the ways out of each, and what is near to one that is not here.

{rows}
"""


def write(folder: Path) -> None:
    """Write the page and its two figures."""
    carried = atlas.load()
    newer = summary.upgrades(carried.cells, carried.releases)
    shares = summary.by_format(newer)
    years = draw.survival_by_years(carried.cells, carried.releases, FORMS)
    pairs = draw.survival(carried.cells, carried.releases, FORMS[:2])
    for name, figure in {"years": years, "pairs": pairs}.items():
        (folder / f"{name}.svg").write_text(svg(*figure), encoding="utf-8")
    errors = list(index())
    page = PAGE.format(
        models=len(carried.models),
        releases=len(carried.releases),
        first=carried.releases[0],
        last=carried.releases[-1],
        cells=sum(cell.reader is not None for cell in carried.cells),
        torch=carried.head["torch"],
        years_alt=years[1],
        pairs_alt=pairs[1],
        shares="\n".join(f"| {form} | {share} |" for form, share in shares.items()),
        errors=len(errors),
        rows="\n".join(_entry(answer) for _, answer in errors),
    )
    (folder / "atlas.md").write_text(page, encoding="utf-8")


def _entry(answer: Answer) -> str:
    """An error, and below it what it is and who meets it."""
    met = "; ".join(f"written by {w.writers}, read by {w.readers}" for w in answer.windows)
    return f"`` {_line(answer.error)} ``\n: {plain(_line(answer.changed))} Met when {met}.\n"


def _line(text: str) -> str:
    return " ".join(clean(text, 1000).split())
