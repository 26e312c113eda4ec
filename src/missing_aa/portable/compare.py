"""Whether two models are the same: their tensors, their layers, the settings of each layer."""

from collections.abc import Iterator

from torch import Tensor, nn

from missing_aa.tensors import identical

PASSING = ("training", "grad_checkpointing", "fused_attn")
"""Settings of how a model is run, not of what it is."""


def differences(model: nn.Module, other: nn.Module, values: bool = True) -> Iterator[str]:
    """What of a model another one does not have the same, each in a few words; `values` of the
    tensors aside if False. Settings are compared where both have them, as plain values."""
    yield from _tensors(model.state_dict(), other.state_dict(), values)
    if _tied(model) != _tied(other):
        yield "other parameters share their memory"
    layers = dict(other.named_modules())
    for name, layer in model.named_modules():
        if name not in layers:
            yield f"it has a layer {name}"
        elif type(layer).__name__ != type(layers[name]).__name__:
            kinds = (type(layer).__name__, type(layers[name]).__name__)
            yield f"{name or 'the model'} is {kinds[0]}, there {kinds[1]}"
        else:
            yield from _settings(name, layer, layers[name])


def _tensors(state: dict, other: dict, values: bool) -> Iterator[str]:
    yield from (f"it lacks {name}" for name in other if name not in state)
    for name, value in state.items():
        if not isinstance(value, Tensor):
            yield f"{name} is no tensor"
        elif name not in other:
            yield f"it has a tensor {name}"
        elif value.shape != other[name].shape:
            yield f"{name} is {_shape(value)}, there {_shape(other[name])}"
        elif values and not identical(other[name], value):
            yield f"the values of {name}"


def _shape(value: Tensor) -> str:
    return " x ".join(map(str, value.shape))


def _tied(model: nn.Module) -> set[frozenset[str]]:
    """The names of parameters that are one and the same."""
    names: dict[int, set[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), set()).add(name)
    return {frozenset(shared) for shared in names.values() if len(shared) > 1}


def _settings(name: str, layer: nn.Module, other: nn.Module) -> Iterator[str]:
    for key, value in vars(layer).items():
        there = vars(other).get(key)
        if key.startswith("_") or key in PASSING or key not in vars(other):
            continue
        if _is_plain(value) and _is_plain(there) and _listed(value) != _listed(there):
            yield f"{f'{name}.' if name else ''}{key} is {value!r}, there {there!r}"


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)


def _listed(value: object) -> object:
    """JSON knows lists only."""
    return [_listed(item) for item in value] if isinstance(value, tuple | list) else value


def seen_arguments(model: nn.Module) -> dict:
    """Arguments of timm.create_model, as far as a model shows them from outside."""
    layers = list(model.modules())
    images = [p for p in model.parameters() if p.ndim == 4]
    pools = [getattr(layer, "pool_type", None) for layer in layers]
    pools += [getattr(model, "global_pool", None)]
    drops = [value for layer in layers if (value := getattr(layer, "drop_prob", None))]
    found = {
        "num_classes": getattr(model.get_classifier(), "out_features", model.num_classes),
        "in_chans": images[0].shape[1] if images else None,
        "img_size": getattr(getattr(model, "patch_embed", None), "img_size", None),
        "global_pool": next((pool for pool in pools if isinstance(pool, str)), None),
        "drop_rate": getattr(model, "drop_rate", None),
        "drop_path_rate": round(max(drops, default=0.0), 6),
    }
    return {key: value for key, value in found.items() if value is not None}
