from math import comb

import pytest
import torch

from helpers.checks import aliasing as check


def folded(frequency, step):
    cycles = frequency * step
    return abs(cycles - round(cycles))


def pascal(size):
    return torch.tensor([float(comb(size - 1, k)) for k in range(size)])


@pytest.mark.parametrize(
    "judge, answer",
    [(check.alias, folded), (check.binomial, lambda size: pascal(size) / pascal(size).sum())],
)
def test_a_right_answer_is_solved(judge, answer):
    assert judge(answer).solved, judge(answer)


@pytest.mark.parametrize(
    "judge, answer, hint",
    [
        (check.alias, lambda f, step: f * step, "fold it back"),
        (check.alias, lambda f, step: f * step - round(f * step), "no sign"),
        (check.alias, lambda f, step: f / step, "half as many samples"),
        (check.alias, lambda f, step: float("nan"), "half as many samples"),
        (check.alias, lambda f, step: min(f * step, 0.5), "how far is 0.8"),
        (check.alias, lambda f, step: min(f * step, 1 - f * step), "a step of 3"),
        (check.binomial, pascal, "brighter"),
        (check.binomial, lambda size: torch.ones(size) / size, "a box"),
        (check.binomial, lambda size: pascal(size) / 8, "sum to 1"),
        (check.binomial, lambda size: torch.outer(pascal(size), pascal(size)), "shape (5,)"),
        (check.binomial, lambda size: torch.tensor([0, 1.0, 2, 1, 0]) / 4, "Pascal's triangle"),
        (check.binomial, lambda size: pascal(5) / 16, "not for 3"),
    ],
)
def test_a_wrong_answer_gets_a_hint_that_fits(judge, answer, hint):
    verdict = judge(answer)
    assert verdict.status == "wrong" and hint in verdict.hint


@pytest.mark.parametrize("judge", [check.alias, check.binomial])
def test_a_stub_is_not_yet_solved(judge):
    assert judge(lambda *args: None).status == "open"
