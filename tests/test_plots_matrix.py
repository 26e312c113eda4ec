"""The figures of lesson 07 show the cells they are given, and say so in words."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from matplotlib.colors import to_rgba
from tools import readme_picture

from helpers import plots
from helpers.plots import matrix as draw
from helpers.plots import ways_home, window
from helpers.plots.svg import svg
from missing_aa.matrix.cells import DIFFERENT, ERROR, HUNG, NO_MODEL, OK, Cell, Outcome

RELEASES = ["0.6.13", "1.0.3", "1.0.31"]
FINE, GONE = Outcome(OK), Outcome(NO_MODEL)
MISSING = Outcome(ERROR, error="AttributeError", text=window.ERROR, where="forward")
MOVED = Outcome(ERROR, error="ModuleNotFoundError", text="No module", where="load")
PICTURE = Path(__file__).parents[1] / "docs" / "matrix_window.svg"


def cells(outcomes, form="whole", model="net", releases=RELEASES):
    """A cell for each outcome, row by row; None is left out."""
    pairs = [(writer, reader) for writer in releases for reader in releases]
    return [
        Cell(model, writer, reader, form, outcome)
        for (writer, reader), outcome in zip(pairs, outcomes, strict=True)
        if outcome
    ]


def labels(axes):
    """The text in each square, row by row."""
    placed = {text.get_position()[::-1]: text.get_text() for text in axes.texts}
    return [placed[place] for place in sorted(placed)]


def colours(axes):
    """The colour of each square, row by row."""
    (mesh,) = axes.collections
    return [tuple(colour) for colour in mesh.cmap(mesh.norm(mesh.get_array())).reshape(-1, 4)]


def test_a_square_tells_by_colour_where_an_error_came_and_by_text_which():
    other = Outcome(DIFFERENT, difference=0.47)
    met = [FINE, MOVED, MISSING, None, FINE, other, GONE, Outcome(HUNG), FINE]
    fig, alt = draw.what_happened(cells(met), RELEASES, ["whole"])
    (axes,) = fig.axes
    kinds = [draw.FINE, draw.LOAD, draw.FORWARD, draw.NOTHING, draw.FINE, draw.SILENT]
    kinds += [draw.NOTHING, draw.OTHER, draw.FINE]
    assert colours(axes) == [to_rgba(draw.KINDS[kind]) for kind in kinds]
    assert [text.replace("\n", " ") for text in labels(axes)] == [
        *("ok", "Module Not Found Error", "Attribute Error"),
        *("–", "ok", "47.0%"),
        *("no model", "hung", "ok"),
    ]
    assert "error on forward (AttributeError) in 1 of 9 pairs: 0.6.13 read by 1.0.31;" in alt
    assert "the writer's output in 3 of 9 pairs" in alt


def test_rows_are_writers_from_the_oldest_down_and_columns_are_readers():
    fig, _ = draw.what_happened(cells([FINE] * 9), RELEASES, ["whole"])
    (axes,) = fig.axes
    assert axes.yaxis.get_inverted() and not axes.xaxis.get_inverted()
    assert [label.get_text() for label in axes.get_yticklabels()] == RELEASES
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("written by", "read by")


@pytest.mark.parametrize("strange", [[], cells([FINE] * 9) + cells([FINE] * 9, model="other")])
def test_what_happened_is_drawn_for_one_model(strange):
    with pytest.raises(ValueError, match="cells of one model are drawn here"):
        draw.what_happened(strange, RELEASES, ["whole"])


def test_each_format_has_a_panel_and_only_what_was_met_stands_in_the_legend():
    both = cells([FINE] * 9, "state_dict") + cells([GONE] + [FINE] * 8, "rescued")
    fig, alt = draw.what_happened(both, RELEASES, ["state_dict", "rescued"])
    assert [axes.get_title() for axes in fig.axes] == ["state_dict", "rescued"]
    (legend,) = fig.legends
    assert [text.get_text() for text in legend.get_texts()] == [draw.FINE, draw.NOTHING]
    assert "state_dict: the writer's output in 9 of 9 pairs." in alt
    assert "rescued: nothing to compare in 1 of 9 pairs: 0.6.13 read by 0.6.13;" in alt


def test_what_is_missing_is_written_into_a_large_field_and_who_runs_the_files_again_beside_it():
    many = [f"1.0.{number}" for number in range(30)]
    rows = [[FINE] * 30 for _ in many]
    for writer in range(8):
        rows[writer][12:20] = [MISSING] * 8
    rows[25][3] = Outcome(ERROR, error="AttributeError", text="'B' object has no attribute 'pad'")
    fig, _ = draw.what_happened(
        cells([outcome for row in rows for outcome in row], releases=many), many, ["whole"]
    )
    written = {text.get_text(): text.get_position() for text in fig.axes[0].texts}
    assert written["no aa"] == (16, 4)
    again, *_ = (place for text, place in written.items() if text == "runs")
    assert 20 < again[0] < 22 and again[1] == 4
    assert len(written) == 2  # the single square has no room for a word
    names = [label.get_text() for label in fig.axes[0].get_xticklabels()]
    assert names == ["1.0.0", "1.0.3", "1.0.4", "1.0.12", "1.0.20", "1.0.29"]  # the edges


def test_a_frame_may_have_a_name():
    hole = {"the hole": ("0.6.13", "1.0.3", "1.0.31", "1.0.31")}
    fig, alt = draw.survival(cells([FINE] * 9), RELEASES, ["whole"], hole)
    assert "the hole" in labels(fig.axes[0])
    assert alt.endswith(" Framed: the hole, 0.6.13 to 1.0.3 read by 1.0.31.")


def test_thirty_releases_are_drawn_without_labels_in_the_squares():
    many = [f"1.0.{number}" for number in range(30)]
    met = cells([FINE] * 900, releases=many)
    for fig, _ in (
        draw.what_happened(met, many, ["whole"]),
        draw.survival(met, many, ["whole"]),
    ):
        assert not fig.axes[0].texts
        names = [label.get_text() for label in fig.axes[0].get_yticklabels()]
        assert [names[0][:3], names[-1]] == ["1.0", "1.0.29"]
        assert list(fig.axes[0].get_yticks()) == [0.5, 29.5]


def test_the_kinds_can_be_told_apart_in_grey():
    def lightness(colour):
        red, green, blue, _ = to_rgba(colour)
        return 0.299 * red + 0.587 * green + 0.114 * blue

    greys = sorted(map(lightness, draw.KINDS.values()))
    assert min(b - a for a, b in zip(greys, greys[1:], strict=False)) > 0.07


def test_survival_is_the_share_of_models_pair_by_pair():
    met = cells([FINE, MOVED, MOVED, None, FINE, MISSING, None, FINE, FINE])
    met += cells([FINE, FINE, MOVED, None, FINE, FINE, None, FINE, FINE], model="other")
    fig, alt = draw.survival(met, RELEASES, ["whole"])
    assert labels(fig.axes[0]) == ["100", "50", "0", "–", "100", "50", "–", "100", "100"]
    assert "whole: 2 of 6 (33.3%) survive in a newer reader, 2 of 2 (100.0%) in an older" in alt


@pytest.mark.parametrize("draws", [draw.what_happened, draw.survival])
def test_a_frame_stands_around_its_squares_and_in_the_words(draws):
    frames = [("0.6.13", "1.0.3", "1.0.31", "1.0.31")]
    fig, alt = draws(cells([FINE] * 9), RELEASES, ["whole"], frames)
    (frame,) = fig.axes[0].patches
    assert (frame.get_xy(), frame.get_width(), frame.get_height()) == ((2, 0), 1, 2)
    assert alt.endswith(" Framed: 0.6.13 to 1.0.3 read by 1.0.31.")
    assert "Framed" not in draws(cells([FINE] * 9), RELEASES, ["whole"])[1]


def test_survival_marks_the_diagonal_and_is_pale_where_all_survive():
    fig, _ = draw.survival(cells([FINE, MOVED, MOVED] * 3), RELEASES, ["whole"])
    (line,) = fig.axes[0].lines
    assert list(line.get_xdata()) == list(line.get_ydata()) == [0, 3]
    fine, lost = (sum(colours(fig.axes[0])[place][:3]) for place in (0, 1))
    assert fine > 2.8 and lost < 1


def test_survival_by_years_counts_upgrades_alone():
    # 0.6.13 is of March 2023, 1.0.3 of May 2024, 1.0.31 of November 2026.
    met = cells([FINE, MOVED, MOVED, MOVED, FINE, FINE, MOVED, MOVED, FINE])
    fig, alt = draw.survival_by_years(met, RELEASES, ["whole"])
    (axes,) = fig.axes
    heights = {round(bar.get_center()[0]): bar.get_height() for bar in axes.patches}
    assert heights == {1: 0, 2: 100, 3: 0}
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1 – 2", "2 – 3", "3 – 4"]
    assert "whole: 1 – 2: 0 of 1 (0.0%), 2 – 3: 1 of 1 (100.0%)" in alt


def the_window():
    """Three models around the bug: one never holds a ConvNormAct, one is not in all releases."""
    releases = [*RELEASES[:1], "0.9.12", "1.0.3", "1.0.11", "1.0.13", *RELEASES[2:]]
    row = {"0.9.12": (FINE, FINE, MISSING, FINE), "1.0.3": (FINE, FINE, MISSING, MOVED)}
    rows = [row.get(writer, (FINE,) * 4) for writer in releases]
    met = [outcome for row in rows for outcome in (MOVED, *row, MOVED)]
    of_all = cells(met, releases=releases) + cells([FINE] * 36, "whole", "other", releases)
    late = cells([None] * 12 + met[12:], "whole", "late", releases)
    return of_all + late, releases


def test_the_window_shows_how_many_models_with_the_block_run_and_where_it_lacks_aa():
    fig, alt = window.window(*the_window())
    (axes,) = fig.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        *("0.9.12", "1.0.3", "1.0.11", "1.0.13")
    ]
    (block,) = [patch for patch in axes.patches if patch.get_width() == 1]
    assert (block.get_xy(), block.get_height()) == ((2, 0), 2)
    texts = [text.get_text() for text in axes.texts]
    assert texts[-3:] == ["0 of 1:", "'ConvNormAct' object", "has no attribute 'aa'"]
    assert texts[:-3].count("1") == 13 and texts[:-3].count("0") == 1
    assert "Saved by 0.9.12 or 1.0.3 and loaded by 1.0.11, 0 of 1 run" in alt
    assert "Everywhere else 0 to 1 run." in alt


def test_cells_without_the_bug_make_no_window():
    fine, releases = [FINE] * 36, the_window()[1]
    with pytest.raises(ValueError, match="no model of these cells"):
        window.window(cells(fine, releases=releases), releases)


def test_the_picture_is_the_same_each_time_and_says_what_it_shows():
    fig, alt = window.window(*the_window())
    once, again = (
        svg(fig, alt),
        svg(*window.window(*the_window())),
    )
    assert once == again
    root = ElementTree.fromstring(once)
    said = {child.tag.split("}")[1]: child.text for child in root}
    assert (said["title"], said["desc"]) == (fig.axes[0].get_title(), alt)
    assert not re.search(r"\d{4}-\d\d-\d\d|https?://(?!www\.w3|purl|creativecommons)", once)


@pytest.mark.parametrize("name", readme_picture.PICTURES)
def test_the_pictures_in_the_docs_are_drawn_by_this_package(name):
    path = PICTURE.with_name(f"{name}.svg")
    picture = path.read_text(encoding="utf-8")
    drawn = svg(*readme_picture.PICTURES[name]())
    assert texts(picture) == texts(drawn), f"python -m tools.readme_picture {path}"
    assert len(picture.encode()) < 60_000


def test_the_cheat_sheet_has_the_tree_in_words():
    page = PICTURE.with_name("cheat_sheet.md").read_text(encoding="utf-8")
    assert ways_home.as_markdown() in page


def texts(picture):
    """Title, description and every word in a picture."""
    return [element.text for element in ElementTree.fromstring(picture).iter() if element.text]


def test_every_figure_can_be_shown(capsys):
    met = cells([FINE, MOVED, MISSING] * 3)
    for fig, alt in (
        draw.what_happened(met, RELEASES, ["whole"]),
        draw.survival(met, RELEASES, ["whole"]),
        draw.survival_by_years(met, RELEASES, ["whole"]),
    ):
        plots.show(fig, alt)
        assert alt in capsys.readouterr().out
