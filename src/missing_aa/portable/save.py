"""Save a timm model so that it outlives its environment.

The folder is timm's own local format, and what an upload to the hub holds: `config.json` and
`model.safetensors`. The config also records the versions, the sha256 of each file and a
fingerprint of the output, under the key `missing_aa`.
"""

import copy
import itertools
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from timm.models._hub import save_config_for_hf
from torch import Tensor, nn

from missing_aa import disk, tensors
from missing_aa.errors import CheckpointError, UsageProblem
from missing_aa.portable import compare, fingerprint, rebuild, training_state
from missing_aa.portable.record import (
    CONFIG,
    TRAINING,
    WEIGHTS,
    Record,
    file_sha256,
    installed_versions,
    write_config,
)

WRAPPERS = {
    "DataParallel": "module",
    "DistributedDataParallel": "module",
    "OptimizedModule": "_orig_mod",
}
TYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
LISTED = 4
"""How many differences a message lists."""


class NotPortable(CheckpointError):
    """timm's name and arguments do not make this model again."""


@dataclass(frozen=True)
class Saved:
    """What save_portable wrote; `notes` say what it did beyond that."""

    folder: Path
    architecture: str
    model_args: dict[str, Any]
    record: Record = field(repr=False)
    notes: list[str] = field(default_factory=list)


def save_portable(
    model: nn.Module,
    folder: str | os.PathLike,
    *,
    model_args: dict[str, Any] | None = None,
    training: dict[str, Any] | None = None,
    force: bool = False,
) -> Saved:
    """Write a timm model as a folder that timm and the hub know, once it has been rebuilt from it.

    The model stays as it is: its mode, device and type. `model_args` are arguments of
    timm.create_model that the model does not show by itself. `training` goes into the folder for
    load_training: {"optimizer": optimizer, "epoch": 3}. With `force` the folder replaces an earlier
    one. Raises NotPortable, which names what differs; TargetExists; UsageProblem.
    """
    folder = Path(folder)
    folder = folder.resolve() if folder.is_symlink() else folder
    if odd := rebuild.strange(model_args or {}):
        raise UsageProblem(f"model_args cannot hold {odd}: that does not describe the model")
    model, notes = _unwrap(model)
    original, dtype = _copy(model)
    with disk.partial(None, folder, force, disk.FOLDER | {TRAINING}) as unfinished:
        unfinished.mkdir()
        config = _config(original, model_args or {}, unfinished / CONFIG)
        rebuilt = rebuild.build(config, dtype)
        _compare(original, rebuilt, config, values=False)
        _write_weights(original, unfinished / WEIGHTS)
        rebuilt.load_state_dict(safetensors.torch.load_file(unfinished / WEIGHTS))
        _compare(original, rebuilt, config)
        seen = _fingerprint(original, rebuilt.eval(), config)
        if not seen.std:
            notes.append("its output is the same everywhere: the fingerprint can tell little")
        files = [WEIGHTS]
        if training is not None:
            training_state.write(unfinished, training)
            files.append(TRAINING)
        sha256 = {name: file_sha256(unfinished, name) for name in files}
        record = Record(installed_versions(), sha256, seen)
        write_config(unfinished / CONFIG, config, record)
        _sync(unfinished)
    return Saved(folder, config["architecture"], config.get("model_args", {}), record, notes)


def _unwrap(model: nn.Module) -> tuple[nn.Module, list[str]]:
    notes = []
    while inner := WRAPPERS.get(type(model).__name__):
        notes.append(f"taken out of its {type(model).__name__}")
        model = getattr(model, inner)
    cfg = getattr(model, "pretrained_cfg", None)
    name = type(model).__name__
    if not isinstance(model, nn.Module) or not isinstance(cfg, dict) or "architecture" not in cfg:
        raise NotPortable(
            f"{name} was not made by timm.create_model; save the timm model in it, and the rest "
            "with safetensors.torch.save_file(rest.state_dict(), …)"
        )
    if not hasattr(model, "num_classes"):
        raise NotPortable(
            f"{name} is a part of a model (features_only); save the whole model, and ask for its "
            "features when it is loaded: timm.create_model('local-dir:…', features_only=True, "
            "pretrained=True)"
        )
    return model, notes


def _copy(model: nn.Module) -> tuple[nn.Module, torch.dtype]:
    """The model on the CPU and in eval mode, beside the one that may be in training."""
    tensors = [value for value in model.state_dict().values() if isinstance(value, Tensor)]
    types = {value.dtype for value in tensors if value.is_floating_point()}
    if len(types) > 1 or not types <= set(TYPES):
        named = ", ".join(sorted(str(dtype).removeprefix("torch.") for dtype in types))
        raise NotPortable(
            f"its weights are of the types {named}; one of float32, float64, float16 and bfloat16 "
            "can be kept: model.float() makes them float32"
        )
    if any(value.is_meta for value in tensors):
        raise NotPortable("it is on the device 'meta', without values; load its weights first")
    try:
        original = copy.deepcopy(model).cpu().eval()
    except Exception as error:  # whatever hooks and attributes hold
        raise NotPortable(f"it cannot be copied ({error}); take off its hooks") from error
    return original, types.pop() if types else torch.float32


def _config(model: nn.Module, model_args: dict[str, Any], path: Path) -> dict:
    """What timm writes for an upload, with the drop rates, which it leaves out."""
    if "num_classes" in model_args:  # a head that was put on by hand leaves the old number behind
        model.num_classes = model_args["num_classes"]
    known = getattr(model, "_model_args", {})  # timm 1.0.31 and newer
    drops = {name: value for name, value in known.items() if "drop" in name}
    try:
        with tensors.quiet():
            save_config_for_hf(model, path, model_args=drops | model_args)
    except (TypeError, ValueError) as error:
        hint = "a class or function is kept by its name, as in model_args={'act_layer': 'silu'}"
        reason = str(error).rstrip(".")
        raise UsageProblem(f"{reason}: {hint}" if "serializable" in reason else reason) from error
    return json.loads(path.read_text(encoding="utf-8"))


def _compare(original: nn.Module, rebuilt: nn.Module, config: dict, values: bool = True) -> None:
    found = list(itertools.islice(compare.differences(original, rebuilt, values), LISTED + 1))
    if not found:
        return
    known = {**config.get("model_args", {}), "num_classes": config["num_classes"]}
    before, after = compare.seen_arguments(original), compare.seen_arguments(rebuilt)
    wanted = {name: value for name, value in before.items() if value != after.get(name)}
    differing = "; ".join(found[:LISTED]) + ("; and more" if len(found) > LISTED else "")
    raise NotPortable(
        f"timm.create_model({config['architecture']!r}) with {known} makes another model: "
        f"{differing}. "
        + (f"Give model_args={wanted}" if wanted else "Give in model_args what it was made with")
        + "; what was changed by hand afterwards cannot be kept"
    )


def _write_weights(model: nn.Module, path: Path) -> None:
    try:
        tensors.save(model.state_dict(), path, {"format": "pt"})
    except SafetensorError as error:
        raise CheckpointError(disk.unwritable(path.name, error)) from error
    except (RuntimeError, ValueError, KeyError) as error:
        raise NotPortable(f"safetensors cannot hold its weights: {error}") from error


def _fingerprint(original: nn.Module, rebuilt: nn.Module, config: dict) -> fingerprint.Fingerprint:
    arguments = config.get("model_args", {})
    channels, *sides = config["pretrained_cfg"]["input_size"]
    channels, size = arguments.get("in_chans", channels), arguments.get("img_size", sides)
    any_size = not original.pretrained_cfg.get("fixed_input_size")
    size = (channels, *([size, size] if isinstance(size, int) else size))
    try:
        seen = fingerprint.take_small(original, size, any_size)
    except Exception as error:  # whatever its forward pass says
        raise NotPortable(f"it does not run on an input of size {size}: {error}") from error
    if not seen.is_finite:
        raise NotPortable("its output for the fixed input is not finite: its training has diverged")
    if seen.deviation(fingerprint.take(rebuilt, seen.input_size)) > tensors.TOLERANCE:
        raise NotPortable(
            "the same weights in a model of the same name and arguments give another output: its "
            "forward pass was changed, or is random"
        )
    return fingerprint.with_tolerance(seen, original)


def _sync(folder: Path) -> None:
    """Bring the files to the disk before the folder takes its name, also against a power cut."""
    if os.name != "posix":
        return
    for path in [*folder.iterdir(), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
