"""Checks of lesson 06: the names that a pickle asks for, and the state_dict of a stand-in."""

import pickle
from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import nn

from helpers.checks.verdict import exercise, given


@exercise
def names(answer: Callable[[bytes], set]) -> str | None:
    """A function from a pickle, as torch.save writes it, to the dotted names it asks for."""
    # The key of the dictionary is a string that is no name.
    sample = pickle.dumps(OrderedDict(plain=nn.ReLU), protocol=2)
    right = {"collections.OrderedDict", "torch.nn.modules.activation.ReLU"}
    found = given(answer(sample))
    if not isinstance(found, set):
        return f"a set is asked for, and this is a {type(found).__name__}"
    return _wrong_names(found, right)


def _wrong_names(found: set, right: set) -> str | None:
    if found == right:
        return None
    if not found:
        return "it found nothing; which instruction asks for a name here?"
    if any(" " in str(name) for name in found):
        return "a space between module and name; join them with a dot"
    if {".".join(name.rsplit(".", 1)[::-1]) for name in right} & found:
        return "the two are swapped: which of the two comes first in the argument?"
    if found > right:
        return f"too much: {', '.join(map(str, found - right))} is only text, nobody asks for it"
    return f"for an OrderedDict that holds nn.ReLU it gave {sorted(map(str, found))}"


class _Standin:
    """A module as the lesson's stand-ins hold it: its attributes in `state`, its children alike."""

    def __init__(self, module: nn.Module):
        children = {
            name: None if child is None else _Standin(child)
            for name, child in module._modules.items()
        }
        self.state = vars(module) | {"_modules": children}


def _model() -> nn.Module:
    """Children before parameters, a None of each kind, a buffer that is not saved, tied weights."""
    inner = nn.BatchNorm2d(2)
    model = nn.Module()
    model.first = nn.Sequential(nn.Conv2d(3, 2, 1, bias=False), inner)
    model.optional = None
    model.register_module("aa", None)
    model.scale = nn.Parameter(torch.ones(2))
    model.register_buffer("mean", torch.zeros(2))
    model.register_buffer("grid", torch.zeros(2), persistent=False)
    model.register_buffer("unused", None)
    model.last = nn.Linear(2, 2)
    model.tied = model.last
    return model


@exercise
def weights(answer: Callable[[object], dict]) -> str | None:
    """A function from the stand-in of a module to the state_dict that the module would give."""
    model = _model()
    right = model.state_dict()
    found = given(answer(_Standin(model)))
    if not isinstance(found, dict):
        return f"a dictionary is asked for, and this is a {type(found).__name__}"
    if hint := _wrong_keys(list(found), list(right)):
        return hint
    for name, tensor in found.items():
        if not isinstance(tensor, torch.Tensor) or not torch.equal(tensor, right[name]):
            return f"the names are right, but {name} is not the tensor of that name"
    return None


def _wrong_keys(found: list, right: list) -> str | None:
    extra, missing = set(found) - set(right), set(right) - set(found)
    if any("grid" in str(name) for name in extra):
        return "the buffer `grid` stands in `_non_persistent_buffers_set`: it is not saved"
    if extra & {"unused", "first.0.bias"}:
        return f"{', '.join(sorted(extra))}: nothing is there; what is None has no tensor"
    if extra:
        return (
            f"a name like {sorted(map(str, extra))[0]!r} is not the model's, where {_one(missing)} "
            "is; what stands before a name, and what between?"
        )
    if missing and all("." in name for name in missing):
        if any("." in name for name in found):
            return f"{_one(missing)} is missing; is every child asked, and its children too?"
        return f"{_one(missing)} is missing; a module inside has tensors too"
    if missing:
        return f"{_one(missing)} is missing; parameters and buffers are both saved"
    if found != right:
        return (
            "all the names, in another order; what comes first: a module's parameters, its "
            "buffers, or its children?"
        )
    return None


def _one(names: set) -> str:
    return repr(min(names))
