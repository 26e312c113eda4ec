import torch

from helpers.images import sine
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
    dots = [sorted(line.get_ydata()) for line in consistency.lines]
    assert dots == [[0.7, 0.72], [0.95], [0.93]]
    labels = [label.get_text() for label in accuracy.get_xticklabels()]
    assert labels == ["plain\n3 epochs", "blur\n3 epochs", "plain\n12 epochs"]
    assert "accuracy, plain, 3 epochs: 0.60 to 0.65" in alt
