"""Checks of lesson 02: the binomial blur, and the block with `aa`."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from helpers.checks.verdict import NO_RETURN, NotYet, exercise, given
from helpers.layers import BlurPool2d, ConvNormAct


@exercise
def binomial(answer: Callable[[int], Tensor]) -> str | None:
    """A function from a size to the binomial blur kernel of that many taps, shape (size,)."""
    kernel = torch.as_tensor(given(answer(5))).float()
    if kernel.shape == (5,) and torch.allclose(kernel * 32, torch.tensor([1.0, 5, 10, 10, 5])):
        return "that is the beginning of the row with six numbers; which row has five?"
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
    for size, row in ((3, [1.0, 2, 1]), (7, [1.0, 6, 15, 20, 15, 6, 1])):
        found, right = torch.as_tensor(answer(size)).float(), torch.tensor(row) / sum(row)
        if found.shape != right.shape or not torch.allclose(found, right):
            return f"right for 5 taps, but not for {size}; is the row made from the size?"
    return None


@exercise
def block_with_aa(block: type[nn.Module]) -> str | None:
    """A conv → norm → act block of (in_channels, out_channels, stride, aa_layer): like ours?"""
    x = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    if not list(block(3, 4).children()) and block(3, 4)(x) is None:
        raise NotYet
    for stride, layer, what in _BLOCKS:
        mine, ours = block(3, 4, stride, layer).eval(), _ours(stride, layer)
        if missing := {"conv", "bn", "act"} - dict(mine.named_children()).keys():
            return f"it has no {', '.join(sorted(missing))}; keep the names that the task gives"
        if not hasattr(mine, "aa"):
            return f"{what}: the object has no attribute aa; forward, or somebody else, asks for it"
        if mine.aa is None and "aa" in dict(mine.named_children()):
            return f"{what}: a None of the class hides the layer that you set"
        if (mine.aa is None) != (ours.aa is None):
            return f"{what}: its aa is {mine.aa}; where is something dropped that it protects?"
        theirs, wanted = mine.state_dict(), ours.state_dict()
        if theirs.keys() != wanted.keys():
            return f"{what}: no old file has a state_dict of {sorted(theirs)}"
        if wrong := [name for name in wanted if theirs[name].shape != wanted[name].shape]:
            found, right = (tuple(tensors[wrong[0]].shape) for tensors in (theirs, wanted))
            return f"{what}: {wrong[0]} has the shape {found} instead of {right}"
        mine.load_state_dict(wanted)
        found, right = mine(x), ours(x)
        if found is None:
            return NO_RETURN
        if found.shape != right.shape:
            hint = "who has the stride, and is it passed by its name?"
            if stride == 1:
                hint = "at stride 1 a map keeps its size; look at the padding"
            return f"{what}: the map is {found.shape[-1]} wide instead of {right.shape[-1]}; {hint}"
        if not torch.allclose(found, right, atol=1e-5):
            return f"{what}: the map has the right size and other values; what comes after what?"
    return None


_BLOCKS = (
    (1, None, "stride 1, without aa"),
    (2, None, "stride 2, without aa"),
    (2, BlurPool2d, "stride 2, with a blur"),
    (1, BlurPool2d, "stride 1, with a blur"),
)
"""Stride and aa_layer of the blocks that are tried, and what they are called."""


def _ours(stride: int, layer: type[nn.Module] | None) -> nn.Module:
    """The course's own block with every weight moved away from where it was born."""
    ours = ConvNormAct(3, 4, 3, stride=stride, aa_layer=layer).eval()
    with torch.no_grad():
        for number, tensor in enumerate(ours.state_dict().values()):
            if tensor.is_floating_point():
                wave = torch.sin(torch.arange(tensor.numel()) * 1.7 + number)
                tensor += 0.3 * wave.reshape(tensor.shape)
    return ours
