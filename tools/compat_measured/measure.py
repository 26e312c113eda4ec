"""Hold the findings against the errors that the atlas saw: makes docs/measured/compat.md.

    python -m tools.compat_measured.measure [OLD NEW…] [--matrix FILE] [--output FILE]

By default for each two consecutive releases of the atlas, a quarter of an hour. With --matrix the
cells are those of a file of results. What lies behind the first error of each model, see
`tools.compat_measured.measure_use`.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from missing_aa import releases
from missing_aa.comparer.compare import compare
from missing_aa.errors import UsageProblem
from missing_aa.matrix import atlas
from missing_aa.releases.processes import Trials
from tools.compat_measured import page
from tools.compat_measured.against_atlas import Seen, seen
from tools.compat_measured.names_in_pickle import held

TARGET = Path("docs/measured/compat.md")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.compat_measured.measure")
    parser.add_argument("releases", nargs="*", metavar="OLD NEW", help="pairs of releases")
    parser.add_argument("--matrix", type=Path, metavar="FILE", help="measured cells")
    parser.add_argument("--output", type=Path, metavar="FILE", default=TARGET)
    args = parser.parse_args(argv)
    full = _from_file(args.matrix) if args.matrix else atlas.load()
    named = args.releases
    if len(named) % 2:
        parser.error("name pairs of releases: OLD NEW")
    pairs = zip(named[::2], named[1::2], strict=True) if named else consecutive(full.releases)
    args.output.write_text(page.page(measure(full, pairs)), encoding="utf-8")
    print(args.output)
    return 0


def consecutive(order: list[str]) -> Iterable[tuple[str, str]]:
    """Each release with the one that follows it."""
    return zip(order, order[1:], strict=False)


def measure(full: atlas.Atlas, pairs: Iterable[tuple[str, str]]) -> list[Seen]:
    """A row for each pair. Raises UsageProblem for one without cells, and what `fetch` raises."""
    rows = []
    with Trials(1) as trials:
        for old, new in pairs:
            cells = [
                cell
                for cell in full.cells
                if (cell.writer, cell.reader, cell.format) == (old, new, "whole")
            ]
            if not cells:
                raise UsageProblem(
                    f"no whole pickle written by {old} and read by {new} was measured"
                )
            for release in (old, new):
                releases.fetch(release)
            names = trials.under(old, held, [cell.model for cell in cells])
            findings = compare(f"timm=={old}", f"timm=={new}").findings
            rows.append(seen((old, new), cells, findings, names.result()))
            print(f"{old} → {new}: {len(rows[-1].errors)} errors", file=sys.stderr, flush=True)
    return rows


def _from_file(path: Path) -> atlas.Atlas:
    from missing_aa.matrix import results

    head, cells = results.read_results(path)
    return atlas.from_cells(head, cells.values())


if __name__ == "__main__":
    sys.exit(main())
