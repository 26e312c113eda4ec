"""Tensors that do not fit a model: parts of a message, layouts, and what is beside the network."""

import pytest
import torch
from torch import nn

from missing_aa.explainer.explain import explain_text


def everything(answer):
    ways = [f"{way.text} {' '.join(way.commands)}" for way in answer.ways]
    return " ".join([answer.changed, *ways, *answer.notes])


def message(model, weights):
    with pytest.raises(RuntimeError) as caught:
        model.load_state_dict(weights)
    return str(caught.value)


MISFITS = (
    'Missing key(s) in state_dict: "a.weight". \n\tUnexpected key(s) in state_dict: "b.weight".',
    "size mismatch for a.weight: copying a param with shape torch.Size([2, 3]) from checkpoint, "
    "the shape in current model is torch.Size([4, 3]).",
    "size mismatch for head.weight: copying a param with shape torch.Size([2, 3]) from checkpoint, "
    "the shape in current model is torch.Size([4, 3]).",
    'Missing key(s) in state_dict: "norm.bias". \n\tUnexpected key(s): "fc_norm.bias"',
)


@pytest.mark.parametrize("text", MISFITS)
def test_timm_is_named_only_where_the_text_names_it_or_a_class_of_its(text):
    for before in ("", "Error(s) in loading state_dict for FooNet:\n\t"):
        found = explain_text(before + text)
        assert found.ways and "timm" not in everything(found)
    assert "timm" in everything(explain_text(f"with timm: {text}"))


def test_a_class_that_timm_has_too_is_said_to_be_perhaps_another_s():
    head = "Error(s) in loading state_dict for ResNet:\n\t"
    found = explain_text(head + MISFITS[0])
    assert "--format timm" in everything(found) and "another library's" in found.notes[0]
    assert not explain_text(f"timm.create_model(x)\n{head}{MISFITS[0]}").notes


class Foo(nn.Module):
    def __init__(self, *sizes):
        super().__init__()
        self.a, self.b = (nn.Parameter(torch.rand(size)) for size in sizes)


@pytest.mark.parametrize(
    "saved, made, by_hand",
    [
        (((27, 3, 2), (8, 2, 4)), ((27, 1, 3, 2), (8, 1, 2, 4)), "unsqueeze(1)"),
        (((4, 3, 1, 1), (5, 1)), ((4, 3), (5,)), ""),
        (((), (3,)), ((1,), (1, 3)), "unsqueeze(0)"),
    ],
)
def test_only_the_layout_is_lost_where_shapes_differ_by_ones(saved, made, by_hand):
    old, new = Foo(*saved), Foo(*made)
    text = message(new, old.state_dict())
    for part in (text, text.partition("\n")[2]):  # people paste parts
        found = explain_text(part)
        assert "nothing is lost but the layout" in found.changed and "timm" not in everything(found)
        assert by_hand in found.ways[0].text and ("unsqueeze" in found.ways[0].text) == bool(
            by_hand
        )
        assert "number of classes" not in everything(found)
    scope = {"model": new, "weights": old.state_dict()}
    for line in found.ways[0].commands:
        exec(line, scope)
    assert torch.equal(new.a.flatten(), old.a.flatten())


@pytest.mark.parametrize("saved, made", [((2, 3), (3, 2)), ((2, 3), (6,)), ((4,), (1, 5))])
def test_other_shapes_are_more_than_a_layout(saved, made):
    found = explain_text(message(Foo(made, (1,)), Foo(saved, (1,)).state_dict()))
    assert "layout" not in found.changed
    scope = {"model": Foo(made, (1,)), "weights": Foo(saved, (1, 1)).state_dict()}
    lines = explain_text(message(Foo((2,), (1,)), Foo((2,), (1, 1)).state_dict())).ways[0].commands
    with pytest.raises(RuntimeError, match="size mismatch for a"):
        for line in lines:
            exec(line, scope)


@pytest.mark.parametrize(
    "names", [["loss_function.dice.weight"], ["lpips.net.shift", "lpips.net.scale"],
              ["model.criterion.pos"], ["train_metrics.a", "val_metrics.a"], ["clipLoss.scale"]]
)  # fmt: skip
def test_what_belongs_to_a_loss_is_no_part_of_the_network(names):
    listed = ", ".join(f'"{name}"' for name in names)
    for what in ("Missing", "Unexpected"):
        head = "RuntimeError: Error(s) in loading state_dict for FooModule:\n\t"
        found = explain_text(f"{head}{what} key(s) in state_dict: {listed}.")
        assert "no part of it" in found.changed and "strict=False" in everything(found)
        assert "number of classes" not in everything(found)
        assert "picture" not in everything(found)


@pytest.mark.parametrize("name", ["flossing.weight", "head.weight", "loss", "net.glossy.bias"])
def test_one_other_name_is_no_matter_of_a_loss(name):
    text = f'Missing key(s) in state_dict: "criterion.weight", "{name}".'
    assert "strict=False" not in everything(explain_text(text))
