"""The checks of lesson 01 accept what is right and say what is wrong."""

import pytest
import torch

from helpers.checks import blocks as check


def right_count(i, o, k, groups=1, bias=False):
    return o * (i // groups) * k * k + 2 * o + o * bias


WRONG_COUNTS = {
    "the norm learns something too": lambda i, o, k, groups, bias: (
        o * (i // groups) * k * k + o * bias
    ),
    "more than one vector": lambda i, o, k, groups, bias: right_count(i, o, k, groups, bias) - o,
    "buffers": lambda i, o, k, groups, bias: right_count(i, o, k, groups, bias) + 2 * o,
    "as many rows as columns": lambda i, o, k, groups, bias: (
        o * (i // groups) * k + 2 * o + o * bias
    ),
    "sees fewer channels": lambda i, o, k, groups, bias: right_count(i, o, k, 1, bias),
    "not the number of filters": lambda i, o, k, groups, bias: (
        o * i * k * k // groups**2 + 2 * o + o * bias
    ),
    "only where bias is True": lambda i, o, k, groups, bias: right_count(i, o, k, groups, True),
    "the conv learns more": lambda i, o, k, groups, bias: right_count(i, o, k, groups, False),
    "each output channel": lambda i, o, k, groups, bias: right_count(i, o, k, groups) + bias,
    "not an int": lambda i, o, k, groups, bias: float(right_count(i, o, k, groups, bias)),
    "one by one": lambda i, o, k, groups, bias: 7,
    "ZeroDivisionError": lambda i, o, k, groups, bias: 1 // 0,
}


def test_the_right_count_is_accepted():
    assert check.parameter_count(right_count).solved


@pytest.mark.parametrize("hint", WRONG_COUNTS)
def test_a_wrong_count_gets_the_hint_that_fits(hint):
    verdict = check.parameter_count(WRONG_COUNTS[hint])
    assert verdict.status == "wrong"
    assert hint in verdict.hint


def test_an_untouched_count_is_open():
    assert check.parameter_count(lambda *args, **options: ...).status == "open"


def factor(bn):
    return bn.weight / (bn.running_var + bn.eps).sqrt()


def scaled(conv, by):
    return conv.weight * by[:, None, None, None]


def right_bias(bn):
    return bn.bias - bn.running_mean * factor(bn)


def right_fold(conv, bn):
    return scaled(conv, factor(bn)), right_bias(bn)


def change_in_place(conv, bn):
    conv.weight *= factor(bn)[:, None, None, None]
    return conv.weight, right_bias(bn)


def with_weight(by):
    return lambda conv, bn: (scaled(conv, by(bn)), right_bias(bn))


def with_bias(bias):
    return lambda conv, bn: (scaled(conv, factor(bn)), bias(bn))


WRONG_FOLDS = {
    "not in it yet": with_weight(lambda bn: torch.ones(6)),
    "it also divides": with_weight(lambda bn: bn.weight),
    "bn.weight, is missing": with_weight(lambda bn: factor(bn) / bn.weight),
    "squared deviation": with_weight(lambda bn: bn.weight / (bn.running_var + bn.eps)),
    "what does bn add": with_weight(lambda bn: bn.weight / bn.running_var.sqrt()),
    "joins the variance earlier": with_weight(
        lambda bn: bn.weight / (bn.running_var.sqrt() + bn.eps)
    ),
    "the weight: write bn(x)": with_weight(lambda bn: 3 * factor(bn)),
    "bn shifts too": with_bias(lambda bn: torch.zeros(6)),
    "takes something away": with_bias(lambda bn: bn.bias),
    "bn.bias, is missing": with_bias(lambda bn: right_bias(bn) - bn.bias),
    "so it is scaled too": with_bias(lambda bn: bn.bias - bn.running_mean),
    "sign of the mean": with_bias(lambda bn: bn.bias + bn.running_mean * factor(bn)),
    "added after the scaling": with_bias(lambda bn: (bn.bias - bn.running_mean) * factor(bn)),
    "the bias: write bn(x)": with_bias(lambda bn: 3 * right_bias(bn)),
    "the bias has the shape": with_bias(lambda bn: right_bias(bn)[:, None]),
    "has changed": change_in_place,
    "the first axis of the weight": lambda conv, bn: (conv.weight * factor(bn), right_bias(bn)),
}


def test_the_right_fold_is_accepted():
    assert check.fold_norm(right_fold).solved


@pytest.mark.parametrize("hint", WRONG_FOLDS)
def test_a_wrong_fold_gets_the_hint_that_fits(hint):
    verdict = check.fold_norm(WRONG_FOLDS[hint])
    assert verdict.status == "wrong"
    assert hint in verdict.hint


@pytest.mark.parametrize("part", [0, 1])
def test_a_fold_with_one_part_untouched_is_open(part):
    def half(conv, bn):
        answer = list(right_fold(conv, bn))
        answer[part] = ...
        return answer

    assert check.fold_norm(half).status == "open"
