"""What a model computes for one fixed input, in a few numbers that a later model is compared with.

Equal weights do not promise an equal output: between two releases an activation can change with no
name changed. The numbers are projections of the whole output onto fixed directions, so that a
deviation anywhere in it moves all of them.
"""

import copy
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from missing_aa.tensors import TOLERANCE

ROUNDINGS = 10
"""Another machine may move an output this many times as far as rounding does: processors and
releases of torch add in another order, and some models round worse than TOLERANCE allows."""
SIDE = 96
"""Of the input's square where the architecture takes any: three by three cells of stride 32."""
PROJECTIONS = 8
EXACT = (torch.float32, torch.float64)


@dataclass(frozen=True)
class Fingerprint:
    """An output for `noise` of size `input_size` (channels, height, width): its shape, mean,
    standard deviation, and its projections, each as large as a typical value of the output.
    `tolerance` is the deviation that another machine is allowed."""

    input_size: list[int]
    shape: list[int]
    mean: float
    std: float
    projections: list[float]
    tolerance: float = TOLERANCE

    @property
    def is_finite(self) -> bool:
        return all(map(math.isfinite, [self.mean, self.std, *self.projections]))

    def deviation(self, found: "Fingerprint") -> float:
        """How far another output is from this one, relative to this one's root mean square."""
        if found.shape != self.shape or not found.is_finite:
            return math.inf
        scale = math.hypot(self.mean, self.std) or 1.0
        pairs = zip(self.projections, found.projections, strict=True)
        return max(abs(one - other) for one, other in pairs) / scale


def take(model: nn.Module, input_size: Sequence[int]) -> Fingerprint:
    """The fingerprint of a model that is on the CPU and in eval mode.

    Weights of less than 32 bits are widened in a copy: their arithmetic differs between processors.
    """
    dtype = next((value.dtype for value in model.parameters()), torch.float32)
    if dtype not in EXACT:
        model, dtype = copy.deepcopy(model).float(), torch.float32
    with torch.no_grad(), torch.autocast("cpu", enabled=False):
        output = model(noise((1, *input_size), "input").to(dtype))
    flat = output.double().flatten()
    directions = noise((PROJECTIONS, flat.numel()), "directions").double()
    return Fingerprint(
        input_size=list(input_size),
        shape=list(output.shape),
        mean=flat.mean().item(),
        std=flat.std(correction=0).item(),
        projections=(directions @ flat / math.sqrt(flat.numel())).tolist(),
    )


def take_small(model: nn.Module, input_size: Sequence[int], any_size: bool) -> Fingerprint:
    """The same for a smaller input, where the architecture takes any size and gives a value."""
    channels, *sides = input_size
    small = (channels, *(min(side, SIDE) for side in sides))
    if any_size and small != tuple(input_size):
        try:
            found = take(model, small)
        except (RuntimeError, AssertionError, ValueError):  # as each architecture says it
            found = None
        if found and found.is_finite:
            return found
    return take(model, input_size)


def with_tolerance(found: Fingerprint, model: nn.Module) -> Fingerprint:
    """Allow for how the model rounds: its output against that in float64, to which it is turned."""
    try:
        rounding = found.deviation(take(model.double(), found.input_size))
    except RuntimeError:  # it mixes its own float32 in
        return found
    return replace(found, tolerance=max(TOLERANCE, ROUNDINGS * rounding))


def noise(shape: Sequence[int], name: str) -> Tensor:
    """Values of mean 0 and variance 1, the same on every machine and in every release.

    From SHAKE-128 over the name: no library promises its random numbers from one release to the
    next.
    """
    drawn = bytearray(hashlib.shake_128(name.encode()).digest(math.prod(shape)))
    even = torch.frombuffer(drawn, dtype=torch.uint8).float()
    return even.sub_(127.5).div_(73.9).reshape(shape)
