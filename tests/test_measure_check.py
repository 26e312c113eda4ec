"""The measure of check: what is drawn for it, and how it is counted."""

import pytest
from tools.measure_check.page import page
from tools.measure_check.pairs import Kept, Pair, foretell
from tools.measure_check.timm_pairs import ERAS, READERS, draw

MISSING = "AttributeError: 'Block' object has no attribute 'aa'"
OTHER = "AttributeError: 'Block' object has no attribute 'se'"


def pair(model="a", met=None, certain=(), found=None, notes=(), reader="1.0.31", group="0.6"):
    found = list(certain if found is None else found)
    return Pair(group, model, "0.6.13", reader, met, "", list(certain), found, list(notes))


def row(text, name):
    line = next(line for line in text.splitlines() if line.startswith(f"| {name} |"))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_a_draw_is_told_by_its_seed_alone():
    assert draw(7, 12) == draw(7, 12)
    assert draw(7, 12) != draw(8, 12)


def test_each_era_and_both_outcomes_are_drawn():
    files = draw(7, 12)
    assert sorted(file.era for file in files) == sorted([*ERAS] * 2)
    assert all(len(file.met) == READERS for file in files)
    youngest = [file for file in files if file.era == list(ERAS)[-1]]
    assert all(any(file.met.values()) and not all(file.met.values()) for file in youngest)


def test_foretold_false_and_right_are_counted_apart():
    pairs = [
        pair("right", MISSING, [MISSING, OTHER]),
        pair("another name", MISSING, [OTHER]),
        pair("only possible", MISSING, found=[MISSING], notes=["hooks"]),
        pair("missed", MISSING),
        pair("false", None, [MISSING]),
        pair("runs", None),
    ]
    said = row(page("abc", pairs, []), "0.6")
    assert said == ["6", "4", "2", "2 of 4", "1", "1 of 2", "3 of 4", "1", "2 of 3", "1 of 3"]


def test_what_was_wrong_is_listed_and_what_was_right_is_not():
    text = page("abc", [pair("good", MISSING, [MISSING]), pair("bad", None, [OTHER])], [])
    assert f"| 1, as `bad`, 0.6.13 → 1.0.31 | `it runs` | `{OTHER}` |" in text
    assert "`good`" not in text


def test_the_trivial_ones_are_counted_on_the_same_pairs():
    text = page("abc", [pair("a", MISSING), pair("b"), pair("c", reader="0.6.13")], [])
    assert row(text, "always fails") == ["1 of 1", "2 of 2"]
    assert row(text, "fails if the version differs") == ["1 of 1", "1 of 2"]


def test_a_library_that_was_not_measured_is_named():
    text = page("abc", [pair()], [pair(group="torchvision")])
    assert "### torchvision" in text
    assert "Not measured: segmentation_models_pytorch, ultralytics, transformers." in text


def test_the_table_of_a_library_that_is_not_kept_stays():
    before = page("abc", [pair()], [pair("old", MISSING, group="torchvision")])
    text = page("abc", [pair()], [pair("new", OTHER, group="ultralytics")], before=before)
    assert text.count("as `old`") == text.count("as `new`") == 1
    assert "Not measured: segmentation_models_pytorch, transformers." in text


def test_what_was_measured_is_taken_up_again(tmp_path):
    Kept(tmp_path / "kept.jsonl").add([pair(met=OTHER), pair("b"), pair(met=MISSING)])
    again = Kept(tmp_path / "kept.jsonl")
    assert list(again.pairs.values()) == [pair(met=MISSING), pair("b")]


def test_folders_are_cut_out_of_what_is_foretold(tmp_path):
    torch = pytest.importorskip("torch")
    (tmp_path / "lib_that_changed.py").write_text("class Old(dict):\n    pass\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        import lib_that_changed

        torch.save(lib_that_changed.Old(), tmp_path / "old.pt")
    (tmp_path / "lib_that_changed.py").write_text("class New(dict):\n    pass\n")
    said = foretell(tmp_path / "old.pt", [str(tmp_path)], paths=[tmp_path])
    module = "<module 'lib_that_changed' from 'lib_that_changed.py'>"
    assert said["certain"] == [f"AttributeError: Can't get attribute 'Old' on {module}"]
