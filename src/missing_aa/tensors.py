"""Weights and outputs that can be compared: seeded values on every tensor, one fixed input.

torch is imported when a function is called, so that what only might need it starts without.
"""

import contextlib
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

TOLERANCE = 1e-4
"""How far outputs may differ and still count as equal, as `difference` gives it: rounding is below,
and the smallest silent change found in timm's history is 2e-3."""


def identical(given: "Tensor | None", value: "Tensor | None") -> bool:
    """Equal bit for bit, once in the type of the model's tensor."""
    import torch

    if given is None or value is None or given.shape != value.shape:
        return False
    given, value = given.to(value.dtype).reshape(-1), value.reshape(-1)
    return torch.equal(given.view(torch.uint8), value.view(torch.uint8))


@contextlib.contextmanager
def quiet():
    """Keep back what timm says of its own weights, which are not the ones in question."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.disable(logging.NOTSET)


def why(error: Exception) -> str:
    """The gist of what load_state_dict lists, which can be hundreds of names."""
    lines = [line.strip() for line in str(error).splitlines()[1:]] or [ascii(str(error))[1:-1]]
    shown = []
    for line in lines[:3]:
        first, *others = line.split('", "')
        shown.append(f'{first}" and {len(others)} more' if others else line[:200])
    return "; ".join(shown) + (f"; and {len(lines) - 3} more" if len(lines) > 3 else "")


def save(weights: "dict[str, Tensor]", path: Path, metadata: dict[str, str]) -> None:
    from safetensors.torch import save_file

    # Tied tensors are written once for each name, so that a strict load finds them all.
    alone = {key: value.detach().clone().contiguous() for key, value in weights.items()}
    save_file(alone, path, metadata)


def perturb(model: "nn.Module", seed: int = 0) -> "nn.Module":
    """Add seeded noise to every weight, in place, and put the model in eval mode.

    Weights are the parameters and the running statistics of norms. A freshly made model hides
    faults: a layer that starts at zero keeps what is before it from reaching the output. Running
    variances are scaled instead, so that they stay positive. Other buffers are left alone: they
    are constants (a mask, a table of distances) that a release may as well compute again.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    learned = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point() and (name in learned or "running_" in name):
            noise = torch.randn(tensor.shape, generator=generator).to(tensor.dtype)
            if name.endswith("running_var"):
                tensor.mul_(torch.exp(0.1 * noise))
            else:
                tensor.add_(0.05 * noise)
    return model.eval()


def fixed_input(image_size: int, channels: int = 3, seed: int = 0) -> "Tensor":
    """A seeded batch of one, shape (1, channels, image_size, image_size)."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, channels, image_size, image_size, generator=generator)


def output_of(model: "nn.Module", picture: "Tensor") -> "Tensor":
    """The model's output for a picture; of several outputs the first."""
    import torch

    with torch.no_grad():
        output = model(picture)
    return output[0] if isinstance(output, tuple | list) else output


def difference(output: "Tensor", reference: "Tensor") -> float:
    """The largest deviation from a reference output, relative to the reference's largest value.

    Raises ValueError where the reference cannot tell right from wrong: not finite, or flat.
    """
    if not reference.isfinite().all() or reference.std() == 0:
        raise ValueError("the reference output is not finite or flat: it cannot be compared with")
    return ((output - reference).abs().max() / reference.abs().max()).item()
