"""Each check turns down the stub and plausible wrong answers, with a hint that fits."""

import pickletools

import pytest
import torch
from torch import nn

from helpers.checks import pickles as check


def globals_of(data):
    return [arg for opcode, arg, _ in pickletools.genops(data) if opcode.name == "GLOBAL"]


def setstate_right(self, state):
    nn.Module.__setstate__(self, state)
    if "aa" not in state and "aa" not in state["_modules"]:
        self.aa = None


def setstate_by_hasattr(self, state):
    nn.Module.__setstate__(self, state)
    if not hasattr(self, "aa"):
        self.aa = None


def setstate_loses_the_layer(self, state):
    nn.Module.__setstate__(self, state)
    if "aa" not in state:
        self.aa = None


def setstate_without_the_state(self, state):
    nn.Module.__init__(self)
    self.__dict__.pop("_modules")
    self.aa = None


def setstate_by_super(self, state):
    super().__setstate__(state)


def returns_nothing(*given):
    print(*given)


WHERE = {"weight": "_parameters", "eps": "__dict__", "forward": "class"}


def attribute_names(module):
    return set().union(module.__dict__, module._parameters, module._buffers, module._modules)


RIGHT = [
    (check.packages, lambda data: {name.split(".")[0].split(" ")[0] for name in globals_of(data)}),
    (check.where_attributes_live, WHERE),
    (check.compare_keys, lambda file, model: (model.keys() - file.keys(), file.keys() - model)),
    (
        check.same_output,
        lambda a, b: torch.allclose(a, b, rtol=0, atol=1e-4 * float(b.abs().max())),
    ),
    (check.setstate, setstate_right),
    (check.setstate, setstate_by_hasattr),
    (check.missing_attributes, lambda old, new: attribute_names(new) - attribute_names(old)),
]

WRONG = [
    (check.packages, lambda data: set(globals_of(data)), "a space between them"),
    (check.packages, lambda data: {n.split(" ")[0] for n in globals_of(data)}, "the first dot"),
    (check.packages, lambda data: {n.split(" ")[1] for n in globals_of(data)}, "other end"),
    (check.packages, lambda data: [n.split(".")[0] for n in globals_of(data)], "a set is asked"),
    (check.packages, lambda data: {"torch"}, "gave {'torch'}"),
    (check.where_attributes_live, WHERE | {"weight": "__dict__"}, "the optimizer"),
    (check.where_attributes_live, WHERE | {"eps": "class"}, "a plain value"),
    (check.where_attributes_live, WHERE | {"eps": "somewhere"}, "none of the words"),
    (check.compare_keys, lambda file, model: (file.keys() - model, model.keys() - file), "swapped"),
    (check.compare_keys, lambda file, model: (set(model), set(file)), "on both sides"),
    (check.compare_keys, lambda file, model: model.keys() - file.keys(), "two sets"),
    (check.same_output, torch.equal, "one part in a million"),
    (check.same_output, lambda a, b: bool((a - b).abs().max() < 0.5), "make it relative"),
    (check.same_output, lambda a, b: torch.allclose(a, b, 1e-4), "each value to itself"),
    (
        check.same_output,
        lambda a, b: bool((a - b).abs().mean() <= 1e-4 * b.abs().mean()),
        "a mean hides it",
    ),
    (check.same_output, returns_nothing, "there is no `return`"),
    (check.compare_keys, returns_nothing, "there is no `return`"),
    (check.setstate, setstate_by_super, "works inside a class only"),
    (check.same_output, lambda a, b: torch.allclose(a.sum(), b.sum(), 1e-4), "place by place"),
    (check.same_output, lambda a, b: not (a - b).abs().max() > 1e-4 * b.abs().max(), "nan"),
    (check.same_output, lambda a, b: bool((a - b).abs().min() <= 1e-3), "the largest difference"),
    (check.setstate, nn.Module.__setstate__, "still fails"),
    (check.setstate, setstate_loses_the_layer, "lost it"),
    (check.setstate, setstate_without_the_state, "nn.Module's own __setstate__"),
    (check.missing_attributes, lambda old, new: set(new.__dict__) - set(old.__dict__), "ordinary"),
    (check.missing_attributes, lambda old, new: set(), "nothing missing"),
    (check.missing_attributes, lambda old, new: attribute_names(new), "three names"),
]


@pytest.mark.parametrize("judge, answer", RIGHT)
def test_a_right_answer_is_solved(judge, answer):
    verdict = judge(answer)
    assert verdict.solved, verdict


@pytest.mark.parametrize("judge, answer, hint", WRONG)
def test_a_wrong_answer_gets_a_hint_that_fits(judge, answer, hint):
    verdict = judge(answer)
    assert verdict.status == "wrong"
    assert hint in verdict.hint


@pytest.mark.parametrize("judge", [judge for judge, answer in RIGHT if callable(answer)])
def test_a_stub_is_not_yet_solved(judge):
    assert judge(lambda *args: None).status == "open"
    assert judge(...).status == "open"


def test_a_dictionary_with_places_left_open_is_not_yet_solved():
    assert check.where_attributes_live(WHERE | {"eps": ...}).status == "open"


def test_an_answer_that_raises_is_told_so():
    assert "your code raised ZeroDivisionError" in check.packages(lambda data: 1 / 0).hint
