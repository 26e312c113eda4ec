"""The timeline and loud and silent are drawn from measured cells, the ways home from a tree."""

import re

import pytest
from matplotlib.colors import to_hex

from drawn import words
from helpers.plots import loud_and_silent, matrix, timeline, ways_home, window
from missing_aa.matrix.cells import DIFFERENT, ERROR, NO_MODEL, OK, Cell, Outcome

FINE, SILENT = Outcome(OK), Outcome(DIFFERENT, difference=0.5)


def missing(kind, attribute):
    text = f"'{kind}' object has no attribute '{attribute}'"
    return Outcome(ERROR, error="AttributeError", text=text, where="forward")


AA = missing("ConvNormAct", "aa")
MET = {
    "0.9.16": FINE,
    "1.0.3": FINE,
    "1.0.7": AA,
    "1.0.11": AA,
    "1.0.12": FINE,
    "1.0.15": FINE,
    "1.0.16": missing("Attention", "norm"),
    "1.0.24": missing("Attention", "gate"),
}


def cells(met, form="whole", writer="1.0.3", model="net"):
    return [Cell(model, writer, reader, form, outcome) for reader, outcome in met.items()]


def texts(fig):
    return [text.get_text() for text, _ in words(fig)]


def test_neighbours_that_met_the_same_are_one_span_from_the_writer_on():
    found = timeline.spans(cells(MET), "net", "1.0.3")
    assert [span.readers for span in found] == [
        ("1.0.3",),
        ("1.0.7", "1.0.11"),
        ("1.0.12", "1.0.15"),
        ("1.0.16",),
        ("1.0.24",),
    ]
    assert [span.runs for span in found] == [True, False, True, False, False]


def test_the_timeline_shows_the_patch_as_a_pause():
    fig, alt = timeline.timeline(cells(MET), "net")
    assert "net: the patch was a pause" in texts(fig)
    assert {"1.0.7 – 1.0.11", "'ConvNormAct' has no 'aa'", "'Attention' has no 'norm'"} <= {
        *texts(fig)
    }
    assert "reported and patched: 3 December 2024" in texts(fig)
    assert "1.0.7 – 1.0.11 (from 19 June 2024): 'ConvNormAct' has no 'aa'; 1.0.12" in alt
    heights = {text.get_text(): box.y0 for text, box in words(fig)}
    assert heights["2025"] > heights["1.0.16"] and heights["1.0.7 – 1.0.11"] > heights["2025"]


def test_the_bar_of_a_span_is_as_long_as_its_days():
    fig, _ = timeline.timeline(cells(MET), "net")
    bars = [patch for patch in fig.axes[0].patches if hasattr(patch, "get_height")]
    broken, mended, *_ = (bar.get_height() for bar in bars)
    assert broken / mended == pytest.approx(167 / 205, rel=1e-6)  # 2024-06-19, 12-03, 2025-06-26


def test_where_nobody_met_the_missing_aa_there_is_no_timeline():
    with pytest.raises(ValueError, match="no release met"):
        timeline.timeline(cells({"1.0.3": FINE, "1.0.7": FINE}), "net")


def test_a_file_that_the_patch_mended_for_good_is_said_to_be_so():
    mended = {
        reader: met
        for reader, met in MET.items()
        if "norm" not in str(met) and "gate" not in str(met)
    }
    fig, _ = timeline.timeline(cells(mended), "net")
    assert "net: a window, and after" in texts(fig)


def test_every_upgrade_is_in_the_bar_of_its_format_and_downgrades_are_not():
    gone = Outcome(ERROR, error="KeyError", text="'x'", where="load")
    met = {"0.9.16": gone, "1.0.3": gone, "1.0.7": FINE, "1.0.11": AA, "1.0.12": SILENT}
    met |= {"1.0.15": gone, "1.0.16": Outcome(NO_MODEL)}
    fig, alt = loud_and_silent.loud_and_silent(cells(met) + cells(met, "rescued"), [*MET])
    assert {"saved whole", "rescued weights", "25% fine"} <= {*texts(fig)}
    assert "state_dict" not in texts(fig)
    assert {"loud at load 1", "loud at forward 1", "silent 1"} <= {*texts(fig)}
    assert "saved whole: the writer's output 1, nothing to compare 1, error on load 1" in alt
    colours = [to_hex(patch.get_facecolor()) for patch in fig.axes[0].patches[:4]]
    assert colours[0] == matrix.KINDS[matrix.FINE]
    widths = [patch.get_width() for patch in fig.axes[0].patches[:4]]
    assert sum(widths) == pytest.approx(loud_and_silent.LENGTH)
    assert widths == pytest.approx([loud_and_silent.LENGTH / 4] * 4)


def test_a_silent_change_that_is_one_in_thousands_can_still_be_seen():
    met = {"1.0.7": SILENT}
    many = [cell for at in range(3000) for cell in cells({"1.0.7": FINE}, model=f"m{at}")]
    fig, _ = loud_and_silent.loud_and_silent(many + cells(met), [*MET])
    assert fig.axes[0].patches[1].get_width() >= loud_and_silent.THIN
    assert {"silent 1", "> 99% fine"} <= {*texts(fig)}


def test_two_in_a_thousand_are_not_drawn_as_wide_as_six():
    met = [("whole", 2), ("rescued", 6)]
    many = [
        cell
        for form, few in met
        for at in range(1000)
        for cell in cells({"1.0.7": SILENT if at < few else FINE}, form, model=f"m{at}")
    ]
    fig, _ = loud_and_silent.loud_and_silent(many, [*MET])
    dark = to_hex(matrix.KINDS[matrix.SILENT])
    filled = [patch for patch in fig.axes[0].patches if patch.get_fill()]
    bars = [patch for patch in filled if to_hex(patch.get_facecolor()) == dark]
    two, six = (bar.get_width() for bar in bars if bar.get_height() == loud_and_silent.HIGH)
    assert two < six


def test_every_way_in_the_tree_leads_home_or_to_a_stop():
    for name in ways_home.TREE:
        seen, ahead = set(), [name]
        while ahead:
            node = ahead.pop()
            if node not in seen:
                seen.add(node)
                ahead += ways_home.TREE[node].ways.values()
        assert "home" in seen or name == "stop"
    assert {*ways_home.PLACES} == {*ways_home.TREE}


def test_the_tree_as_text_names_the_same_ways_as_the_picture():
    fig, alt = ways_home.ways_home()
    lines = ways_home.as_markdown().splitlines()
    for number, (line, node) in enumerate(zip(lines, ways_home.TREE.values(), strict=True), 1):
        assert line.startswith(f"{number}. {node.long}")
        targets = [list(ways_home.TREE)[int(at) - 1] for at in re.findall(r": (\d+)", line[-30:])]
        assert targets == list(node.ways.values())
        assert node.short in texts(fig)
        assert node.long.replace("`", "") in alt


def test_the_window_and_the_timeline_speak_of_one_error():
    assert timeline.ERROR is window.ERROR
