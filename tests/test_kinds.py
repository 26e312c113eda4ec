"""What looks like another kind of file is judged as the pickle that it is; honest files are not.

Loading a hostile one makes an empty file `PWNED` and does nothing else; nothing here loads one
outside the tests that take long.
"""

import bz2
import gzip
import io
import json
import random
import struct
import sys
import zipfile
from pathlib import Path

import joblib
import numpy as np
import pytest

import hostile_files
import hostile_kinds
from missing_aa import inspect
from missing_aa.cli import main
from missing_aa.containers import numpy_arrays
from missing_aa.containers.disguise import is_also_pickle
from missing_aa.containers.numpy_arrays import pickle_start
from missing_aa.errors import Malformed


@pytest.mark.parametrize("file", hostile_kinds.KINDS)
def test_what_looks_like_another_kind_and_runs_code_is_not_fine(file, tmp_path, capsys):
    (tmp_path / file).write_bytes(hostile_kinds.KINDS[file][1])
    path, target = str(tmp_path / file), str(tmp_path / "out.safetensors")
    found = [main(words) for words in (["scan", path], ["inspect", path], ["rescue", path, target])]
    assert found[0] in (3, 4) and found == [found[0]] * 3, "one verdict"


@pytest.mark.long
@pytest.mark.parametrize("file", hostile_kinds.KINDS)
def test_what_looks_like_another_kind_does_run_code(file, tmp_path):
    by, data = hostile_kinds.KINDS[file]
    (tmp_path / file).write_bytes(data)
    assert not hostile_files.does_harm(tmp_path / file, by, tmp_path / "loaded")


NAMED = (
    "lzma.joblib",
    "short texts.safetensors",
    "blank.gguf",
    "far place.joblib",
    "objects.npy",
    "packed.npz",
)


@pytest.mark.parametrize("file", NAMED)
def test_the_name_in_it_is_found(file, tmp_path):
    (tmp_path / file).write_bytes(hostile_kinds.KINDS[file][1])
    assert [judged.name for judged in inspect(tmp_path / file).dangerous] == ["os.system"]


_NAMES = """
    conv1.weight bn1.running_mean layer1.0.conv2.weight fc.bias cls_token blocks.0.attn.qkv.weight
    model.layers.11.self_attn.q_proj.qweight model.layers.11.mlp.gate_proj.qzeros stem_0.V.scales
    encoder.layer.3.attention.output.LayerNorm.bias text_model.embeddings.position_ids head.g_idx
"""
NAMES = _NAMES.split()
METADATA = ({"format": "pt"}, {"modelspec.title": "A name", "line": "a\nb"}, {"aa": '{"a": [1.5]}'})
CONTENT = (
    bytes(300),
    b"\x88" * 300,
    b"\n" + b"\x88" * 300,
    struct.pack("<80f", *[step / 80 for step in range(80)]),
    b"a text of some lines\nNone of them is a program\n" * 6,
    bytes(range(256)),
)


def header_of(length: int, chance: random.Random) -> bytes:
    """A header of that length, as its writers pad it, with as many names as there is room for."""
    held, at, text = {}, 0, b"{}"
    if chance.random() < 0.5:
        held["__metadata__"] = chance.choice(METADATA)
    names = NAMES[chance.randrange(len(NAMES)) :] + NAMES
    for number in range(10_000):
        name = names[number % len(names)] + (f".{number}" if number >= len(names) else "")
        if name in held:
            continue
        size = 4 * chance.randint(1, 5000)
        held[name] = {"dtype": "F32", "shape": [size // 4], "data_offsets": [at, at + size]}
        longer = json.dumps(held, separators=(",", ":")).encode()
        if len(longer) > length:
            break
        at, text = at + size, longer
        if length > 1500 and chance.random() < 0.15:  # the rest is blanks
            break
    return text.ljust(length)


def honest(lengths, seed=0):
    """Those safetensors files, one of each length, that would be taken for a pickle."""
    chance = random.Random(seed)
    for length in lengths:
        data = struct.pack("<Q", length) + header_of(length, chance) + chance.choice(CONTENT)
        if is_also_pickle(io.BytesIO(data), len(data)):
            yield length


def test_no_honest_safetensors_file_is_taken_for_a_pickle():
    opcodes = [ord(code) for code in "UCXTBVIFLSPcigp.(}])NK"] + [0x80, 0x82, 0x8A, 0x8C, 0x95]
    lengths = [low + 256 * high for low in opcodes for high in range(0, 30, 2)]
    assert list(honest(length for length in lengths if length >= 8)) == []


@pytest.mark.long
def test_no_honest_safetensors_file_of_any_length_is_taken_for_a_pickle():
    lengths = [*range(8, 4000), *range(8, 4000), *range(4000, 17_000)]
    assert len(lengths) > 20_000 and list(honest(lengths)) == []


def test_a_header_that_ends_as_a_pickle_after_two_steps_is_safetensors(tmp_path, capsys):
    """Its first byte asks for a short text, behind which stands the full stop of a name."""
    entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    text = json.dumps({"conv1.weight": entry}, separators=(",", ":")).encode()
    length = ord("U") + 256 * (8 + text.index(b".") - 2)
    data = struct.pack("<Q", length) + text.ljust(length) + bytes(4)
    assert data[2 + data[1] : 3 + data[1]] == b"."
    path = tmp_path / "model.safetensors"
    path.write_bytes(data)
    assert main(["scan", str(path)]) == 0 and inspect(path).format == "safetensors"


def test_a_safetensors_file_of_more_axes_than_a_tensor_can_have_is_malformed(tmp_path, capsys):
    entry = {"dtype": "F32", "shape": 65 * [1], "data_offsets": [0, 4]}
    text = json.dumps({"w": entry}).encode()
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + bytes(4))
    assert main(["scan", str(tmp_path / "a.safetensors")]) == 4


def test_no_honest_gguf_file_is_taken_for_a_pickle():
    for version in (1, 2, 3):
        for tensors in (0, 1, 290, 0x28FF, 0x2E01, 0x4E00):
            head = b"GGUF" + struct.pack("<IQQ", version, tensors, 24)
            data = head + struct.pack("<Q", 20) + b"general.architecture" + bytes(100)
            assert not is_also_pickle(io.BytesIO(data), len(data))


RECORDS = np.zeros(3, [("a", "<f4"), ("b", [("c", "<i8", (2,)), ("d", "S3")]), (("t", "e"), "?")])
SOUND = {
    "numbers": np.zeros((2, 3)),
    "texts": np.array(["a", "bc"]),
    "times": np.array(["2020-01-01"], "M8[ns]"),
    "no unit": np.zeros(2, "m8"),
    "records": RECORDS,
    "raw": np.zeros(2, "V5"),
    "complex": np.zeros(2, "c16"),
    "nothing": np.zeros(0),
}


@pytest.mark.parametrize("which", SOUND)
def test_an_array_without_objects_is_an_array(which, tmp_path, capsys):
    np.save(tmp_path / "a.npy", SOUND[which])
    np.savez(tmp_path / "b.npz", SOUND[which], x=SOUND["numbers"])
    np.savez_compressed(tmp_path / "c.npz", SOUND[which])
    for name in ("a.npy", "b.npz", "c.npz"):
        path = tmp_path / name
        assert main(["scan", str(path)]) == 0 and inspect(path).format == "numpy"


@pytest.mark.parametrize("name", ["a.npy", "b.npz"])
def test_objects_that_are_harmless_are_fine(name, tmp_path, capsys):
    array = np.array([1, "a", None, {"k": 2.5}], dtype=object)
    (np.save if name == "a.npy" else np.savez)(tmp_path / name, array)
    assert main(["scan", str(tmp_path / name)]) == main(["inspect", str(tmp_path / name)]) == 0
    assert inspect(tmp_path / name).format == "numpy-objects"


def test_numbers_as_python_2_wrote_them_are_read():
    text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 2L), }"
    data = hostile_kinds.npy(text, bytes(24))
    assert pickle_start(io.BytesIO(data)) is None


BROKEN = {
    "of no header": b"\x93NUMPY",
    "of another version": b"\x93NUMPY\x09\0" + bytes(200),
    "cut short": hostile_kinds.PLAIN[:60],
    "no dictionary": hostile_kinds.npy("[1, 2]", b""),
    "a call": hostile_kinds.npy("print()", b""),
    "too deep": hostile_kinds.npy("(" * 110, b""),
}


@pytest.mark.parametrize("how", BROKEN)
def test_an_array_whose_header_cannot_be_read_is_malformed(how, tmp_path, capsys):
    path = tmp_path / "a.npy"
    path.write_bytes(BROKEN[how])
    assert main(["scan", str(path)]) == main(["inspect", str(path)]) == 4
    with pytest.raises(Malformed, match="header"):
        inspect(path)


@pytest.mark.parametrize("packed", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_of_arrays_that_is_damaged_is_malformed(packed, tmp_path, capsys):
    data = bytearray(hostile_kinds.npz(packed, a_npy=hostile_kinds.OBJECTS))
    start = 30 + len("a.npy")
    data[start + 4 : start + 60] = b"\xff" * 56
    path = tmp_path / "a.npz"
    path.write_bytes(data)
    assert main(["scan", str(path)]) == main(["inspect", str(path)]) == 4


def test_arrays_in_a_zip_are_found_by_what_they_begin_with(tmp_path, capsys):
    path = tmp_path / "a.npz"
    path.write_bytes(hostile_kinds.npz(zipfile.ZIP_STORED, b=hostile_kinds.OBJECTS))
    assert main(["scan", str(path)]) == main(["inspect", str(path)]) == 3


@pytest.mark.parametrize("how", ["a wrong count", "a member twice"])
def test_a_zip_of_arrays_that_readers_see_differently_is_malformed(how, tmp_path, capsys):
    data = bytearray(hostile_kinds.npz(zipfile.ZIP_STORED, a_npy=hostile_kinds.OBJECTS))
    begin, end = data.find(b"PK\1\2"), data.rfind(b"PK\5\6")
    count = (2).to_bytes(2, "little")
    if how == "a member twice":
        data[end:end] = data[begin:end]
        end += end - begin
        data[end + 12 : end + 16] = (end - begin).to_bytes(4, "little")
    data[end + 8 : end + 12] = count * 2
    path = tmp_path / "a.npz"
    path.write_bytes(data)
    assert main(["scan", str(path)]) == main(["inspect", str(path)]) == 4


def test_a_zip_of_more_members_than_are_looked_into_reaches_the_limit(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(numpy_arrays, "MOST_ARRAYS", 2)
    path = tmp_path / "a.npz"
    np.savez(path, *[SOUND["numbers"]] * 3)
    assert main(["scan", str(path)]) == main(["inspect", str(path)]) == 6


def test_what_is_packed_and_no_pickle_stays_what_it_is(tmp_path, capsys):
    path = tmp_path / "a.bin"
    path.write_bytes(gzip.compress(b"some text\n" * 100))
    assert main(["scan", str(path)]) == 0 and main(["inspect", str(path)]) == 4


@pytest.mark.skipif(sys.platform != "linux", reason="the file is 825 MB of holes")
def test_what_bz2_packed_and_a_pickle_would_pass_by_is_refused(tmp_path, capsys):
    packed = bz2.compress(hostile_files.pickled(b"}"), 1)
    path = tmp_path / "weights.pkl"
    with open(path, "wb") as file:
        file.write(packed)
        file.seek(5 + int.from_bytes(packed[1:5], "little"))
        file.write(b"0" + hostile_kinds.DONE)
    assert main(["scan", str(path)]) == main(["inspect", str(path)]) == 3


@pytest.mark.parametrize("compress", ["zlib", "gzip", "bz2", "lzma", "xz"])
def test_what_joblib_packed_is_no_pickle_besides(compress, tmp_path, capsys):
    joblib.dump({"a": np.arange(1000.0)}, tmp_path / "a.joblib", compress=(compress, 1))
    assert main(["scan", str(tmp_path / "a.joblib")]) == 0


def test_nothing_was_made_here():
    assert not Path("PWNED").exists()
