"""What other people's libraries wrote comes out bit for bit."""

import shutil

import joblib
import numpy
import pytest
import torch

import foreign
from missing_aa import inspect, rescue, rescue_to, scan
from missing_aa.errors import LimitReached, Malformed, Refused
from missing_aa.limits import Limits
from rescue_files import PROTO, mapping, name, value


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("foreign")
    foreign.unpack(folder)
    return folder


@pytest.mark.parametrize("name", foreign.EXPECTED)
def test_each_file_gives_what_its_library_saved(written, session, tmp_path, name):
    wanted = foreign.EXPECTED[name]["tensors"]
    options = {"session": session, "even_if_dangerous": True}
    rescue_to(written / name, tmp_path / "out.safetensors", **options)
    found = foreign.described(tmp_path / "out.safetensors")
    assert (list(found), found) == (list(wanted), wanted)
    state_dict = rescue(written / name, **options).state_dict
    assert {key: foreign.describe(tensor) for key, tensor in state_dict.items()} == wanted


def test_few_of_them_ask_for_something_dangerous(written, session, tmp_path):
    """Kept methods, as ultralytics, mmengine and others have them, are no reason to refuse."""
    refused = set()
    for file in foreign.EXPECTED:
        try:
            rescue_to(written / file, tmp_path / f"{file}.safetensors", session=session)
        except Refused:
            refused.add(file)
    assert refused == {"cloudpickle.pkl", "dill.pkl", "fastai_export.pkl"}


@pytest.mark.parametrize("name", foreign.EXPECTED)
def test_inspect_counts_the_same_tensors(written, name):
    (model,) = inspect(written / name).models
    assert model.tensors == len(foreign.EXPECTED[name]["tensors"])


def test_layers_without_tensors_are_passed_over_and_named(written, session):
    notes = rescue(written / "einops.pt", session=session).report.notes
    assert sorted(notes)[0] == "'1' (einops.layers.torch.Rearrange) holds no tensors: passed over"


def test_a_class_that_the_file_makes_itself_has_the_name_that_it_gives(written, session):
    for file in ("dill.pkl", "cloudpickle.pkl"):
        report = rescue(written / file, session=session, even_if_dangerous=True).report
        assert (report.kind, report.model_class) == ("whole model", "__main__.Net")


@pytest.mark.parametrize("kind", ["zlib", "gzip", "bz2", "lzma", "xz"])
def test_what_joblib_compressed_is_unpacked_within_the_limit(written, session, tmp_path, kind):
    path = tmp_path / "model.joblib"
    shutil.copy(written / f"{kind}.joblib", path)
    with pytest.raises(LimitReached, match="--max-pickle"):
        rescue(path, limits=Limits(pickle_bytes=1000), session=session)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(Malformed, match="cut short" if kind != "bz2" else "no checkpoint"):
        rescue(path, session=session)


def array(behind: bytes, code: str = "f4") -> bytes:
    """The opcodes of two numbers as joblib writes them, and what stands behind these."""
    dtype = name("numpy", "dtype") + value((code, False, True)) + b"R"
    dtype += value((3, "<", None, None, None, -1, -1, 63 if code == "O8" else 0)) + b"b"
    state = {"subclass": name("numpy", "ndarray"), "shape": value((2,)), "order": value("C")}
    state |= {"dtype": dtype, "allow_mmap": b"\x88", "numpy_array_alignment_bytes": value(16)}
    made = name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81" + mapping(state) + b"b"
    return made + behind


def padded(padding: bytes, data: bytes) -> bytes:
    return bytes([len(padding)]) + padding + data


def test_bytes_of_an_array_are_judged_as_a_load_without_joblib_would_run_them(tmp_path, session):
    path = tmp_path / "arrays.joblib"
    path.write_bytes(PROTO + mapping({"w": array(padded(b"\xff" * 7, bytes(range(8))))}) + b".")
    assert rescue(path, session=session).state_dict["w"].numpy().tobytes() == bytes(range(8))
    # The length of the padding is the first opcode that a plain load sees: here GLOBAL.
    hidden = b"os\nsystem\n(S'true'\ntR."
    path.write_bytes(PROTO + mapping({"w": array(padded(hidden.ljust(ord("c")), bytes(8)))}) + b".")
    assert [name.name for name in inspect(path).dangerous] == ["os.system"]
    with pytest.raises(Refused, match="os.system"):
        rescue(path, session=session)


def test_an_array_of_objects_is_refused_by_its_name(tmp_path, session):
    objects = array(PROTO + value([1, 2]) + b".", "O8")
    path = tmp_path / "arrays.joblib"
    path.write_bytes(PROTO + mapping({"w": objects}) + b".")
    with pytest.raises(Malformed, match="'w'.*objects"):
        rescue(path, session=session)


def test_an_array_that_is_changed_once_it_is_made_is_refused(tmp_path, session):
    changed = array(padded(b"\xff" * 7, bytes(8))) + b"Nb"
    path = tmp_path / "arrays.joblib"
    path.write_bytes(PROTO + mapping({"w": changed}) + b".")
    with pytest.raises(Malformed, match="changed after it was made"):
        rescue(path, session=session)


@pytest.mark.parametrize("packed", [0, ("xz", 3)], ids=["plain", "packed"])
def test_a_tensor_before_an_array_in_what_joblib_wrote_is_fine(tmp_path, session, packed):
    path = tmp_path / "mixed.joblib"
    joblib.dump({"w": torch.ones(3), "mean": numpy.ones(2, "f4")}, path, compress=packed)
    assert [found.verdict for found in scan([path]).checkpoints] == ["fine"]
    weights = rescue(path, session=session).state_dict
    assert {name: tensor.tolist() for name, tensor in weights.items()} == {
        "w": [1.0, 1.0, 1.0],
        "mean": [1.0, 1.0],
    }
