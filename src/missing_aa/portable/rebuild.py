"""From a folder's config.json to timm's model: only timm's own classes, and nothing fetched."""

import inspect

import timm
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from missing_aa.errors import CheckpointError

_RANDOM = {
    Tensor.normal_,
    Tensor.uniform_,
    nn.init.normal_,
    nn.init.uniform_,
    nn.init.kaiming_uniform_,
}
"""What fills a tensor in place; the other functions of nn.init go through these."""
_SHAPING = {Tensor.erfinv_, Tensor.mul_, Tensor.add_, Tensor.clamp_}
"""What makes other values of them."""
_DATA = Tensor.data.__get__
_OWN = {*inspect.signature(timm.create_model).parameters, "features_only", "pretrained_model_args"}
"""Arguments of create_model that say where weights come from, or ask for a part of the model."""


class _WithoutChance(TorchFunctionMode):
    """Gives zeros to parameters that would get random values, which take most of the time that a
    model takes to build, and which the file replaces. Tensors of other kinds get theirs: torch
    draws into one again and again until all values lie within its bounds."""

    def __init__(self):
        super().__init__()
        self._data: dict[int, Tensor] = {}  # by id; kept, so that no id comes twice
        self._zeros: dict[int, Tensor] = {}

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in _RANDOM or func in _SHAPING:
            tensor = args[0] if args else kwargs["tensor"]
            if id(tensor) in self._zeros:
                return tensor
            if func in _RANDOM and (isinstance(tensor, nn.Parameter) or id(tensor) in self._data):
                self._zeros[id(tensor)] = tensor
                with torch.no_grad():
                    return tensor.zero_()
        result = func(*args, **kwargs)
        if func == _DATA and isinstance(args[0], nn.Parameter):  # weight.data.normal_()
            self._data[id(result)] = result
        return result


def strange(arguments: dict) -> str:
    """Names among arguments that would fetch or load something, or wrap the model; "" if none."""
    return ", ".join(sorted(_OWN & arguments.keys()))


def build(config: dict, dtype: torch.dtype) -> nn.Module:
    """The model that a config describes, with whatever values for weights.

    torch's random state stays as it is. The config must have no `strange` arguments. Raises
    CheckpointError where the installed timm has no such model or argument.
    """
    name, arguments = config["architecture"], config.get("model_args", {})
    pretrained_cfg = dict(config["pretrained_cfg"])
    if "num_classes" in config:
        pretrained_cfg["num_classes"] = config["num_classes"]
    if not timm.is_model(name):
        raise CheckpointError(f"timm {timm.__version__} has no model {name!r}")
    try:
        with torch.random.fork_rng(devices=[]), _WithoutChance():
            model = timm.create_model(name, pretrained_cfg=pretrained_cfg, **arguments)
    except Exception as error:  # whatever a constructor says of an argument
        raise CheckpointError(
            f"timm {timm.__version__} cannot make {name} with {arguments}: {error}"
        ) from error
    return model if dtype == torch.get_default_dtype() else model.to(dtype)
