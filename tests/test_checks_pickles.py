"""Each check turns down the stub and plausible wrong answers, with a hint that fits."""

import pickle

import pytest
import torch
from torch import nn

from helpers.checks import pickles as check


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
    assert "your code raised ZeroDivisionError" in check.same_output(lambda a, b: 1 / 0).hint


class Before:
    """Release 1 of the learner's library."""

    def forward(self, x):
        return x


class TorchBefore(nn.Module):
    def forward(self, x):
        return x


class Grown(Before):
    def __init__(self):
        self.gain = 1

    def forward(self, x):
        return x * self.gain


class TorchGrown(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Identity()

    def forward(self, x):
        return self.gain(x)


class ByDefault(Grown):
    gain = 1


class Forgiving(Grown):
    def forward(self, x):
        return x * getattr(self, "gain", 1)


class Unread(Grown):
    def forward(self, x):
        return x


class Unchanged(Before):
    def forward(self, x):
        return 2 * x


class Shouting(Before):
    def forward(self, x):
        raise ValueError(x)


class NeedsAnArgument(Grown):
    def __init__(self, gain):
        self.gain = gain


class Renamed(Grown):
    def forward(self, x):
        return x * self.gian


class RaisesByHand(Grown):
    def forward(self, x):
        if "gain" not in vars(self):
            raise AttributeError("'Mine' object has no attribute 'gain'")
        return x


class FailsOtherwise(Grown):
    def forward(self, x):
        return x * vars(self)["gain"]


class Stub(Before):
    pass


def upgraded(old, new, file_by=None):
    """What the check says of a file that `old` wrote, if both are releases of a class `Mine`."""

    def written(version):
        version.__name__ = version.__qualname__ = "Mine"
        globals()["Mine"] = version
        return pickle.dumps(version())

    file = written(file_by or old)
    new.__name__ = new.__qualname__ = "Mine"
    globals()["Mine"] = new
    return check.broken_by_an_upgrade(file, new)


@pytest.mark.parametrize("old, new", [(Before, Grown), (TorchBefore, TorchGrown)])
def test_a_file_that_an_upgrade_broke_is_solved(old, new):
    verdict = upgraded(old, new)
    assert verdict.solved, verdict


@pytest.mark.parametrize(
    "new, hint",
    [
        (ByDefault, "finds one on the class"),
        (Forgiving, "nobody asks for that without a default"),
        (Unread, "nobody asks for that without a default"),
        (Unchanged, "has every attribute"),
        (Shouting, "a new object fails too"),
        (NeedsAnArgument, "a new object fails too"),
        (Renamed, "a new object fails too"),
        (RaisesByHand, "not for want of an attribute"),
        (FailsOtherwise, "fails with KeyError"),
    ],
)
def test_a_file_that_still_works_or_a_class_that_never_did_is_told_so(new, hint):
    verdict = upgraded(Before, new)
    assert verdict.status == "wrong" and hint in verdict.hint


def test_a_file_that_the_new_release_wrote_is_not_an_old_one():
    assert "has every attribute" in upgraded(Before, Grown, file_by=Grown).hint


def test_a_class_under_another_name_and_an_object_are_told_so(monkeypatch):
    monkeypatch.setitem(globals(), "Mine", Before)
    Before.__name__ = Before.__qualname__ = "Mine"
    file = pickle.dumps(Before())
    assert "of another class" in check.broken_by_an_upgrade(file, Grown).hint
    assert "the class itself" in check.broken_by_an_upgrade(file, Grown()).hint
    monkeypatch.delitem(globals(), "Mine")
    assert "does not even load" in check.broken_by_an_upgrade(file, Grown).hint


def test_an_upgrade_that_was_not_written_is_not_yet_solved():
    assert upgraded(Before, Stub).status == "open"
