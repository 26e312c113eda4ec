import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from chromium import CHROMIUM, launched
from helpers.runner import page


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    said = [new_output("stream", text="first\n"), new_output("stream", text="second\n")]
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "a bar"}
    script = {"application/javascript": "fetch('https://example.org')", "text/plain": "a script"}
    shown = [new_output("display_data", data=data) for data in (widget, script)]
    book = new_notebook(
        cells=[
            new_code_cell("# a remark"),
            new_markdown_cell("# 01 · A < B\n\nOn to [02](02_next.ipynb#part), x = `$y$`."),
            new_code_cell("%%timm 1.0.3\nimport timm", outputs=said + shown),
        ]
    )
    book.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    nbformat.write(book, folder / "01_it.ipynb")
    page.write(folder / "01_it.ipynb", folder / "01_it.html")
    return (folder / "01_it.html").read_text()


def test_the_title_is_the_first_heading(html):
    assert "<title>01 · A &lt; B</title>" in html


def test_lessons_link_to_each_others_pages(html):
    assert 'href="02_next.html#part"' in html


def test_what_was_printed_in_parts_is_one_text(html):
    assert re.search(r"<pre[^>]*>first\nsecond\n</pre>", html)


def test_widgets_and_scripts_are_shown_as_text(html):
    assert "a bar" in html and "a script" in html
    assert "https://" not in html


def test_a_timm_cell_is_coloured_as_python(html):
    assert re.search(r'<span class="kn">import</span>', html)


@pytest.fixture
def folded(tmp_path):
    """The page of cells that are folded, each by its tag, and where it lies."""
    printed, failed = (
        new_output("stream", text="printed\n"),
        new_output("error", ename="E", evalue="failed", traceback=["E: failed"]),
    )
    cells = [
        new_code_cell("the_setup", outputs=[printed]),
        new_code_cell("the_surprise", outputs=[printed]),
        new_code_cell("the_check"),
        new_code_cell("a_check_that_fails", outputs=[failed]),
        new_code_cell("the_solution", outputs=[printed]),
    ]
    for cell, tag in zip(cells, ("setup", "predict", "check", "check", "solution"), strict=True):
        cell.metadata.tags = [tag]
    nbformat.write(new_notebook(cells=cells), tmp_path / "01_it.ipynb")
    page.write(tmp_path / "01_it.ipynb", tmp_path / "01_it.html")
    return tmp_path / "01_it.html"


def test_set_up_checks_solutions_and_what_was_to_be_predicted_are_folded(folded):
    soup = BeautifulSoup(folded.read_text(), "html.parser")
    below = [fold.get_text(" ", strip=True) for fold in soup.select("details")]
    assert [re.sub(r"In.\[.\]: ", "", text) for text in below] == [
        "Set-up the_setup",
        "Predict first, then look printed",
        "Check the_check",
        "Check a_check_that_fails E: failed",
        "Solution the_solution printed",
    ]
    assert [fold.has_attr("open") for fold in soup.select("details")] == [0, 0, 0, 1, 0]


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome on this machine")
def test_on_paper_nothing_is_folded(folded):
    with launched() as browser:
        view = browser.new_page()
        view.goto(folded.as_uri())
        surprise = view.locator("details", has_text="Predict first").locator("pre")
        assert not surprise.is_visible()
        view.emulate_media(media="print")
        assert all(part.is_visible() for part in view.locator("details pre").all())
