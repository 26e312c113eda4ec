"""The measure of compat: what old models meet, and how the findings are counted against it."""

import pytest

from helpers.compat import measure
from helpers.compat.meeting import meet, write
from helpers.errors import UsageProblem
from helpers.matrix.cells import Cell, Outcome
from helpers.matrix.results import Results
from helpers.trials import Trials


def test_a_model_meets_all_that_it_lacks(tmp_path):
    path = str(tmp_path / "model.pt")
    names = ["timm.layers.conv_bn_act.ConvNormAct", "timm.layers.nowhere.Gone", "timm.nope.Gone"]
    with Trials() as trials:
        assert not trials.under("1.0.3", write, "nope", path).result()
        assert trials.under("1.0.3", write, "regnetx_002", path).result()
        met = trials.under("1.0.11", meet, "regnetx_002", path, 64, names[:1])
        gone = trials.under("1.0.11", meet, "regnetx_002", path, 64, names)
        assert met.result().missing == {("timm.layers.conv_bn_act.ConvNormAct", "aa"): "forward"}
        assert met.result().other == []
        assert (gone.result().gone, gone.result().missing) == (set(names[1:]), {})


@pytest.fixture
def matrix(tmp_path):
    """A file of measured cells with these errors of whole pickles, 1.0.3 read by 1.0.11."""

    def write_(*errors):
        path = tmp_path / "matrix.jsonl"
        with Results(path) as results:
            for number, (kind, text) in enumerate(errors):
                outcome = Outcome.raised(kind, text, "forward")
                results.add(Cell(f"model{number}", "1.0.3", "1.0.11", "whole", outcome))
            results.add(Cell("fine", "1.0.3", "1.0.11", "whole", Outcome("ok", 0.0)))
            other = Outcome.raised("AttributeError", "'X' object has no attribute 'y'", "forward")
            results.add(Cell("elsewhere", "1.0.3", "1.0.12", "whole", other))
            results.add(Cell("rescued", "1.0.3", "1.0.11", "rescued", other))
        return path

    return write_


def test_errors_of_the_matrix_are_counted_by_class_and_attribute(matrix, capsys):
    path = matrix(
        ("AttributeError", "'ConvNormAct' object has no attribute 'aa'"),
        ("AttributeError", "'ConvNormAct' object has no attribute 'aa'"),
        ("AttributeError", "'ConvNormAct' object has no attribute 'never'"),
        (
            "AttributeError",
            "Can't get attribute 'NormClassifierHead' on <module 'timm.models.hiera' from 'x'>",
        ),
        ("ModuleNotFoundError", "No module named 'timm.nowhere'"),
        ("TypeError", "forward() takes 2 arguments"),
    )
    assert measure.main(["--matrix", str(path), "1.0.3", "1.0.11"]) == 0
    page = capsys.readouterr().out
    assert "| 1.0.3 → 1.0.11 | 7 | 2 | 1 | 0 | 0 | 2 | 1 | – | – |" in page
    assert "- missed: `ConvNormAct.never`" in page and "- missed: `timm.nowhere`" in page
    assert "- an error of another kind: TypeError: forward()" in page


def test_a_pair_that_the_matrix_has_not(matrix):
    with pytest.raises(UsageProblem, match=r"no whole pickle written by 1.0.3 and read by 1.0.31"):
        measure.main(["--matrix", str(matrix()), "1.0.3", "1.0.31"])


@pytest.mark.long
def test_models_are_made_and_counted(tmp_path):
    page = tmp_path / "table.md"
    models = "regnetx_002,resnetblur18,hiera_tiny_224"
    measure.main(["1.0.3", "1.0.11", "--models", models, "--output", str(page)])
    text = page.read_text()
    assert "| 1.0.3 → 1.0.11 | 3 | 2 | 2 | 0 | 0 | 1 | 1 | 3 | 3 |" in text
    assert "- missed" not in text and "- not borne out" not in text
