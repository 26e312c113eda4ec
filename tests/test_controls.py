"""Controls: what is moved changes the picture and its text; who only reads has a still."""

import re

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from helpers.images import photo, zone_plate
from helpers.layers import BlurPool2d, ConvNormAct
from helpers.plots import aliasing
from helpers.plots.matrix import pair
from helpers.shift import shift_error
from missing_aa.matrix.cells import DIFFERENT, ERROR, OK, Cell, Outcome

WIDGET = "application/vnd.jupyter.widget-view+json"


DRAW = """
from matplotlib.figure import Figure
from helpers.plots import controls

def draw(writer, reader=2):
    return Figure(), f"written by {writer}, read by {reader}"
"""
EXPLORE = f"{DRAW}controls.explore(draw, {{'writer': 1}}, writer=[1, 2, 3])"
TWO = f"{DRAW}box = controls.panel(draw, dict(writer=1, reader=2), writer=[1, 2], reader=[1, 2]);"


class Attended(NotebookClient):
    """A front end that could ask a person, as JupyterLab says that it can."""

    async def async_start_new_kernel_client(self):
        client = await super().async_start_new_kernel_client()
        client.allow_stdin = True
        return client


def executed(client, *cells):
    """The notebook that a client makes of these cells."""
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    client(notebook, kernel_name="python3").execute()
    return notebook


def alt(output):
    return re.search(r'alt="([^"]+)"', output.data["text/html"])[1]


def test_who_only_reads_has_the_still_picture_and_no_widget():
    notebook = executed(NotebookClient, EXPLORE)
    (picture,) = notebook.cells[0].outputs
    assert "written by 1" in alt(picture)
    assert picture.data["text/plain"] == alt(picture) and "image/png" in picture.data
    assert WIDGET not in picture.data and "widgets" not in notebook.metadata


def test_where_someone_is_there_are_controls_above_the_same_picture():
    (still,) = executed(NotebookClient, EXPLORE).cells[0].outputs
    sliders, picture = executed(Attended, EXPLORE).cells[0].outputs
    assert WIDGET in sliders.data and picture.data == still.data


def test_what_is_moved_changes_the_picture_and_its_text():
    cells = executed(Attended, TWO, "box.children[0].value = 2").cells
    _, moved = cells[0].outputs
    assert alt(moved) == "written by 2, read by 2" == moved.data["text/plain"]
    notebook = executed(Attended, TWO, "print([s.description for s in box.children])")
    assert notebook.cells[1].outputs[0].text == "['writer', 'reader']\n"
    _, unmoved = notebook.cells[0].outputs
    assert alt(unmoved) == "written by 1, read by 2"


@pytest.mark.parametrize("client", [NotebookClient, Attended])
def test_on_a_page_it_is_the_still_picture_and_nothing_from_elsewhere(client, tmp_path):
    from helpers.runner import page

    nbformat.write(executed(client, EXPLORE), tmp_path / "it.ipynb")
    page.write(tmp_path / "it.ipynb", tmp_path / "it.html")
    html = (tmp_path / "it.html").read_text()
    assert html.count("<img ") == 1 and "<script" not in html and "https://" not in html
    assert "SelectionSlider" not in html and "model_id" not in html


def test_a_move_by_a_whole_stride_does_no_harm_and_by_half_of_it_does():
    torch.manual_seed(0)
    picture = photo("china", 64)[None]
    layer = ConvNormAct(3, 4, 3, stride=2).eval()
    blur = ConvNormAct(3, 4, 3, stride=2, aa_layer=BlurPool2d).eval()
    blur.load_state_dict(layer.state_dict())
    layers = {"plain": layer, "blur": blur}
    fig, told = aliasing.moved(picture, layers, 1)
    assert [axes.get_title() for axes in fig.axes[:3]] == ["moved by 1", "plain", "blur"]
    assert f"plain {shift_error(layer, picture, 1):.3f}" in told
    assert "to the right by 1 pixel," in told
    bright = [axes.images[0].get_array().max() for axes in fig.axes[1:3]]
    assert bright[0] > 2 * bright[1] > 0
    fig, told = aliasing.moved(picture, layers, 2)
    assert "plain 0.000; blur 0.000" in told
    assert all(axes.images[0].get_array().max() < 1e-4 for axes in fig.axes[1:3])


def test_more_taps_leave_less_of_what_is_too_fast():
    _, told = aliasing.blurred(zone_plate(64), [1, 3, 5, 7])
    left = re.findall(r"\d: contrast [\d.]+, ([\d.]+), ", told)
    assert left == ["1.00", "0.50", "0.25", "0.13"]


CELLS = [
    Cell("a", "1.0.3", "1.0.11", "whole", Outcome(ERROR, error="AttributeError", where="forward")),
    Cell("b", "1.0.3", "1.0.11", "whole", Outcome(OK)),
    Cell("a", "1.0.3", "1.0.11", "state_dict", Outcome(OK)),
    Cell("b", "1.0.3", "1.0.11", "state_dict", Outcome(DIFFERENT, difference=0.5)),
    Cell("a", "1.0.11", "1.0.3", "whole", Outcome(ERROR, error="AttributeError", where="load")),
]


def test_a_pair_of_releases_counts_what_all_models_met():
    fig, told = pair(CELLS, "1.0.3", "1.0.11")
    assert "whole: the writer's output 1, error on forward 1" in told
    assert "state_dict: the writer's output 1, another output, no error 1" in told
    assert sorted(bar.get_width() for bar in fig.axes[0].patches) == [1, 1, 1, 1]
    assert "nothing was measured" in pair(CELLS, "1.0.3", "9.9")[1]


@pytest.mark.long
def test_in_jupyterlab_the_slider_moves_the_picture_which_stays_in_the_file(tmp_path):
    import jupyterlab_browser as lab

    if lab.CHROMIUM is None:
        pytest.skip("no Chromium or Chrome on this machine")
    (tmp_path / "work").mkdir()
    path = tmp_path / "work" / "it.ipynb"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [new_code_cell(EXPLORE)]
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)

    def expect_picture(page, words):
        picture = page.locator(".jp-OutputArea-output img")
        lab.expect(picture).to_have_attribute("alt", re.compile(words), timeout=lab.MINUTES)
        lab.expect(picture).to_have_count(1)

    with lab.server(path.parent, tmp_path) as address:
        with lab.browser() as page:
            opened = lab.Lab(page, address, path)
            opened.menu("Run", "Run All Cells$")
            expect_picture(page, "written by 1")
            page.locator(".jp-OutputArea-output .noUi-handle").focus()
            page.keyboard.press("ArrowRight")
            expect_picture(page, "written by 2")
            opened.saved()
        with lab.browser() as page:
            lab.Lab(page, address, path)
            expect_picture(page, "written by 2")
