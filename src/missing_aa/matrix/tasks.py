"""What a release does in a process of its own: write a model, and read one. Imports its timm.

Nothing here is imported where another timm is to be seen; the functions run in a ReleaseProcess.
"""

import copy
import os
import sys
from functools import cache
from typing import Any

from missing_aa.matrix.cells import DIFFERENT, NO_MODEL, NOT_WRITTEN, OK, Outcome
from missing_aa.tensors import TOLERANCE, difference, fixed_input, output_of, perturb

WHOLE, STATE_DICT, OUTPUT = "whole.pt", "state_dict.pt", "output.pt"
RESCUED = "rescued.safetensors"
SIZES = (64, 96, 128, 160, 192, 224, 240, 256, 288, 299, 320, 384)


def write(name: str, size: int, seed: int, folder: str) -> Outcome | None:
    """Save a perturbed model whole and as a state_dict, and its output; None if it is there.

    A release that lacks the model, or whose model gives nothing to compare with, says so.
    """
    import torch

    torch.manual_seed(seed)
    try:
        model = _create(name)
        if model is None:
            return Outcome(NOT_WRITTEN, text="the release has no such model")
        perturb(model, seed)
        output = output_of(model, fixed_input(size, seed=seed))
    except Exception as error:
        text = f"{type(error).__name__}: {error}"[:200]
        return Outcome(NOT_WRITTEN, text=f"does not run when it is fresh: {text}")
    if not output.isfinite().all() or output.std() == 0:
        return Outcome(NOT_WRITTEN, text="its output is not finite or flat")
    torch.save(model, f"{folder}/{WHOLE}")
    torch.save(model.state_dict(), f"{folder}/{STATE_DICT}")
    torch.save(output, f"{folder}/{OUTPUT}")
    return None


def run_written(name: str, size: int, seed: int, form: str, folder: str) -> Outcome:
    """Load a file in one of the formats, run it, and hold its output against the writer's."""
    import torch

    where = "create"
    try:
        fits = None
        if form != "whole" and (fits := _fresh(name)) is None:
            return Outcome(NO_MODEL)
        where = "load"
        if form == "whole":
            # Written by this very run, a moment ago: trusted.
            model = torch.load(f"{folder}/{WHOLE}", weights_only=False)
        else:
            assert fits
            model, checkpoint_filter = fits
            model.load_state_dict(_weights(form, folder, model, checkpoint_filter))
        where = "forward"
        output = output_of(model.eval(), fixed_input(size, seed=seed))
        reference = torch.load(f"{folder}/{OUTPUT}")
        if output.shape != reference.shape:
            text = f"shape {tuple(output.shape)} instead of {tuple(reference.shape)}"
            return Outcome(DIFFERENT, text=text)
        off = difference(output, reference)
    except Exception as error:
        # Some texts name the file of a module, which lies elsewhere on the next machine.
        text = str(error).replace(f"{sys.path[0]}{os.sep}", "")
        return Outcome.raised(type(error).__name__, text, where)
    return Outcome(OK) if off <= TOLERANCE else Outcome(DIFFERENT, float(f"{off:.2g}"))


def smallest_picture(name: str) -> int:
    """Pixels of the smallest picture from which the perturbed model makes something; 0 if none."""
    model = _create(name)
    if model is None:
        return 0
    perturb(model)
    for size in SIZES:
        try:
            output = output_of(model, fixed_input(size))
        except Exception:  # it does not take this size
            continue
        if output.isfinite().all() and output.std() > 0:
            return size
    return 0


def _weights(form: str, folder: str, model, checkpoint_filter) -> dict:
    """What a strict load is given: rescued weights pass the release's own filter, as its own do."""
    import torch
    from safetensors.torch import load_file

    if form == "state_dict":
        return torch.load(f"{folder}/{STATE_DICT}")
    weights = load_file(f"{folder}/{RESCUED}")
    if checkpoint_filter is None:
        return weights
    try:
        return checkpoint_filter(dict(weights), model)
    except TypeError:  # some take the weights alone; timm tries both ways too
        return checkpoint_filter(dict(weights))


_last: dict[str, tuple] = {}
"""The model that was last asked for, as made fresh, and its checkpoint filter."""


def forget() -> None:
    """Let go of the model that was last asked for: a process waits long for its next one."""
    _last.clear()


def _fresh(name: str) -> tuple | None:
    """A model of one's own, and its checkpoint filter; None where the release has no such model."""
    if name not in _last:
        _last.clear()
        model, checkpoint_filter = _create(name), _noted[-1] if _noted else None
        if model is None:
            return None
        _last[name] = model, checkpoint_filter
    model, checkpoint_filter = _last[name]
    # A copy, since a model can keep more of what it once loaded and ran than its state_dict holds.
    return copy.deepcopy(model), checkpoint_filter


def _create(name: str):
    """A fresh model; None where the release has none of that name."""
    timm = _timm()
    _noted.clear()
    try:
        return timm.create_model(name)
    except RuntimeError as error:
        if "Unknown model" in str(error):
            return None
        raise


_noted: list = []
"""The checkpoint filters of the models built since it was cleared."""


@cache
def _timm():
    """This process's timm, made to note the checkpoint filter that each model is built with."""
    import timm

    def noting(build):
        def noted(*args, **settings):
            _noted.append(settings.get("pretrained_filter_fn"))
            return build(*args, **settings)

        return noted

    modules: dict[str, Any] = dict(sys.modules)
    for name, module in modules.items():
        if name.startswith("timm.models.") and hasattr(module, "build_model_with_cfg"):
            module.build_model_with_cfg = noting(module.build_model_with_cfg)
    return timm
