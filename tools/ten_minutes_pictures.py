"""The two pictures of the lesson that stands alone, drawn from the objects that its cells make.

python -m tools.ten_minutes_pictures
"""

import base64
import contextlib
import io
import re
import sys
from pathlib import Path
from types import ModuleType

import nbformat
from PIL import Image

from helpers.plots import bundle
from helpers.plots.lookup import staircase, walk
from helpers.plots.pickle_story import pickle_story

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "ten_minutes.ipynb"
IMAGE = re.compile(r"!\[[^\]]*\]\(attachment:(\w+\.png)\)")

COLOURS = 32
"""Of an attached picture: a notebook is read as text, and each byte counts."""


def draw(notebook: nbformat.NotebookNode) -> dict[str, tuple[str, str]]:
    """File name -> the text alternative of a picture and its PNG in base64.

    Runs the notebook's cells, as a module of their own: a pickle finds its classes there.
    """
    lesson = sys.modules["ten_minutes"] = ModuleType("ten_minutes")
    release_2 = first_old = None
    try:
        for cell in notebook.cells:
            if cell.cell_type == "code":
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(cell.source, vars(lesson))
                if "# release 2" in cell.source:
                    release_2 = cell.source, lesson.Block
                first_old = first_old or getattr(lesson, "old", None)  # of release 2, not mended
        source, block = release_2
        story = pickle_story(
            f"{lesson.folder.name}/whole.pt", source, "Block", "release 1", "release 2"
        )
        layer = lesson.nn.AvgPool2d(2)
        blocks = {
            "a new block": block(),
            "a block with a layer": block(layer),
            "an old block": first_old,
            "the short fix": lesson.Short(layer),
        }
        stairs = staircase([walk(name, one) for name, one in blocks.items()])
    finally:
        del sys.modules["ten_minutes"]
    drawn = {}
    for name, picture in {"pickle_story.png": story, "staircase.png": stairs}.items():
        shown = bundle(*picture)
        drawn[name] = shown["text/plain"], _small(shown["image/png"])
    return drawn


def _small(png: str) -> str:
    """The same picture in 32 colours, a third of the size."""
    few = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB").quantize(COLOURS)
    stream = io.BytesIO()
    few.save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()


def attach(notebook: nbformat.NotebookNode, drawn: dict[str, tuple[str, str]]) -> None:
    """Put each picture, with its text alternative, into the text that names it."""
    for cell in notebook.cells:
        if found := IMAGE.search(cell.source):
            alt, png = drawn[found[1]]
            shown = f"![{_plain(alt)}](attachment:{found[1]})"
            cell.source = cell.source.replace(found[0], shown)
            cell.attachments = {found[1]: {"image/png": png}}


def _plain(text: str) -> str:
    """A text in which Markdown sees no emphasis: `__init__` would lose its lines."""
    return text.replace("_", r"\_")


if __name__ == "__main__":
    notebook = nbformat.read(NOTEBOOK, 4)
    drawn = draw(notebook)
    attach(notebook, drawn)
    NOTEBOOK.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    for name, (_, png) in drawn.items():
        print(f"{name}: {len(base64.b64decode(png)):,} bytes")
