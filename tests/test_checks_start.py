"""The checks of the first lesson turn down plausible wrong answers, with a hint that fits."""

import pytest

from helpers.checks import start as check

OUTCOMES = {"0.6.13": "load", "1.0.12": "runs", "1.0.31": "runs"}


@pytest.mark.parametrize(
    "verdict",
    [
        check.who_asked("ConvNormAct.forward"),
        check.who_asked("ConvNormAct.forward(self, x)"),
        check.outcomes(OUTCOMES),
    ],
)
def test_a_right_answer_is_solved(verdict):
    assert verdict.solved, verdict


@pytest.mark.parametrize(
    "answer, hint",
    [
        ("load", '"loaded" was printed'),
        ("torch.load", '"loaded" was printed'),
        ("timm 1.0.11/layers/conv_bn_act.py", "that is a file"),
        ("ConvNormAct.__init__", "it did not run"),
        ("Module.__getattr__", "who of timm had asked"),
        ("forward", "half of it"),
        ("ConvNormAct", "half of it"),
        ("RegNet.forward", "handed the image on"),
        ("RegNet.forward_features", "handed the image on"),
        ("aa", "no function of timm"),
        (85, "a text in quotes"),
    ],
)
def test_another_frame_of_the_traceback_is_named(answer, hint):
    verdict = check.who_asked(answer)
    assert verdict.status == "wrong" and hint in verdict.hint


@pytest.mark.parametrize(
    "change, hint",
    [
        ({"0.6.13": "forward"}, 'was "loaded" printed'),
        ({"0.6.13": "runs"}, "0.6.13: did the cell run under it?"),
        ({"1.0.12": "forward"}, "1.0.12: did the cell run under it?"),
        ({"1.0.31": "load"}, "1.0.31: did the cell run under it?"),
        ({"1.0.31": True}, "none of"),
    ],
)
def test_a_release_that_was_not_tried_is_named(change, hint):
    verdict = check.outcomes(OUTCOMES | change)
    assert verdict.status == "wrong" and hint in verdict.hint


def test_a_release_that_was_left_out_is_named():
    assert "1.0.12, 1.0.31" in check.outcomes({"0.6.13": "load"}).hint


@pytest.mark.parametrize(
    "verdict", [check.who_asked(...), check.outcomes(OUTCOMES | {"1.0.31": ...})]
)
def test_what_is_not_answered_is_open(verdict):
    assert verdict.status == "open"
