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


def misfit(class_, *shapes):
    lines = (
        f"\tsize mismatch for {name}: copying a param with shape torch.Size({saved}) from "
        f"checkpoint, the shape in current model is torch.Size({made}).\n"
        for name, saved, made in shapes
    )
    return f"RuntimeError: Error(s) in loading state_dict for {class_}:\n{''.join(lines)}"


@pytest.mark.parametrize("empty", [[0], [1]])
def test_empty_places_are_of_weights_that_were_divided(empty):
    shapes = [("a.q_proj.weight", [2560, 2560]), ("a.fc.weight", [10, 2560])]
    found = explain_text(misfit("FooLM", *((name, empty, whole) for name, whole in shapes)))
    assert "in the file are empty" in found.changed and "no version is to blame" in found.changed
    assert "not gathered" in found.changed and "untrained" in found.changed
    script, again = found.ways
    assert script.text.startswith("If a ZeRO checkpoint lies beside it")
    assert "zero_to_fp32.py" in script.commands[0]
    assert "in no file" in again.text and "GatheredParameters" in again.text
    found = explain_text(misfit("FooLM", *((name, whole, empty) for name, whole in shapes)))
    assert "of the model are empty" in found.changed


def test_one_number_for_a_vector_is_no_empty_place():
    assert "DeepSpeed" not in explain_text(misfit("FooNet", ("a.bias", [1], [751]))).changed
    mixed = misfit("FooNet", ("a.weight", [0], [3, 3]), ("b.weight", [4, 4], [3, 3]))
    assert "DeepSpeed" not in explain_text(mixed).changed


@pytest.mark.parametrize(
    "text",
    [
        misfit("FooLM", ("a.k_proj.qzeros", [1, 512], [32, 512]), ("a.scales", [1, 9], [32, 9])),
        misfit("FooLM", ("a.weight", [8388608, 1], [4096, 4096])),
        misfit("FooLM", ("a.weight", [4096, 4096], [8388608, 1])),
        'RuntimeError: Error(s) in loading state_dict for FooLM:\n\tMissing key(s) in state_dict: '
        '"a.weight". \n\tUnexpected key(s) in state_dict: "a.qweight", "a.g_idx".',
        'Error(s) in loading state_dict for FooLM:\n\tUnexpected key(s) in state_dict: "a.SCB".',
    ],
)  # fmt: skip
def test_quantised_weights_want_the_settings_they_were_quantised_with(text):
    found = explain_text(text)
    assert "quantised in another way" in found.changed and "seldom a matter of versions" in (
        found.changed
    )
    assert ("group size -1" in found.changed) == ("qzeros" in text)


def test_other_tensors_are_not_called_quantised():
    for text in (
        misfit("FooNet", ("a.scales", [3], [4])),
        misfit("FooNet", ("a.weight", [8, 1], [4, 5])),
    ):
        assert "quantised" not in explain_text(text).changed


def test_a_wrapper_round_the_model_alone_is_told_and_the_line_loads_it():
    made, weights = nn.Linear(2, 2), nn.Linear(2, 2).state_dict()
    model = nn.DataParallel(made)
    with pytest.raises(RuntimeError) as caught:
        model.load_state_dict(weights)
    text = f"RuntimeError: {caught.value}"
    for one in (text, text[:-4]):  # the second is cut off
        found = explain_text(one)
        assert "the model is in a wrapper" in found.changed
        by_the_inner, by_the_prefix = (way.commands[0] for way in found.ways)
        made.weight.data.zero_()
        exec(by_the_inner, {"model": model, "weights": weights})
        assert torch.equal(made.weight, weights["weight"])
        scope = {"weights": weights}
        exec(by_the_prefix, scope)
        model.load_state_dict(scope["weights"])


def test_names_that_only_begin_alike_are_no_wrapper_s():
    text = (
        "RuntimeError: Error(s) in loading state_dict for FooNet:\n\tMissing key(s) in state_dict: "
        '"module.a.weight". \n\tUnexpected key(s) in state_dict: "b.weight". '
    )
    assert "wrapper, and" not in explain_text(text).changed


def test_known_buffers_are_named_beside_other_names():
    text = (
        "RuntimeError: Error(s) in loading state_dict for FooNet:\n\tUnexpected key(s) in "
        'state_dict: "a.position_ids", "b.foo_index". '
    )
    found = explain_text(text)
    assert "ceased to save: a.position_ids. They can be left out" in found.changed


class Mask(nn.Module):
    """As GPT-2's attention was; `old`, with the buffers of that time."""

    def __init__(self, old):
        super().__init__()
        self.c_attn = nn.Linear(2, 2)
        if old:
            self.register_buffer("bias", torch.ones(1))
            self.register_buffer("masked_bias", torch.ones(1))


class Nets(nn.Module):
    def __init__(self, *nets):
        super().__init__()
        self.net = nn.ModuleDict({"attn": nn.ModuleList(nets)})


@pytest.mark.parametrize("wrap", [Nets, lambda net: net])
def test_a_causal_mask_is_left_out_and_no_learned_bias_with_it(wrap):
    old, model = wrap(Mask(True)), wrap(Mask(False))
    weights = old.state_dict()
    found = explain_text(message(model, weights))
    assert "computes by itself" in found.changed and "masked_bias" in found.changed
    scope = {"weights": weights}
    exec(found.ways[0].commands[0], scope)
    model.load_state_dict(scope["weights"])


def test_a_bias_without_a_mask_is_no_constant():
    found = explain_text(HEAD + 'Unexpected key(s) in state_dict: "a.bias", "b.masked_bias". ')
    assert "a library ceased to save them. Nothing" not in found.changed


def test_a_counter_of_batches_is_no_loss():
    weights = nn.BatchNorm1d(2).state_dict()
    model = nn.BatchNorm1d(2)
    del model._buffers["num_batches_tracked"]
    text = 'Unexpected key(s) in state_dict: "a.num_batches_tracked", "b.num_batches_tracked". '
    found = explain_text(HEAD + text)
    assert "0.4.1" in found.changed and "picture" not in everything(found)
    scope = {"weights": weights}
    exec(found.ways[0].commands[0], scope)
    assert {*scope["weights"]} == {"weight", "bias", "running_mean", "running_var"}


def test_names_that_are_only_left_over_are_not_asked_for():
    text = 'Unexpected key(s) in state_dict: "encoder.a.weight", "encoder.teacher.bias". '
    found = explain_text(HEAD + text)
    assert "every tensor that the model asks for is in the file" in found.changed
    assert "strict=False" in everything(found) and "a wrapper was saved" not in found.changed
    for more in (
        HEAD + 'Missing key(s) in state_dict: "b.weight". \n\t' + text,
        HEAD + text + "\n\t" + mismatch("b.weight", [2, 3], [5, 7]),
        text,
    ):
        assert "asks for is in the file" not in explain_text(more).changed


def test_one_part_that_differs_is_named_and_its_package_looked_for():
    model = Nets(nn.Linear(1, 1))
    text = (
        f'{HEAD}Missing key(s) in state_dict: "net.attn.0.window". \n\t'
        'Unexpected key(s) in state_dict: "net.attn.0.reverse.weight", "net.attn.0.add.weight". '
    )
    found = explain_text(text)
    assert "only that part" in found.changed and "picture" not in everything(found)
    look = found.ways[0].commands[0].removeprefix("print(").removesuffix(")")
    assert eval(look, {"model": model}) == "torch.nn.modules.linear"
    for other in (text.replace("net.attn.0.w", "head.w"), text.replace("net.attn.0.", "model.")):
        assert "only that part" not in explain_text(other).changed


OLD_NEW = [
    (nn.utils.weight_norm, nn.utils.parametrizations.weight_norm),
    (nn.utils.spectral_norm, nn.utils.parametrizations.spectral_norm),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("old, new", OLD_NEW)
@pytest.mark.parametrize("newer", [True, False])
def test_torch_s_two_names_of_a_tensor_are_told_and_changed_either_way(old, new, newer):
    written, here = (new, old) if newer else (old, new)
    file = nn.Sequential(written(nn.Linear(3, 2)), nn.Linear(2, 1)).eval()
    model = nn.Sequential(here(nn.Linear(3, 2)), nn.Linear(2, 1)).eval()
    weights = file.state_dict()
    lacks = ", ".join(f"'{name}'" for name in {*model.state_dict()} - {*weights})
    more = ", ".join(f"'{name}'" for name in {*weights} - {*model.state_dict()})
    text = (
        f"{HEAD}Missing key(s) in state_dict: {lacks}. \n\tUnexpected key(s) in state_dict: {more}."
    )
    found = explain_text(text)
    assert "under two names" in found.changed and ("or newer" in everything(found)) == (
        newer and "weight_norm" in old.__name__
    )
    scope = {"weights": weights}
    for line in found.ways[0].commands:
        exec(line, scope)
    model.load_state_dict(scope["weights"])
    x = torch.rand(4, 3)
    assert torch.allclose(model(x), file(x))
    other = text.replace("Missing key(s) in state_dict: ", "Missing key(s) in state_dict: '1.a', ")
    assert "two names" not in explain_text(other).changed


COPYING = (
    'While copying the parameter named "a.weight", whose dimensions in the model are '
    "torch.Size([{}]) and whose dimensions in the checkpoint are torch.Size([{}]){}."
)


def test_a_tensor_that_fits_and_fails_to_be_copied_is_no_misfit():
    model = nn.Linear(2, 2, bias=False)
    model.weight = nn.Parameter(torch.ones(1, 1).expand(2, 2), requires_grad=False)
    found = explain_text(f"RuntimeError: {message(model, {'weight': torch.ones(2, 2)})}")
    assert "the file fits" in found.changed and "do not fit" not in everything(found)
    reason = (
        ", an exception occurred : ('CUDA error: no kernel image is available for execution on "
    )
    reason += "the device\\nCUDA kernel errors might be asynchronously reported.\\n',)"
    found = explain_text(HEAD + COPYING.format("4, 3", "4, 3", reason))
    assert "the file fits" in found.changed and "graphics card" in found.changed
    assert "architecture, with" not in everything(found) and "get_arch_list" in everything(found)


def test_an_old_torch_says_another_shape_in_its_own_words():
    found = explain_text("RuntimeError: " + COPYING.format("5, 3", "2, 3", ""))
    assert "[2,3] in the file, [5,3] in the model" in found.changed


def test_nothing_is_said_to_misfit_of_which_nothing_is_known():
    found = explain_text("RuntimeError: Error(s) in loading state_dict for FooNet:")
    assert "the tensors do not fit" not in found.changed and "Ask again" in found.changed
    assert not found.error.endswith(": ")


HEAD = "Error(s) in loading state_dict for FooNet:\n\t"


def mismatch(name, ours, theirs):
    return (
        f"size mismatch for {name}: copying a param with shape torch.Size({ours}) from checkpoint, "
        f"the shape in current model is torch.Size({theirs}).\n\t"
    )


@pytest.mark.parametrize(
    "first, second, said",
    [
        (([18, 12], [72, 12]), ([46, 12], [184, 12]), "4 times smaller in the file"),
        (([18, 12], [18, 6]), ([46], [23]), "2 times larger in the file"),
    ],
)
def test_parts_of_a_divided_model_differ_by_one_factor(first, second, said):
    found = explain_text(HEAD + mismatch("a.weight", *first) + mismatch("b.weight", *second))
    assert said in found.changed and "tensor parallel" in found.changed
    assert "version" not in everything(found).replace("no version is the cause", "")


@pytest.mark.parametrize(
    "second",
    [([4, 3], [6, 3]), ([8, 3], [24, 3]), ([2, 2], [4, 4]), ([2, 3], [4, 3, 1]), ([2, 3], [5, 3])],
)
def test_others_are_not_said_to_be_divided(second):
    text = HEAD + mismatch("a.weight", [2, 3], [4, 3])
    assert "tensor parallel" not in everything(explain_text(text))
    assert "tensor parallel" not in everything(explain_text(text + mismatch("b.weight", *second)))


def test_constants_alone_may_be_missing():
    missing = 'Missing key(s) in state_dict: "embeddings.position_ids", "a.inv_freq". '
    found = explain_text(HEAD + missing)
    assert "nothing that was learned is missing" in found.changed
    assert "strict=False" in everything(found)
    for more in (', "a.weight". ', '. \n\tUnexpected key(s) in state_dict: "b.weight". '):
        other = explain_text(HEAD + missing.removesuffix(". ") + more)
        assert "nothing that was learned" not in other.changed


def names(missing, unexpected):
    missing, unexpected = (", ".join(f'"{one}"' for one in each) for each in (missing, unexpected))
    return explain_text(
        f"{HEAD}Missing key(s) in state_dict: {missing}. \n"
        f"\tUnexpected key(s) in state_dict: {unexpected}. "
    )


@pytest.mark.parametrize("prefix", ["module.", "model.", "backbone."])
def test_a_name_that_both_sides_begin_with_is_no_wrapper_s(prefix):
    found = names([f"{prefix}a.3.1.weight"], [f"{prefix}a.3.weight"])
    assert "wrapper" not in found.changed and "removeprefix" not in everything(found)
    wrapped = names(["a.weight", "b.new"], [f"{prefix}a.weight", f"{prefix}b.old"])
    assert "a wrapper was saved with the model" in wrapped.changed
    doubled = names([f"{prefix}a.weight"], [f"{prefix}{prefix}a.weight"])
    assert "a wrapper was saved with the model" in doubled.changed


def test_a_part_of_torch_s_names_is_not_taken_for_a_wrapper_of_other_names():
    assert "wrapper was saved" not in names(["a.weight"], ["encoder.b.weight"]).changed
    assert "wrapper was saved" in names(["a.weight"], ["module.b.weight"]).changed
