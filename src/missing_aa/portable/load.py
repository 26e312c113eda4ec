"""Load a portable folder, and only as the model that was saved in it."""

import os
import warnings
from pathlib import Path

import safetensors.torch
import torch
from torch import nn

from missing_aa import tensors
from missing_aa.errors import CheckpointError, Refused
from missing_aa.portable import fingerprint, rebuild
from missing_aa.portable.record import CONFIG, WEIGHTS, Record, check_file, hashing, read_record
from missing_aa.portable.require import InconsistentVersionWarning


class OtherOutput(CheckpointError):
    """The model that was loaded does not compute what the saved one did."""


def load_portable(folder: str | os.PathLike) -> nn.Module:
    """The model of a folder that save_portable wrote, on the CPU and in eval mode.

    Nothing of the folder is run, and nothing fetched. Weights are loaded strictly; their sha256 and
    the output for the fixed input have to be what was recorded. Warns with
    InconsistentVersionWarning where it was saved with other versions. Raises Refused for a changed
    or mixed folder, OtherOutput where this timm computes something else, CheckpointError.
    """
    folder = Path(folder)
    config, record = read_record(folder)
    if odd := rebuild.strange(config.get("model_args", {})):
        raise Refused(f"{folder / CONFIG} asks for {odd}, which does not describe a model")
    expected = record.fingerprint
    with hashing(folder, WEIGHTS) as digest:
        try:
            model = _rebuild(folder, config)
            found = fingerprint.take(model, expected.input_size)
        except Exception as error:  # whatever timm's constructors and forward passes say
            check_file(folder, WEIGHTS, record, digest.result())
            reason = tensors.why(error) if isinstance(error, RuntimeError) else error
            raise CheckpointError(
                f"{folder} cannot be loaded: {reason}; {_remedy(record)}"
            ) from error
        check_file(folder, WEIGHTS, record, digest.result())
    if (deviation := expected.deviation(found)) > expected.tolerance:
        raise OtherOutput(
            f"{folder} loads, but its output is not what was saved (off by {deviation:.2g} of its "
            f"size, {expected.tolerance:.2g} is allowed); {_remedy(record)}; or, to have it all "
            f"the same, timm.create_model('local-dir:{folder}', pretrained=True)"
        )
    if differing := record.differing():
        warnings.warn(InconsistentVersionWarning(str(folder), differing), stacklevel=2)
    return model


def _rebuild(folder: Path, config: dict) -> nn.Module:
    weights = safetensors.torch.load_file(folder / WEIGHTS)
    types = (value.dtype for value in weights.values() if value.is_floating_point())
    model = rebuild.build(config, next(types, torch.float32))
    model.load_state_dict(weights)
    return model.eval()


def _remedy(record: Record) -> str:
    if "timm" in (differing := record.differing()):
        saved, here = differing["timm"]
        return f"timm {saved} saved it and this is {here}: pip install timm=={saved}"
    return "config.json was changed or is of another save: take the folder from where it was saved"
