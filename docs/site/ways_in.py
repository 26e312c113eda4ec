"""The ways in that need the project's address: buttons for Colab and Binder, git addresses.

    python docs/site/ways_in.py    writes them into README.md and docs/

The address stands in pyproject.toml alone. Until it is set there, no button is drawn.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNSET = "OWNER/REPOSITORY"
ADDRESS = re.compile(
    r"(missing-aa @ git\+https://github\.com/|repo: https://github\.com/|mybinder\.org/v2/gh/)"
    r"[\w.-]+/[\w.-]+"
)
SOURCE = re.compile(r'(course_from = \\?")[^"\\]*')
"""What the set-up cell of a lesson clones; empty before the address is set."""
LESSON = re.compile(
    r"(\[(?:\d\d |The whole story)[^\]]*\]\((notebooks/\w+\.ipynb)\))"
    r"(?: \(\[Colab\]\(\S+\), \[Binder\]\(\S+\)\))?"
)
"""A link of README that is a lesson's own, with the buttons behind it, if it has them."""


def repository(root: Path = ROOT) -> str:
    """`OWNER/REPOSITORY`, as pyproject.toml has it."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"].removeprefix("https://github.com/")


def buttons(notebook: str, repository: str) -> dict[str, str]:
    """What a lesson's buttons say -> where they lead; none before the address is set."""
    if repository == UNSET:
        return {}
    return {
        "Colab": f"https://colab.research.google.com/github/{repository}/blob/main/{notebook}",
        "Binder": f"https://mybinder.org/v2/gh/{repository}/HEAD?urlpath=lab/tree/{notebook}",
    }


def drawn(text: str, repository: str) -> str:
    """A page's text with the address in it, and the buttons behind each lesson, or neither."""

    def lesson(link: re.Match) -> str:
        links = (f"[{word}]({url})" for word, url in buttons(link[2], repository).items())
        behind = ", ".join(links)
        return f"{link[1]} ({behind})" if behind else link[1]

    text = ADDRESS.sub(lambda found: found[1] + repository, text)
    source = "" if repository == UNSET else f"https://github.com/{repository}"
    text = SOURCE.sub(lambda found: found[1] + source, text)
    return LESSON.sub(lesson, text)


def pages(root: Path = ROOT) -> list[Path]:
    """The pages in which the address may stand."""
    lessons = sorted(root.glob("notebooks/[01]*.ipynb"))
    return [root / "README.md", *sorted(root.glob("docs/**/*.md")), *lessons]


def main(root: Path = ROOT) -> int:
    """Write the address and the buttons into every page; returns the exit code."""
    for page in pages(root):
        before = page.read_text(encoding="utf-8")
        after = drawn(before, repository(root))
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(page.relative_to(root))
    return 0


if __name__ == "__main__":
    sys.exit(main())
