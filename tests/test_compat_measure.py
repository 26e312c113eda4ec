"""The measures of compat: what the atlas saw, what old models meet, and how it is counted."""

import json
import re
from pathlib import Path

import pytest
from tools.compat_measured import measure, measure_use
from tools.compat_measured.against_atlas import BEHIND, MET, NOT_HELD, NOT_MET, seen
from tools.compat_measured.meet import meet, write
from tools.compat_measured.names_in_pickle import held
from tools.compat_measured.page import page as render_page

from missing_aa.comparer.findings import Finding
from missing_aa.errors import UsageProblem
from missing_aa.matrix.cells import Cell, Outcome
from missing_aa.matrix.results import Results
from missing_aa.releases.processes import Trials

PAGE = Path(__file__).parents[1] / "docs" / "measured" / "compat.md"
PAIR = ("1.0.3", "1.0.11")
OK = Outcome("ok", 0.0)


def lacks(class_, attribute):
    return Outcome.raised(
        "AttributeError", f"'{class_}' object has no attribute '{attribute}'", "forward"
    )


def finding(class_, attribute="", kind="missing", certain=True):
    return Finding(kind, class_, attribute, "m.py", 1, "", "", certain=certain)


def row_of(outcomes, findings=(), held=(), pair=PAIR):
    """What cells of models a, b, c … with these outcomes come to."""
    cells = [
        Cell(model, *pair, "whole", one) for model, one in zip("abcdefgh", outcomes, strict=False)
    ]
    return seen(pair, cells, list(findings), dict(held))


def test_an_error_is_counted_once_by_class_and_attribute():
    row = row_of([lacks("Block", "aa"), lacks("Block", "aa"), lacks("Block", "se"), OK])
    assert (row.models, row.ran) == (4, {"d"})
    assert {str(error) for error in row.errors} == {"Block.aa", "Block.se"}


def test_classes_of_one_name_are_told_apart_by_what_the_models_hold():
    names = {"a": {"timm.x.Block"}, "b": {"timm.y.Block"}}
    row = row_of(
        [lacks("Block", "aa"), lacks("Block", "aa")], [finding("timm.x.Block", "aa")], names
    )
    assert {str(e): e.is_found(row.findings) for e in row.errors} == {
        "timm.x.Block.aa": True,
        "timm.y.Block.aa": False,
    }


GONE = "Can't get attribute 'Head' on <module 'timm.models.hiera' from 'timm/models/hiera.py'>"


@pytest.mark.parametrize(
    "text, found",
    [
        (GONE, finding("timm.models.hiera.Head", kind="moved")),
        (
            "No module named 'timm.models.layers.mlp'",
            finding("timm.models.layers.mlp.Mlp", "", "moved"),
        ),
        (
            "No module named 'timm.models.layers'",
            finding("timm.models.layers.mlp.Mlp", "", "moved"),
        ),
    ],
)
def test_a_name_that_is_gone_is_found_with_its_module(text, found):
    (error,) = row_of([Outcome.raised("AttributeError", text, "load")]).errors
    assert error.kind == "moved" and error.is_found([found])
    assert not error.is_found([finding("timm.models.hiera2.Head", kind="moved")])
    assert not error.is_found([finding("timm.models.layers2.Mlp", kind="moved")])
    assert not error.is_found([finding(found.class_, "aa")])


def test_an_error_of_another_kind_is_kept_apart():
    row = row_of([Outcome.raised("TypeError", "not callable", "forward"), Outcome("died")])
    assert not row.errors and row.other == {"TypeError: not callable", "died: None"}


@pytest.mark.parametrize(
    "class_, attribute, said",
    [
        ("timm.m.Block", "aa", MET),
        ("timm.m.Stem", "aa", NOT_MET),  # held by b, which ran
        ("timm.m.Block", "se", BEHIND),  # held by a alone, which stopped at aa
        ("timm.m.Other", "aa", NOT_HELD),
    ],
)
def test_what_the_matrix_says_of_a_finding(class_, attribute, said):
    names = {"a": {"timm.m.Block", "timm.m.Stem"}, "b": {"timm.m.Stem"}}
    row = row_of([lacks("Block", "aa"), OK], held=names)
    assert row.verdict(finding(class_, attribute)) == said


@pytest.mark.parametrize(
    "pair, kinds",
    [
        (("0.5.4", "0.6.5"), set()),
        (("0.6.13", "0.8.10.dev0"), {"moved"}),  # no attribute could be seen there
        (("0.9.12", "1.0.3"), {"moved"}),
        (("1.0.3", "1.0.7"), {"moved", "missing"}),
    ],
)
def test_which_pairs_were_looked_at(pair, kinds):
    row = row_of([], pair=pair)
    assert {kind for kind in ("moved", "missing") if row.was_looked_at(kind)} == kinds


def test_a_pair_that_reaches_beyond_a_span_was_not_looked_at(monkeypatch):
    monkeypatch.setattr(
        "tools.compat_measured.against_atlas.WRITTEN_WITH", {("1.0.3", "1.0.11"): {"missing"}}
    )
    pairs = [("1.0.3", "1.0.11"), ("1.0.11", "1.0.12"), ("0.9.16", "1.0.3")]
    assert [row_of([], pair=pair).was_looked_at("missing") for pair in pairs] == [
        True,
        False,
        False,
    ]


def test_recall_and_precision_are_counted_apart_for_what_was_not_looked_at():
    found = [
        finding("timm.m.Block", "aa"),
        finding("timm.m.Block", "on"),
        finding("timm.m.No", "x"),
    ]
    maybe = finding("timm.m.Block", "se", certain=False)
    names = {model: {"timm.m.Block"} for model in "abc"}
    other = Outcome.raised("TypeError", "not callable", "forward")
    unseen = row_of(
        [lacks("Block", "aa"), lacks("Block", "se"), other],
        [*found, maybe],
        names,
        ("0.5.4", "0.6.5"),
    )
    known = row_of([lacks("Block", "aa"), OK], found, names)
    page = render_page([unseen, known])
    assert "| 0.5.4 → 0.6.5 | 3 | 2 | 1 | 0 | 0 | 3 | 1 | 0 | 1 | 1 |\n" in page
    assert "| 1.0.3 → 1.0.11 | 2 | 1 | 1 | 0 | 0 | 3 | 1 | 1 | 0 | 1 |\n" in page
    assert (
        "| not looked at | 2 | 1 | 0.50 | 1 | 0.33 |\n| looked at | 1 | 1 | 1.00 | 0 | 1.00 |"
        in page
    )
    assert "| not looked at | 1 | 0 | 1.00 | 1 | 1 |\n| looked at | 1 | 1 | 0.50 | 0 | 1 |" in page
    assert "error not found: `timm.m.Block.se` (among the possible findings)" in page
    assert "does not look for: `TypeError: not callable`" in page
    assert "- 1.0.3 → 1.0.11: finding not met: `timm.m.Block.on`" in page


def test_measured_cells_of_a_file_are_held_against_the_findings(tmp_path, capsys):
    path, page = tmp_path / "matrix.jsonl", tmp_path / "page.md"
    with Results(path) as results:
        results.add(Cell("regnetx_002", *PAIR, "whole", lacks("ConvNormAct", "aa")))
        results.add(Cell("elsewhere", "1.0.3", "1.0.12", "whole", lacks("X", "y")))
        results.add(Cell("rescued", *PAIR, "rescued", lacks("X", "y")))
    words = ["--matrix", str(path), "--output", str(page)]
    assert measure.main([*words, *PAIR]) == 0
    line = page.read_text().partition("| 1.0.3 → 1.0.11 | ")[2].split("\n")[0]
    assert line == "1 | 1 | 1 | 0 | 0 | 41 | 1 | 0 | 0 | 40 |"
    with pytest.raises(UsageProblem, match=r"no whole pickle written by 1.0.3 and read by 1.0.31"):
        measure.main([*words, "1.0.3", "1.0.31"])


@pytest.mark.long
def test_the_page_is_that_of_the_atlas_and_recall_is_at_least_nine_tenths(tmp_path):
    text = PAGE.read_text(encoding="utf-8")
    recall = [line.split(" | ") for line in text.splitlines() if line.startswith("| not looked at")]
    assert float(recall[0][3]) >= 0.9 and float(recall[0][5].rstrip(" |")) >= 0.9
    page = tmp_path / "page.md"
    measure.main(["0.6.7", "0.6.13", "1.0.8", "1.0.9", "--output", str(page)])
    rows = [line for line in page.read_text("utf-8").splitlines() if re.match(r"\| \d", line)]
    assert len(rows) == 2 and set(rows) <= set(text.splitlines())


def test_a_file_asks_for_the_names_that_are_told_without_writing_it(tmp_path):
    from missing_aa import inspect

    path = tmp_path / "model.pt"
    with Trials() as trials:
        found = trials.under("1.0.3", held, ["regnetx_002", "nope"])
        assert trials.under("1.0.3", write, "regnetx_002", str(path)).result()
        asked = {each.name for each in inspect(path).names if each.name.startswith("timm.")}
        assert found.result() == {"regnetx_002": asked}


def test_a_model_meets_all_that_it_lacks(tmp_path):
    path = str(tmp_path / "model.pt")
    block = "timm.layers.conv_bn_act.ConvNormAct"
    names = [block, f"{block}Aa"]  # an alias of it in 1.0.11
    lost = ["timm.layers.nowhere.Gone", "timm.nope.Gone"]
    with Trials() as trials:
        assert not trials.under("1.0.3", write, "nope", path).result()
        assert trials.under("1.0.3", write, "regnetx_002", path).result()
        runs = [
            trials.under("1.0.11", meet, "regnetx_002", path, 64, order)
            for order in (names, names[::-1])
        ]
        gone = trials.under("1.0.11", meet, "regnetx_002", path, 64, [block, *lost]).result()
        for met in (run.result() for run in runs):
            assert (met.missing, met.other) == ({(block, "aa"): "forward"}, [])
        assert (gone.gone, gone.missing) == (set(lost), {})


def test_what_models_met_is_kept_and_counted(tmp_path, capsys):
    """By the class as the file names it: another class of the name is another one."""
    path = tmp_path / "use.jsonl"
    block, gone = "timm.layers.conv_bn_act.ConvNormAct", "timm.models.hiera.NormClassifierHead"
    entries = [
        {"classes": [block], "gone": [], "missing": [[block, "aa", "forward"]], "other": ["bad"]},
        {"classes": [block], "gone": [], "missing": [["timm.x.ConvNormAct", "aa", "print"]]},
        {"classes": [], "gone": [gone], "missing": []},
    ]
    path.write_text(
        "".join(json.dumps({"pair": PAIR, "other": [], **entry}) + "\n" for entry in entries)
    )
    measure_use.main([*PAIR, "--results", str(path)])
    page = capsys.readouterr().out
    assert "| 1.0.3 → 1.0.11 | 3 | 1 | 1 | 1 | 0 | 1 | 1 | 2 | 2 |" in page
    assert "- missed: `timm.x.ConvNormAct.aa`" in page and "- an error of another kind: bad" in page


@pytest.mark.long
def test_models_are_made_and_counted(tmp_path):
    page, kept = tmp_path / "table.md", tmp_path / "use.jsonl"
    models = "regnetx_002,resnetblur18,hiera_tiny_224"
    words = [*PAIR, "--models", models, "--output", str(page), "--results", str(kept)]
    measure_use.main(words)
    text = page.read_text()
    assert "| 1.0.3 → 1.0.11 | 3 | 2 | 2 | 0 | 0 | 1 | 1 | 3 | 3 |" in text
    assert "- missed" not in text and "- not borne out" not in text
    measure_use.main([*words[:-2], "--results", str(kept)])
    assert page.read_text() == text and len(kept.read_text().splitlines()) == 3
