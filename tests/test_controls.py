"""Controls: what is moved changes the picture and its text; who only reads has a still."""

import re

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from helpers import controls
from helpers.images import photo, zone_plate
from helpers.layers import BlurPool2d, ConvNormAct
from helpers.matrix.cells import DIFFERENT, ERROR, OK, Cell, Outcome
from helpers.plots import aliasing
from helpers.plots.pair import pair
from helpers.shift import shift_error

WIDGET = "application/vnd.jupyter.widget-view+json"


def alt(widget):
    return re.search(r'alt="([^"]+)"', widget.value)[1]


def test_what_is_moved_changes_the_picture_and_its_text():
    asked = []

    def draw(taps):
        asked.append(taps)
        return aliasing.blurred(zone_plate(32), taps)

    slider, picture = controls.panel(draw, {"taps": 1}, taps=(1, 3, 5)).children
    assert slider.description == "taps" and slider.options == (1, 3, 5)
    before, told = picture.value, alt(picture)
    slider.value = 5
    assert asked == [1, 5]
    assert picture.value != before and "data:image/png" in picture.value
    assert "blur of 1 tap:" in told and "blur of 5 taps:" in alt(picture)


def test_every_choice_has_a_control_and_all_are_heeded():
    def draw(writer, reader):
        return pair(CELLS, writer, reader)

    releases = ["1.0.3", "1.0.11"]
    start = {"writer": "1.0.3", "reader": "1.0.11"}
    writer, reader, picture = controls.panel(draw, start, writer=releases, reader=releases).children
    assert "written by 1.0.3 and read by 1.0.11" in alt(picture)
    writer.value = "1.0.11"
    assert "written by 1.0.11 and read by 1.0.11" in alt(picture)
    reader.value = "1.0.3"
    assert "written by 1.0.11 and read by 1.0.3" in alt(picture)


CODE = """
from helpers import controls
from helpers.images import zone_plate
from helpers.plots.aliasing import blurred

controls.explore(lambda taps: blurred(zone_plate(32), taps), {"taps": 3}, taps=(1, 3, 5))
"""


class Attended(NotebookClient):
    """A front end that could ask a person, as JupyterLab says that it can."""

    async def async_start_new_kernel_client(self):
        client = await super().async_start_new_kernel_client()
        client.allow_stdin = True
        return client


@pytest.fixture(params=[NotebookClient, Attended])
def shown(request):
    """Who showed it, the notebook, and its one output."""
    notebook = new_notebook(cells=[new_code_cell(CODE)])
    request.param(notebook, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    return request.param, notebook, output


def test_the_still_picture_is_always_there_and_a_widget_only_where_someone_is(shown):
    client, notebook, output = shown
    assert "blur of 3 taps" in re.search(r'alt="([^"]+)"', output.data["text/html"])[1]
    assert output.data["text/plain"].startswith("Every second pixel") and "image/png" in output.data
    assert (WIDGET in output.data) == (client is Attended)
    assert ("widgets" in notebook.metadata) == (client is Attended)


def test_on_a_page_it_is_the_still_picture_and_nothing_from_elsewhere(shown, tmp_path):
    from helpers.lessons import page

    _, notebook, _ = shown
    nbformat.write(notebook, tmp_path / "it.ipynb")
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
    assert [axes.get_title() for axes in fig.axes] == ["moved by 1", "plain", "blur"]
    assert f"plain {shift_error(layer, picture, 1):.3f}" in told
    assert "to the right by 1 pixel," in told
    bright = [axes.images[0].get_array().max() for axes in fig.axes[1:]]
    assert bright[0] > 2 * bright[1] > 0
    fig, told = aliasing.moved(picture, layers, 2)
    assert "plain 0.000; blur 0.000" in told
    assert all(axes.images[0].get_array().max() < 1e-4 for axes in fig.axes[1:])


def test_more_taps_leave_less_of_what_is_too_fast():
    left = [
        float(re.search(r"stride 2: ([\d.]+)", aliasing.blurred(zone_plate(64), taps)[1])[1])
        for taps in (1, 3, 5, 7)
    ]
    assert left == [1.0, 0.5, 0.25, 0.12]


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
