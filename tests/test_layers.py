"""ConvNormAct and BlurPool2d against timm's, with the same weights in both."""

from itertools import product

import pytest
import timm.layers
import torch
from torch import nn

from helpers.layers import BlurPool2d, ConvNormAct

CHANNELS = 8


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """On tensors this small, threads that share busy cores wait for each other most of the time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def grid(**choices):
    """Every combination of the choices, as keyword arguments with a readable test id."""
    combinations = [
        dict(zip(choices, values, strict=True)) for values in product(*choices.values())
    ]
    return [
        pytest.param(options, id=" ".join(f"{k}={v}" for k, v in options.items()))
        for options in combinations
    ]


def perturb(module):
    """Move every weight and statistic away from its fresh value; variances stay positive."""
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor += 0.6 * torch.rand_like(tensor) - 0.3
    return module


def twins(options):
    """Ours and timm's block with the same options and, through the state_dict, the same weights."""
    aa = options.pop("aa", False)
    ours = ConvNormAct(CHANNELS, 12, **options, aa_layer=BlurPool2d if aa else None)
    theirs = timm.layers.ConvNormAct(
        CHANNELS, 12, **options, aa_layer=timm.layers.BlurPool2d if aa else None
    )
    theirs.load_state_dict(perturb(ours).state_dict(), strict=True)
    return ours, theirs


def assert_agree(ours, theirs):
    """Same output in both modes, and the same statistics after a pass in training mode."""
    x = torch.randn(2, CHANNELS, 13, 14)
    for training in (True, False):
        with torch.no_grad():
            expected = theirs.train(training)(x)
            torch.testing.assert_close(ours.train(training)(x), expected)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, tensor in ours.state_dict().items():
        torch.testing.assert_close(tensor, theirs.state_dict()[name], msg=name)


@pytest.mark.parametrize(
    "options",
    grid(
        kernel_size=[1, 2, 3, 5],
        stride=[1, 2, 3],
        dilation=[1, 2],
        padding=["default", 0, 2],
        aa=[False, True],
    ),
)
def test_a_block_places_its_samples_as_timms_does(options):
    if options["padding"] == "default":
        del options["padding"]
    assert_agree(*twins(options))


@pytest.mark.parametrize(
    "options",
    grid(
        groups=[1, 2, 4],
        bias=[False, True],
        apply_norm=[True, False],
        apply_act=[True, False],
        stride=[1, 2],
        aa=[False, True],
    ),
)
def test_a_block_is_made_of_the_same_layers_as_timms(options):
    assert_agree(*twins({"kernel_size": 3, **options}))


@pytest.mark.parametrize("act_layer", [nn.SiLU, nn.Hardswish])
def test_another_activation_is_applied_as_in_timm(act_layer):
    assert_agree(*twins({"kernel_size": 3, "act_layer": act_layer}))


def test_a_groupnorm_is_called_bn_too():
    def norm(channels):
        return nn.GroupNorm(4, channels)

    block = ConvNormAct(CHANNELS, 12, 3, norm_layer=norm)
    assert list(block.state_dict()) == ["conv.weight", "bn.weight", "bn.bias"]
    x = torch.randn(2, CHANNELS, 9, 9)
    torch.testing.assert_close(block(x), block.bn(block.conv(x)).relu())


def test_gradients_agree_with_timms():
    ours, theirs = twins({"kernel_size": 3, "stride": 2, "aa": True})
    x = torch.randn(2, CHANNELS, 13, 14)
    for block in (ours, theirs):
        block(x).square().mean().backward()
    for mine, timms in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, timms.grad)


@pytest.mark.parametrize("aa_layer", [None, BlurPool2d])
@pytest.mark.parametrize("size", [12, 13])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_stride_2_halves_the_map_with_and_without_anti_aliasing(
    kernel_size, stride, size, aa_layer
):
    block = ConvNormAct(1, 2, kernel_size, stride, aa_layer=aa_layer)
    side = (size + stride - 1) // stride
    assert block(torch.rand(1, 1, size, size)).shape == (1, 2, side, side)


def test_anti_aliasing_takes_the_stride_over_and_comes_last():
    block = perturb(ConvNormAct(CHANNELS, 12, 3, stride=2, aa_layer=BlurPool2d)).eval()
    dense = ConvNormAct(CHANNELS, 12, 3).eval()
    dense.load_state_dict(block.state_dict())
    x = torch.randn(1, CHANNELS, 10, 10)
    assert block.conv.stride == (1, 1)
    torch.testing.assert_close(block(x), BlurPool2d(12)(dense(x)))


def test_anti_aliasing_is_ignored_at_stride_1():
    assert ConvNormAct(1, 1, 3, stride=1, aa_layer=BlurPool2d).aa is None


@pytest.mark.parametrize(
    ("kernel_size", "stride"), [(2, 1), (2, 2), (3, 1), (3, 2), (3, 3), (4, 2), (5, 2), (7, 2)]
)
def test_blurpool_agrees_with_timms(kernel_size, stride):
    x = torch.randn(2, 6, 15, 16)
    ours = BlurPool2d(6, kernel_size, stride)
    theirs = timm.layers.BlurPool2d(6, filt_size=kernel_size, stride=stride)
    torch.testing.assert_close(ours(x), theirs(x))
    assert list(ours.state_dict()) == list(theirs.state_dict()) == []


def test_a_blur_leaves_a_constant_as_it_is():
    grey = torch.full((1, 3, 9, 9), 0.4)
    torch.testing.assert_close(BlurPool2d(3)(grey), torch.full((1, 3, 5, 5), 0.4))


def test_a_blur_of_one_sample_is_refused():
    with pytest.raises(ValueError, match="at least 2 samples"):
        BlurPool2d(3, kernel_size=1)
