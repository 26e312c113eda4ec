"""The figures of lesson 01 show the data they are given, and say so in words."""

import torch

from helpers.plots import blocks


def titles(fig):
    return [axes.get_title() for axes in fig.axes]


def test_feature_maps_are_named_and_their_zeros_told():
    photo = torch.rand(3, 4, 4)
    half = torch.tensor([0.0, 0.0, 1.0, 2.0]).repeat(4, 1)
    fig, alt = blocks.feature_maps(photo, {"edges": half, "blur": torch.ones(4, 4)})
    assert titles(fig) == ["photo", "edges", "blur"]
    assert "edges 50%, blur 0%" in alt


def test_the_maps_of_all_steps_share_one_scale():
    fig, alt = blocks.steps({"conv": torch.full((4, 4), 3.0), "act": torch.full((4, 4), -1.0)})
    scales = {image.get_clim() for axes in fig.axes for image in axes.images}
    assert scales == {(-3.0, 3.0)}
    assert "after conv from 3.0 to 3.0, mean 3.00" in alt
    assert "after act from -1.0 to -1.0, mean -1.00" in alt


def test_a_bar_stands_where_its_block_stands_in_the_model():
    fig, alt = blocks.model_blocks([("3×3", 900), ("1×1", 50), ("3×3", 20)])
    bars = sorted((bar.get_center()[0], bar.get_height()) for bar in fig.axes[0].patches)
    assert bars == [(1, 900), (2, 50), (3, 20)]
    assert "3 ConvNormAct blocks" in alt
    assert "1 of 1×1; 2 of 3×3" in alt
    assert "smallest learns 20 numbers, the largest 900" in alt
