"""The picture of the README: the releases around the missing `aa`, drawn from the atlas.

python -m tools.readme_picture docs/matrix_window.svg
"""

import sys
from pathlib import Path

from helpers.plots.svg import svg
from helpers.plots.window import window
from missing_aa.matrix import atlas

if __name__ == "__main__":
    carried = atlas.load()
    picture = svg(*window(carried.cells, carried.releases))
    Path(sys.argv[1]).write_text(picture, encoding="utf-8")
    print(f"{sys.argv[1]}: {len(picture):,} characters")
