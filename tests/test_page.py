import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

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
