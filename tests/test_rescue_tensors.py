"""Which tensors are taken, and which are refused by name; what counts as a model in a file."""

import pickle
from collections import OrderedDict
from types import SimpleNamespace

import numpy
import pytest
import torch
from torch import fx, nn

from missing_aa import inspect, rescue
from missing_aa.errors import Malformed, Refused
from rescue_files import PROTO, call, mapping, module, name, tensor, torch_zip, value


@pytest.fixture
def saved(tmp_path):
    def save(thing, **options):
        torch.save(thing, tmp_path / "model.pt", **options)
        return tmp_path / "model.pt"

    return save


@pytest.fixture
def made(tmp_path):
    return lambda program: torch_zip(tmp_path / "model.pt", program, {"0": bytes(range(64))})


WHOLE = torch.frombuffer(bytearray(range(64)), dtype=torch.float32).view(4, 4)


def bits(given) -> bytes:
    return given.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


# Shapes.

SHAPES = {
    "tuples": {"shape": value((4, 4)), "strides": value((4, 1))},
    "lists": {"shape": value([4, 4]), "strides": value([4, 1])},
    "torch.Size": {"shape": call("torch", "Size", [4, 4]), "strides": value((4, 1))},
    "torch.Size of a tuple": {"shape": call("torch", "Size", (4, 4)), "strides": value((4, 1))},
}


def rebuilt(shape: bytes, strides: bytes) -> bytes:
    storage = b"(" + value("storage") + name("torch", "FloatStorage") + value("0") + value("cpu")
    storage += value(16) + b"tQ"
    rest = value(0) + shape + strides + b"\x89" + name("collections", "OrderedDict") + b")R"
    return name("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + rest + b"tR"


@pytest.mark.parametrize("form", SHAPES)
def test_a_shape_is_read_as_torch_reads_it(made, session, form):
    path = made(mapping({"w": rebuilt(**SHAPES[form])}))
    wanted = torch.load(path, weights_only=False)["w"]
    found = rescue(path, session=session).state_dict["w"]
    assert found.shape == wanted.shape == (4, 4)
    assert bits(found) == bits(wanted) == bits(WHOLE)
    assert inspect(path).models[0].elements == 16


def test_a_list_that_grows_after_the_call_is_not_followed(made, session):
    """torch makes the tensor of what the list holds when it is called."""
    shape = b"](K\x04K\x04eq\x05"
    grown = rebuilt(shape, value([4, 1])) + b"h\x05K\x01a0"
    path = made(b"}" + value("w") + grown + b"s")
    assert torch.load(path, weights_only=False)["w"].shape == (4, 4)
    with pytest.raises(Malformed):
        rescue(path, session=session)
    pairs = b"](" + value("w") + tensor() + b"\x86eq\x05"
    ordered = name("collections", "OrderedDict") + b"h\x05\x85R"
    path = made(pairs + ordered + b"h\x05" + value("v") + tensor() + b"\x86a0")
    with pytest.raises(Malformed):
        rescue(path, session=session)


# Taken.


class Tagged(torch.Tensor):
    pass


def with_state():
    given = nn.Parameter(torch.arange(4.0))
    given.note = "an attribute"
    return given


def tagged():
    given = torch.arange(4.0).as_subclass(Tagged)
    given.note = "an attribute"
    return given


TAKEN = {
    "_rebuild_parameter": lambda: nn.Parameter(torch.arange(4.0)),
    "_rebuild_parameter_with_state": with_state,
    "_rebuild_from_type_v2": tagged,
    "_rebuild_tensor_v3": lambda: torch.tensor([1, 65535], dtype=torch.uint16),
    "_reconstruct": lambda: numpy.arange(4, dtype="f4").reshape(2, 2).T,
}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("by", TAKEN)
def test_what_is_taken(saved, session, by, legacy):
    given = TAKEN[by]()
    path = saved({"w": given}, _use_new_zipfile_serialization=not legacy)
    asked = {found.name.rpartition(".")[2] for found in inspect(path).names}
    assert by in asked
    plain = torch.as_tensor(given).detach()
    assert bits(rescue(path, session=session).state_dict["w"]) == bits(plain)


def test_a_view_of_a_legacy_storage_is_taken(tmp_path, session):
    storage = b"(" + value("storage") + name("torch", "FloatStorage") + value("1") + value("cpu")
    storage += value(8) + value(("2", 3, 2)) + b"tQ"
    made = name("torch._utils", "_rebuild_tensor") + b"(" + storage
    made += value(0) + value((2,)) + value((1,)) + b"tR"
    head = [pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {})]
    data = numpy.arange(8, dtype="f4").tobytes()
    path = tmp_path / "model.pt"
    path.write_bytes(
        b"".join(head)
        + (PROTO + mapping({"w": made}) + b".")
        + pickle.dumps(["1"], 2)
        + (8).to_bytes(8, "little")
        + data
    )
    assert rescue(path, session=session).state_dict["w"].tolist() == [3, 4]


# Refused, by the tensor's name.


def nested():
    return torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])


def called(function: str, *args) -> bytes:
    return call("torch._utils", function, *args)


def marked(flag: str) -> bytes:
    given = tensor()
    return given[:-2] + value({flag: True}) + b"tR"


REFUSED_OBJECTS = {
    "sparse": lambda: torch.ones(3).to_sparse(),
    "sparse rows": lambda: torch.ones(3, 3).to_sparse_csr(),
    "quantised": lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
    "nested": nested,
    "meta": lambda: torch.ones(3, device="meta"),
    "conjugation": lambda: torch.ones(3, dtype=torch.complex64).conj(),
    "negation": lambda: torch.ones(3, dtype=torch.complex64).conj().imag,
    "big-endian": lambda: numpy.arange(3, dtype=">f4"),
    "objects": lambda: numpy.array([{}, "x"], dtype=object),
    "not yet initialised": nn.UninitializedParameter,
}
REFUSED_CALLS = {
    "wrapper": called("_rebuild_wrapper_subclass", *range(10)),
    "numpy": called("_rebuild_device_tensor_from_numpy", *range(4)),
    "not known here": called("_rebuild_tomorrow", 1),
    "over a storage": tensor().replace(b"ctorch\nFloatStorage\n", b"ctorch.new\nFloatStorage\n"),
    "pending conj": marked("conj"),
    "pending negation": marked("neg"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", REFUSED_OBJECTS)
def test_what_cannot_be_taken_is_refused_by_its_name(saved, session, kind):
    odd = REFUSED_OBJECTS[kind]()
    with pytest.raises(Malformed, match=f"'odd' is no plain tensor.*{kind[:4]}"):
        rescue(saved({"w": torch.ones(2), "odd": odd}), session=session)


@pytest.mark.parametrize("kind", REFUSED_CALLS)
def test_so_is_what_no_writer_is_at_hand_for(made, session, kind):
    found = mapping({"w": tensor(), "odd": REFUSED_CALLS[kind]})
    with pytest.raises(Malformed, match="'odd' is no plain tensor"):
        rescue(made(found), session=session)
    holder = module({"w": tensor()}, {"child": module({"odd": REFUSED_CALLS[kind]})})
    with pytest.raises(Malformed, match="'child.odd' is no plain tensor"):
        rescue(made(holder), session=session)


def test_a_tensor_that_is_changed_after_it_was_made_is_refused(made, session):
    for change in (mapping({}) + b"b", value(0) + value(1) + b"s"):
        with pytest.raises(Refused, match="_rebuild_tensor_v2 .*is then changed"):
            rescue(made(mapping({"w": tensor() + change})), session=session)


def test_a_tensor_that_nothing_holds_any_more_is_looked_at_too(made, session):
    beyond = tensor((5, 4), (4, 1)) + b"0"
    with pytest.raises(Malformed, match="past the end"):
        rescue(made(beyond + mapping({"w": tensor()})), session=session)


def test_a_child_of_an_unknown_kind_that_holds_a_tensor_is_refused_by_its_name(made, session):
    odd = name("a", "Odd") + b")\x81" + mapping({"kept": tensor()}) + b"b"
    with pytest.raises(Malformed, match="'child' \\(a.Odd\\)"):
        rescue(made(module({"w": tensor()}, {"child": odd})), session=session)


# Structure.


def test_a_flat_dictionary_gives_its_tensors_and_a_note(saved, session):
    net = nn.Linear(2, 2)
    held = {**net.state_dict(), "epoch": 3, "config": {"lr": [0.1]}, "name": "x", "when": None}
    path = saved(held)
    found = rescue(path, session=session)
    assert list(found.state_dict) == ["weight", "bias"]
    assert found.report.notes == ["'epoch', 'config', 'name' and 1 more: no tensor, left out"]
    assert inspect(path).kind == "state_dict"


def test_an_optimizer_is_known_by_its_shape_and_not_by_its_name(saved, session):
    net = nn.Linear(2, 2)
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    path = saved({"anything": [optimizer.state_dict()], "optimal": net.state_dict()})
    assert rescue(path, session=session).report.root == "optimal"
    whole = rescue(saved({"anything": optimizer, "optimal": net}), session=session)
    assert whole.report.root == "optimal"


def test_tensors_beside_a_model_are_left_out_and_named(saved, session):
    held = {"best": torch.ones(()), "model": nn.Linear(1, 1)}
    notes = rescue(saved(held), session=session).report.notes
    assert notes == ["'best': tensors beside the model, left out"]


WEIGHTS = {"w": torch.ones(2), "b": torch.ones(1)}
OTHER_PLACES = {
    "a list": ({"model": WEIGHTS, "more": [torch.ones(3), torch.ones(3)]}, ["more.0", "more.1"]),
    "a tuple": ((WEIGHTS, torch.ones(3)), ["1"]),
    "under a number": ({"model": WEIGHTS, 1: torch.ones(3)}, ["1"]),
    "an attribute": (SimpleNamespace(model=WEIGHTS, more=torch.ones(3)), ["more"]),
    "arrays of numpy's": ({"model": WEIGHTS, "ema": {"w": numpy.ones(2)}}, ["ema.w"]),
    "a loss function": ({"model": WEIGHTS, "loss": nn.CrossEntropyLoss()}, []),
}


@pytest.mark.parametrize("place", OTHER_PLACES)
def test_tensors_anywhere_beside_a_model_are_named(saved, session, place):
    held, names = OTHER_PLACES[place]
    report = rescue(saved(held), session=session).report
    named = ", ".join(map(ascii, names))
    assert report.notes == [f"{named}: tensors beside the model, left out"] * bool(names)


def test_of_many_tensors_beside_a_model_some_are_named_and_all_are_counted(saved, session):
    held = {"model": WEIGHTS, "more": [torch.ones(3) for _ in range(1_500)]}
    (note,) = rescue(saved(held), session=session).report.notes
    assert note == "'more.0', 'more.1', 'more.2' and 1,497 more: tensors beside the model, left out"


def test_a_tensor_that_a_state_dict_carries_as_an_attribute_is_named(saved, session):
    held = OrderedDict(w=torch.ones(2))
    held.more = torch.ones(3)
    found = rescue(saved(held), session=session)
    assert list(found.state_dict) == ["w"]
    assert found.report.notes == ["'more': tensors beside the model, left out"]


def test_arrays_beside_a_model_of_torch_are_no_second_one(saved, session):
    held = {"model": nn.Linear(1, 1).state_dict(), "history": {"loss": numpy.ones(3)}}
    assert rescue(saved(held), session=session).report.root == "model"


def test_a_graph_module_is_one_model(saved, session):
    net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.BatchNorm1d(2)))
    path = saved({"model": fx.symbolic_trace(net)})
    found = rescue(path, session=session, even_if_dangerous=True)
    assert list(found.state_dict) == list(net.state_dict())
    assert [model.name for model in inspect(path).models] == ["model"]


def test_a_packed_layer_among_others_is_refused_by_its_name(saved, session):
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(4, 4))
    packed = torch.ao.quantization.quantize_dynamic(net, {nn.Linear}, dtype=torch.qint8)
    with pytest.raises(Malformed, match="'1._packed_params._packed_params' holds weights"):
        rescue(saved(packed), session=session)


def test_inspect_counts_nothing_where_it_cannot(saved):
    (model,) = inspect(saved({"w": torch.ones(2).to_sparse()})).models
    assert (model.tensors, model.bytes) == (None, None)
    assert "cannot be counted" in model.notes[0]


class Outer:
    class Inner(nn.Linear):
        pass


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_class_nested_in_another_is_named_by_its_path(saved, session, protocol, legacy):
    path = saved(
        Outer.Inner(1, 1), pickle_protocol=protocol, _use_new_zipfile_serialization=not legacy
    )
    report = rescue(path, session=session, even_if_dangerous=True).report
    assert report.model_class == f"{__name__}.Outer.Inner"


# Danger.


def test_a_dangerous_file_is_refused_with_the_place_and_can_be_rescued_all_the_same(made, session):
    held = module({"w": tensor()}, {"head": module({"v": tensor()}, run=call("os", "system", "x"))})
    path = made(mapping({"model": held}))
    with pytest.raises(Refused, match="os.system .starts programs, at model.head.run in a.B"):
        rescue(path, session=session)
    found = rescue(path, session=session, even_if_dangerous=True)
    assert list(found.state_dict) == ["w", "head.v"]
    assert found.report.dangers == ["os.system (starts programs, at model.head.run in a.B)"]
