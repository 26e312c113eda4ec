"""Hold `missing-aa check` against what happens: makes docs/measured/check.md.

    python -m tools.measure_check [--commit HASH] [--files 264] [--libraries NAME,NAME]

The files of timm are drawn by the hash of the commit that is checked out, whose code must be as it
was committed; with --commit a run of that commit is taken up again. What was measured is kept in
build/measure_check; the environments and files of other libraries, some gigabytes, are kept in
the folder for temporary files. Half an hour for timm, longer for the libraries, of which uv finds a
Python 3.8; the table of a library that is not named is made from what is kept, or stays as it was.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from tools.measure_check import libraries, page, timm_pairs
from tools.measure_check.pairs import Kept

TARGET = Path("docs/measured/check.md")
FOLDER = Path("build/measure_check")

CODE = ("src/missing_aa/checker", "src/missing_aa/comparer")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.measure_check")
    parser.add_argument("--commit", metavar="HASH", help="the commit whose run is taken up")
    parser.add_argument("--files", type=int, default=264)
    parser.add_argument("--libraries", default=",".join(libraries.SIDES))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--output", type=Path, metavar="FILE", default=TARGET)
    args = parser.parse_args(argv)
    commit = args.commit or _commit()
    of_timm = Kept(FOLDER / f"{commit}.jsonl")
    timm_pairs.measure(timm_pairs.draw(int(commit, 16), args.files), of_timm, args.jobs)
    of_others = Kept(FOLDER / "libraries.jsonl")
    for library in filter(None, args.libraries.split(",")):
        libraries.measure(library, of_others)
    since = bool(_git("diff", "--name-only", commit, "--", *CODE))
    pairs = list(of_timm.pairs.values()), list(of_others.pairs.values())
    before = args.output.read_text("utf-8") if args.output.exists() else ""
    text = page.page(commit, *pairs, since, before)
    args.output.write_text(text, encoding="utf-8")
    print(args.output)
    return 0


def _commit() -> str:
    """The commit that is checked out. Exits where the tool's code is not what it says."""
    if _git("status", "--porcelain", "src/missing_aa"):
        sys.exit("src/missing_aa is not as it was committed: commit it, its hash is the seed")
    return _git("rev-parse", "HEAD")


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], capture_output=True, text=True, check=True
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
