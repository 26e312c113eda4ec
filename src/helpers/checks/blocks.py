"""The checks of lesson 01: the parameters of a block, and a norm folded into its conv."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.checks.verdict import exercise, given
from helpers.layers import ConvNormAct

# (in_channels, out_channels, kernel_size, groups, bias): every mistake below gives another number.
BLOCKS = [(3, 8, 3, 1, False), (6, 10, 5, 2, False), (12, 12, 3, 4, True), (20, 7, 1, 1, True)]


def _count(i: int, o: int, k: int, g: int, bias: bool, vectors: int = 2) -> float:
    return o * i / g * k * k + vectors * o + bias * o


# A wrong way to count, and what to say to whoever counts that way.
MISCOUNTS = [
    (lambda i, o, k, g, b: _count(i, o, k, g, False), "with bias=True the conv learns more"),
    (lambda i, o, k, g, b: _count(i, o, k, g, b, 0), "the norm learns something too"),
    (lambda i, o, k, g, b: _count(i, o, k, g, b, 1), "the norm learns more than one vector"),
    (
        lambda i, o, k, g, b: _count(i, o, k, g, b, 4),
        "running means and variances are buffers: nothing is learned there",
    ),
    (
        lambda i, o, k, g, b: o * i // g * k + 2 * o + b * o,
        "a kernel has as many rows as columns",
    ),
    (lambda i, o, k, g, b: _count(i, o, k, 1, b), "with groups, a filter sees fewer channels"),
    (
        lambda i, o, k, g, b: _count(i, o, k, g * g, b),
        "groups cut the inputs of a filter, not the number of filters",
    ),
    (lambda i, o, k, g, b: _count(i, o, k, g, True), "a bias counts only where bias is True"),
    (
        lambda i, o, k, g, b: _count(i, o, k, g, False) + b,
        "a bias is a vector: each output channel has its own",
    ),
]


@exercise
def parameter_count(count: Callable[..., int]) -> str | None:
    """Does `count` tell how many numbers a real ConvNormAct learns?"""
    for i, o, k, g, bias in BLOCKS:
        answer = given(count(i, o, k, groups=g, bias=bias))
        block = ConvNormAct(i, o, k, groups=g, bias=bias)
        real = sum(parameter.numel() for parameter in block.parameters())
        if answer == real and not isinstance(answer, int):
            return "right in value, but not an int: `//` divides without leaving the whole numbers"
        if answer != real:
            hints = (hint for miscount, hint in MISCOUNTS if answer == miscount(i, o, k, g, bias))
            case = f"ConvNormAct({i}, {o}, {k}, groups={g}, bias={bias})"
            hint = next(hints, "count conv.weight, conv.bias and the norm one by one")
            return f"{case} learns {real:,} numbers, you count {answer:,}: {hint}"
    return None


def _normed_conv() -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """A conv and a trained-looking norm, one variance so small that eps matters."""
    random = torch.Generator().manual_seed(0)
    conv, bn = nn.Conv2d(4, 6, 3, bias=False), nn.BatchNorm2d(6).eval()
    for tensor in (conv.weight.data, bn.weight.data, bn.bias.data, bn.running_mean):
        tensor.copy_(torch.randn(tensor.shape, generator=random))
    bn.running_var.copy_(torch.tensor([1e-5, 0.3, 0.7, 1.5, 2.5, 4.0]))
    return conv.requires_grad_(False), bn.requires_grad_(False)


def _weight_mistakes(weight: Tensor, bn: nn.BatchNorm2d) -> list[tuple[Tensor, str]]:
    """Wrong folded weights, and what to say about each."""

    def times(factor: Tensor) -> Tensor:
        return weight * factor.view(-1, 1, 1, 1)

    return [
        (weight, "the norm's factor is not in it yet"),
        (times(bn.weight), "a norm does not only scale, it also divides"),
        (
            times(1 / (bn.running_var + bn.eps).sqrt()),
            "the norm's own scale, bn.weight, is missing",
        ),
        (times(bn.weight / (bn.running_var + bn.eps)), "a variance is a squared deviation"),
        (
            times(bn.weight / bn.running_var.sqrt()),
            "right where the variance is large, off where it is tiny: what does bn add to it?",
        ),
        (times(bn.weight / (bn.running_var.sqrt() + bn.eps)), "bn.eps joins the variance earlier"),
    ]


def _bias_mistakes(factor: Tensor, bn: nn.BatchNorm2d) -> list[tuple[Tensor, str]]:
    """Wrong folded biases, and what to say about each."""
    return [
        (torch.zeros_like(bn.bias), "bn shifts too"),
        (bn.bias, "before it scales, bn also takes something away"),
        (-bn.running_mean * factor, "bn's own shift, bn.bias, is missing"),
        (
            bn.bias - bn.running_mean,
            "the mean is taken away before the scaling, so it is scaled too",
        ),
        (bn.bias + bn.running_mean * factor, "look at the sign of the mean"),
        ((bn.bias - bn.running_mean) * factor, "bn.bias is added after the scaling"),
    ]


@exercise
def fold_norm(fold: Callable[[nn.Conv2d, nn.BatchNorm2d], tuple[Tensor, Tensor]]) -> str | None:
    """Do the weight and bias from `fold` make one conv out of a conv and a norm in eval mode?"""
    conv, bn = _normed_conv()
    original = conv.weight.clone()
    x = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    expected = bn(conv(x))
    try:
        weight, bias = map(given, given(fold(conv, bn)))
    except RuntimeError as error:
        if "size of tensor" not in str(error):
            raise
        return (
            "torch cannot multiply these shapes: the norm's numbers belong to the first axis of "
            "the weight, and torch matches them with its last"
        )
    if not torch.equal(conv.weight, original):
        return "the conv you were given has changed: return new tensors instead"
    for name, part, right in (("weight", weight, conv.weight), ("bias", bias, bn.bias)):
        if part.shape != right.shape:
            return f"the {name} has the shape {tuple(part.shape)}, it needs {tuple(right.shape)}"
    if _close(F.conv2d(x, weight, bias), expected):
        return None
    # At x = 0 the conv gives nothing, and what the norm makes of that is all bias.
    shift = bn(torch.zeros(1, 6, 1, 1)).flatten()
    if _close(F.conv2d(x, weight, shift), expected):
        factor = (bn.bias - shift) / bn.running_mean
        return "the weight is right; the bias: " + _named(bias, _bias_mistakes(factor, bn))
    return "the weight: " + _named(weight, _weight_mistakes(original, bn))


def _close(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-3, atol=1e-3)


def _named(answer: Tensor, mistakes: list[tuple[Tensor, str]]) -> str:
    """The hint for a known mistake, or what to do about an unknown one."""
    hints = (hint for wrong, hint in mistakes if _close(answer, wrong))
    return next(hints, "write bn(x) for one channel as factor * x + shift, and start from there")
