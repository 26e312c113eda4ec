"""Checks of what a pickle holds, what an object of an older class lacks, and what mends it."""

import pickle
from collections.abc import Callable

from torch import Tensor, nn

from helpers.checks.verdict import NotYet, exercise, given, is_stub


@exercise
def broken_by_an_upgrade(file: bytes, new: type) -> str | None:
    """The pickle of an object, and a newer class of its name: it loads, and fails at its use."""
    if not isinstance(new, type):
        return "the class itself is asked for, not an object of it"
    if vars(new).keys() <= vars(_Empty).keys():
        raise NotYet
    try:
        old = pickle.loads(file)
    except Exception as error:
        return f"the file does not even load ({error}); keep the name of the class"
    if type(old) is not new:
        return f"the file holds a {type(old).__name__} of another class than the one you give"
    try:
        fresh = new()
        fresh.forward(3)
    except Exception as error:
        return (
            f"a new object fails too ({type(error).__name__}: {error}); the authors' own tests "
            "would have found that"
        )
    try:
        old.forward(3)
    except AttributeError as error:
        if error.obj is old and hasattr(fresh, str(error.name)):
            return None
        return f"it fails ({error}), but not for want of an attribute that a new object has"
    except Exception as error:
        return f"it fails with {type(error).__name__}; an attribute that is missing is asked for"
    lacks = sorted(vars(fresh).keys() - vars(old).keys())
    if not lacks:
        return "the old object runs: it has every attribute that a new one has"
    if any(hasattr(new, name) for name in lacks):
        return f"the old object runs: it lacks {lacks[0]}, and finds one on the class"
    return f"the old object runs: it lacks {lacks[0]}, and nobody asks for that without a default"


class _Empty: ...


@exercise
def where_attributes_live(answer: dict[str, str]) -> str | None:
    """Where Python finds some attributes of a batch norm: a place for each name."""
    places = ("class", "__dict__", "_parameters", "_buffers", "_modules")
    for name, place in answer.items():
        if given(place) not in places:
            return f"{name}: {place!r} is none of the words {', '.join(places)}"
    block = nn.BatchNorm2d(4)
    for name, place in answer.items():
        if place != _place(block, name):
            return f"{name} is not in {place}; {_WHY[_place(block, name)]}"
    return None


_WHY = {
    "class": "think of what all objects of the class share",
    "__dict__": "think of a plain value that is neither a tensor nor a module",
    "_parameters": "think of what the optimizer changes",
    "_buffers": "think of a tensor that is saved, but not trained",
    "_modules": "think of layers inside a layer",
}


def _place(block: nn.Module, name: str) -> str:
    for place in ("_parameters", "_buffers", "_modules"):
        if name in block.__dict__[place]:
            return place
    return "__dict__" if name in block.__dict__ else "class"


@exercise
def same_output(answer: Callable[[Tensor, Tensor], bool]) -> str | None:
    """A function that says whether an output equals a reference within a relative tolerance."""
    import torch

    big = torch.tensor([[1000.0, -2000.0, 500.0]])
    small = big * 1e-6
    if not given(answer(big, big.clone())):
        return "it turns down an output that equals the reference exactly"
    if not answer(big * (1 + 1e-6), big):
        return "it turns down a difference of one part in a million, which another processor makes"
    if answer(big + torch.tensor([[0.0, 0.0, 400.0]]), big):
        return "it lets a wrong value pass; is it the largest difference that you look at?"
    if answer(big.flip(1), big):
        return "it lets the same values in another order pass; compare place by place"
    if answer(small * 1.5, small):
        return "it lets outputs pass that are off by half, if they are small; make it relative"
    two = torch.tensor([100.0, 0.0])
    if not answer(two + torch.tensor([0.0, 1e-3]), two):
        return (
            "it turns down a small value that is off by a hundred-thousandth of the largest one; "
            "relative to the largest value of the reference, not each value to itself"
        )
    many = torch.ones(1000)
    if answer(many + 0.05 * torch.eye(1000)[7], many):
        return "it lets one wrong value among a thousand pass; a mean hides it, a maximum does not"
    if answer(torch.full_like(big, float("nan")), big):
        return "it lets nan pass; what does a comparison with nan give?"
    return None


@exercise
def compare_keys(answer: Callable[[dict, dict], tuple]) -> str | None:
    """A function from two state_dicts, the file's and the model's, to (missing, unexpected)."""
    import torch

    file = {"a": torch.zeros(1), "head.weight": torch.zeros(1)}
    model = {"a": torch.zeros(1), "head.fc.weight": torch.zeros(1), "b": torch.zeros(1)}
    result = given(answer(file, model))
    if not isinstance(result, tuple) or len(result) != 2:
        return "two sets are asked for: return missing, unexpected"
    missing, unexpected = map(set, result)
    if (missing, unexpected) == ({"head.weight"}, {"head.fc.weight", "b"}):
        return "the two are swapped: missing is what the model wants and the file has not"
    if "a" in missing | unexpected:
        return "a name that stands on both sides is neither missing nor unexpected"
    if (missing, unexpected) != ({"head.fc.weight", "b"}, {"head.weight"}):
        return f"for a renamed head it gave missing {missing} and unexpected {unexpected}"
    return None


class _Grown(nn.Module):
    """A block whose newer release has an optional module."""

    def __init__(self, aa: nn.Module | None = None):
        super().__init__()
        self.aa = aa

    def forward(self, x: Tensor) -> Tensor:
        return x if self.aa is None else self.aa(x)


@exercise
def setstate(answer: Callable[[nn.Module, dict], None]) -> str | None:
    """A `__setstate__` that gives an older object the attribute it lacks, and keeps what it has."""
    import torch

    class Mended(_Grown):
        __setstate__ = answer

    x = torch.ones(1)

    def restored(state: dict) -> nn.Module:
        block = Mended.__new__(Mended)
        block.__setstate__(state)
        return block

    older = dict(_Grown().__dict__)
    del older["aa"]
    try:
        block = restored(dict(older))
    except RuntimeError as error:
        if "__class__" not in str(error):
            raise
        return (
            "super() without words works inside a class only; a function that stands alone calls "
            "nn.Module.__setstate__(self, state)"
        )
    if not block.__dict__:
        if is_stub(answer):
            raise NotYet
        return "nothing of the state is in the object; nn.Module's own __setstate__ puts it there"
    if "_modules" not in block.__dict__:
        return "the saved attributes are not in the object; nn.Module's own __setstate__ does that"
    if "aa" in vars(Mended) or "aa" in vars(_Grown):
        return "a default on the class hides a registered submodule; set it on the object"
    try:
        block(x)
    except AttributeError:
        return "an object from before `aa` still fails; which attribute does it lack?"
    kept = restored(dict(_Grown(nn.Flatten(0)).__dict__))
    if kept.aa is None:
        return (
            "a block that has its anti-aliasing layer lost it; look into the state's _modules too"
        )
    without = restored(dict(_Grown().__dict__))
    if without(x) is not x:
        return "a newer block without `aa` no longer runs as it did"
    return None


@exercise
def missing_attributes(answer: Callable[[nn.Module, nn.Module], set]) -> str | None:
    """A function from an old and a fresh module to the names of what the old one lacks."""
    import torch

    fresh, old = _Grown(nn.ReLU()), _Grown(nn.ReLU())
    fresh.register_buffer("mask", torch.zeros(1))
    fresh.eps = 1e-5
    del old._modules["aa"]
    found = set(given(answer(old, fresh)))
    if not found:
        return "it found nothing missing, and three things are"
    if found == {"eps"}:
        return "ordinary attributes only; submodules, parameters and buffers have their own places"
    if found & {"aa", "mask"} != {"aa", "mask"}:
        return f"it found {sorted(found)}; a submodule or a buffer is still overlooked"
    if found != {"aa", "mask", "eps"}:
        return f"it found {sorted(found)}; three names are asked for, of what the old one lacks"
    if answer(fresh, old):
        return "the other way round nothing is missing: extra attributes do no harm"
    return None
