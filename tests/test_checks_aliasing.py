"""The checks of lesson 02 take right answers and turn down wrong ones, with a hint that fits."""

from math import comb

import pytest
import torch
from torch import nn

from helpers.checks import aliasing as check


def pascal(size):
    return torch.tensor([float(comb(size - 1, k)) for k in range(size)])


class Right(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1, aa_layer=None):
        super().__init__()
        self.use = self.uses(stride, aa_layer)
        conv_stride = self.conv_stride(stride)
        self.conv = nn.Conv2d(in_channels, out_channels, 3, conv_stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)
        self.act = nn.ReLU()
        self.aa = aa_layer(out_channels, stride=stride) if self.use else None

    def uses(self, stride, aa_layer):
        return aa_layer is not None and stride > 1

    def conv_stride(self, stride):
        return 1 if self.use else stride

    def forward(self, x):
        x = self.act(self.bn(self.conv(x)))
        return x if self.aa is None else self.aa(x)


class StridesTwice(Right):
    def conv_stride(self, stride):
        return stride


class NeverStrides(Right):
    def conv_stride(self, stride):
        return 1


class BlursAtStrideOne(Right):
    def uses(self, stride, aa_layer):
        return aa_layer is not None


class BlursBeforeTheActivation(Right):
    def forward(self, x):
        x = self.bn(self.conv(x))
        return self.act(x if self.aa is None else self.aa(x))


class HasNoAttribute(Right):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        if self.aa is None:
            del self.aa

    def forward(self, x):
        x = self.act(self.bn(self.conv(x)))
        return self.aa(x) if hasattr(self, "aa") else x


class ForgetsTheReturn(Right):
    def forward(self, x):
        super().forward(x)


class OtherNames(Right):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.norm = self.bn
        del self.bn


class BlursAfterTheStride(Right):
    def __init__(self, in_channels, out_channels, stride=1, aa_layer=None):
        super().__init__(in_channels, out_channels, stride)
        if aa_layer is not None and stride > 1:
            self.aa = aa_layer(out_channels, stride=1)


class NoPadding(Right):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.conv.padding = (0, 0)


class OtherFilters(Right):
    def __init__(self, in_channels, out_channels, *args, **options):
        super().__init__(in_channels, out_channels, *args, **options)
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)


class HasBias(Right):
    def __init__(self, in_channels, out_channels, *args, **options):
        super().__init__(in_channels, out_channels, *args, **options)
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)


class StrideByPlace(Right):
    def __init__(self, in_channels, out_channels, stride=1, aa_layer=None):
        super().__init__(in_channels, out_channels, stride, aa_layer)
        if self.use:
            self.aa = aa_layer(out_channels, stride)


class DefaultOfTheClass(Right):
    aa = None


class ActivatesFirst(Right):
    def forward(self, x):
        x = self.bn(self.act(self.conv(x)))
        return x if self.aa is None else self.aa(x)


class Stub(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1, aa_layer=None):
        super().__init__()

    def forward(self, x): ...


@pytest.mark.parametrize(
    "judge, answer",
    [
        (check.binomial, lambda size: pascal(size) / pascal(size).sum()),
        (check.block_with_aa, Right),
    ],
)
def test_a_right_answer_is_solved(judge, answer):
    assert judge(answer).solved, judge(answer)


@pytest.mark.parametrize(
    "judge, answer, hint",
    [
        (check.binomial, pascal, "brighter"),
        (check.binomial, lambda size: torch.ones(size) / size, "a box"),
        (check.binomial, lambda size: pascal(size) / 8, "sum to 1"),
        (check.binomial, lambda size: torch.outer(pascal(size), pascal(size)), "shape (5,)"),
        (check.binomial, lambda size: torch.tensor([0, 1.0, 2, 1, 0]) / 4, "Pascal's triangle"),
        (check.binomial, lambda size: pascal(size + 1)[:-1] / 2**size, "row with six numbers"),
        (check.binomial, lambda size: pascal(5) / 16, "not for 3"),
        (check.binomial, lambda size: pascal(min(size, 5)) / 2 ** (min(size, 5) - 1), "not for 7"),
        (check.binomial, lambda size: print(pascal(size)), "returned None"),
        (check.block_with_aa, StridesTwice, "4 wide instead of 8"),
        (check.block_with_aa, NeverStrides, "16 wide instead of 8"),
        (check.block_with_aa, BlursAtStrideOne, "where is something dropped"),
        (check.block_with_aa, BlursBeforeTheActivation, "what comes after what"),
        (check.block_with_aa, BlursAfterTheStride, "what comes after what"),
        (check.block_with_aa, HasNoAttribute, "has no attribute aa"),
        (check.block_with_aa, ForgetsTheReturn, "returned None"),
        (check.block_with_aa, OtherNames, "it has no bn"),
        (check.block_with_aa, NoPadding, "look at the padding"),
        (check.block_with_aa, OtherFilters, "conv.weight has the shape (4, 3, 1, 1)"),
        (check.block_with_aa, HasBias, "no old file has a state_dict of ['bn.bias'"),
        (check.block_with_aa, StrideByPlace, "passed by its name"),
        (check.block_with_aa, DefaultOfTheClass, "None of the class hides"),
        (check.block_with_aa, ActivatesFirst, "what comes after what"),
    ],
)
def test_a_wrong_answer_gets_a_hint_that_fits(judge, answer, hint):
    verdict = judge(answer)
    assert verdict.status == "wrong" and hint in verdict.hint, verdict


def test_a_stub_is_not_yet_solved():
    assert check.binomial(lambda size: ...).status == "open"
    assert check.block_with_aa(Stub).status == "open"
