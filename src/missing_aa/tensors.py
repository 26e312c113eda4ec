"""Weights and outputs that can be compared: seeded values on every tensor, one fixed input."""

import torch
from torch import Tensor, nn


def perturb(model: nn.Module, seed: int = 0) -> nn.Module:
    """Add seeded noise to every weight, in place, and put the model in eval mode.

    Weights are the parameters and the running statistics of norms. A freshly made model hides
    faults: a layer that starts at zero keeps what is before it from reaching the output. Running
    variances are scaled instead, so that they stay positive. Other buffers are left alone: they
    are constants (a mask, a table of distances) that a release may as well work out anew.
    """
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


def fixed_input(image_size: int, channels: int = 3, seed: int = 0) -> Tensor:
    """A seeded batch of one, shape (1, channels, image_size, image_size)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, channels, image_size, image_size, generator=generator)


def difference(output: Tensor, reference: Tensor) -> float:
    """The largest deviation from a reference output, relative to the reference's largest value.

    Raises ValueError where the reference cannot tell right from wrong: not finite, or flat.
    """
    if not reference.isfinite().all() or reference.std() == 0:
        raise ValueError("the reference output is not finite or flat: it cannot be compared with")
    return ((output - reference).abs().max() / reference.abs().max()).item()
