"""Build the site, as `make book` does: `python docs/site/build_site.py [--output build/book]`.

With `--if-older` only where a source is newer than the site. With `--links` no page is built and no
lesson run: every link to another host is tried.

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
import ways_in
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
ANSWERS = ("docs/teaching/lesson_*.md", "docs/teaching/questions.md")
"""Pages for teachers that the search does not find: a learner is not shown an answer by chance."""
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
DONE = ".done"
"""Lies in the folder of what Sphinx read, once the site is built from it without a warning."""
FOLDERS = ("docs", "src", "tests", "tools", "notebooks")
"""What the site is built from, with PROJECT and the executed lessons."""
PROJECT = ("README.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md", "CHANGELOG.md")


def bring_together(stage: Path, lessons: Path) -> None:
    """Fill a folder with all that Sphinx is to read; `lessons` is where the notebooks are."""
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
    for page in (found for pattern in ANSWERS for found in stage.glob(pattern)):
        page.write_text(f"---\nnosearch: true\n---\n\n{page.read_text('utf-8')}", "utf-8")
    with (stage / "docs" / "teaching" / "index.md").open("a", encoding="utf-8") as teachers:
        teachers.write(TEACHERS)
    atlas_page.write(stage)
    commands_page.write(stage)
    shutil.copytree(ROOT / "notebooks", stage / DOWNLOADS, ignore=ignore)
    (stage / "notebooks").mkdir()
    for lesson in catalogue.lessons(ROOT):
        name = lesson.path.name
        page = lesson_page(nbformat.read(lessons / name, 4), name, ways_in.repository())
        nbformat.write(page, stage / "notebooks" / name)


def lesson_page(
    notebook: nbformat.NotebookNode, name: str, repository: str
) -> nbformat.NotebookNode:
    """An executed lesson as a page: folded by tags, and links to it as a file or on a server."""
    notebook.metadata.language_info.pygments_lexer = "lesson"
    ways = [f"{{download}}`Download this lesson <../{DOWNLOADS}/{name}>`"]
    for place, url in ways_in.buttons(f"notebooks/{name}", repository).items():
        ways.append(f"[Open in {place}]({url})")
    notebook.cells[0].source += "\n\n" + " · ".join(ways)
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
    parser.add_argument(
        "--if-older", action="store_true", help="leave a site alone that is as new as its sources"
    )
    parser.add_argument("--links", action="store_true", help="try the links to other hosts")
    args = parser.parse_args()
    output = args.output.resolve()
    if args.links:
        return try_links(output.with_name("links"))
    if code := refresh(catalogue.lessons(ROOT), EXECUTED):
        return code
    stage = output.with_name(f"{output.name}-source")
    folders = [*(ROOT / name for name in FOLDERS), EXECUTED]
    sources = [*folders, *(ROOT / name for name in (*PROJECT, "pyproject.toml"))]
    if args.if_older and output.is_dir() and is_newer(stage / DONE, sources):
        print(f"Nothing is newer than {output}")
        return 0
    bring_together(stage, EXECUTED)
    shutil.rmtree(output, ignore_errors=True)
    code = run_sphinx("html", stage, output)
    redirect(output)
    if not code:
        (stage / DONE).touch()
    return code


def is_newer(done: Path, sources: list[Path]) -> bool:
    """Whether a file is there, and newer than all of these and, below a folder, all that it has."""
    if not done.is_file():
        return False
    inside = (path for source in sources for path in source.rglob("*"))
    looked_at = (path for path in inside if "__pycache__" not in (path.name, path.parent.name))
    newest = max(path.stat().st_mtime for path in [*sources, *looked_at] if path.exists())
    return newest <= done.stat().st_mtime


def try_links(output: Path) -> int:
    """Ask every other host that a page links to; returns the exit code."""
    stage = output.with_name(f"{output.name}-source")
    bring_together(stage, ROOT / "notebooks")
    return run_sphinx("linkcheck", stage, output)


def run_sphinx(builder: str, stage: Path, output: Path) -> int:
    """One run of Sphinx, with every warning an error; returns the exit code."""
    words = ["-b", builder, "-W", "--keep-going", "--quiet"]
    words += ["-c", HERE, "-d", stage / ".doctrees", stage, output]
    return sphinx([str(word) for word in words])


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
