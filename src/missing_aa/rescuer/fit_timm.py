"""Fit rescued weights into the installed timm, and write them as a folder that it loads.

The folder is timm's own local format: `timm.create_model("local-dir:FOLDER", pretrained=True)`.
Only the weights come from the file; every class is the installed timm's.
"""

import contextlib
import difflib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from missing_aa.errors import CheckpointError
from missing_aa.rescuer.messages import Report, needs_timm
from missing_aa.tensors import identical, quiet, save, why
from missing_aa.text import size

if TYPE_CHECKING:
    from torch import Tensor

SOURCE = ("url", "file", "hf_hub_id", "hf_hub_filename", "state_dict", "source", "tag")
"""What of a pretrained_cfg tells where other weights come from."""
MISMATCH = re.compile(r"size mismatch for (\S+)\.weight: .*? shape torch\.Size\(\[(\d+)")
"""What load_state_dict says of a layer with other rows in the file than in the model."""
SPARE = 2**28
"""Bytes by which timm's model may exceed four times the file: it can have more classes."""


class DoesNotFit(CheckpointError):
    """The installed timm has no such model, or its model does not take these weights."""


@dataclass(frozen=True)
class Fit:
    """How the weights went into timm's model.

    `fitted` counts tensors under the same name, `remapped` gives the file's name for each new one,
    `changed` lists names whose values timm's filter made from others (of another shape, say),
    `unused` the file's names that have no place in the model.
    """

    architecture: str
    fitted: int
    remapped: dict[str, str]
    changed: list[str]
    unused: list[str]


def write(
    state_dict: "dict[str, Tensor]",
    report: Report,
    architecture: str | None,
    folder: Path,
    num_classes: int | None = None,
    model_args: dict | None = None,
) -> Fit:
    """Make the folder; the report gets the number of classes that the model has.

    `num_classes` and `model_args` (what create_model is to be given besides) are needed where the
    file does not say them. Raises DoesNotFit, CheckpointError where timm is missing, OSError from
    the disk.
    """
    from safetensors import SafetensorError

    timm = installed_timm()
    name = current_name(timm, architecture or report.architecture)
    model_args = model_args or {}
    model = _load(timm, name, state_dict, report, num_classes, model_args)
    report.num_classes = model.num_classes
    weights = model.state_dict()
    folder.mkdir()
    config = _config(model, name) | ({"model_args": model_args} if model_args else {})
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    # Under timm's present names; under the file's own where timm's filter takes only those.
    for form in (weights, state_dict):
        try:
            save(form, folder / "model.safetensors", report.metadata(list(form)))
        except SafetensorError as error:  # a full disk, for one
            raise OSError(str(error)) from error
        with quiet(), contextlib.suppress(Exception):
            loaded = timm.create_model(f"local-dir:{folder}", pretrained=True).state_dict()
            if all(identical(loaded.get(key), value) for key, value in weights.items()):
                return compare(name, state_dict, weights)
    raise DoesNotFit(f"timm {timm.__version__} loads other weights for {name} than were saved")


def current_name(timm, architecture: str | None) -> str:
    """The installed timm's name of an architecture, through its own table of renamed models."""
    if not architecture:
        raise DoesNotFit("the file does not name its architecture; name it with --architecture")
    name = timm.models.get_deprecated_models().get(architecture, architecture)
    if name and timm.is_model(name := name.partition(".")[0]):
        return name
    near = difflib.get_close_matches(architecture, timm.list_models(), n=3, cutoff=0.5)
    raise DoesNotFit(
        f"timm {timm.__version__} has no model {architecture!r}"
        + (f"; the nearest are {', '.join(near)} (choose with --architecture)" if near else "")
    )


def compare(name: str, before: "dict[str, Tensor]", after: "dict[str, Tensor]") -> Fit:
    """What became of each tensor."""
    same = {key for key, value in after.items() if identical(before.get(key), value)}
    rest = {key: value for key, value in before.items() if key not in same}
    remapped, changed = {}, []
    for key, value in after.items():
        if key in same:
            continue
        old = next((old for old, given in rest.items() if identical(given, value)), None)
        if old is None:
            changed.append(key)
        else:
            remapped[key] = old
            del rest[old]
    unused = [key for key in rest if key not in changed]
    return Fit(name, len(same), remapped, changed, unused)


def installed_timm():
    """The module timm. Raises CheckpointError where it or torch is missing or too old."""
    try:
        import timm
        from timm.models import _hub
    except ImportError as error:
        raise CheckpointError(needs_timm()) from error
    if not hasattr(_hub, "load_model_config_from_path"):
        raise CheckpointError(needs_timm())
    return timm


def _settings(
    timm, name: str, state_dict: "dict[str, Tensor]", report: Report, model_args: dict
) -> dict:
    """What of the model's pretrained_cfg the file decides: its input, its number of classes."""
    known = {key: value for key, value in report.config.items() if key != "fixed_input_size"}
    settings = known | {"custom_load": False, "label_offset": 0}
    model = _sketch(timm, name, known, model_args)
    weights = model.state_dict()
    needed = sum(weight.nbytes for weight in weights.values())
    if needed > 4 * report.nbytes + SPARE:  # nor does a tiny file fill the memory
        raise ValueError(f"it has {size(needed)} of weights, the file {size(report.nbytes)}")

    def widths(layer, axis: int) -> tuple[int, int] | None:
        """Length of an axis of a layer's weight, in the file and in the model as timm makes it."""
        key = f"{layer[0] if isinstance(layer, tuple | list) else layer}.weight"
        if (
            key in state_dict
            and key in weights
            and state_dict[key].ndim == weights[key].ndim > axis
        ):
            return state_dict[key].shape[axis], weights[key].shape[axis]
        return None

    classes = report.num_classes
    if classes is None and (found := widths(model.pretrained_cfg.get("classifier"), 0)):
        classes = found[0]
    if classes is not None:
        settings["num_classes"] = classes
    channels, *sides = model.pretrained_cfg["input_size"]
    if found := widths(model.pretrained_cfg.get("first_conv"), 1):
        given, usual = found  # a stem may fold pixels into channels
        settings["input_size"] = (channels * given // usual, *sides)
    return settings


def _sketch(timm, name: str, overlay: dict, model_args: dict):
    """A model as timm makes it, without memory for its weights where timm can do that."""
    import torch

    with quiet():
        try:
            with torch.device("meta"):
                return timm.create_model(name, pretrained_cfg_overlay=overlay, **model_args)
        except Exception:  # some models work out numbers while they are made
            return timm.create_model(name, pretrained_cfg_overlay=overlay, **model_args)


def _load(
    timm,
    name: str,
    state_dict: "dict[str, Tensor]",
    report: Report,
    num_classes: int | None,
    model_args: dict,
):
    """The model with the weights, through timm's own checkpoint filter.

    The number of classes is what the filtered weights of the classifier say, whatever the file's
    attributes say: a head that was replaced leaves them as they were.
    """

    def made(settings: dict):
        overlay = settings | {"state_dict": dict(state_dict)}
        with quiet():
            return timm.create_model(
                name, pretrained=True, pretrained_cfg_overlay=overlay, **model_args
            )

    try:
        settings = _settings(timm, name, state_dict, report, model_args)
        if num_classes is not None:
            return made(settings | {"num_classes": num_classes})
        try:
            return made(settings)
        except RuntimeError as error:
            heads = timm.get_pretrained_cfg(name).classifier
            heads = (heads,) if isinstance(heads, str) else heads or ()
            rows = {int(rows) for layer, rows in MISMATCH.findall(str(error)) if layer in heads}
            if len(rows) != 1:
                raise
            return made(settings | {"num_classes": rows.pop()})
    except Exception as error:  # a filter may trip over names that it does not expect
        raise DoesNotFit(
            f"timm {timm.__version__} cannot take these weights as {name}: {why(error)}. A model "
            "made with other arguments than timm's own needs them here too (--num-classes, "
            "--model-arg NAME=VALUE). Without --format timm all of them come out, under the file's "
            "names"
        ) from error


def _config(model, name: str) -> dict:
    """timm's config.json; the keys that the folder's loader reads."""
    kept = {key: value for key, value in model.pretrained_cfg.items() if key not in SOURCE}
    return {
        "architecture": name,
        "num_classes": model.num_classes,
        "num_features": model.num_features,
        "pretrained_cfg": kept | {"custom_load": False, "label_offset": 0},
    }
