"""Each check turns down the stub and plausible wrong answers, with a hint that fits."""

import pickletools

import pytest

from helpers.checks import rescue as check


def names_by(join=".".join, keep=set, opcode="GLOBAL"):
    """An answer to the first exercise, right unless told otherwise."""

    def answer(data):
        asked = [arg for code, arg, _ in pickletools.genops(data) if code.name == opcode]
        return keep(join(arg.split(" ")) for arg in asked)

    return answer


def any_string(data):
    """Every string that is in it, and the names."""
    return {arg.replace(" ", ".") for _, arg, _ in pickletools.genops(data) if type(arg) is str}


def tensors(part, saved=True, none=False):
    """Names and tensors of one stand-in, its parameters first."""
    for place in ("_parameters", "_buffers"):
        for name, tensor in part.state[place].items():
            skipped = saved and name in part.state["_non_persistent_buffers_set"]
            if (tensor is not None or none) and not skipped:
                yield name, tensor


def children(part):
    return [(name, child) for name, child in part.state["_modules"].items() if child]


def weights_right(part, prefix=""):
    found = {prefix + name: tensor for name, tensor in tensors(part)}
    for name, child in children(part):
        found |= weights_right(child, f"{prefix}{name}.")
    return found


def weights_with_all_buffers(part, prefix=""):
    found = {prefix + name: tensor for name, tensor in tensors(part, saved=False)}
    for name, child in children(part):
        found |= weights_with_all_buffers(child, f"{prefix}{name}.")
    return found


def weights_with_none(part, prefix=""):
    found = {prefix + name: tensor for name, tensor in tensors(part, none=True)}
    for name, child in children(part):
        found |= weights_with_none(child, f"{prefix}{name}.")
    return found


def weights_without_prefix(part):
    found = dict(tensors(part))
    for _, child in children(part):
        found |= weights_without_prefix(child)
    return found


def weights_without_dots(part, prefix=""):
    found = {prefix + name: tensor for name, tensor in tensors(part)}
    for name, child in children(part):
        found |= weights_without_dots(child, prefix + name)
    return found


def weights_children_first(part, prefix=""):
    found = {}
    for name, child in children(part):
        found |= weights_children_first(child, f"{prefix}{name}.")
    return found | {prefix + name: tensor for name, tensor in tensors(part)}


def weights_buffers_first(part, prefix=""):
    own = sorted(tensors(part), key=lambda named: named[0] in part.state["_parameters"])
    found = {prefix + name: tensor for name, tensor in own}
    for name, child in children(part):
        found |= weights_buffers_first(child, f"{prefix}{name}.")
    return found


def weights_one_level(part):
    found = dict(tensors(part))
    for name, child in children(part):
        found |= {f"{name}.{inner}": tensor for inner, tensor in tensors(child)}
    return found


def weights_parameters(part, prefix=""):
    own = part.state["_parameters"].items()
    found = {prefix + name: tensor for name, tensor in own if tensor is not None}
    for name, child in children(part):
        found |= weights_parameters(child, f"{prefix}{name}.")
    return found


def weights_all_the_same(part):
    found = weights_right(part)
    return dict.fromkeys(found, next(iter(found.values())))


RIGHT = [(check.names, names_by()), (check.weights, weights_right)]

WRONG = [
    (check.names, names_by(opcode="STACK_GLOBAL"), "it found nothing"),
    (check.names, names_by(join=" ".join), "join them with a dot"),
    (check.names, names_by(join=lambda two: ".".join(two[::-1])), "swapped"),
    (check.names, names_by(join=lambda two: two[0]), "it gave"),
    (check.names, names_by(keep=lambda found: {next(found)}), "it gave"),
    (check.names, names_by(keep=list), "a set is asked"),
    (check.names, any_string, "only text"),
    (check.weights, weights_with_all_buffers, "`grid`"),
    (check.weights, weights_with_none, "None"),
    (check.weights, weights_without_prefix, "what stands before a name"),
    (check.weights, weights_without_dots, "what between"),
    (check.weights, weights_children_first, "another order"),
    (check.weights, weights_buffers_first, "another order"),
    (check.weights, lambda part: dict(tensors(part)), "a module inside"),
    (check.weights, weights_one_level, "its children too"),
    (check.weights, weights_parameters, "both saved"),
    (check.weights, weights_all_the_same, "not the tensor of that name"),
    (check.weights, lambda part: list(weights_right(part)), "a dictionary is asked"),
    (check.weights, lambda part: part.state, "what stands before a name"),
]


@pytest.mark.parametrize("judge, answer", RIGHT)
def test_a_right_answer_is_solved(judge, answer):
    verdict = judge(answer)
    assert verdict.solved, verdict


@pytest.mark.parametrize("judge, answer, hint", WRONG)
def test_a_wrong_answer_gets_a_hint_that_fits(judge, answer, hint):
    verdict = judge(answer)
    assert verdict.status == "wrong"
    assert hint in verdict.hint


@pytest.mark.parametrize("judge", [check.names, check.weights])
def test_a_stub_is_not_yet_solved(judge):
    assert judge(lambda *args: None).status == "open"
    assert judge(...).status == "open"


def test_an_answer_that_raises_is_told_so():
    assert "your code raised KeyError" in check.weights(lambda part: part.state["weight"]).hint
