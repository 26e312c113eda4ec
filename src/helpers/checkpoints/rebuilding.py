"""From a folder's config.json to timm's model: only timm's own classes, and nothing fetched."""

import inspect

import timm
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from helpers.checkpoints.errors import CheckpointError, Refused

_RANDOM = {torch.ops.aten.normal_.default, torch.ops.aten.uniform_.default}
_OWN = {*inspect.signature(timm.create_model).parameters, "features_only", "pretrained_model_args"}
"""Arguments of create_model that say where weights come from, or ask for a part of the model."""


class _Unfilled(TorchDispatchMode):
    """Leaves out random initial values, which take most of the time that a model takes to build:
    whatever is random there has to come from the file."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return args[0] if func in _RANDOM else func(*args, **(kwargs or {}))


def check_arguments(arguments: dict) -> None:
    """Raise Refused for one that would fetch or load something, or wrap the model."""
    if odd := sorted(_OWN & arguments.keys()):
        raise Refused(f"model_args cannot hold {', '.join(odd)}: it does not describe the model")


def build(config: dict, dtype: torch.dtype) -> nn.Module:
    """The model that a config describes, on the CPU, with whatever values for weights.

    Its arguments have to be checked before. Raises CheckpointError where the installed timm has no
    such model or argument.
    """
    name, arguments = config["architecture"], config.get("model_args", {})
    pretrained_cfg = dict(config["pretrained_cfg"])
    if "num_classes" in config:
        pretrained_cfg["num_classes"] = config["num_classes"]
    if not timm.is_model(name):
        raise CheckpointError(f"timm {timm.__version__} has no model {name!r}")
    try:
        with torch.device("cpu"), _Unfilled():
            model = timm.create_model(name, pretrained_cfg=pretrained_cfg, **arguments)
    except Exception as error:  # whatever a constructor says of an argument
        raise CheckpointError(
            f"timm {timm.__version__} cannot make {name} with {arguments}: {error}"
        ) from error
    return model.to(dtype)
