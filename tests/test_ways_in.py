"""How the project is come by: words that work, and buttons that lead somewhere."""

import importlib.metadata
import re
import shutil
import subprocess
from email.message import Message
from pathlib import Path

import nbformat
import pytest

import build_site
import ways_in
from helpers.runner import catalogue
from missing_aa import home

ROOT = Path(__file__).resolve().parents[1]
BY_NAME = re.compile(r"(?:pip|uv) (?:install|add) (?:-\S+ )*[\\'\"]*missing-aa(?![\w.-])(?!\S* @)")
SET = "someone/the-project"
LESSONS = [f"notebooks/{lesson.path.name}" for lesson in catalogue.lessons(ROOT)]


def set_address(root, repository):
    """A copy of what the address stands in, with that one in pyproject.toml."""
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    shutil.copytree(ROOT / "docs", root / "docs")
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    project = root / "pyproject.toml"
    project.write_text(project.read_text().replace(ways_in.repository(), repository))


def texts(root):
    return {page: page.read_text() for page in ways_in.pages(root)}


@pytest.mark.parametrize(
    "words",
    ["pip install missing-aa", "pip install -U 'missing-aa[timm]'", 'pip install \\"missing-aa[x]'],
)
def test_an_install_by_the_bare_name_is_recognised(words):
    assert BY_NAME.search(words)


def test_nothing_says_to_install_a_name_that_no_index_has():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in filter(None, listed):
        path = ROOT / name
        if name not in ("CHANGELOG.md", "tests/test_ways_in.py") and path.is_file():
            found = BY_NAME.search(path.read_bytes().decode("utf-8", "replace"))
            assert not found, f"{name}: {found}"


def test_the_pages_say_the_address_that_pyproject_has():
    for page, text in texts(ROOT).items():
        assert ways_in.drawn(text, ways_in.repository()) == text, f"{page}: run {ways_in.__file__}"


def test_each_row_of_the_error_table_says_its_cause_by_itself():
    """The site hides the rows that a pasted error does not fit, whatever other rows say of them."""
    readme = (ROOT / "README.md").read_text()
    table = readme[readme.index("| the error says |") :].partition("\n\n")[0].splitlines()[2:]
    assert len(table) > 5 and not [row for row in table if "the same" in row.split(" | ")[1]]


def test_no_button_is_drawn_before_the_address_is_set(tmp_path):
    set_address(tmp_path, ways_in.UNSET)
    ways_in.main(tmp_path)
    assert not [text for text in texts(tmp_path).values() if "https://colab." in text]
    assert "Binder" not in (tmp_path / "README.md").read_text()
    assert ways_in.buttons(LESSONS[0], ways_in.UNSET) == {}
    assert "Open in" not in site_page(ways_in.UNSET)


def test_with_an_address_every_lesson_has_its_buttons_and_every_page_the_address(tmp_path):
    set_address(tmp_path, SET)
    ways_in.main(tmp_path)
    readme = (tmp_path / "README.md").read_text()
    colab = re.findall(
        r"\[Colab\]\(https://colab\.research\.google\.com/github/([^\s)]+)\)", readme
    )
    binder = re.findall(r"\[Binder\]\(https://mybinder\.org/v2/gh/([^\s)]+)\)", readme)
    assert sorted(colab) == sorted(f"{SET}/blob/main/{lesson}" for lesson in LESSONS)
    assert sorted(binder) == sorted(f"{SET}/HEAD?urlpath=lab/tree/{lesson}" for lesson in LESSONS)
    assert not [page for page, text in texts(tmp_path).items() if ways_in.UNSET in text]
    assert f"repo: https://github.com/{SET}" in (tmp_path / "docs/reference/scan.md").read_text()
    assert f"missing-aa @ git+https://github.com/{SET}" in readme


def test_an_address_that_changes_leaves_nothing_of_the_old_one(tmp_path):
    set_address(tmp_path, SET)
    ways_in.main(tmp_path)
    project = tmp_path / "pyproject.toml"
    project.write_text(project.read_text().replace(SET, "other/name"))
    ways_in.main(tmp_path)
    assert not [page for page, text in texts(tmp_path).items() if SET in text]
    project.write_text(project.read_text().replace("other/name", ways_in.repository()))
    ways_in.main(tmp_path)
    assert list(texts(tmp_path).values()) == list(texts(ROOT).values())


def site_page(repository):
    notebook = nbformat.read(ROOT / LESSONS[0], 4)
    return build_site.lesson_page(notebook, Path(LESSONS[0]).name, repository).cells[0].source


def test_a_lessons_page_on_the_site_has_the_same_buttons():
    source = site_page(SET)
    for place, url in ways_in.buttons(LESSONS[0], SET).items():
        assert f"[Open in {place}]({url})" in source


@pytest.fixture
def installed(monkeypatch):
    """Sets the address that the installed package tells of itself."""

    def tells(repository):
        message = Message()
        if repository:
            message["Project-URL"] = "Changelog, https://example.org/changes"
            message["Project-URL"] = f"Repository, https://github.com/{repository}"
        monkeypatch.setattr(importlib.metadata, "metadata", lambda name: message)

    return tells


@pytest.mark.parametrize("repository", [None, ways_in.UNSET])
def test_without_an_address_the_words_are_those_for_a_checkout(installed, repository):
    installed(repository)
    assert home.address() is None
    assert home.install() == "pip install ., in a checkout of missing-aa"
    assert home.install("course") == "pip install '.[course]', in a checkout of missing-aa"
    packages = home.install("timm")  # also for somebody without a checkout
    assert packages.startswith("pip install '") and " 'timm>=" in packages
    assert home.install(newer=True).startswith("git pull, then pip install .,")


def test_with_an_address_the_words_name_it(installed):
    installed(SET)
    where = f"git+https://github.com/{SET}'"
    assert home.install("timm") == f"pip install 'missing-aa[timm] @ {where}"
    assert home.install(newer=True) == f"pip install --upgrade 'missing-aa @ {where}"
