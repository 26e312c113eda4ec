"""Files that run code when they are loaded are not called fine, in whatever form they come.

Loading one makes an empty file `PWNED` and does nothing else; nothing here loads one.
"""

import pickle
from collections import OrderedDict, deque
from pathlib import Path

import joblib
import numpy
import pytest
import torch

import hostile_files
import hostile_unlisted
from missing_aa.cli import main
from missing_aa.containers.formats import by_head
from missing_aa.pickles.follow import follow_pickle
from missing_aa.pickles.policy import VERDICTS, judge_all

FILES = sorted((Path(__file__).parent / "data" / "attacks").iterdir())


def codes(path, tmp_path):
    """What scan, inspect and rescue end with."""
    target = tmp_path / "out.safetensors"
    found = [main(["scan", str(path)]), main(["inspect", str(path)])]
    found.append(main(["rescue", str(path), str(target)]))
    assert not target.exists() and not Path("PWNED").exists()
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_that_runs_code_is_dangerous_or_no_file_at_all(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    scan, inspect, rescue = codes(path, tmp_path)
    assert scan in (3, 4) and inspect in (3, 4) and rescue in (3, 4)
    assert scan == inspect, "one verdict"


@pytest.fixture(scope="session")
def hostile(tmp_path_factory):
    """The folder of the files that `hostile_files` makes by hand."""
    folder = tmp_path_factory.mktemp("hostile")
    hostile_files.write_all(folder)
    return folder


@pytest.mark.parametrize("file", hostile_files.LOADED)
def test_a_file_made_by_hand_that_runs_code_is_not_fine(hostile, file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scan, inspect, rescue = codes(hostile / file, tmp_path)
    assert scan in (3, 4) and inspect in (3, 4) and rescue in (3, 4)
    assert scan == inspect, "one verdict"


@pytest.mark.long
@pytest.mark.parametrize("file", hostile_files.LOADED)
def test_a_file_made_by_hand_does_run_code(hostile, file, tmp_path):
    by, _ = hostile_files.LOADED[file]
    assert not hostile_files.does_harm(hostile / file, by, tmp_path / "loaded")


@pytest.mark.parametrize("name", ["without a protocol.pkl", "of another name.dat"])
def test_what_ends_at_a_limit_before_it_asks_for_a_name_is_reported(name, tmp_path):
    path = tmp_path / name
    begins = b"" if name.endswith("pkl") else b"\x80\x02"
    path.write_bytes(begins + b"N0" * 600_000 + hostile_files.SYSTEM + b".")
    assert main(["scan", "--max-opcodes", "1000000", str(path)]) == 6


def verdict(program):
    """The worst of the verdicts on a pickle's names."""
    names = {judged.verdict for judged in judge_all(follow_pickle(program))}
    return "dangerous" if "dangerous" in names else "not"


OWNER = b"ctorch.nn.modules.activation\nReLU\n)\x81}b"
TAKEN = b"cbuiltins\ngetattr\n" + OWNER + b"X\x07\x00\x00\x00forward\x86R"
"""A method taken from an object of the file's own."""

KEPT = {
    "a value": b"}X\x01\x00\x00\x00a" + TAKEN + b"s.",
    "in a list": b"]" + TAKEN + b"a.",
    "in a state": b"ctorch.nn.modules.activation\nReLU\n)\x81}X\x01\x00\x00\x00f" + TAKEN + b"sb.",
}
USED = {
    "a key": b"}" + TAKEN + b"X\x01\x00\x00\x00as.",
    "a key, deep": b"](}" + TAKEN + b"Nsee.".replace(b"ee", b"e"),
    "called": TAKEN + b")R.",
    "given to partial": b"cfunctools\npartial\n" + TAKEN + b"\x85R.",
    "in what a call is given": b"ccollections\nOrderedDict\n(" + TAKEN + b"tR.",
    "appended to an object": b"ccollections\ndeque\n)R" + TAKEN + b"a.",
    "an id": b"(X\x07\x00\x00\x00storage" + TAKEN + b"tQ.",
    "in the state of what is filled later": b"ctypes\nSimpleNamespace\n)R}X\x06\x00\x00\x00append"
    + TAKEN
    + b"sbNa.",
}


@pytest.mark.parametrize("how", KEPT)
def test_a_method_that_is_only_kept_is_no_danger(how):
    assert verdict(b"\x80\x02" + KEPT[how]) == "not"


@pytest.mark.parametrize("how", USED)
def test_a_method_whose_use_is_hidden_is_dangerous(how):
    assert verdict(b"\x80\x02" + USED[how]) == "dangerous"


def named(module, name, protocol):
    if protocol < 4:
        return b"\x80\x02c%s\n%s\n." % (module.encode(), name.encode())
    text = [b"\x8c%c%s" % (len(part), part.encode()) for part in (module, name)]
    return b"\x80\x04" + b"".join(text) + b"\x93."


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    "module, name",
    [
        ("enum", "bltns.exec"),
        ("random", "_os.system"),
        ("logging", "os.path.join"),
        ("my_project", "helpers.run"),
        ("torch._logging._internal", "logging.FileHandler"),
        ("torch.nn", "Module.functional.relu"),
        ("collections", "_sys.modules"),
    ],
)
def test_a_path_through_what_a_module_has_imported_is_dangerous(module, name, protocol):
    assert verdict(named(module, name, protocol)) == "dangerous"


@pytest.mark.parametrize("name", ["Outer.Inner", "_Block.Config", "Net.forward"])
def test_a_class_in_a_class_and_its_method_are_not(name):
    assert verdict(named("my_project", name, 4)) == "not"


def frame(size):
    return b"\x95" + size.to_bytes(8, "little")


FRAMES = {
    "ends within an instruction": b"\x80\x04" + frame(3) + b"\x8c\x05abcde.",
    "lies in another": b"\x80\x04" + frame(14) + frame(2) + b"]0N.",
    "reaches beyond the file": b"\x80\x04" + frame(90) + b"N.",
    "in a protocol without frames": b"\x80\x02" + frame(2) + b"N.",
}


@pytest.mark.parametrize("which", FRAMES)
def test_a_frame_that_readers_take_in_two_ways_is_refused(which):
    program = follow_pickle(FRAMES[which])
    assert program.error or program.fault


def test_an_honest_frame_passes():
    for value in ([1, 2], "x" * 100_000, [bytes(70_000), "y"]):
        assert not follow_pickle(pickle.dumps(value, 4)).error


def test_what_torch_would_open_as_a_tar_is_one_whatever_it_begins_with():
    for name in (b"GGUF", b"\x89HDF\r\n\x1a\n", b"\x93NUMPY", b"\x80\x02\x8a\n"):
        block = bytearray(name.ljust(512, b"\0"))
        for start, end in ((100, 108), (108, 116), (116, 124), (124, 136), (136, 148)):
            block[start : end - 1] = b"0" * (end - 1 - start)
        block[148:156] = b"%06o\0 " % (sum(block) + 8 * 32)
        assert by_head(bytes(block), 10_240) == "tar"


@pytest.mark.parametrize("text, value", [(b"010", 8), (b"0x10", 16), (b"01", True), (b"-010", -8)])
def test_a_whole_number_is_read_as_c_reads_it(text, value):
    program = b"I" + text + b"\n."
    assert follow_pickle(program).root == value == pickle.loads(program)


def test_the_magic_number_in_another_spelling_is_a_torch_file_too(tmp_path, capsys):
    number = pickle.dumps(0x1950A86A20F9469CFC6C, 0)
    path = tmp_path / "model.pt"
    path.write_bytes(number + b"\x80\x02M\xe9\x03." + b"\x80\x02}." + b"cos\nsystem\n")
    assert main(["scan", str(path)]) in (3, 4) and main(["inspect", str(path)]) in (3, 4)


ZONE = b"czoneinfo\nZoneInfo\n"
GETTER = b"coperator\nattrgetter\nX\x01\x00\x00\x00a\x85R"
HARMLESS = {
    "a class in a class": (
        b"cbuiltins\ngetattr\ncproject\nNet\nX\x05\x00\x00\x00Block\x86R)\x81",
        "needs code",
    ),
    "a time zone": (
        b"cbuiltins\ngetattr\n"
        + ZONE
        + b"X\x09\x00\x00\x00_unpickle\x86RX\x03\x00\x00\x00UTCK\x01\x86R",
        "needs code",
    ),
    "a getter that is kept": (b"}X\x01\x00\x00\x00k" + GETTER + b"s", "unjudged"),
    "another method of a time zone": (
        b"cbuiltins\ngetattr\n" + ZONE + b"X\x09\x00\x00\x00from_file\x86R",
        "dangerous",
    ),
    "a class in a class that does harm": (
        b"cbuiltins\ngetattr\ncproject\nNet\nX\x05\x00\x00\x00Popen\x86R)\x81",
        "dangerous",
    ),
    "a getter that is called": (GETTER + b"N\x85R", "dangerous"),
    "a getter that is given to map": (b"cbuiltins\nmap\n" + GETTER + b"]\x86R", "dangerous"),
    "a method of Python's own": (hostile_files.TOUCH, "dangerous"),
}


@pytest.mark.parametrize("how", HARMLESS)
def test_an_attribute_is_judged_by_what_it_is_and_what_is_done_with_it(how):
    program, expected = HARMLESS[how]
    found = judge_all(follow_pickle(b"\x80\x02" + program + b"."))
    assert max((judged.verdict for judged in found), key=VERDICTS.index) == expected


@pytest.mark.parametrize("how", hostile_unlisted.handed_over())
def test_an_object_that_is_handed_to_what_may_call_it_is_judged_as_called(how, tmp_path, capsys):
    path = tmp_path / "file.pkl"
    path.write_bytes(hostile_unlisted.handed_over()[how])
    assert [main([command, str(path)]) for command in ("scan", "inspect")] == [1, 1]


@pytest.mark.parametrize("how", hostile_unlisted.read_by_classes())
def test_an_object_that_a_class_of_pythons_own_iterates_is_judged_as_called(how, tmp_path, capsys):
    assert ends(tmp_path, hostile_unlisted.read_by_classes()[how]) == [1, 1]


@pytest.mark.parametrize("how", hostile_unlisted.pairs_out_of_sight())
def test_a_state_that_turns_out_to_be_a_pair_is_refused(how, tmp_path, capsys):
    assert ends(tmp_path, hostile_unlisted.pairs_out_of_sight()[how]) == [4, 4]


@pytest.mark.parametrize("how", hostile_unlisted.sparse())
def test_a_sparse_tensor_that_is_computed_with_is_unjudged(how):
    program = hostile_files.pickled(hostile_unlisted.sparse()[how])
    found = {judged.name: judged.verdict for judged in judge_all(follow_pickle(program))}
    assert found["torch._utils._rebuild_sparse_tensor"] == "unjudged"


@pytest.mark.parametrize("how", hostile_unlisted.shared_by_many())
def test_what_many_objects_share_is_looked_through_once(how, tmp_path, capsys):
    path = tmp_path / "file.joblib"
    path.write_bytes(hostile_unlisted.shared_by_many()[how])
    assert main(["scan", str(path)]) in (0, 1, 4)


@pytest.mark.parametrize(
    "how, code", list(zip(hostile_unlisted.set_by_setattr(), (3, 4), strict=True))
)
def test_what_a_state_sets_by_setattr_is_not_only_kept(how, code, tmp_path, capsys):
    path = tmp_path / "file.pkl"
    path.write_bytes(hostile_unlisted.set_by_setattr()[how])
    assert [main([command, str(path)]) for command in ("scan", "inspect")] == [code, code]


@pytest.mark.parametrize("how", hostile_unlisted.hidden_arrays())
def test_what_hides_an_array_from_this_reader_is_refused(how, tmp_path, capsys):
    path = tmp_path / "file.joblib"
    path.write_bytes(hostile_unlisted.hidden_arrays()[how])
    scan, inspect, rescue = codes(path, tmp_path)
    assert scan in (3, 4) and scan == inspect and rescue in (3, 4)


def ends(folder, data: bytes) -> list[int]:
    """How `scan` and `inspect` end for these bytes."""
    path = folder / "file.pkl"
    path.write_bytes(data)
    return [main([command, str(path)]) for command in ("scan", "inspect")]


@pytest.mark.parametrize("how", hostile_unlisted.aliases())
def test_what_may_be_there_already_and_is_changed_is_dangerous(how, tmp_path, capsys):
    assert ends(tmp_path, hostile_unlisted.aliases()[how]) == [3, 3]


@pytest.mark.parametrize("how", hostile_unlisted.set_by_torch())
def test_what_torch_changes_by_its_rebuilding_is_dangerous(how, tmp_path, capsys):
    assert ends(tmp_path, hostile_unlisted.set_by_torch()[how]) == [3, 3]


def test_rebuilding_that_is_handed_on_is_unjudged():
    rebuild = hostile_files.name("torch._tensor", "_rebuild_from_type_v2")
    mapped = hostile_files.call(hostile_files.MAP, rebuild, hostile_files.many())
    (judged, *_) = judge_all(follow_pickle(hostile_files.pickled(mapped)))[1:]
    assert (judged.name, judged.verdict) == ("torch._tensor._rebuild_from_type_v2", "unjudged")


def test_a_tensor_with_attributes_is_fine(tmp_path, capsys):
    tensors = [torch.nn.Parameter(torch.ones(2)), torch.ones(2), torch.ones(2).to_sparse()]
    for tensor in tensors:
        tensor.tag = "a"
    torch.save({str(at): tensor for at, tensor in enumerate(tensors)}, tmp_path / "a.pt")
    assert main(["scan", str(tmp_path / "a.pt")]) == 0


@pytest.mark.parametrize("how", hostile_unlisted.addresses())
def test_a_class_that_takes_memory_by_its_address_is_only_kept(how, tmp_path, capsys):
    assert ends(tmp_path, hostile_unlisted.addresses()[how]) == [1, 1]


def of_arrays():
    """Values in which such classes are kept, or called by nothing but numpy's own functions."""
    array = numpy.array([Path("a"), numpy.zeros(2), {"a": numpy.float64}], dtype=object)
    masked, plain = numpy.ma.masked_array([1, 2], [0, 1]), numpy.array(["a", None], dtype=object)
    matrix = numpy.zeros((1, 1)).view(numpy.matrix)
    names = [numpy.float64, numpy.ndarray, torch.FloatStorage, torch.Tensor]
    return [array, deque([plain]), masked, matrix, numpy.zeros(1, "V3")[0], OrderedDict(a=names)]


@pytest.mark.parametrize("value", of_arrays(), ids=range(6))
def test_such_a_class_that_is_kept_is_fine(value, tmp_path, capsys):
    for protocol in (2, 5):
        pickled = pickle.dumps(value, protocol)
        assert {judged.verdict for judged in judge_all(follow_pickle(pickled))} == {"fine"}
    joblib.dump(value, tmp_path / "a.joblib")
    program = follow_pickle((tmp_path / "a.joblib").read_bytes(), with_arrays=True)
    assert not program.error and {judged.verdict for judged in judge_all(program)} == {"fine"}


def test_attributes_within_attributes_take_no_time(tmp_path, capsys):
    nested = b"N"
    for _ in range(3000):
        nested = hostile_files.call(hostile_files.ORDERED, nested)
    state = hostile_files.row(b"N", nested)
    body = hostile_files.new(hostile_files.name("argparse", "Namespace")) + state + b"b"
    (tmp_path / "file.pkl").write_bytes(hostile_files.pickled(body))
    assert main(["scan", str(tmp_path / "file.pkl")]) == 4


@pytest.mark.parametrize("kind", ["('|V0', '|O')", "[('a', '|V0', '|O')]", "'|O'"])
def test_an_array_whose_type_hides_objects_is_judged_as_a_pickle(kind, tmp_path, capsys):
    header = f"{{'descr': {kind}, 'fortran_order': False, 'shape': (1,)}}\n".encode()
    begins = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header
    path = tmp_path / "array.npy"
    path.write_bytes(begins + hostile_files.pickled(hostile_unlisted.TOUCH))
    assert [main([command, str(path)]) for command in ("scan", "inspect")] == [3, 3]


def test_a_tensor_s_state_changes_no_class(tmp_path, capsys):
    rebuilt = hostile_files.call(
        hostile_files.name("torch._utils", "_rebuild_parameter_with_state"),
        b"N",
        b"\x89",
        hostile_files.call(hostile_files.ORDERED),
        hostile_files.table(__class__=hostile_files.name("torch", "Tensor")),
    )
    (tmp_path / "file.pkl").write_bytes(hostile_files.pickled(rebuilt))
    assert codes(tmp_path / "file.pkl", tmp_path) == [4, 4, 4]


def test_a_constructor_that_makes_folders_is_called_or_only_given_a_state(tmp_path, capsys):
    wanted = hostile_files.name("torchvision.datasets.caltech", "Caltech101")
    called = hostile_files.call(wanted, hostile_files.text("PWNED"))
    (tmp_path / "called.pkl").write_bytes(hostile_files.pickled(called))
    kept = hostile_files.state(hostile_files.new(wanted), root=hostile_files.text("data"))
    (tmp_path / "kept.pkl").write_bytes(hostile_files.pickled(kept))
    assert main(["scan", str(tmp_path / "called.pkl")]) == 1
    assert main(["scan", str(tmp_path / "kept.pkl")]) == 0


@pytest.mark.parametrize("file", hostile_unlisted.TWO_WAYS)
def test_what_readers_take_in_two_ways_is_refused_under_any_name(file, tmp_path, capsys):
    (tmp_path / file).write_bytes(hostile_unlisted.TWO_WAYS[file])
    scan, inspect, rescue = codes(tmp_path / file, tmp_path)
    assert scan in (3, 4) and scan == inspect and rescue in (3, 4)


@pytest.mark.long
@pytest.mark.parametrize("file", hostile_unlisted.TWO_WAYS)
def test_what_readers_take_in_two_ways_does_run_code(file, tmp_path):
    (tmp_path / file).write_bytes(hostile_unlisted.TWO_WAYS[file])
    by = "joblib" if file.endswith("joblib") or file == "frame.pkl" else "torch"
    assert not hostile_files.does_harm(tmp_path / file, by, tmp_path / "loaded")


@pytest.mark.parametrize("how", hostile_unlisted.MAGIC)
def test_a_magic_number_that_only_a_load_makes_is_refused(how, tmp_path, capsys):
    path = tmp_path / "file.pkl"
    path.write_bytes(hostile_unlisted.MAGIC[how])
    assert codes(path, tmp_path) == [4, 4, 4]


def test_honest_pickles_in_a_row_pass(tmp_path, capsys):
    path = tmp_path / "file.pkl"
    with open(path, "wb") as file:
        for value in (range(3), OrderedDict(a=1), Path("b"), 1001):
            pickle.dump(value, file)
    assert main(["scan", str(path)]) == main(["inspect", str(path)]) == 0


@pytest.mark.parametrize("module, name", [("tornado.process", "Subprocess"), ("zict", "File")])
def test_packages_whose_classes_reach_the_system_by_plain_values_are_dangerous(module, name):
    assert verdict(hostile_files.pickled(hostile_files.new(hostile_files.name(module, name)))) == (
        "dangerous"
    )
