import pytest
import torch
from torch import nn

from missing_aa.tensors import difference, fixed_input, perturb


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.norm = nn.BatchNorm2d(4)
        self.tied = self.conv
        self.register_buffer("mask", torch.tensor([0.0, -100.0]))
        self.register_buffer("index", torch.arange(3))
        nn.init.zeros_(self.norm.weight)


def changed(before, after):
    return {name for name, value in before.items() if not torch.equal(value, after[name])}


def test_every_weight_is_disturbed_and_no_constant():
    net = Net()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    assert not perturb(net).training
    kept = {"mask", "index", "norm.num_batches_tracked"}
    assert changed(before, net.state_dict()) == before.keys() - kept
    assert (net.norm.running_var > 0).all()


def test_the_same_seed_disturbs_alike_and_another_differently():
    torch.manual_seed(0)
    one, two, three = Net(), Net(), Net()
    two.load_state_dict(one.state_dict())
    three.load_state_dict(one.state_dict())
    first = perturb(one).state_dict()
    assert changed(first, perturb(two).state_dict()) == set()
    assert changed(first, perturb(three, seed=1).state_dict())


def test_the_fixed_input_is_fixed():
    assert fixed_input(8, channels=1).shape == (1, 1, 8, 8)
    assert torch.equal(fixed_input(8), fixed_input(8))


def test_a_difference_is_relative_to_the_references_largest_value():
    reference = torch.tensor([1.0, -4.0])
    assert difference(reference, reference) == 0
    assert difference(reference + torch.tensor([0.0, 1.0]), reference) == pytest.approx(0.25)
    for useless in (torch.ones(3), torch.tensor([1.0, float("nan")])):
        with pytest.raises(ValueError, match="cannot be compared"):
            difference(useless, useless)
