"""The test pictures: real photos, a sine and a zone plate."""

import math

import pytest
import torch

from helpers import images
from missing_aa.errors import UsageProblem


@pytest.mark.parametrize("name", images.PHOTOS)
@pytest.mark.parametrize("size", [32, 225])
def test_a_photo_is_a_square_of_colours_from_0_to_1(name, size):
    photo = images.photo(name, size)
    assert photo.shape == (3, size, size)
    assert photo.dtype == torch.float32
    assert 0 <= photo.min() < 0.2 < 0.8 < photo.max() <= 1


def test_the_photos_are_three_different_ones():
    china, flower, hopper = (images.photo(name, 32) for name in images.PHOTOS)
    assert (china - flower).abs().mean() > 0.1
    assert (china - hopper).abs().mean() > 0.1


def test_a_photo_stands_upright_and_in_colour():
    china = images.photo("china", 64)
    sky, trees = china[:, :8, 32:].mean((1, 2)), china[:, -8:].mean((1, 2))
    assert sky.mean() > 2 * trees.mean()
    red, _, blue = sky
    assert blue > red


def test_the_photo_is_resized_with_anti_aliasing():
    small = images.photo("china", 32)
    averaged = torch.nn.functional.avg_pool2d(images.photo("china", 416), 13)
    # Every 13th pixel alone is about 0.08 away from the mean of its 13 by 13 neighbours.
    assert (small - averaged).abs().mean() < 0.02


def test_an_unknown_photo_is_refused_with_the_names_that_exist():
    with pytest.raises(UsageProblem, match="china, flower, grace_hopper"):
        images.photo("cat")


def test_a_sine_makes_its_cycles():
    wave = images.sine(64, 5)
    assert wave.shape == (64,)
    assert wave[0] == 0 and wave[1] > 0
    assert torch.fft.rfft(wave).abs().argmax() == 5
    assert wave.abs().max() <= 1


def test_every_second_sample_of_a_fast_sine_is_a_slow_one():
    torch.testing.assert_close(images.sine(64, 28)[::2], -images.sine(32, 4))


@pytest.mark.parametrize("size", [64, 65])
def test_a_zone_plate_rises_from_0_to_nyquist(size):
    plate = images.zone_plate(size)
    assert plate.shape == (size, size)
    assert plate.min() >= 0 and plate.max() <= 1
    row = plate[size // 2]
    middle = row[size // 2 - 2 : size // 2 + 2]
    assert middle.min() > 0.9
    # At Nyquist neighbours are on opposite sides of the mean.
    signs = torch.sign(row[-6:] - 0.5)
    assert torch.equal(signs[1:], -signs[:-1])


def test_the_frequency_of_a_zone_plate_is_r_over_size():
    size = 256
    row = images.zone_plate(size)[size // 2]
    r = torch.arange(size) - (size - 1) / 2
    crossings = (torch.sign(row - 0.5).diff() != 0).float()
    for low, high in [(10, 40), (40, 80), (80, 110)]:
        between = (r[1:] > low) & (r[1:] <= high)
        frequency = crossings[between].sum().item() / 2 / between.sum().item()
        assert math.isclose(frequency, (low + high) / 2 / size, abs_tol=0.02)


def test_a_zone_plate_looks_the_same_from_every_side():
    plate = images.zone_plate(33)
    torch.testing.assert_close(plate, plate.T)
    torch.testing.assert_close(plate, plate.flip(0))
