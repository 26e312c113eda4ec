import math

import pytest
import torch

from helpers.images import photo, sine, zone_plate
from helpers.layers import BlurPool2d, ConvNormAct
from helpers.plots import aliasing as draw
from helpers.training import Run


def test_the_sine_says_how_often_each_wave_changes_its_sign():
    _, alt = draw.aliased_sine(sine(48, 22), 2)
    assert "over 48 samples that changes its sign 43 times" in alt
    assert "changes its sign 3 times" in alt


def test_the_response_says_what_is_left_at_the_limit_of_stride_2():
    frequencies = torch.linspace(0, 0.5, 101)
    _, alt = draw.responses(frequencies, {"1 2 1": torch.cos(torch.pi * frequencies) ** 2})
    assert "At 0.25 cycles per pixel" in alt and "1 2 1: 0.50" in alt


def test_pictures_stand_beside_each_other_with_their_contrast():
    fig, alt = draw.pictures({"grey": torch.full((8, 8), 0.5), "photo": torch.rand(3, 4, 4)}, "Two")
    assert [axes.get_title() for axes in fig.axes] == ["grey", "photo"]
    assert "grey, 8 pixels wide, contrast 0.00" in alt


def test_every_trained_net_has_its_dot_in_the_group_of_its_kind_and_epochs():
    runs = [
        Run(0, blurred=False, epochs=3, accuracy=0.6, consistency=0.7),
        Run(1, blurred=False, epochs=3, accuracy=0.65, consistency=0.72),
        Run(0, blurred=True, epochs=3, accuracy=0.9, consistency=0.95),
        Run(0, blurred=False, epochs=12, accuracy=0.91, consistency=0.93),
    ]
    fig, alt = draw.trained(runs)
    consistency, accuracy = fig.axes
    dots = [sorted(kind.get_offsets()[:, 1]) for kind in consistency.collections]
    assert dots == [[0.7, 0.72], [0.95], [0.93]]
    assert [list(line.get_ydata()) for line in consistency.lines] == [[0.7, 0.95, 0.93], [0.72]]
    assert [text.get_text() for text in consistency.texts] == ["0.71", "0.95", "0.93"]
    labels = [label.get_text() for label in accuracy.get_xticklabels()]
    assert labels == ["plain\n3 ep.", "blur\n3 ep.", "plain\n12 ep."]
    assert "accuracy, plain, 3 epochs: 0.60 to 0.65" in alt


def test_the_curve_between_the_samples_is_the_wave_itself():
    fig, _ = draw.aliased_sine(sine(48, 22), 2)
    curve, samples, slow, kept = fig.axes[0].lines
    wanted = [math.sin(2 * math.pi * 22 * x / 48) for x in curve.get_xdata()]
    assert curve.get_ydata() == pytest.approx(wanted, abs=1e-4)
    assert slow.get_ydata()[::80] == pytest.approx(sine(48, 22)[::2].numpy(), abs=1e-4)


def test_a_move_that_the_stride_divides_changes_nothing_also_at_the_border():
    torch.manual_seed(0)
    layers = {
        "plain": ConvNormAct(3, 4, 3, stride=2).eval(),
        "blur": ConvNormAct(3, 4, 3, stride=2, aa_layer=BlurPool2d).eval(),
    }
    picture = photo("china", 64)[None]
    for shift, moves in ((1, True), (7, True), (8, False)):
        fig, alt = draw.moved(picture, layers, shift)
        first, plain, blur, _ = fig.axes
        (change,) = plain.images
        assert change.get_array().shape == (32, 32)
        assert (change.get_array().max() > 1e-3) == moves
        assert change.get_clim() == blur.images[0].get_clim()
        assert ("plain 0.000" in alt) != moves


def test_blurs_of_several_lengths_stand_beside_each_other_with_their_price():
    fig, alt = draw.blurred(zone_plate(32), [1, 3, 7])
    titles = [axes.get_title() for axes in fig.axes]
    assert titles == ["no blur", "3 taps: 85% left", "7 taps: 62% left"]
    assert "1.00, 1.00; 3: contrast" in alt and "0.13, 0.62." in alt
