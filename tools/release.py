"""python -m tools.release vX.Y.Z: does the tag fit the version, the changelog and the citation?

Prints a line for each thing that does not fit, and the exit code is 1 then.
"""

import re
import sys
from pathlib import Path

from missing_aa import __version__

ROOT = Path(__file__).resolve().parents[1]


def problems(tag: str, version: str, changelog: str, citation: str) -> list[str]:
    """What keeps a tag from being released, a sentence each; the others are texts of files."""
    headings = re.findall(r"^## \[([^\]]+)\](.*)$", changelog, re.MULTILINE)
    released = [heading for heading in headings if heading[0] != "Unreleased"]
    found = []
    if tag != f"v{version}":
        found.append(f"the tag is {tag}, and missing_aa.__version__ makes it v{version}")
    if not released or released[0][0] != version:
        top = released[0][0] if released else "none"
        found.append(f"CHANGELOG.md: the newest entry is {top}, not {version}")
    elif not re.fullmatch(r" - \d{4}-\d\d-\d\d", released[0][1]):
        found.append(f"CHANGELOG.md: write ## [{version}] - YYYY-MM-DD")
    if _unreleased(changelog):
        found.append("CHANGELOG.md: something stands under Unreleased still")
    cited = re.search(r"^version: (\S+)$", citation, re.MULTILINE)
    if not cited or cited[1] != version:
        found.append(f"CITATION.cff: write version: {version}")
    return found


def _unreleased(changelog: str) -> str:
    found = re.search(
        r"^## \[Unreleased\]\n(.*?)(?=^## \[|\Z)", changelog, re.MULTILINE | re.DOTALL
    )
    return found[1].strip() if found else ""


def main(words: list[str]) -> int:
    """Check the tag that is named; returns the exit code."""
    if len(words) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("CHANGELOG.md", "CITATION.cff")]
    found = problems(words[0], __version__, *texts)
    print(*found or [f"{words[0]} can be released"], sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
