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
    """The texts in the boxes of each line, bottom of the stack first."""
    (axes,) = fig.axes
    lines = {}
    for box in axes.patches:
        (left, top), (right, bottom) = box.get_bbox().min, box.get_bbox().max
        for text in axes.texts:
            x, y = text.get_position()
            if left < x < right and top < y < bottom:
                lines.setdefault(top, {})[left] = text.get_text()
    return [[items[left] for left in sorted(items)] for _, items in sorted(lines.items())]


def labels(fig):
    """The names of the instructions, from the first one down."""
    texts = [text for text in fig.axes[0].texts if text.get_position()[0] == 0.1]
    return [text.get_text() for text in texts]


def test_each_instruction_has_its_stack():
    fig, alt = pickles.stack(program(Block()))
    assert labels(fig)[:3] == ["GLOBAL", "EMPTY_TUPLE", "NEWOBJ"]
    assert drawn(fig)[:3] == [["Block"], ["Block", "()"], ["a Block,\nempty"]]
    assert drawn(fig)[-2:] == [["a Block,\nempty", "{'scale': 2}"], ["a Block,\nfilled"]]
    assert "GLOBAL: Block; EMPTY_TUPLE: Block | (); NEWOBJ: a Block, empty" in alt


def test_a_call_takes_the_function_and_its_arguments():
    fig, alt = pickles.stack(program(Call()))
    assert labels(fig)[-1] == "REDUCE"
    assert drawn(fig)[-2:] == [["float", "('17',)"], ["what float\nreturned"]]
    assert alt.endswith("REDUCE: what float returned.")


def test_what_reaches_out_of_the_file_is_said_beside_it():
    remarks = {text.get_text() for text in pickles.stack(program(Block()))[0].axes[0].texts}
    assert {"← imports code", "← without __init__"} <= remarks and "← calls it" not in remarks
    assert "← calls it" in {
        text.get_text() for text in pickles.stack(program(Call()))[0].axes[0].texts
    }


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
    assert text == "'" + "x" * (pickles.WIDTH - 2) + "…" and len(text) == pickles.WIDTH


FETCHED_FROM_NOTES = b"\x80\x02X\x01\x00\x00\x00aq\x00h\x00."


@pytest.mark.parametrize("large", [program([1, 2, 3]), FETCHED_FROM_NOTES])
def test_a_program_that_is_not_small_is_refused(large):
    with pytest.raises(ValueError, match="take a smaller object"):
        pickles.stack(large)
