"""Checks of lesson 02: the frequency that an alias shows, and the binomial blur."""

from collections.abc import Callable

import torch
from torch import Tensor

from helpers.checks.verdict import exercise, given


@exercise
def alias(answer: Callable[[float, int], float]) -> str | None:
    """A function from (frequency, step) to the frequency seen when every step-th sample is kept.

    Both in cycles per sample, of the old samples and of the new ones.
    Source: the sampling theorem; a frequency f is not told apart from its distance to an integer.
    """
    if not _equal(given(answer(0.1, 2)), 0.2):
        return "0.1 cycles per sample, every second kept: a cycle now takes half as many samples"
    seen = answer(0.4, 2)
    if _equal(seen, 0.8):
        return "no wave has more than half a cycle per sample; fold it back below 0.5"
    if _equal(seen, -0.2):
        return "a frequency has no sign here: a wave that runs backwards looks the same"
    if not _equal(seen, 0.2):
        return f"for 0.4 and every second sample it gave {seen:g}; how far is 0.8 from an integer?"
    for frequency, step, right in [(0.5, 2, 0.0), (0.45, 3, 0.35), (0.3, 4, 0.2)]:
        if not _equal(answer(frequency, step), right):
            return f"right so far, but wrong for {frequency} and a step of {step}"
    return None


def _equal(seen: float, right: float) -> bool:
    """Within rounding; a NaN equals nothing."""
    return abs(seen - right) < 1e-6


@exercise
def binomial(answer: Callable[[int], Tensor]) -> str | None:
    """A function from a size to the binomial blur kernel of that many taps, shape (size,)."""
    kernel = torch.as_tensor(given(answer(5))).float()
    if kernel.shape != (5,):
        return f"five taps are asked for, shape (5,), and this has shape {tuple(kernel.shape)}"
    if torch.allclose(kernel, torch.tensor([1.0, 4, 6, 4, 1])):
        return "the shape is right; a blur must not make the picture brighter: what is its sum?"
    if torch.allclose(kernel, torch.full((5,), 0.2)):
        return "that is a box: all taps alike; a row of Pascal's triangle is asked for"
    if abs(kernel.sum().item() - 1) > 1e-5:
        return f"the taps have to sum to 1, and these sum to {kernel.sum():g}"
    if not torch.allclose(kernel * 16, torch.tensor([1.0, 4, 6, 4, 1])):
        return (
            f"for size 5 it gave {kernel.tolist()}; which row of Pascal's triangle has 5 numbers?"
        )
    three = torch.as_tensor(answer(3)).float()
    if three.shape != (3,) or not torch.allclose(three, torch.tensor([0.25, 0.5, 0.25])):
        return "right for 5 taps, but not for 3"
    return None
