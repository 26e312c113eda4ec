"""The figure of lesson 06 shows what a pickle's machine would do, and says so in words."""

import pickle
import pickletools

import pytest

from helpers.plots import pickles


class Block:
    def __init__(self):
        self.scale = 2


class Call:
    def __reduce__(self):
        return float, ("17",)


def program(value, protocol=2):
    return pickletools.optimize(pickle.dumps(value, protocol))


def drawn(fig):
    """The texts in each column, bottom first."""
    (axes,) = fig.axes
    columns = {}
    for text in axes.texts:
        column, row = text.get_position()
        columns.setdefault(column, {})[row] = text.get_text()
    return [[items[row] for row in sorted(items)] for _, items in sorted(columns.items())]


def labels(fig):
    return [label.get_text() for label in fig.axes[0].get_xticklabels()]


def test_each_instruction_has_its_stack():
    fig, alt = pickles.stack(program(Block()))
    assert labels(fig)[:3] == ["GLOBAL", "EMPTY_TUPLE", "NEWOBJ"]
    assert drawn(fig)[:3] == [["Block"], ["Block", "()"], ["Block object,\nempty"]]
    assert drawn(fig)[-2:] == [["Block object,\nempty", "{'scale': 2}"], ["Block object,\nfilled"]]
    assert "GLOBAL: Block; EMPTY_TUPLE: Block | (); NEWOBJ: Block object, empty" in alt


def test_a_call_takes_the_function_and_its_arguments():
    fig, alt = pickles.stack(program(Call()))
    assert labels(fig)[-1] == "REDUCE"
    assert drawn(fig)[-2:] == [["float", "('17',)"], ["what float\nreturned"]]
    assert alt.endswith("REDUCE: what float returned.")


def test_protocol_4_is_drawn_too():
    assert drawn(pickles.stack(program(Call(), 4))[0])[1:3] == [
        ["'builtins'", "'float'"],
        ["float"],
    ]


def test_every_kind_of_box_has_its_own_colour_and_a_name():
    fig, _ = pickles.stack(program(Block()))
    (legend,) = fig.legends
    assert [text.get_text() for text in legend.get_texts()] == list(pickles.COLOURS)
    boxes = {patch.get_facecolor() for patch in fig.axes[0].patches}
    assert boxes == {patch.get_facecolor() for patch in legend.get_patches()}


def test_a_long_text_fits_its_box():
    fig, _ = pickles.stack(program("x" * 100))
    ((text,),) = drawn(fig)
    assert text == "'xxxxxxxxxxxx…" and len(text) == pickles.WIDTH


FETCHED_FROM_NOTES = b"\x80\x02X\x01\x00\x00\x00aq\x00h\x00."


@pytest.mark.parametrize("large", [program([1, 2, 3]), FETCHED_FROM_NOTES])
def test_a_program_that_is_not_small_is_refused(large):
    with pytest.raises(ValueError, match="take a smaller object"):
        pickles.stack(large)
