"""A small experiment: the same net with and without anti-aliasing, on real handwritten digits."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

from helpers.layers import BlurPool2d, ConvNormAct
from helpers.shift import consistency, shifted_predictions

FIELD = 32  # pixels: the side of the picture that a digit is placed in
DIGIT = 16  # pixels: scikit-learn's 8 x 8 digits, doubled
TEST_SIZE = 300  # of 1,797 digits
BATCH = 32
MOVES = [(step, step) for step in range(8)]  # down the diagonal: every phase of three strides of 2


@dataclass(frozen=True)
class Run:
    """One trained net, and what came of it on test digits that move."""

    seed: int
    blurred: bool
    epochs: int
    accuracy: float  # share of all moved test digits
    consistency: float  # share of pairs of moves


def digit_net(aa_layer: Callable[..., nn.Module] | None = None) -> nn.Sequential:
    """Three blocks of ConvNormAct with stride 2, then a linear layer: (N, 1, 32, 32) -> (N, 10)."""
    widths = (1, 8, 16, 32)
    blocks = [
        ConvNormAct(narrow, wide, kernel_size=3, stride=2, aa_layer=aa_layer)
        for narrow, wide in zip(widths, widths[1:], strict=False)
    ]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 10))


def place(digits: Tensor, room: int, generator: torch.Generator) -> Tensor:
    """Put each digit at a random place in a black picture, at most `room` pixels from its corner.

    Shapes: (N, 16, 16) -> (N, 1, 32, 32).
    """
    pictures = torch.zeros(len(digits), 1, FIELD, FIELD)
    corners = torch.randint(0, room + 1, (len(digits), 2), generator=generator).tolist()
    for picture, digit, (top, left) in zip(pictures, digits, corners, strict=True):
        picture[0, top : top + DIGIT, left : left + DIGIT] = digit
    return pictures


def load() -> tuple[Tensor, Tensor]:
    """scikit-learn's 1,797 digits in their own order: (N, 16, 16) with values 0 to 1, and (N,)."""
    data = load_digits()
    small = torch.from_numpy(data.images).float()[:, None] / 16
    digits = F.interpolate(small, scale_factor=DIGIT // 8, mode="bilinear")[:, 0]
    return digits, torch.from_numpy(data.target)


def train(blurred: bool, seed: int, epochs: int = 3, train_size: int | None = None) -> Run:
    """Train one net and judge it on digits it has not seen, each in eight places.

    The seed decides the split, the places, the order and the first weights: two nets of one seed
    differ in the blur alone. `train_size` keeps only that many digits to train on.
    """
    generator = torch.Generator().manual_seed(seed)
    digits, labels = load()
    order = torch.randperm(len(digits), generator=generator)
    test, rest = order[:TEST_SIZE], order[TEST_SIZE:][:train_size]
    pictures = place(digits[test], FIELD - DIGIT - MOVES[-1][0], generator)

    torch.manual_seed(seed)
    net = digit_net(BlurPool2d if blurred else None)
    with _one_thread():
        _fit(net, digits[rest], labels[rest], epochs, generator)
        predictions = shifted_predictions(net.eval(), pictures, MOVES)
    accuracy = (predictions == labels[test]).float().mean().item()
    return Run(seed, blurred, epochs, accuracy, consistency(predictions))


@contextmanager
def _one_thread() -> Iterator[None]:
    """So small a net gains nothing by a second thread, and loses much when the cores are shared."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _fit(
    net: nn.Module, digits: Tensor, labels: Tensor, epochs: int, generator: torch.Generator
) -> None:
    net.to(memory_format=torch.channels_last)  # a third faster on a CPU at these sizes
    optimizer = torch.optim.AdamW(net.parameters(), fused=True)
    steps = epochs * math.ceil(len(digits) / BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.02, total_steps=steps)
    for _ in range(epochs):
        pictures = place(digits, FIELD - DIGIT, generator)
        for batch in torch.randperm(len(digits), generator=generator).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(net(pictures[batch]), labels[batch]).backward()
            optimizer.step()
            schedule.step()


def compare(
    seeds: Iterable[int], epochs: int = 3, kinds: Sequence[bool] = (False, True)
) -> Iterator[Run]:
    """Train for each seed a net of each kind: without the blur (False) and with it (True)."""
    for seed in seeds:
        for blurred in kinds:
            yield train(blurred, seed, epochs)
