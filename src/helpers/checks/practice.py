"""Checks of lesson 09: what a change breaks, and a layer that reads its older state_dicts."""

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import nn

from helpers.checks.verdict import NotYet, exercise, given

VALUES = torch.tensor([2.0, 3.0])

LETTERS = {"A", "B", "C", "D"}
BREAKS = {
    "whole": (
        {"A", "B", "C"},
        {
            "A": "whole, A: an old object is filled from the file; does __init__ run?",
            "B": "whole, B: where does a pickle look for the class?",
            "C": "whole, C: under which name does the old object have its parameter?",
            "D": "whole, D: where do an object's methods come from?",
        },
    ),
    "state_dict": (
        {"C"},
        {
            "A": "state_dict, A: who makes the object that the tensors go into?",
            "B": "state_dict, B: which class does a state_dict name?",
            "C": "state_dict, C: which names does a strict load compare?",
            "D": "state_dict, D: is a method among the tensors?",
        },
    ),
}
"""Of each way to save: what breaks it, and a question for each letter that is answered wrong."""


@exercise
def breaks(whole: set, state_dict: set) -> str | None:
    """Which of the four changes break a whole pickle, and which a strict load of a state_dict."""
    for name, answer in (("whole", whole), ("state_dict", state_dict)):
        if not isinstance(given(answer), set | frozenset):
            return f'{name} is to be a set of letters, such as {{"A", "D"}}'
        if strange := answer - LETTERS:
            return f"{name}: {min(map(str, strange))!r} is none of the letters A to D"
        right, questions = BREAKS[name]
        if wrong := answer ^ right:
            return questions[min(wrong)]
    return None


@exercise
def renamed(answer: Callable) -> str | None:
    """A `_load_from_state_dict` for a layer whose parameter `gamma` is called `weight` now."""

    class Scale(nn.Module):
        _version = 2

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2))

        _load_from_state_dict = answer

    def load(state: dict, version: int | None, prefix: str = "") -> list[str]:
        """What is wrong after a load; the model's metadata as torch.save keeps them."""
        model = nn.Sequential(nn.Sequential(Scale())) if prefix else Scale()
        scale = model[0][0] if prefix else model
        given = OrderedDict((prefix + name, value.clone()) for name, value in state.items())
        if version is not None:
            given._metadata = OrderedDict({prefix.rstrip("."): {"version": version}})
        missing, unexpected = model.load_state_dict(given, strict=False)
        wrong = [f"{name} is missing" for name in missing]
        wrong += [f"{name} is left over" for name in unexpected]
        return wrong or ([] if torch.equal(scale.weight, VALUES) else ["nothing was loaded"])

    old, new = {"gamma": VALUES}, {"weight": VALUES}
    if wrong := load(new, 2):
        if wrong == ["nothing was loaded"] and not _renames(answer, old):
            raise NotYet
        return (
            f"a file of version 2, as the layer writes it today: {wrong[0]}; the tensors are "
            "loaded by nn.Module._load_from_state_dict, which has to be called in the end"
        )
    if wrong := load(old, 1):
        return f"a file of version 1, which holds gamma: {wrong[0]}"
    if wrong := load(old, 1, "0.0."):
        return (
            f"the same layer as a part of a model: {wrong[0]}; what stands before a name there, "
            "and which argument tells?"
        )
    if wrong := _others_gamma(Scale):
        return (
            f"a model in which others have a gamma of their own: {wrong}; the state_dict is the "
            "whole model's, so which one name is this layer's?"
        )
    if wrong := load(new, None):
        return (
            f"new names, but no version (safetensors keeps none): {wrong[0]}; decide by the name "
            "that is there"
        )
    if wrong := load(old, None, "0.0."):
        return f"old names, and no version, as from a safetensors file: {wrong[0]}"
    if load({}, 1) != ["weight is missing"]:
        return "a file with neither name must still be reported as one in which weight is missing"
    return None


class _Other(nn.Module):
    """A layer whose parameter is called gamma, and stays so."""

    def __init__(self):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(2))


def _others_gamma(scale: type[nn.Module]) -> str:
    """What is wrong where gamma is in a path, in a part of the layer, and in a later neighbour."""
    layer = scale()
    layer.part = _Other()
    model = nn.ModuleDict({"gamma_scale": layer, "other": _Other()})
    gammas = ("gamma_scale.gamma", "gamma_scale.part.gamma", "other.gamma")
    old = OrderedDict((name, VALUES.clone()) for name in gammas)
    old._metadata = OrderedDict({"gamma_scale": {"version": 1}})
    missing, unexpected = model.load_state_dict(old, strict=False)
    wrong = [f"{name} is missing" for name in missing]
    return (wrong + [f"{name} is left over" for name in unexpected] or [""])[0]


def _renames(answer: Callable, old: dict) -> bool:
    """Whether it does anything at all to an old state_dict."""
    state = dict(old)
    answer(nn.Module(), state, "", {"version": 1}, True, [], [], [])
    return list(state) != list(old)
