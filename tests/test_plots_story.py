"""What a pickle carries is read from files, where an attribute comes from from objects."""

import pickle

import pytest
import torch
from torch import nn

from drawn import words
from helpers.layers import BlurPool2d, ConvNormAct
from helpers.plots import lookup, pickle_story
from missing_aa import releases


class Old:
    def __init__(self):
        self.scale = 2


SAVED = pickle.dumps(Old())

SOURCE = """
class Old:
    def __init__(self):
        self.scale = 2
        self.aa = None

    def forward(self, x):
        x = self.grow(x)
        return x if self.aa is None else self.aa(x)

    def grow(self, x):
        return x * self.scale
"""

PATCHED = SOURCE.replace("x if self.aa is None", "x if getattr(self, 'aa', None) is None")


def texts(fig):
    return [text.get_text() for text, _ in words(fig)]


def test_a_pickle_carries_a_name_and_attributes():
    found = pickle_story.carried(SAVED, "Old")
    assert (found.name, found.attributes) == ("Old", ("scale",))
    assert found.module == Old.__module__


def test_attributes_of_torch_are_found_in_its_three_dictionaries(tmp_path):
    torch.save(nn.Sequential(nn.BatchNorm2d(3)), tmp_path / "norm.pt")
    found = pickle_story.carried(tmp_path / "norm.pt", "BatchNorm2d")
    assert {"weight", "running_mean", "eps", "training"} <= {*found.attributes}
    assert not any(name.startswith("_") for name in found.attributes)
    assert pickle_story.carried(tmp_path / "norm.pt", "Sequential").attributes[0] == "0"


def test_nothing_of_the_file_is_run():
    class Trap:
        def __reduce__(self):
            return pytest.fail, ("the file was loaded",)

    with pytest.raises(ValueError, match="no object of a class called Old"):
        pickle_story.carried(pickle.dumps(Trap()), "Old")


def test_a_class_says_what_it_sets_and_what_its_forward_reads():
    assert pickle_story.installed(SOURCE, "Old") == pickle_story.Installed(
        "Old", ("scale", "aa"), ("aa",)
    )
    assert pickle_story.installed(PATCHED, "Old").reads == ()
    with pytest.raises(ValueError, match="no class New with a forward of its own"):
        pickle_story.installed(SOURCE, "New")


@pytest.mark.parametrize(
    ("release", "reads"),
    [("1.0.3", ("conv", "bn")), ("1.0.11", ("conv", "bn", "aa")), ("1.0.12", ("conv", "bn"))],
)
def test_the_real_class_reads_aa_in_the_broken_release_alone(release, reads):
    source = releases.locate(release) / "timm" / "layers" / "conv_bn_act.py"
    assert pickle_story.installed(source.read_text(), "ConvNormAct").reads == reads


def test_what_the_bag_lacks_is_a_hole_and_the_error_stands_below():
    fig, alt = pickle_story.pickle_story(SAVED, SOURCE, "Old", "release 1", "release 2")
    assert {"Saved by release 1", "Loaded by release 2", "self.aa", "never runs"} <= {*texts(fig)}
    assert "'Old' object has no attribute 'aa'" in texts(fig)
    assert alt.endswith("AttributeError: 'Old' object has no attribute 'aa'.")
    assert "a bag of attributes: scale." in alt


def test_nothing_is_missing_where_the_class_asks_politely():
    fig, alt = pickle_story.pickle_story(SAVED, PATCHED.replace("grow(x)", "scale"), "Old")
    assert not any("no attribute" in text for text in texts(fig))
    assert alt.endswith("forward reads scale, and nothing is missing.")


def blocks():
    class Default(ConvNormAct):
        aa = None

    blur = {"kernel_size": 3, "stride": 2, "aa_layer": BlurPool2d}
    old = ConvNormAct(3, 8)
    del old.aa
    return {
        "new": ConvNormAct(3, 8),
        "blur": ConvNormAct(3, 8, **blur),
        "old": old,
        "default": Default(3, 8, **blur),
    }


def test_each_object_finds_aa_in_its_place():
    found = {name: lookup.walk(name, block) for name, block in blocks().items()}
    assert {name: walk.found for name, walk in found.items()} == {
        "new": "__dict__",
        "blur": "_modules",
        "old": None,
        "default": "class",
    }
    assert found["old"].error == "'ConvNormAct' object has no attribute 'aa'"
    assert (found["default"].value, found["default"].hidden) == ("None", "_modules")
    assert found["default"].beneath == found["blur"].value == "BlurPool2d"


@pytest.mark.parametrize(
    ("attribute", "place"),
    [
        ("weight", "_parameters"),
        ("running_mean", "_buffers"),
        ("eps", "__dict__"),
        ("forward", "class"),
    ],
)
def test_the_other_places_are_found_too(attribute, place):
    assert lookup.walk("a norm", nn.BatchNorm2d(4), attribute).found == place


def test_a_property_comes_before_the_objects_own():
    class Odd(nn.Module):
        aa = property(lambda self: 3)

    odd = Odd()
    odd.__dict__["aa"] = None
    found = lookup.walk("odd", odd)
    assert (found.found, found.value, found.hidden) == ("class", "3", "__dict__")


def test_the_old_block_falls_off_the_stairs_and_says_what_python_says():
    fig, alt = lookup.staircase([lookup.walk(name, block) for name, block in blocks().items()])
    assert "'ConvNormAct' object has no attribute 'aa'" in texts(fig)
    assert "old: nowhere, so it falls off the end. AttributeError:" in alt
    assert "default: None, in its class, which hides the BlurPool2d in _modules." in alt
    heights = {text.get_text(): box.y0 for text, box in words(fig)}
    assert heights["new"] > heights["default"] > heights["blur"] > heights["old"]
