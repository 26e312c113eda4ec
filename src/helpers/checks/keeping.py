"""Checks of lesson 08: what a list of requirements pins, and a checksum of weights."""

from collections.abc import Callable

import torch

from helpers.checks.verdict import exercise, given

PINNED = ["timm==1.0.31", "pillow == 11.0", "uvicorn[standard]==0.30.1", "", "# torch>=2", "  "]
LOOSE = {
    "torch>=2": "torch>=2 lets in what will be published tomorrow",
    "numpy": "a bare name lets every version in",
    "scipy~=1.14": "~= lets later ones in",
    "pandas<3": "an upper limit is a range, too",
    "safetensors==0.5.*": "a star behind == is a range, too",
    "rich!=13.0": "!= leaves one version out, and lets the others in",
}


@exercise
def not_pinned(answer: Callable) -> str | None:
    """A function that gives the lines of requirements which let more than one version in."""
    for line in PINNED:
        if list(given(answer([line]))) != []:
            return f"{line!r} is pinned, or no requirement, and was returned"
    for line, hint in LOOSE.items():
        if list(given(answer([line]))) != [line]:
            return f"{line!r} is to be returned: {hint}"
    mixed = [*LOOSE, *PINNED]
    if list(answer(mixed)) != list(LOOSE):
        return "each line alone is right, and several together are not: the order, or doubles?"
    return None


@exercise
def checksum(answer: Callable) -> str | None:
    """A function of a state_dict: a text that changes with any name, shape, type or bit."""
    one, other = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([5.0, 6.0, 7.0, 8.0])
    state = {"a.weight": one, "b.weight": other}
    seen = given(answer(dict(state)))
    if not isinstance(seen, str):
        return f"it is to return a text, and returned {type(seen).__name__}"
    if answer({name: tensor.clone() for name, tensor in state.items()}) != seen:
        return "the same numbers in other memory give another text"
    if answer(dict(reversed(state.items()))) != seen:
        return "the same tensors in another order give another text"
    bit = other.clone()
    bit.view(torch.int32)[2] ^= 1
    changes = {
        "the lowest bit of one number was changed": {"a.weight": one, "b.weight": bit},
        "two numbers changed places": {"a.weight": one, "b.weight": other[[1, 0, 2, 3]]},
        "two tensors changed names": {"a.weight": other.view(2, 2), "b.weight": one.flatten()},
        "a tensor got another name": {"a.weight": one, "c.weight": other},
        "a tensor got another shape": {"a.weight": one.flatten(), "b.weight": other},
        "a tensor got another type, of the same bytes": state
        | {"b.weight": other.view(torch.int32)},
        "a tensor is missing": {"a.weight": one},
    }
    for change, changed in changes.items():
        if answer(changed) == seen:
            return f"{change}, and the text is the same"
    return None
