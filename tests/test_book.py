"""The site: what a build takes up, and what a reader with any eyes, screen and network gets."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import build_site
from book_server import serving
from chromium import CHROMIUM, launched
from missing_aa.cli import COMMANDS

ROOT = Path(__file__).parents[1]
LESSONS = sorted(path.name for path in ROOT.glob("notebooks/*.ipynb"))
LESSON_03 = "notebooks/03_reproduce_the_error.html"
LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


def test_a_page_folds_cells_by_their_tags_and_nothing_else():
    tags = ["parameters", "setup", "predict", "check", "solution"]
    cells = [new_code_cell("42", metadata={"tags": [tag]}) for tag in tags]
    metadata = {"language_info": {"name": "python"}}
    notebook = new_notebook(cells=[new_markdown_cell("# 03"), *cells], metadata=metadata)
    _, *cells = build_site.lesson_page(notebook, "03.ipynb", "OWNER/REPOSITORY").cells
    assert [cell.metadata.tags[1:] for cell in cells] == [
        [],
        ["hide-input"],
        ["hide-output"],
        ["hide-cell"],
        ["hide-cell"],
    ]
    said = [cell.metadata.get("mystnb", {}).get("code_prompt_show") for cell in cells]
    assert said == [None, "Set-up", "Predict first, then look", "Check", "Solution"]


def test_a_site_is_older_than_what_was_changed_since(tmp_path):
    done, folder, page = tmp_path / "done", tmp_path / "docs", tmp_path / "docs" / "page.md"
    (folder / "__pycache__").mkdir(parents=True)
    page.write_text("")
    assert not build_site.is_newer(done, [folder])
    done.touch()
    assert build_site.is_newer(done, [folder, tmp_path / "nowhere"])
    later = done.stat().st_mtime + 5
    for path, newer in [(folder / "__pycache__" / "a.pyc", True), (page, False)]:
        path.touch()
        os.utime(path, (later, later))
        assert build_site.is_newer(done, [folder]) == newer


# From here on with the site, built from the real lessons.


@pytest.fixture(scope="session")
def book(tmp_path_factory):
    """The site, built without a warning."""
    output = tmp_path_factory.mktemp("site") / "book"
    command = [sys.executable, ROOT / "docs/site/build_site.py", "--output", output]
    done = subprocess.run(command, capture_output=True, text=True, cwd=output.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    return output


@pytest.fixture(scope="session")
def pages(book):
    """Each page's path below the site, and what it holds."""
    moved = {book / f"{address}.html" for address in build_site.MOVED}
    paths = [path for path in {*book.rglob("*.html")} - moved if "_static" not in path.parts]
    return {
        path.relative_to(book).as_posix(): BeautifulSoup(path.read_text(), "html.parser")
        for path in paths
    }


def test_a_former_address_leads_to_a_lesson_that_is_there(tmp_path):
    (tmp_path / "notebooks").mkdir()
    build_site.redirect(tmp_path)
    for address, name in build_site.MOVED.items():
        page = BeautifulSoup((tmp_path / f"{address}.html").read_text("utf-8"), "html.parser")
        assert page.select_one("meta[http-equiv=refresh]")["content"] == f"0; url={name}.html"
        assert page.a["href"] == f"{name}.html" and f"{name}.ipynb" in LESSONS


@pytest.fixture(scope="session")
def address(book):
    with serving(book) as address:
        yield address


@pytest.fixture(scope="module")  # while one is open, no other test can open its own
def chromium():
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on the path")
    with launched() as browser:
        yield browser


@pytest.fixture
def view(chromium, address):
    """Open pages: a function that takes a page's path and settings of the browser's window."""
    contexts = []

    def open_page(path, base=address, viewport=LAPTOP, **settings):
        # Without motion: a colour on its way to another one has no contrast to speak of.
        context = chromium.new_context(viewport=viewport, reduced_motion="reduce", **settings)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{base}/{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()


def complaints(page):
    """What axe finds against WCAG 2.1 A and AA, or None."""
    rules = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
    results = Axe().run(page, options={"runOnly": rules})
    return results.generate_report() if results.violations_count else None


def where(pages, found):
    """The pages on which something was found, with it."""
    return {path: what for path, soup in pages.items() if (what := found(soup))}


@pytest.mark.long
def test_the_lessons_the_reference_and_the_rest_are_there(pages):
    lessons = {f"notebooks/{name.removesuffix('.ipynb')}.html" for name in LESSONS}
    reference = {
        path.relative_to(ROOT).with_suffix(".html").as_posix()
        for path in (ROOT / "docs").rglob("*.md")
        if path.parent.name != "site"
    }
    others = ("index", "setup", "errors", "glossary", "commands", "api", "atlas", "search")
    assert lessons | reference | {f"{name}.html" for name in others} <= pages.keys()


@pytest.mark.long
def test_every_command_is_there_with_the_words_of_its_help(pages):
    page = pages["commands.html"]
    titles = [heading.text.removesuffix("#") for heading in page.select("main h2:has(code)")]
    assert titles == [f"missing-aa {name}" for name in COMMANDS]
    told = {f"{dt.text}  {dt.find_next('dd').text.strip()}" for dt in page.select("main dt")}
    for name in COMMANDS:
        words = [sys.executable, "-m", "missing_aa", name, "--help"]
        wide = os.environ | {"COLUMNS": "200"}
        shown = subprocess.run(words, capture_output=True, text=True, env=wide).stdout
        shown = re.sub(r" {3,}|\n {9,}", "  ", shown.replace("`", ""))
        options = shown.partition("show this help message and exit")[2].split("\n")
        lines = [line.strip() for line in options if line.startswith("  -")]
        assert set(lines) <= told, name


@pytest.mark.long
def test_no_page_names_another_host_but_in_a_link(pages, book):
    def foreign(soup):
        parts = soup.select("[src], [srcset], [data], link[href]")
        texts = [str(part) for part in parts] + [part.text for part in soup.select("style")]
        return [text[:200] for text in texts if re.search(r"""["'(=]\s*(https?:)?//""", text)]

    assert where(pages, foreign) == {}
    for sheet in book.rglob("*.css"):
        assert not re.search(r"""(url\(|@import)\s*["']?(https?:)?//""", sheet.read_text()), sheet


@pytest.mark.long
def test_every_picture_has_a_text_alternative(pages):
    def silent(soup):
        return [str(img)[:99] for img in soup.select("img") if not len(img.get("alt", "")) > 20]

    assert where(pages, silent) == {}


@pytest.mark.long
@pytest.mark.parametrize("name", LESSONS)
def test_a_lessons_figures_keep_the_alternative_made_from_their_data(pages, name):
    executed = nbformat.read(build_site.EXECUTED / name, 4)
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    drawn = [o.data["text/plain"] for o in outputs if "image/png" in o.get("data", {})]
    page = pages[f"notebooks/{name.removesuffix('.ipynb')}.html"]
    assert [img["alt"] for img in page.select("div.cell_output img")] == drawn


@pytest.mark.long
def test_headings_are_in_order_and_the_first_is_the_only_one_of_its_level(pages):
    def astray(soup):
        # The theme repeats a page's title and contents for the printer.
        headings = soup.select(":is(h1, h2, h3, h4, h5, h6):not(.onlyprint *)")
        levels = [int(heading.name[1]) for heading in headings]
        steps = zip(levels, levels[1:], strict=False)
        fine = levels.count(1) == 1 and levels[0] == 1 and all(b - a <= 1 for a, b in steps)
        return None if fine else levels

    assert where(pages, astray) == {}


@pytest.mark.long
def test_an_id_stands_for_one_place(pages):
    def doubled(soup):
        ids = [part["id"] for part in soup.select("[id]")]
        return {name for name in ids if ids.count(name) > 1}

    assert where(pages, doubled) == {}


@pytest.mark.long
def test_a_link_within_the_site_leads_to_a_place_that_is_there(pages, book):
    def astray(path, link):
        url = urlsplit(link)
        if url.scheme:
            return False
        target = (book / path).parent / unquote(url.path) if url.path else book / path
        inside = pages.get(os.path.relpath(target, book))
        return not target.exists() or bool(
            inside and url.fragment and not inside.find(id=unquote(url.fragment))
        )

    for path, soup in pages.items():
        links = {part["href"] for part in soup.select("a[href]")} - {"#"}
        assert [link for link in links if astray(path, link)] == [], path


@pytest.mark.long
def test_axe_has_nothing_to_say_and_no_page_asks_another_host(pages, view, address):
    asked = []
    page = view("index.html", color_scheme="light")
    page.on("request", lambda request: asked.append(request.url))
    for path in pages:
        page.goto(f"{address}/{path}")
        assert complaints(page) is None, path
    foreign = [url for url in asked if not url.startswith((address, "data:"))]
    assert len(asked) > len(pages) and foreign == []


@pytest.mark.long
@pytest.mark.parametrize("path", ["index.html", LESSON_03, "commands.html", "api.html"])
def test_axe_has_nothing_to_say_at_night_either(view, path):
    assert complaints(view(path, color_scheme="dark")) is None


@pytest.mark.long
def test_a_page_is_no_wider_than_a_phone(pages, view, address):
    page = view("index.html", viewport=PHONE)
    for path in pages:
        page.goto(f"{address}/{path}")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], path


@pytest.mark.long
def test_a_solution_is_folded_until_it_is_asked_for(view):
    page = view(LESSON_03)
    folds = page.locator("details.hide", has=page.locator("summary", has_text="Solution"))
    assert folds.count() == 2
    for number in range(2):
        code = folds.nth(number).locator("div.cell_input")
        assert not code.is_visible()
        folds.nth(number).locator("summary").click()
        assert code.is_visible() and "check." in code.inner_text()


@pytest.mark.long
def test_the_whole_traceback_is_one_click_below_and_on_paper(view):
    page = view(LESSON_03)
    shown = page.locator(".traceback", has_text="'ConvNormAct' object has no attribute").first
    whole = shown.locator("details pre")
    for fold in page.locator("details.hide").all():  # it may be behind a prediction
        fold.evaluate("fold => { fold.open = true }")
    assert "2 frames of torch" in shown.locator("pre").first.inner_text()
    assert not whole.is_visible()
    shown.locator("summary").click()
    assert whole.is_visible() and "torch/nn/modules/module.py" in whole.inner_text()
    page = view(LESSON_03)
    page.emulate_media(media="print")
    assert all(part.is_visible() for part in page.locator(".traceback pre, details.hide pre").all())


@pytest.mark.long
@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_can_be_downloaded_as_it_lies_in_the_repository(view, name):
    page = view(f"notebooks/{name.removesuffix('.ipynb')}.html", accept_downloads=True)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download this lesson").click()
    assert waiting.value.suggested_filename == name
    assert Path(waiting.value.path()).read_bytes() == (ROOT / "notebooks" / name).read_bytes()


@pytest.mark.long
def test_a_learner_who_searches_is_shown_no_answer(book):
    index = (book / "searchindex.js").read_text()
    found = json.loads(index.removeprefix("Search.setIndex(").removesuffix(")"))
    pages = found["docnames"]
    hidden = {at for at, page in enumerate(pages) if page.startswith("docs/teaching/lesson_")}
    hidden.add(pages.index("docs/teaching/questions"))
    places = [*found["terms"].values(), *found["titleterms"].values()]
    shown = {at for at_ in places for at in (at_ if isinstance(at_, list) else [at_])}
    assert len(hidden) > 10 and not hidden & shown


PASTED = {
    "an error of the list": ("AttributeError: 'ConvNormAct' object has no attribute 'aa'", ["aa"]),
    "a traceback": (
        'Traceback (most recent call last):\n  File "/x.py", line 3, in <module>\n'
        "AttributeError: 'InvertedResidual' object has no attribute 'conv_s2d'",
        ["conv_s2d"],
    ),
    "a name cut off": ("No module named 'timm.models.layers.create_act'", ["timm.models.layers"]),
    "another name": ("'Mine' object has no attribute 'theirs'", ["aa", "conv_s2d"]),
    "some words": ("renamed missing key", ["Missing key"]),
}


@pytest.mark.long
@pytest.mark.parametrize("pasted, rows", PASTED.values(), ids=PASTED)
def test_a_pasted_error_leaves_the_rows_that_it_fits(view, pasted, rows):
    page = view("errors.html")
    page.get_by_label("Paste the error").fill(pasted)
    shown = page.locator("article table").first.locator("tbody tr:visible")
    assert shown.count() == len(rows)
    for at, text in enumerate(rows):
        assert text in shown.nth(at).inner_text()
    assert f"{len(rows)} of " in page.get_by_role("status").inner_text()
    assert complaints(page) is None


@pytest.mark.long
def test_an_error_that_fits_no_row_is_said_to_and_the_list_stays(view):
    page = view("errors.html")
    rows = page.locator("article table").first.locator("tbody tr:visible")
    before = rows.count()
    page.get_by_label("Paste the error").fill("ZeroDivisionError: division by zero")
    assert "None of these" in page.get_by_role("status").inner_text()
    assert rows.count() == before
    page.get_by_label("Paste the error").fill("")
    assert rows.count() == before and page.get_by_role("status").inner_text() == ""


@pytest.mark.long
def test_without_scripts_the_whole_error_index_is_there(view):
    page = view("errors.html", java_script_enabled=False)
    assert page.locator("textarea").count() == 0
    assert page.locator("article table").first.locator("tbody tr:visible").count() > 7


@pytest.mark.long
@pytest.mark.parametrize("words", ["bit for bit", "consistency", "shift equivariance"])
def test_the_search_shows_sentences_of_the_pages(view, pages, words):
    page = view(f"search.html?q={words}")
    page.locator("#search-results li .context").first.wait_for()
    texts = page.locator("#search-results li .context").all_inner_texts()
    found = [soup.select_one("article") for soup in pages.values()]
    articles = [" ".join(article.get_text().split()) for article in found if article]
    for text in texts:
        whole = text.strip("… ")
        assert any(whole in article for article in articles), text
        assert "System Settings" not in text and "Contents" not in text


@pytest.mark.long
@pytest.mark.parametrize("words", ["__getattr__", "'ConvNormAct' object has no attribute 'aa'"])
@pytest.mark.parametrize("how", ["from a server", "from the disk"])
def test_the_search_finds_the_lesson(view, book, address, how, words):
    base = address if how == "from a server" else book.as_uri()
    page = view("index.html", base=base)
    page.get_by_role("button", name="Search").first.click()
    page.locator("dialog input[type=search]").fill(words)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html*")
    hit = page.locator(f"#search-results a[href*='{LESSON_03}']").first
    hit.click()
    page.wait_for_url(f"**/{LESSON_03}*")


@pytest.mark.long
def test_answers_for_teachers_are_folded_away_from_a_learners_sidebar(view):
    page = view(LESSON_03)
    links = page.locator("nav.bd-links a[href*='teaching']")
    shown = [link.get_attribute("href") for link in links.all() if link.is_visible()]
    assert len(shown) == 1 and shown[0].endswith("docs/teaching/index.html")
