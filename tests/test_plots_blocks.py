"""The figures of lesson 01 show the data they are given, and say so in words."""

import pytest
import torch
from matplotlib.colors import to_rgba
from torch import nn

from drawn import words
from helpers.layers import BlurPool2d, ConvNormAct
from helpers.plots import BLUE, blocks


def titles(fig):
    return [axes.get_title() for axes in fig.axes]


def test_feature_maps_are_named_and_their_zeros_told():
    photo = torch.rand(3, 4, 4)
    half = torch.tensor([0.0, 0.0, 1.0, 2.0]).repeat(4, 1)
    fig, alt = blocks.feature_maps(photo, {"edges": half, "blur": torch.ones(4, 4)})
    assert titles(fig) == ["photo", "edges", "blur"]
    assert "edges 50%, blur 0%" in alt


def test_the_maps_of_all_steps_share_one_scale_on_which_high_is_bright():
    fig, alt = blocks.steps({"conv": torch.full((4, 4), 3.0), "act": torch.full((4, 4), -1.0)})
    images = [image for axes in fig.axes for image in axes.images]
    assert {image.get_clim() for image in images} == {(-1.0, 3.0)}
    assert sum(images[0].cmap(1.0)) > sum(images[0].cmap(0.0))
    assert "after conv from 3.0 to 3.0, mean 3.00" in alt
    assert "after act from -1.0 to -1.0, mean -1.00" in alt


def test_the_histogram_shows_the_share_of_zeros_as_it_is():
    half = torch.tensor([0.0, 0.0, 1.0, 2.0]).repeat(4, 1)
    fig, alt = blocks.steps({"norm": half - 9, "act": half})
    histogram = fig.axes[3]
    assert histogram.get_yscale() == "linear"
    assert max(bar.get_height() for bar in histogram.patches) == 50
    assert "50% zeros" in alt


def test_a_model_is_drawn_as_boxes_of_which_those_of_the_kind_are_coloured():
    block = ConvNormAct(3, 4, 3)
    model = nn.Sequential(block, nn.Sequential(ConvNormAct(4, 4, 3), nn.Linear(4, 10)), nn.ReLU())
    fig, alt = blocks.model_blocks(model, ConvNormAct)
    colours = [patch.get_facecolor() == to_rgba(BLUE) for patch in fig.axes[0].patches]
    assert colours == [True, True, False]
    inside, total = 116 + 152, 116 + 152 + 50
    assert f"2 ConvNormAct: {inside / total:.0%} of the model" in [
        text.get_text() for text, _ in words(fig)
    ]
    assert f"2 ConvNormAct blocks hold {inside / total:.0%} of its {total} parameters" in alt
    assert "0 1 of 1, 36%; 1 1 of 2, 64%" in alt


@pytest.fixture
def pair():
    kind = {"kernel_size": 3, "stride": 2}
    return ConvNormAct(3, 4, **kind, aa_layer=BlurPool2d).eval(), ConvNormAct(3, 4, **kind).eval()


def test_a_picture_runs_through_the_block_and_its_maps_are_what_the_parts_gave(pair):
    picture = torch.rand(1, 3, 16, 16)
    smooth, _ = pair
    stages = blocks.run_through(smooth, picture, channel=2)
    assert [stage.title for stage in stages] == ["conv stride 1", "norm", "act", "aa stride 2"]
    assert [tuple(stage.values.shape) for stage in stages] == [(16, 16)] * 3 + [(8, 8)]
    with torch.inference_mode():
        conv = smooth.conv(picture)
        assert torch.equal(stages[0].values, conv[0, 2])
        # The activation works in place, and the norm's map is the one from before it.
        assert torch.equal(stages[1].values, smooth.bn(conv)[0, 2])
        assert torch.equal(stages[3].values, smooth(picture)[0, 2])
    assert stages[0].work == 16 * 16 * 4 * 3 * 9


def test_the_block_with_aa_does_four_times_the_work_in_its_convolution(pair):
    fig, alt = blocks.through_the_block(torch.rand(1, 3, 16, 16), *pair)
    assert "×4 work" in [text.get_text() for text, _ in words(fig)]
    assert (
        "conv stride 1 16×16, norm 16×16, act 16×16, aa stride 2 8×8; plain: conv stride 2" in alt
    )
    assert "takes 4 times as many multiply–adds" in alt
    sizes = [image.get_array().shape[0] for image in fig.axes[0].images]
    widths = [image.get_extent()[1] - image.get_extent()[0] for image in fig.axes[0].images]
    assert sizes == [16, 16, 16, 16, 8, 16, 8, 8, 8]
    assert all(
        width == pytest.approx(blocks.FULL * size / 16)
        for width, size in zip(widths, sizes, strict=True)
    )
