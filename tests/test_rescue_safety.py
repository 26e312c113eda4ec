import sys
import zipfile

import pytest
import torch

from missing_aa import Session, children, rescue, rescue_to
from missing_aa.errors import CheckpointError, LimitReached, Malformed, Refused
from missing_aa.limits import Limits
from rescue_files import PROTO, call, mapping, module, name, tensor, text, torch_zip, value

SOUND = mapping({"w": tensor()})


@pytest.fixture
def made(tmp_path):
    return lambda program, storages=None: torch_zip(tmp_path / "model.pt", program, storages)


def test_the_files_put_together_here_are_sound(made, session):
    found = rescue(made(SOUND, {"0": bytes(range(64))}), session=session).state_dict
    assert found["w"].equal(torch.load(made(SOUND, {"0": bytes(range(64))}))["w"])


MARK = "touched"
HOSTILE = {
    "os.system": call("os", "system", f"touch {MARK}"),
    "posix.system": call("posix", "system", f"touch {MARK}"),
    "subprocess.Popen": call("subprocess", "Popen", ["touch", MARK]),
    "builtins.eval": call("builtins", "eval", f"open('{MARK}', 'w')"),
    "__builtin__.eval": call("__builtin__", "eval", f"open('{MARK}', 'w')"),
    "torch.hub.load": call("torch.hub", "load", "owner/repository", "model"),
}


@pytest.mark.parametrize("wanted", HOSTILE)
def test_a_name_that_does_harm_is_refused_before_anything_is_built(
    made, session, wanted, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    path = made(mapping({"w": tensor(), "x": HOSTILE[wanted]}))
    modern = wanted.replace("__builtin__", "builtins")
    with pytest.raises(Refused, match=f"{modern} \\(.*none of it was built"):
        rescue(path, session=session)
    assert not (tmp_path / MARK).exists()


def test_the_harm_is_real_where_the_file_is_trusted(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.load(made(mapping({"x": HOSTILE["os.system"]})), weights_only=False)
    assert (tmp_path / MARK).exists()


def test_a_name_that_nobody_knows_is_harmless_too(made, session, tmp_path, monkeypatch):
    """No list is complete: what keeps a rescue safe is that no name is ever looked up."""
    (tmp_path / "evil.py").write_text(f"open('{MARK}', 'w')\ndef run(*args): open('{MARK}', 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    path = made(module({"w": tensor()}, extra=call("evil", "run", 1)))
    assert list(rescue(path).state_dict) == ["w"]
    assert not (tmp_path / MARK).exists()


@pytest.mark.parametrize("key", ["__setstate__", "__class__", "_modules", "state", "items"])
def test_what_a_file_sets_cannot_shadow_anything(made, session, key):
    harmless = {} if key == "_modules" else {key: value({"anything": 1})}
    path = made(module({"w": tensor()}, kind=("timm.optim.lars", "Lars"), **harmless))
    assert list(rescue(path, session=session).state_dict) == ["w"]


def test_an_ordered_dict_whose_methods_the_file_shadows_is_refused(made, session):
    shadowed = name("collections", "OrderedDict") + b")R"
    shadowed += value("w") + tensor() + b"s" + value({"items": 1, "keys": 2}) + b"b"
    with pytest.raises(Malformed, match="methods of its own"):
        rescue(made(shadowed), session=session)


GREEDY = {
    "bytearray": call("builtins", "bytearray", 10**11),
    "FloatTensor": call("torch", "FloatTensor", 10**11),
    "Tensor": call("torch", "Tensor", 10**11),
    "meta": call("torch._utils", "_rebuild_meta_tensor_no_storage", (10**11,), (1,), 1, False),
    "list": call("builtins", "list", 10**11),
}


@pytest.mark.parametrize("wanted", GREEDY)
def test_a_call_that_would_allocate_is_not_made(made, session, wanted):
    path = made(module({"w": tensor()}, extra=GREEDY[wanted]))
    assert list(rescue(path, session=session).state_dict) == ["w"]


def test_a_tiny_file_cannot_ask_for_40_gb(made, session, tmp_path):
    path = made(mapping({"w": tensor((10**10,), (0,))}))
    assert path.stat().st_size < 1500
    with pytest.raises(LimitReached, match="40,000,000,000.*--max-bytes"):
        rescue(path, session=session)
    with pytest.raises(LimitReached):
        rescue_to(path, tmp_path / "out.safetensors", session=session)
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.pt"]
    small = made(mapping({"w": tensor((10,), (0,))}))
    with pytest.raises(LimitReached):
        rescue(small, limits=Limits(tensor_bytes=39), session=session)
    assert rescue(small, limits=Limits(tensor_bytes=40), session=session).report.nbytes == 40


def nested(depth: int, times: int = 1) -> bytes:
    """Modules inside modules, each of them held `times` times by the one around it."""
    inner = module({"w": tensor()})
    for level in range(depth):
        held = {"0": inner + b"r" + level.to_bytes(4, "little")}
        again = b"j" + level.to_bytes(4, "little")
        inner = module({}, held | {str(number): again for number in range(1, times)})
    return inner


@pytest.mark.parametrize(
    "program, limits, switch",
    [
        (SOUND, Limits(pickle_bytes=100), "--max-pickle"),
        (SOUND, Limits(opcodes=5), "--max-opcodes"),
        (nested(30), Limits(depth=20), "--max-depth"),
        (nested(30, times=2), Limits(objects=5000), "--max-objects"),
        (nested(40, times=2), Limits(seconds=0.3), "--max-seconds"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_limit_holds_and_names_the_switch_that_raises_it(made, session, program, limits, switch):
    with pytest.raises(LimitReached, match=switch):
        rescue(made(program), limits=limits, session=session)


NOT_SOUND = {
    "past the end": mapping({"w": tensor((5, 4), (4, 1))}),
    "offset past the end": mapping({"w": tensor((1,), (1,), offset=16)}),
    "negative length": mapping({"w": tensor((-1,), (1,))}),
    "negative offset": mapping({"w": tensor((1,), (1,), offset=-1)}),
    "negative stride": mapping({"w": tensor((2,), (-1,))}),
    "lengths that readers cannot count": mapping({"w": tensor((2**62, 2**62, 0), (0, 0, 0))}),
    "huge length": mapping({"w": tensor((2**70,), (0,))}),
    "no integer": mapping({"w": tensor((1.5,), (1,))}),
    "more strides than lengths": mapping({"w": tensor((1,), (1, 1))}),
    "no such storage": mapping({"w": tensor(key="7")}),
    "a storage elsewhere": mapping({"w": tensor(key="../data.pkl")}),
    "storage too short": mapping({"w": tensor(count=17)}),
    "negative count": mapping({"w": tensor((0,), (1,), count=-1)}),
    "a child that is none": module({"w": tensor()}, {"child": value(5)}),
    "a parameter that is none": module({"w": value(5)}),
    "the stack is empty": b"00",
    "no such memo": b"h\x05",
    "no opcode": b"\xff",
    "a tuple that cannot be hashed": b"}" + value([1]) + value(1) + b"s",
    "a dictionary that cannot be made": call("collections", "OrderedDict", 5),
}


@pytest.mark.parametrize("fault", NOT_SOUND)
def test_a_damaged_file_is_malformed(made, session, fault):
    with pytest.raises(Malformed):
        rescue(made(NOT_SOUND[fault]), session=session)


DOUBTFUL = {
    "two tensors of one name": module({"a.b": tensor()}, {"a": module({"b": tensor()})}),
    "a key that is no string": mapping({1: tensor()}),
    "a parameter's name that is no string": module({1: tensor()}),
    "a module's name that is no string": module({"w": tensor()}, {1: module({"w": tensor()})}),
    "__metadata__": mapping({"__metadata__": tensor()}),
    "half a character": b"}" + text(b"\xed\xb2\x80") + tensor() + b"s",
}


@pytest.mark.parametrize("fault", DOUBTFUL)
def test_names_that_no_file_should_have_are_refused(made, session, fault, tmp_path):
    with pytest.raises(Refused):
        rescue_to(made(DOUBTFUL[fault]), tmp_path / "out.safetensors", session=session)
    assert not (tmp_path / "out.safetensors").exists()


TWICE = {
    "a tensor": b"}(" + (value("w") + tensor()) * 2 + b"u",
    "a tensor of an OrderedDict": name("collections", "OrderedDict")
    + b")R("
    + (value("w") + tensor()) * 2
    + b"u",
    "a model": b"}(" + (value("m") + module({"w": tensor()})) * 2 + b"u",
    "what a module consists of": name("a", "B")
    + b")\x81}("
    + (value("_parameters") + mapping({"w": tensor()})) * 2
    + value("_modules")
    + b"}ub",
}


@pytest.mark.parametrize("what", TWICE)
def test_a_key_that_stands_twice_is_refused(made, session, what):
    with pytest.raises(Refused, match="twice"):
        rescue(made(TWICE[what]), session=session)


def test_two_models_of_one_name_are_told_apart_by_no_name(made, session):
    both = {"a.b": module({"w": tensor()}), "a": mapping({"b": module({"v": tensor()})})}
    with pytest.raises(Refused, match="go by the name 'a.b'"):
        rescue(made(mapping(both)), root="a.b", session=session)


def wide(dtype: str, shape: tuple, count: int) -> bytes:
    """A tensor whose type is wider than its storage of bytes says."""
    storage = b"(" + value("storage") + name("torch", "ByteStorage") + value("0") + value("cpu")
    storage += value(count) + b"tQ"
    rest = value(0) + value(shape) + value((1,)) + b"\x89" + value(None) + name("torch", dtype)
    return name("torch._utils", "_rebuild_tensor_v3") + b"(" + storage + rest + b"tR"


def test_a_type_wider_than_its_storage_is_held_within_it(made, session):
    path = made(mapping({"none": wide("float64", (0,), 1)}), {"0": b"\0"})
    assert rescue(path, session=session).state_dict["none"].numel() == 0
    path = made(mapping({"one": wide("float64", (1,), 11)}), {"0": bytes(11)})
    assert rescue(path, session=session).state_dict["one"].tolist() == [0]
    with pytest.raises(Malformed, match="past the end"):
        rescue(made(mapping({"w": wide("float64", (1,), 7)}), {"0": bytes(7)}), session=session)


def test_a_type_that_safetensors_has_not_is_no_danger(made, session):
    path = made(mapping({"w": wide("complex128", (1,), 16)}), {"0": bytes(16)})
    with pytest.raises(CheckpointError, match="no type for 'w'") as caught:
        rescue(path, session=session)
    assert caught.value.exit_code == 1


def test_a_module_that_holds_itself_is_a_limit(made, session):
    itself = name("a", "B") + b")\x81q\x00"
    held = {"_parameters": mapping({"w": tensor()}), "_modules": mapping({"me": b"h\x00"})}
    held["_buffers"] = b"}"
    with pytest.raises(LimitReached, match="--max-depth"):
        rescue(made(itself + mapping(held) + b"b"), session=session)


def test_a_doubled_member_is_refused(made, session):
    path = made(SOUND)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("archive/data.pkl", PROTO + mapping({"x": tensor()}) + b".")
    with pytest.raises(Refused, match="data.pkl"):
        rescue(path, session=session)


@pytest.mark.parametrize("program", [b"})" + b"\x85" * 300_000 + value(1) + b"s", b"]" * 10**6])
def test_values_nested_beyond_all_measure_are_a_limit_or_damage(made, session, program):
    with pytest.raises((LimitReached, Malformed)):
        rescue(made(program), session=session)


@pytest.mark.parametrize("forks", [False, True])
def test_a_child_that_broke_down_is_replaced(made, forks, monkeypatch):
    if forks and sys.platform != "linux":
        pytest.skip("only Linux forks")
    monkeypatch.setattr(children, "_can_fork", lambda: forks)
    talk, asked = children._talk, []

    def killed_once(process, *given):
        if not asked:
            asked.append(process)
            process.kill()
        return talk(process, *given)

    monkeypatch.setattr(children, "_talk", killed_once)
    with Session() as session:
        with pytest.raises(Malformed, match="this one is untouched"):
            rescue(made(SOUND), session=session)
        assert rescue(made(SOUND), session=session).report.tensors == 1


EXAMPLES = {
    "protocol": lambda path: torch.save({"w": torch.ones(3)}, path, pickle_protocol=5),
    "legacy": lambda path: torch.save(
        {"w": torch.ones(3)}, path, pickle_protocol=4, _use_new_zipfile_serialization=False
    ),
}


@pytest.mark.parametrize("how", EXAMPLES)
def test_a_later_protocol_is_no_obstacle(session, tmp_path, how):
    EXAMPLES[how](tmp_path / "model.pt")
    assert rescue(tmp_path / "model.pt", session=session).state_dict["w"].equal(torch.ones(3))


def test_nothing_beside_the_file_is_imported(made, session, tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    assert rescue(made(SOUND)).report.tensors == 1


def test_every_error_is_one_of_the_family(made, session):
    for program in (*HOSTILE.values(), *DOUBTFUL.values()):
        with pytest.raises(CheckpointError) as caught:
            rescue(made(program), session=session)
        assert "\n" not in str(caught.value)
