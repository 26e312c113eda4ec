"""How much a layer, or a whole classifier, minds when its picture moves."""

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor


def fractional_shift(maps: Tensor, samples: float) -> Tensor:
    """Move maps to the right by a number of samples that need not be whole, around the border.

    Shapes: (..., W) -> (..., W). A whole number is `torch.roll`; in between, the sine waves that
    the map is made of are moved (shift theorem of the discrete Fourier transform).
    """
    width = maps.shape[-1]
    frequencies = torch.fft.rfftfreq(width, dtype=torch.float64)
    turn = torch.exp(-2j * torch.pi * frequencies * samples).to(torch.complex64)
    return torch.fft.irfft(torch.fft.rfft(maps) * turn, n=width)


def shift_error(
    layer: Callable[[Tensor], Tensor], images: Tensor, shift: int = 1, wrap: int = 16
) -> float:
    """Shift equivariance error: how far a layer is from commuting with a move to the right.

    Shapes: images (N, C, H, W). The layer's output for the moved images is compared with its moved
    output for the original ones, which moves by shift / stride samples: the norm of the difference
    over the norm of the output, so 0 is perfect. The pictures are continued around their border
    by `wrap` pixels before the layer and the output is cut back after it, so that no border has a
    part in the error; `wrap=0` lets the layer's own border count.

    Raises ValueError unless the layer's stride divides both W and `wrap`.
    """
    still = around_the_border(layer, images, wrap)
    moved = around_the_border(layer, images.roll(shift, dims=-1), wrap)
    wanted = fractional_shift(still, shift * still.shape[-1] / images.shape[-1])
    return ((moved - wanted).norm() / wanted.norm()).item()


def around_the_border(layer: Callable[[Tensor], Tensor], images: Tensor, wrap: int = 16) -> Tensor:
    """A layer's maps of pictures that go on around their border, so that it sees none.

    Shapes: (N, C, H, W) -> (N, channels, H / stride, W / stride). `wrap` pixels are put around
    before the layer, and their part of the output is cut off. Raises ValueError unless the layer's
    stride divides both W and `wrap`.
    """
    padded = F.pad(images, [wrap] * 4, mode="circular") if wrap else images
    with torch.inference_mode():
        output = layer(padded)
    stride, rest = divmod(padded.shape[-1], output.shape[-1])
    if rest or wrap % stride:
        raise ValueError(
            f"a width of {images.shape[-1]} and wrap={wrap} give an output {output.shape[-1]} wide:"
            " the layer's stride has to divide both"
        )
    cut = slice(wrap // stride, output.shape[-1] - wrap // stride)
    return output[..., cut, cut]


def shifted_predictions(
    model: Callable[[Tensor], Tensor], images: Tensor, shifts: Iterable[tuple[int, int]]
) -> Tensor:
    """The class a classifier picks for each image, moved by each (down, right) in turn.

    Shapes: images (N, C, H, W); the model gives (N, classes); the answer is (shifts, N), integer.
    """
    with torch.inference_mode():
        return torch.stack([model(images.roll(move, (-2, -1))).argmax(1) for move in shifts])


def consistency(predictions: Tensor) -> float:
    """Shift consistency: how often two different moves of one picture get the same class, 0 to 1.

    Shapes: predictions (shifts, N) with at least two shifts. The average over all pictures and
    all pairs of shifts, right or wrong does not matter.
    Source: the measure of R. Zhang, arXiv:1904.11486, sec. 4, over all pairs
    instead of random ones.
    """
    shifts = len(predictions)
    equal = (predictions[:, None] == predictions[None, :]).sum().item()
    same_move = predictions.numel()
    return (equal - same_move) / (shifts * (shifts - 1) * predictions.shape[1])
