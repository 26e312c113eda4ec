"""The pictures that pages carry, drawn from the atlas and the course's own figures.

python -m tools.readme_picture docs/matrix_window.svg docs/ways_home.svg
"""

import sys
from pathlib import Path

from matplotlib.figure import Figure

from helpers.plots.svg import svg
from helpers.plots.ways_home import ways_home
from helpers.plots.window import window
from missing_aa.matrix import atlas


def matrix_window() -> tuple[Figure, str]:
    """The releases around the missing `aa`."""
    carried = atlas.load()
    return window(carried.cells, carried.releases)


PICTURES = {"matrix_window": matrix_window, "ways_home": ways_home}
"""By the name of the file."""

if __name__ == "__main__":
    for word in sys.argv[1:]:
        picture = svg(*PICTURES[Path(word).stem]())
        Path(word).write_text(picture, encoding="utf-8")
        print(f"{word}: {len(picture):,} characters")
