"""Test pictures: real photos that matplotlib and scikit-learn ship, a sine and a zone plate."""

import math
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from missing_aa.errors import UsageProblem

# name: the package that ships the photo, and where in it. Found without importing the package.
PHOTOS = {
    "china": ("sklearn", "datasets/images/china.jpg"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "grace_hopper": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
}


def photo(name: str = "china", size: int = 224) -> Tensor:
    """A real photo: its square centre, resized with anti-aliasing.

    Shape: (3, size, size), values 0 to 1. Raises UsageProblem for a photo that is not in PHOTOS.
    """
    if name not in PHOTOS:
        raise UsageProblem(f"no photo is called {name!r}; choose one of {', '.join(PHOTOS)}")
    package, path = PHOTOS[name]
    folder = Path(find_spec(package).origin).parent
    with Image.open(folder / path) as image:
        square = ImageOps.fit(image.convert("RGB"), (size, size), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(square)).permute(2, 0, 1).contiguous() / 255


def sine(length: int, cycles: float) -> Tensor:
    """`cycles` periods of a sine in `length` samples, the first one at phase 0.

    Shape: (length,), values -1 to 1. More than length / 2 cycles are past Nyquist.
    """
    return torch.sin(
        2 * math.pi * cycles * torch.arange(length, dtype=torch.float64) / length
    ).float()


def zone_plate(size: int) -> Tensor:
    """Rings whose frequency rises from 0 at the centre to Nyquist at the middle of each edge.

    Shape: (size, size), values 0 to 1. At distance r from the centre the phase is pi r^2 / size,
    so the frequency is r / size cycles per pixel; along each axis it never passes 0.5, corners
    included: the picture itself has no aliasing.
    """
    offset = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    squared = offset[:, None] ** 2 + offset[None, :] ** 2
    return (0.5 + 0.5 * torch.cos(math.pi * squared / size)).float()
