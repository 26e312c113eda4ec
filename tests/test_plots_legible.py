"""Every figure of the course can be read on a telephone, and none of its words collide."""

import pickle
import pickletools

import pytest
import torch
from torch import nn

from drawn import assert_legible, overlaps, smallest, words
from helpers import plots
from helpers.images import photo, sine, zone_plate
from helpers.layers import BlurPool2d, ConvNormAct
from helpers.plots import (
    aliasing,
    blocks,
    keeping,
    lookup,
    loud_and_silent,
    matrix,
    pickle_story,
    pickles,
    shapes,
    timeline,
    ways_home,
    window,
)
from helpers.training import Run
from missing_aa import releases
from missing_aa.matrix import atlas

FIVE = ("0.6.13", "1.0.3", "1.0.11", "1.0.12", "1.0.31")
HOLE = ("0.8.23.dev0", "1.0.3", "1.0.7", "1.0.11")


class Block:
    def __init__(self):
        self.scale = 2


def of_the_atlas(draw):
    return draw(atlas.load().cells, atlas.load().releases)


def one_model(name, among=None, **more):
    carried = atlas.load()
    among = among or carried.releases
    cells = [c for c in carried.cells if c.model == name and {c.writer, c.reader} <= {*among}]
    return matrix.what_happened(cells, among, ["whole"], **more)


def stacks():
    return pickles.stack(pickletools.optimize(pickle.dumps(Block(), 2)))


def story():
    source = "class Block:\n def __init__(self):\n  self.scale = self.aa = None\n"
    source += " def forward(self, x):\n  return self.aa(x * self.scale)\n"
    return pickle_story.pickle_story(pickle.dumps(Block()), source, "Block")


def stairs():
    class Default(ConvNormAct):
        aa = None

    old = ConvNormAct(3, 8)
    del old.aa
    blur = {"kernel_size": 3, "stride": 2, "aa_layer": BlurPool2d}
    made = {
        "new block": ConvNormAct(3, 8),
        "new block with blur": ConvNormAct(3, 8, **blur),
        "old block": old,
        "class default, with blur": Default(3, 8, **blur),
    }
    return lookup.staircase([lookup.walk(name, block) for name, block in made.items()])


def pair_of_blocks():
    kind = {"kernel_size": 3, "stride": 2}
    smooth = ConvNormAct(3, 4, **kind, aa_layer=BlurPool2d).eval()
    return smooth, ConvNormAct(3, 4, **kind).eval()


def through():
    return blocks.through_the_block(photo("china", 64)[None], *pair_of_blocks())


def halves(picture):
    return {"original": picture, "every 2nd pixel": picture[::2, ::2], "blurred before": picture}


def nets():
    kinds = [(False, 3, 0.6), (True, 3, 0.9), (False, 12, 0.95), (True, 12, 0.99)]
    return [
        Run(seed, blurred=blurred, epochs=epochs, accuracy=value, consistency=value - 0.01 * seed)
        for blurred, epochs, value in kinds
        for seed in range(3)
    ]


def moved(shift=1):
    smooth, plain = pair_of_blocks()
    layers = {"stride 2": plain, "stride 2 with blur": smooth}
    return aliasing.moved(photo("china", 64)[None], layers, shift)


def curves():
    frequencies = torch.linspace(0, 0.5, 101)
    return aliasing.responses(
        frequencies, {"1 2 1": frequencies.cos() ** 2, "1 1 1": frequencies.cos()}
    )


def maps():
    names = ("vertical edges", "horizontal edges", "spots", "blur")
    return blocks.feature_maps(photo("china", 64), dict.fromkeys(names, torch.rand(64, 64)))


FIGURES = {
    "what a pickle carries": story,
    "the staircase": stairs,
    "through the block": through,
    "the timeline": lambda: timeline.timeline(atlas.load().cells),
    "the window": lambda: of_the_atlas(window.window),
    "the ways home": ways_home.ways_home,
    "four ways to keep a model": keeping.four_ways,
    "loud and silent": lambda: of_the_atlas(loud_and_silent.loud_and_silent),
    "feature maps": maps,
    "steps": lambda: blocks.steps({name: torch.randn(64, 64) for name in ("conv", "norm", "act")}),
    "a model's blocks": lambda: blocks.model_blocks(nn.Sequential(*pair_of_blocks()), ConvNormAct),
    "the sine": lambda: aliasing.aliased_sine(sine(48, 22), 2),
    "pictures": lambda: aliasing.pictures(halves(zone_plate(112)), "False rings appear"),
    "responses": curves,
    "moved": moved,
    "blurred": lambda: aliasing.blurred(zone_plate(112), [1, 3, 5, 7]),
    "trained": lambda: aliasing.trained(nets()),
    "the stack": stacks,
    "one model, five releases": lambda: one_model("regnetx_002", FIVE),
    "one model, all releases": lambda: one_model("mobilevit_xxs"),
    "survival": lambda: of_the_atlas(
        lambda *those: matrix.survival(*those, ["whole", "state_dict"], {"missing aa": HOLE})
    ),
    "survival by years": lambda: of_the_atlas(
        lambda *those: matrix.survival_by_years(*those, ["whole", "state_dict", "rescued"])
    ),
    "a pair": lambda: matrix.pair(atlas.load().cells, "1.0.3", "1.0.11"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_legible_on_a_telephone_and_no_words_collide(name):
    fig, alt = FIGURES[name]()
    assert_legible(fig)
    assert fig.get_figwidth() == 6 and fig.get_facecolor() == (1, 1, 1, 1)
    assert len(alt) > 60 and "\n" not in alt and "&#" not in plots.bundle(fig, alt)["text/html"]


def test_words_that_collide_or_are_cut_off_or_too_small_are_found():
    fig, axes = shapes.canvas(2)
    shapes.words(axes, 1, 1, "one thing")
    shapes.words(axes, 1.2, 1.05, "another")
    shapes.words(axes, 5.9, 0.3, "cut off", size=8)
    assert overlaps(fig) == [("one thing", "another"), ("cut off", "the edge of the figure")]
    assert smallest(fig) < 9
    assert [text.get_text() for text, _ in words(fig)] == ["one thing", "another", "cut off"]


def test_every_release_that_a_figure_needs_is_known():
    assert {*FIVE, *HOLE} <= releases.KNOWN.keys()
