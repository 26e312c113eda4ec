"""Build the site, as `make book` does: `python docs/site/build_site.py [--output build/book]`.

The pages are those of this folder, of docs/, and the lessons as `make run` executed them.
They are laid out as in the repository, so that a link means the same here and there.
"""

import argparse
import re
import shutil
import sys
from pathlib import Path

import nbformat
from sphinx.cmd.build import main as sphinx

import atlas_page
import commands_page
from helpers.runner import catalogue
from helpers.runner.freshness import refresh

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EXECUTED = ROOT / "build" / "lessons"
PARTS = {
    None: "index",
    "#two-commands": "setup",
    "#i-have-an-error-where-do-i-look": "errors",
    "#the-command": "commands",
}  # of the README, each on the page that includes it
DOWNLOADS = "downloads"  # the lessons as they lie in the repository
FOLDS = {
    "solution": ("hide-cell", "Solution"),
    "check": ("hide-cell", "Check"),
    "setup": ("hide-input", "Set-up"),
    "predict": ("hide-output", "Predict first, then look"),
}  # a cell's tag -> myst-nb's, and what is written on the fold
MOVED = {"notebooks/08_best_practices": "08_keep_a_model"}
"""The address of a page that is gone -> the page beside it that goes on there."""
TEACHERS = """

```{toctree}
:hidden:
:glob:

[!il]*
lesson*
```
"""
"""What stands below the teachers' first page in the sidebar, folded: there are answers in it."""
PROJECT = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


def bring_together(stage: Path) -> None:
    """Fill a folder with everything that Sphinx is to read."""
    shutil.rmtree(stage, ignore_errors=True)
    ignore = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "site")
    for folder in (
        "docs",
        "src",
        "tests",
        "tools",
    ):  # all but docs for links to single files of them
        shutil.copytree(ROOT / folder, stage / folder, ignore=ignore)
    for page in [*HERE.glob("*.md"), *(ROOT / name for name in PROJECT)]:
        shutil.copy2(page, stage)
    for page in stage.glob("docs/**/*.md"):
        page.write_text(_lead_to_parts(page.read_text("utf-8")), "utf-8")
    with (stage / "docs" / "teaching" / "index.md").open("a", encoding="utf-8") as teachers:
        teachers.write(TEACHERS)
    atlas_page.write(stage)
    commands_page.write(stage)
    shutil.copytree(ROOT / "notebooks", stage / DOWNLOADS, ignore=ignore)
    (stage / "notebooks").mkdir()
    for lesson in catalogue.lessons(ROOT):
        name = lesson.path.name
        page = lesson_page(nbformat.read(EXECUTED / name, 4), f"../{DOWNLOADS}/{name}")
        nbformat.write(page, stage / "notebooks" / name)


def lesson_page(notebook: nbformat.NotebookNode, download: str) -> nbformat.NotebookNode:
    """An executed lesson as a page: folded by tags, and a link to the file without outputs."""
    notebook.metadata.language_info.pygments_lexer = "lesson"
    notebook.cells[0].source += f"\n\n{{download}}`Download this lesson <{download}>`"
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _lead_to_parts(_with_pictures(cell))
        tags = cell.metadata.get("tags", [])
        for hide, prompt in (FOLDS[tag] for tag in tags if tag in FOLDS):
            cell.metadata.tags = [*tags, hide]
            cell.metadata.mystnb = {"code_prompt_show": prompt, "code_prompt_hide": prompt}
    return notebook


def _with_pictures(cell: nbformat.NotebookNode) -> str:
    """A text whose attached pictures stand in it: myst-nb knows no attachments."""
    text = cell.source
    for name, data in cell.get("attachments", {}).items():
        text = text.replace(f"attachment:{name}", f"data:image/png;base64,{data['image/png']}")
    return text


def _lead_to_parts(text: str) -> str:
    """Text whose links to the README lead to the page that has this part of it."""

    def page(link: re.Match) -> str:
        part = PARTS.get(link[2])
        return f"]({link[1]}{part}.md)" if part else link[0]  # of which Sphinx then warns

    return re.sub(r"\]\(((?:\.\./)*)README\.md(#[\w-]+)?\)", page, text)


def main() -> int:
    """Build it, with every warning an error; returns the exit code."""
    parser = argparse.ArgumentParser(description="Build the site.")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "book")
    output = parser.parse_args().output.resolve()
    if code := refresh(catalogue.lessons(ROOT), EXECUTED):
        return code
    stage = output.with_name(f"{output.name}-source")
    bring_together(stage)
    shutil.rmtree(output, ignore_errors=True)
    doctrees = stage / ".doctrees"
    words = ["-W", "--keep-going", "--quiet", "-c", HERE, "-d", doctrees, stage, output]
    code = sphinx([str(word) for word in words])
    redirect(output)
    return code


def redirect(site: Path) -> None:
    """Leave a page at each address that is gone, which leads to the new one."""
    for address, name in MOVED.items():
        (site / f"{address}.html").write_text(
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Moved</title>\n'
            f'<meta http-equiv="refresh" content="0; url={name}.html"></head>\n'
            f'<body><h1>Moved</h1><p>To <a href="{name}.html">{name}</a>.</p></body></html>\n',
            encoding="utf-8",
        )


if __name__ == "__main__":
    sys.exit(main())
