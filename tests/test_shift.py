import pytest
import torch
from torch import nn

from helpers.shift import consistency, fractional_shift, shift_error, shifted_predictions

IMAGES = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_a_whole_shift_is_a_roll_and_two_halves_are_a_whole():
    # An odd width, since at even ones the fastest wave has no half step.
    maps = torch.rand(2, 3, 31, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(fractional_shift(maps, 3), maps.roll(3, -1))
    twice = fractional_shift(fractional_shift(maps, 0.5), 0.5)
    torch.testing.assert_close(twice, maps.roll(1, -1), atol=1e-5, rtol=0)


def test_a_convolution_commutes_with_a_shift_and_a_stride_does_not():
    assert shift_error(nn.Conv2d(3, 4, 3, padding=1), IMAGES) < 1e-5
    assert shift_error(nn.Conv2d(3, 4, 3, stride=2, padding=1), IMAGES) > 0.05
    assert shift_error(nn.Conv2d(3, 4, 3, stride=2, padding=1), IMAGES, shift=2) < 1e-5


def test_a_border_counts_only_when_asked_for():
    layer = nn.Conv2d(3, 4, 3, padding=1)
    assert shift_error(layer, IMAGES, wrap=0) > 10 * shift_error(layer, IMAGES)


def test_a_stride_that_does_not_divide_the_width_is_refused():
    with pytest.raises(ValueError, match="stride has to divide both"):
        shift_error(nn.Conv2d(3, 4, 3, stride=3, padding=1), IMAGES)


def test_predictions_follow_the_moves():
    bright = torch.zeros(1, 1, 4, 4)
    bright[0, 0, 0, 1] = 1
    columns = shifted_predictions(lambda x: x[:, 0].sum(1), bright, [(0, 0), (0, 1), (1, 2)])
    assert columns.flatten().tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "predictions, share",
    [([[1, 2], [1, 2], [1, 2]], 1.0), ([[0], [1], [2]], 0.0), ([[0, 0], [0, 1], [1, 1]], 1 / 3)],
)
def test_consistency_is_the_share_of_pairs_that_agree(predictions, share):
    assert consistency(torch.tensor(predictions)) == pytest.approx(share)
