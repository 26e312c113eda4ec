"""What many objects of a file share is read once, or counted for each."""

import sys
from collections.abc import Callable

import pytest

from missing_aa import inspect, scan
from missing_aa.errors import LimitReached, Malformed
from missing_aa.limits import Limits
from rescue_files import mapping, module, name, tensor, text, torch_zip, value

MANY = 300
EACH = 350
"""Calls that one object may cost; reading all of what they share for each takes MANY of them."""
NONES = b"}(" + b"".join(value(number) + b"N" for number in range(MANY)) + b"u"
MODULE = name("torch.nn.modules.linear", "Identity")


def keep(place: int, steps: bytes) -> bytes:
    return steps + b"q" + bytes([place]) + b"0"


def get(place: int) -> bytes:
    return b"h" + bytes([place])


def many(steps: bytes, first: bytes = b"") -> bytes:
    return b"](" + first + steps * MANY + b"e"


def hooks() -> bytes:
    storage = b"(" + value("storage") + name("torch", "FloatStorage") + value("0") + value("cpu")
    shared = name("collections", "OrderedDict") + b"(" + NONES + b"tR"
    given = b"(" + storage + value(16) + b"tQ" + value(0) + value((4,)) + value((1,)) + b"\x89"
    made = keep(0, name("torch._utils", "_rebuild_tensor_v2")) + keep(1, given + shared + b"t")
    return made + many(get(0) + get(1) + b"R")


def parameters() -> bytes:
    held = mapping({"_parameters": NONES, "_buffers": b"}", "_modules": b"}"})
    return keep(0, MODULE) + keep(1, held) + many(get(0) + b")\x81" + get(1) + b"b")


def children() -> bytes:
    """Modules that share a child of many children without tensors, before one that has some."""
    inner = {str(number): module({}) for number in range(MANY)}
    shared = keep(0, module({}, inner)) + keep(1, module({"w": tensor()}))
    return shared + many(module({}, {"a": get(1), "b": get(0)}))


def names() -> bytes:
    texts = name("builtins", "set") + b"(" + many(get(0)) + b"tR"
    held = mapping({"_parameters": b"}", "_buffers": b"}", "_modules": b"}"})
    held += value("_non_persistent_buffers_set") + texts + b"s"
    shared = keep(0, value("a")) + keep(1, held) + keep(2, MODULE)
    inner = {str(number): get(2) + b")\x81" + get(1) + b"b" for number in range(MANY)}
    return shared + module({"w": tensor()}, inner)


def groups() -> bytes:
    """Objects that look like optimizers, with the same groups."""
    group = keep(0, b"}(" + NONES[2:-1] + value("params") + b"]u")
    return group + keep(1, many(get(0))) + many(mapping({"state": b"}", "param_groups": get(1)}))


SHARED = {each.__name__: each for each in (hooks, parameters, children, names, groups)}


def calls(run: Callable[[], object]) -> int:
    """How many calls it makes; each step of a generator is one."""
    made = 0

    def count(_, event, __):
        nonlocal made
        made += event == "call"

    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(None)
    return made


@pytest.mark.parametrize("what", SHARED)
def test_what_many_share_is_not_read_for_each(tmp_path, what):
    path = torch_zip(tmp_path / "model.pt", SHARED[what]())
    look = scan if what == "children" else inspect
    assert calls(lambda: look([path] if look is scan else path)) < EACH * MANY


def test_modules_that_many_models_share_are_counted_for_each(tmp_path):
    path = torch_zip(tmp_path / "model.pt", children())
    with pytest.raises(LimitReached, match="--max-objects"):
        inspect(path, Limits(objects=50 * MANY))
    assert len(inspect(path, Limits(objects=400 * MANY)).models) == MANY


def test_arguments_that_are_a_tree_of_shared_ones_are_made_once(tmp_path):
    tree = keep(0, value((1,) * 10))
    for level in range(1, 5):
        tree += keep(level, b"(" + get(level - 1) * 10 + b"t")
    made = name("torch._utils", "_rebuild_tensor_v2") + b"("
    made += tensor()[len(name("torch._utils", "_rebuild_tensor_v2")) + 1 :].split(b"Q")[0] + b"Q"
    program = tree + made + value(0) + get(4) + value(()) + b"\x89" + value(None) + b"tR"
    path = torch_zip(tmp_path / "model.pt", program)

    def run():
        with pytest.raises(Malformed):
            inspect(path)

    assert calls(run) < 5_000


def test_the_ways_to_all_models_are_bounded_together(tmp_path):
    small = b"}" + get(0) + get(1) + b"s"
    shared = keep(0, value("w")) + keep(1, tensor())
    for letters, verdict in ((100, "fine"), (9_900, "limit")):
        program = shared + mapping({"a" * letters: b"](" + small * 600 + b"e"})
        path = torch_zip(tmp_path / "model.pt", program)
        assert [found.verdict for found in scan([path]).checkpoints] == [verdict]


@pytest.mark.parametrize("letter, fits", [("a", True), ("\N{GRINNING FACE}", False)])
def test_names_are_counted_as_a_header_spells_them(tmp_path, letter, fits):
    held = {str(number): get(0) for number in range(600)}
    inner = module({}, {}, _parameters=mapping(held))
    child = text((letter * 5_000).encode())
    top = module({}, {}, _modules=b"}" + child + inner + b"s")
    path = torch_zip(tmp_path / "model.pt", keep(0, tensor()) + top)
    (found,) = inspect(path).models
    assert found.tensors == (600 if fits else None)
    assert fits or "longer than a safetensors header" in found.notes[0]


def test_a_model_that_a_state_dict_carries_as_an_attribute_is_found(tmp_path):
    state_dict = name("collections", "OrderedDict") + b")R"
    inside = mapping({"model": module({"w": tensor()})}) + b"b"
    for filled, models in ((value("w") + tensor() + b"s", ["", "model"]), (b"", ["model"])):
        path = torch_zip(tmp_path / "model.pt", state_dict + filled + inside)
        assert [model.name for model in inspect(path).models] == models
        assert [found.verdict for found in scan([path]).checkpoints] == ["finding"]


def test_versions_that_a_state_dict_carries_are_nothing_beside_it(tmp_path):
    versions = name("collections", "OrderedDict") + b")R"
    versions += value("") + value({"version": 1}) + b"s"
    state_dict = name("collections", "OrderedDict") + b")R" + value("w") + tensor() + b"s"
    program = state_dict + mapping({"_metadata": versions}) + b"b"
    path = torch_zip(tmp_path / "model.pt", program)
    assert [(model.name, model.notes) for model in inspect(path).models] == [("", [])]
