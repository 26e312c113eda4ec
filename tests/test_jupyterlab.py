"""The lessons in JupyterLab, in a real browser, as someone at a laptop uses them."""

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

from jupyterlab_browser import CHROMIUM, MINUTES, Lab, browser, server

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "build" / "screenshots"
RUN = ("01_build_convnormact", "03_reproduce_the_error", "06_rescue_a_checkpoint")

pytestmark = [
    pytest.mark.long,
    pytest.mark.xdist_group("jupyterlab"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome on this machine"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """JupyterLab on a copy of the lessons."""
    course = tmp_path_factory.mktemp("course")
    notebooks = shutil.copytree(ROOT / "notebooks", course / "notebooks")
    with server(notebooks, tmp_path_factory.mktemp("jupyter")) as found:
        yield found, notebooks


@pytest.fixture
def open_lesson(address):
    """A function that opens a lesson in a fresh browser."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with browser() as page:

        def opened(name):
            where, notebooks = address
            shutil.copy(ROOT / "notebooks" / f"{name}.ipynb", notebooks)
            return Lab(page, where, notebooks / f"{name}.ipynb")

        yield opened


@pytest.mark.parametrize("name", RUN)
def test_a_lesson_runs_from_the_menu(open_lesson, name):
    lab = open_lesson(name)
    lab.menu("Run", "Run All Cells$")
    lab.wait_until_all_have_run()
    notebook = lab.saved()

    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    red = lab.page.locator("[data-mime-type='application/vnd.jupyter.stderr']")
    assert red.all_inner_texts() == [], "nothing in red that means nothing to a learner"

    lab.page.screenshot(path=PICTURES / f"{name}_end.png")
    for number, image in enumerate(lab.page.locator(".jp-OutputArea-output img").all()):
        assert image.get_attribute("alt")
        image.scroll_into_view_if_needed()
        shown = image.evaluate("i => [i.naturalWidth, i.width, i.parentElement.clientWidth]")
        assert shown[0] > 0 and shown[1] <= shown[2] + 1, "the picture is there, and not cut off"
        lab.page.screenshot(path=PICTURES / f"{name}_{number}.png")


def test_a_solution_is_folded_until_it_is_asked_for(open_lesson):
    lab = open_lesson("01_build_convnormact")
    folded = lab.page.locator(".jp-InputPlaceholder", has_text="One way to solve it").first
    body = lab.page.locator(".cm-content", has_text="norm = 2 * out_channels")
    folded.scroll_into_view_if_needed()
    expect(body).to_have_count(0)
    lab.page.screenshot(path=PICTURES / "solution_folded.png")
    folded.locator(".jp-Placeholder-content").click()
    expect(body).to_be_visible()
    lab.page.screenshot(path=PICTURES / "solution_unfolded.png")


def test_an_exercise_says_what_is_wrong_and_what_is_right(open_lesson):
    lab = open_lesson("01_build_convnormact")
    lab.menu("Run", "Run All Cells$")
    lab.wait_until_all_have_run()
    stub = lab.cell("check.parameter_count(parameter_count)")
    said = stub.locator("[role=status]")
    expect(said).to_contain_text("not yet solved")

    head = "def parameter_count(in_channels, out_channels, kernel_size, groups=1, bias=False):\n"
    check = "\n\n\ncheck.parameter_count(parameter_count)"
    lab.replace(stub, f"{head}    return out_channels * in_channels * kernel_size**2{check}")
    expect(said).to_contain_text("not yet:", timeout=MINUTES)
    lab.page.screenshot(path=PICTURES / "exercise_wrong.png")

    right = "    return out_channels * (in_channels // groups) * kernel_size**2"
    lab.replace(stub, f"{head}{right} + (2 + bias) * out_channels{check}")
    expect(said).to_contain_text("correct", timeout=MINUTES)
    lab.page.screenshot(path=PICTURES / "exercise_right.png")


def test_an_error_is_short_and_whole_below_a_click_also_in_a_file_that_is_not_trusted(open_lesson):
    lab = open_lesson("05_getattr_patch")
    lab.menu("Run", "Run All Cells$")
    lab.wait_until_all_have_run()
    assert look_at_error(lab, "error_trusted") == look_at_error(lab, "error_again")

    cell = lab.cell('torch.load(f"{work}/resnet.pt"')
    lab.replace(cell, "%%timm {current}\nold(torch.zeros(1))")
    expect(cell.locator(".jp-OutputArea")).to_contain_text("The whole traceback", timeout=MINUTES)
    assert "frames of torch" in cell.locator("[data-mime-type$='stderr']").inner_text()
    lab.page.screenshot(path=PICTURES / "error_not_awaited.png")

    lab.replace(cell, "%%timm {current}\nforgotten")
    expect(cell.locator(".jp-OutputArea")).to_contain_text("Run All Above", timeout=MINUTES)
    lab.page.screenshot(path=PICTURES / "name_not_defined.png")

    notebook = lab.saved()
    notebook.cells[0].source += "\n\nChanged by another hand, so its signature does not fit."
    path = lab.path.with_name("not_trusted.ipynb")
    nbformat.write(notebook, path)
    other = Lab(lab.page, lab.address, path)
    look_at_error(other, "error_not_trusted")


def look_at_error(lab, picture):
    """Open the whole traceback of the first error with a click; what the short one says."""
    shown = lab.page.locator(".jp-NotebookPanel:visible .traceback", has_text="conv_s2d").first
    short, whole = shown.locator("pre").first, shown.locator("details pre")
    shown.scroll_into_view_if_needed()
    expect(short).to_contain_text("… 8 frames of torch")
    expect(whole).not_to_be_visible()
    shown.locator("summary").click()
    expect(whole).to_be_visible()
    expect(whole).to_contain_text("torch/nn/modules/module.py")
    lab.page.screenshot(path=PICTURES / f"{picture}.png")
    shown.locator("summary").click()
    return short.inner_text()


def test_a_cell_of_another_release_can_be_interrupted_and_the_lesson_goes_on(open_lesson):
    lab = open_lesson("03_reproduce_the_error")
    lab.menu("Run", "Run All Cells$")
    lab.wait_until_all_have_run()
    cell = lab.cell('print("read by timm", timm')
    lab.replace(cell, "%%timm {reader}\nprint('at work', flush=True)\nwhile True:\n    pass")
    expect(cell.locator(".jp-OutputArea-output")).to_contain_text("at work", timeout=MINUTES)
    lab.menu("Kernel", "Interrupt Kernel$")
    expect(cell.locator(".jp-OutputArea")).to_contain_text("KeyboardInterrupt", timeout=MINUTES)
    expect(cell.locator(".jp-OutputArea")).not_to_contain_text("magics.py")  # the cell's own lines
    lab.page.screenshot(path=PICTURES / "interrupted.png")

    lab.replace(cell, "%%timm {reader}\nprint('still', timm.__version__, type(model).__name__)")
    still = re.compile(r"still 1\.0\.11 \w+")
    expect(cell.locator(".jp-OutputArea")).to_contain_text(still, timeout=MINUTES)
