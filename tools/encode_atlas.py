"""Encode a file of measured cells as the atlas: python -m tools.encode_atlas RESULTS."""

import sys
from pathlib import Path

from missing_aa.matrix.atlas import TARGET, encode_atlas, from_cells
from missing_aa.matrix.results import read_results

if __name__ == "__main__":
    made_with, measured = read_results(Path(sys.argv[1]))
    atlas = from_cells(made_with, measured.values())
    TARGET.write_text(encode_atlas(atlas), encoding="utf-8")
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes, {len(atlas.cells):,} cells")
