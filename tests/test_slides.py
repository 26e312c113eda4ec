"""The slides: what the deck wants of the lessons is there, fits, and can be read, offline."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, writes

from missing_aa.errors import Problem

ROOT = Path(__file__).parents[1]
FOREIGN = re.compile(
    r"""(?:src|<link[^>]+href)=["'](?:https?:)?//|url\(["']?(?:https?:)?//|import\("""
)


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(path.parent)  # as Python does for a script
        spec.loader.exec_module(module)
    return module


slides = load(ROOT / "docs" / "slides" / "build_slides.py")


@pytest.fixture(scope="module")
def deck():
    return slides.read_deck()


@pytest.fixture(scope="module")
def lessons():
    """The lessons as they lie in the repository, without outputs."""
    paths = sorted(ROOT.glob("notebooks/[0-9][0-9]_*.ipynb"))
    return {path.name[:2]: slides.Lesson(path) for path in paths}


def test_everything_that_the_deck_wants_of_a_lesson_is_there(deck, lessons):
    notebook = slides.assemble(deck, lessons, slides.read_plan())
    kinds = [cell.metadata.slideshow.slide_type for cell in notebook.cells]
    assert kinds.count("slide") == len(deck)


def test_every_slide_tells_the_teacher_when_and_in_the_order_of_the_plan(deck, lessons):
    plan = slides.read_plan()
    notebook = slides.assemble(deck, lessons, plan)
    told = [c.source for c in notebook.cells if c.metadata.slideshow.slide_type == "notes"]
    times = [re.match(r"\*\*(−?)(\d):(\d\d)\*\*, ", text).groups() for text in told]
    minutes = [(-1 if sign else 1) * (int(hours) * 60 + int(rest)) for sign, hours, rest in times]
    assert minutes[0] < 0 and minutes == sorted(minutes)
    open_ends = sum(slide.get("section") == "Key points" for slide in deck)
    assert len(told) == len(deck) - open_ends


def test_every_row_of_the_half_day_has_a_slide(deck, lessons):
    plan = slides.read_plan()
    notebook = slides.assemble(deck, lessons, plan)
    told = [c.source for c in notebook.cells if c.metadata.slideshow.slide_type == "notes"]
    shown = {text.splitlines()[0] for text in told}
    assert set(plan.values()) - shown == set()


def test_the_teacher_is_told_what_to_ask_and_what_will_be_answered(deck, lessons):
    notebook = slides.assemble(deck, lessons, slides.read_plan())
    told = [c.source for c in notebook.cells if c.metadata.slideshow.slide_type == "notes"]
    answers = [set(re.findall(r"^- `(\w+)`: ", text, re.M)) for text in told]
    assert max(map(len, answers)) == 1, "those of one exercise do not stand beside another"
    assert len(set.union(*answers)) == sum("exercise" in slide for slide in deck)


def test_an_exercise_has_its_title_and_its_minutes_and_nothing_says_below(deck, lessons):
    notebook = slides.assemble(deck, lessons, slides.read_plan())
    shown = [c.source for c in notebook.cells if c.metadata.slideshow.slide_type == "slide"]
    exercises = [text for text in shown if text.startswith("## Exercise ")]
    assert len(exercises) == sum("exercise" in slide for slide in deck) > 4
    assert all(re.search(r"\d+ minutes\. In the notebook: \*Exercise", text) for text in exercises)
    assert not any("below" in text for text in exercises)


# From here on with a lesson of two cells.

PRINTED = "first\nsecond\n\x1b[31mThirdError\x1b[0m: a long story\nfourth\n"


@pytest.fixture
def tiny(tmp_path):
    cells = [
        new_markdown_cell("# 42 · Tiny\n\n**Why?**", id="top"),
        new_markdown_cell("## Part\n\nSome text.\n\n- one\n- two\n\n**Predict.** What?", id="t"),
        new_code_cell(
            "a = 1\nb = 2\nc = 3",
            id="c",
            execution_count=7,
            outputs=[new_output("stream", text=PRINTED)],
        ),
    ]
    path = tmp_path / "42_tiny.ipynb"
    path.write_text(writes(new_notebook(cells=cells)))
    return {"42": slides.Lesson(path)}


def assembled(tiny, *items, **slide):
    deck = [{"lesson": "42", "cells": list(items), **slide}]
    return slides.assemble(deck, tiny, {("42", "Part"): "said"}).cells


def test_a_slide_is_titled_by_its_section_and_has_its_notes(tiny):
    head, _, notes = assembled(tiny, {"cell": "c"})
    assert head.source.startswith("## Part\n") and "42 · Tiny" in head.source
    assert assembled(tiny, {"cell": "b = 2"})[1].source == "a = 1\nb = 2\nc = 3"
    assert notes.source == "said" and notes.metadata.slideshow.slide_type == "notes"
    assert assembled(tiny, {"cell": "top"}, title="T")[0].source.startswith("# T\n"), "a large one"


def test_the_corner_says_when_it_is_and_how_far_to_run(tiny):
    plan = {("42", "Part"): "**1:23**, 4 minutes: it", "1:27": "**1:27**, 1 minute: on the slides"}
    shown = {"lesson": "42", "cells": [{"cell": "c"}]}
    deck = [shown, shown | {"section": "Another"}, shown | {"at": "1:27"}, {"title": "A break"}]
    heads = [c.source for c in slides.assemble(deck, tiny, plan).cells if "place" in c.source]
    told = [re.search('class="place">(.*)</p>', head)[1] for head in heads]
    to_run = "1:23 · 42 · Tiny · run to [7]"
    assert told == [to_run, to_run, "1:27 · 42 · Tiny", "1:27"]


def test_what_is_cut_is_seen_to_be_cut(tiny):
    _, cell, _ = assembled(tiny, {"cell": "c", "code": ["b"], "keep": ["first", "(Third\\w+):"]})
    assert cell.source == "# …\nb = 2\n# …"
    assert cell.outputs[0].text == "first\n…\nThirdError …\n…"
    _, cell, _ = assembled(tiny, {"cell": "c", "keep": ["^Third"]})
    assert cell.outputs[0].text == "…\n\x1b[31mThirdError\x1b[0m: a long story\n…", "in its colours"


def test_a_cell_that_ends_a_section_and_begins_the_next_is_of_the_one_that_is_shown(tiny):
    tiny["42"].cells["t"].source += "\n\n## Next\n\nMore text."
    titles = [
        assembled(tiny, {"cell": "t", "paragraphs": [begin]}, lesson="42")[0].source.split("\n")[0]
        for begin in ("**Predict.**", "More text.")
    ]
    assert titles == ["## Part", "## Next"]


def test_a_promised_text_is_left_off_and_the_promise_kept(tiny):
    tiny["42"].cells["c"].source = '%%timm 1.0.3 --raises KeyError --match "a long text"\na = 1'
    _, cell, *_ = assembled(tiny, {"cell": "c"})
    assert cell.source == "%%timm 1.0.3 --raises KeyError\na = 1"


def test_a_lesson_that_ran_where_something_was_missing_is_no_slide(tiny):
    tiny["42"].cells["c"].outputs[0].text = "ok      Python\nNOT OK  packages: one is missing\n"
    with pytest.raises(
        Problem, match="not ready .NOT OK packages: one is missing.*python -m helpers run 42"
    ):
        assembled(tiny, {"cell": "c", "keep": ["Python"]})


def test_paragraphs_and_list_items_are_chosen_by_their_beginning(tiny):
    _, cell, _ = assembled(tiny, {"cell": "t", "paragraphs": ["**Predict.**", "- "]})
    assert cell.source == "**Predict.** What?\n\n- one\n- two"
    _, cell, _ = assembled(tiny, {"cell": "t"})
    assert cell.source.startswith("Some text.") and "## Part" not in cell.source


def test_code_and_output_can_come_apart_and_one_after_the_other(tiny):
    _, code, output, _ = assembled(
        tiny, {"cell": "c", "show": "code"}, {"cell": "c", "show": "output", "step": True}
    )
    assert code.outputs == [] and output.source == ""
    assert output.metadata.slideshow.slide_type == "fragment"
    assert code.id != output.id


@pytest.mark.parametrize(
    "item, said",
    [
        ({"cell": "gone"}, "no cell with 'gone'"),
        ({"cell": "a"}, "2 cells with 'a'"),
        ({"cell": "t", "paragraphs": ["Gone"]}, "no paragraph that begins with 'Gone'"),
        ({"cell": "c", "code": ["gone"]}, "no line with 'gone'"),
        ({"cell": "c", "keep": ["gone"]}, "no line with 'gone'"),
    ],
)
def test_what_is_not_there_is_said(tiny, item, said):
    with pytest.raises(Problem, match=said):
        assembled(tiny, item)


def test_the_folder_is_complete_and_asks_no_other_host(tiny, tmp_path):
    folder = tmp_path / "deck"
    slides.write(slides.assemble([{"lesson": "42", "cells": [{"cell": "c"}]}], tiny, {}), folder)
    html = (folder / "index.html").read_text()
    for path in folder.rglob("*"):
        if path.suffix in (".html", ".css", ".js"):
            assert not FOREIGN.search(path.read_text()), path
    for name in re.findall(r'(?:src|link[^>]+href)="([^":]+)"', html):
        assert (folder / name).exists(), name
    assert "reveal/dist/reveal.js" in html and "MathJax" not in html and "require" not in html


# From here on with the deck itself, in a browser.


@pytest.fixture(scope="module")
def browser():
    from chromium import CHROMIUM, launched

    if CHROMIUM is None:
        pytest.skip("there is no Chromium on the path")
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def pages(browser):
    """A function that opens a deck; the page, and the list of what it asked for elsewhere."""

    def show(folder):
        page = browser.new_page(viewport={"width": slides.WIDTH, "height": slides.HEIGHT})
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((folder / "index.html").as_uri())
        page.wait_for_function("window.Reveal && Reveal.isReady()")
        return page, asked

    return show


FAULTS = f"""() => {{
    const faults = [], slide = Reveal.getCurrentSlide(), title = slide.querySelector("h1, h2");
    for (const node of slide.querySelectorAll("*")) {{
        const box = node.getBoundingClientRect();
        if (!box.width || node.closest("aside, .place")) continue;
        if (box.bottom > {slides.HEIGHT} - 20 || box.right > {slides.WIDTH})
            faults.push("beyond the frame: " + Math.round(box.bottom) + " " + node.tagName);
        if (parseFloat(getComputedStyle(node).fontSize) < 28)
            faults.push("too small: " + node.tagName);
    }}
    return faults.length ? title.innerText + ": " + faults.pop() : null;
}}"""


def faults(page):
    found = []
    for number in range(page.evaluate("Reveal.getTotalSlides()")):
        page.evaluate(f"Reveal.slide({number})")
        found.append(page.evaluate(FAULTS))
    return [fault for fault in found if fault]


def test_a_slide_that_does_not_fit_is_noticed(tiny, tmp_path, pages):
    tiny["42"].cells["c"].source = "\n".join("abcdefghijklmnop")
    items = {"short": [{"cell": "t"}], "long": [{"cell": "c"}]}
    deck = [{"lesson": "42", "title": title, "cells": cells} for title, cells in items.items()]
    slides.write(slides.assemble(deck, tiny, {}), tmp_path / "deck")
    page, _ = pages(tmp_path / "deck")
    (fault,) = faults(page)
    assert fault.startswith("long: beyond the frame")


def test_the_six_questions_print_on_one_side_of_a_sheet(tmp_path, browser):
    slides.write_form(tmp_path)
    html = (tmp_path / "questions.html").read_text()
    assert html.count("<h2") == 6 and not FOREIGN.search(html)
    page = browser.new_page()
    page.goto((tmp_path / "questions.html").as_uri())
    paper = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type */Page\b", paper)) == 1


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The deck, from lessons that are executed for it unless they have been."""
    folder = tmp_path_factory.mktemp("slides") / "slides"
    command = [sys.executable, ROOT / "docs/slides/build_slides.py", "--output", folder]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.long
def test_every_slide_fits_and_can_be_read_from_the_last_row(built, pages, deck):
    page, asked = pages(built)
    assert page.evaluate("Reveal.getTotalSlides()") == len(deck)
    assert faults(page) == []
    assert all(url.startswith(("file:", "data:")) for url in asked)


@pytest.mark.long
def test_every_slide_has_the_contrast_that_it_needs(built, pages):
    from axe_playwright_python.sync_playwright import Axe

    page, _ = pages(built)
    # The slides beside this one lie over it, unseen, and axe could not tell what is behind a text.
    page.add_style_tag(
        content=".slides > section:not(.present), .backgrounds { display: none !important }"
        "* { transition: none !important }"  # half faded in, a text is paler than it will be
    )
    axe = Axe()
    for number in range(page.evaluate("Reveal.getTotalSlides()")):
        page.evaluate(f"Reveal.slide({number}, 0, 9)")
        results = axe.run(page, options={"runOnly": ["color-contrast"]})
        assert results.violations_count == 0, (number + 1, results.generate_report())
        judged = [node["html"] for rule in results.response["passes"] for node in rule["nodes"]]
        assert any(html.startswith("<h") for html in judged), "it could tell"
