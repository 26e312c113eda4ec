"""Every link in the documentation that stays inside the project leads to something."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    path
    for pattern in ("*.md", "docs/**/*.md", "tools/*.md", "notebooks/*.ipynb")
    for path in sorted(ROOT.glob(pattern))
    if "site" not in path.relative_to(ROOT).parts  # those are laid out by build_site.py
]
LINK = re.compile(r"(?<!`)\]\(([^)#\s]*)(#[^)\s]*)?\)")


def text(path):
    if path.suffix == ".md":
        return re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def anchors(path):
    """What a heading is called in a link, as GitHub makes it."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", text(path), re.MULTILINE):
        plain = re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading).strip().lower()
        found.add("#" + re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_links_of_a_page_lead_somewhere(page):
    for target, anchor in LINK.findall(text(page)):
        if re.match(r"[a-z]+:", target):
            continue
        place = (page.parent / target).resolve() if target else page
        assert place.exists(), f"{page.name}: {target}"
        if anchor and place.suffix == ".md":
            assert anchor in anchors(place), f"{page.name}: {target}{anchor}"
