import io
import json
import os
import pickle
import struct
import tarfile
import zipfile

import joblib
import numpy as np
import pytest
import torch

from missing_aa import inspect, scan
from missing_aa.containers import safetensors_header
from missing_aa.containers.container import open_checkpoint
from missing_aa.containers.safetensors_header import read_header
from missing_aa.errors import LimitReached, Malformed, Refused, Unreadable
from missing_aa.limits import Limits

STATE = {"weight": torch.arange(6.0), "steps": torch.tensor(3)}


@pytest.fixture
def made(tmp_path):
    """A file of these bytes."""

    def make(data):
        path = tmp_path / "file"
        path.write_bytes(data)
        return path

    return make


def saved(thing=STATE, **options):
    whole = io.BytesIO()
    torch.save(thing, whole, **options)
    return whole.getvalue()


def legacy(thing=STATE):
    return saved(thing, _use_new_zipfile_serialization=False)


def safetensors(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


SOUND = {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}


def zipped(members, **options):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, **options)
    return whole.getvalue()


CHECKPOINT = [("m/data.pkl", pickle.dumps({}, 2)), ("m/version", b"3\n"), ("m/data/0", bytes(8))]


def exported():
    program = torch.export.export(torch.nn.Linear(2, 1), (torch.zeros(1, 2),))
    whole = io.BytesIO()
    torch.export.save(program, whole)
    return whole.getvalue()


def scripted():
    whole = io.BytesIO()
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 1), torch.zeros(1, 2)), whole)
    return whole.getvalue()


def array():
    whole = io.BytesIO()
    np.save(whole, np.zeros(3))
    return whole.getvalue()


# A graph with one output, as onnx writes it: ir_version 8, producer_name "pytorch".
ONNX = b"\x08\x08\x12\x07pytorch\x1a\x05" + b"2.1.0" + b":\x02\x12\x00"
FORMATS = {
    "torch-zip": saved,
    "torch-legacy": legacy,
    "pickle": lambda: pickle.dumps({"a": 1}),
    "safetensors": lambda: safetensors(SOUND, bytes(8)),
    "pt2": exported,
    "onnx": lambda: ONNX,
    "hdf5": lambda: b"\x89HDF\r\n\x1a\n" + bytes(100),
    "numpy": array,
    "gguf": lambda: b"GGUF\x03\x00\x00\x00" + bytes(16),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("format", [*FORMATS, "torchscript"])
def test_a_file_is_known_by_its_content(made, format):
    data = scripted() if format == "torchscript" else FORMATS[format]()
    with open_checkpoint(made(data)) as container:
        assert container.format == format


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("thing", [{"a": 1}, [], "text", len, None], ids=str)
def test_a_bare_pickle_is_known_at_every_protocol(made, protocol, thing):
    with open_checkpoint(made(pickle.dumps(thing, protocol))) as container:
        assert container.format == "pickle"


def test_a_hostile_text_pickle_is_known_though_it_breaks_off(made):
    with open_checkpoint(made(b"cos\nsystem\n(S'touch x'\ntR\xff")) as container:
        assert container.format == "pickle"


def tar():
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("storages"))
    return whole.getvalue()


NO_CHECKPOINT = {
    "empty": (b"", "never happened"),
    "git-lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "git lfs pull"),
    "html": (b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>", "direct link"),
    "zip": (zipped([("notes.txt", b"x")]), "holds no checkpoint"),
    "tar": (tar(), "unpack it"),
    "gzip": (b"\x1f\x8b\x08" + bytes(20), "gunzip"),
    "truncated": (saved()[:-100], "cut short"),
    "unknown": (b"model: resnet18\nepochs: 3\n", "begins with b'model: resnet18"),
}


@pytest.mark.parametrize("format", NO_CHECKPOINT)
def test_what_holds_no_checkpoint_is_named(made, format):
    data, said = NO_CHECKPOINT[format]
    with pytest.raises(Malformed, match=said) as caught:
        open_checkpoint(made(data))
    assert caught.value.format == format


@pytest.mark.parametrize(
    "head", [b"<html>", b"<!-- sorry --><HTML lang=en>", b"\r\n <!doctype  html>"]
)
def test_a_web_page_is_known_in_its_many_forms(made, head):
    with pytest.raises(Malformed, match="HTML page"):
        open_checkpoint(made(head + b"<body>"))


def test_a_page_of_comments_takes_no_time(made):
    with pytest.raises(Malformed, match="begins with"):
        open_checkpoint(made(b"<!---->" * 500 + b"x"))


def test_a_page_with_a_byte_order_mark_is_a_page(made):
    with pytest.raises(Malformed, match="HTML page"):
        open_checkpoint(made(b"\xef\xbb\xbf<!doctype html>"))


HOSTILE = [("m/data.pkl", b"cos\nsystem\n."), ("m/version", b"3\n")]
MAGIC = 0x1950A86A20F9469CFC6C
BEHIND = pickle.dumps(1001, 2) + pickle.dumps({}, 2) + b"cos\nsystem\n." + pickle.dumps([], 2)
DISGUISED = {
    "a folder of code": lambda: zipped([*HOSTILE, ("m/code/x.py", b"")]),
    "constants.pkl in capitals": lambda: zipped([*HOSTILE, ("m/Constants.PKL", b"")]),
    "the mark of a .pt2": lambda: zipped([*HOSTILE, ("m/archive_format", b"pt2")]),
    "the first bytes of GGUF": lambda: b"GGUF" + bytes(5) + b"cos\nsystem\n.",
    "a magic number of its own spelling": lambda: b"L%dL\n." % MAGIC + BEHIND,
    "a magic number that a class makes": lambda: (
        b"\x80\x02cdecimal\nDecimal\nV%d\n\x85R." % MAGIC + BEHIND
    ),
}


@pytest.mark.parametrize("how", DISGUISED)
def test_a_pickle_is_found_where_torch_would_run_it(made, how):
    with open_checkpoint(made(DISGUISED[how]())) as container:
        assert "os.system" in map(str, container.follow().globals.values())


def test_constants_beside_another_folder_disguise_nothing(made):
    with pytest.raises(Refused, match="outside the folder"):
        open_checkpoint(made(zipped([*HOSTILE, ("x/constants.pkl", b"")])))


def test_what_lies_behind_a_bare_pickle_and_is_none_changes_nothing(made):
    with open_checkpoint(made(pickle.dumps({"a": 1}) + b"\xff" * 50)) as container:
        assert container.follow().error is None


def test_names_behind_more_than_may_be_read_reach_the_limit(made):
    path = made(pickle.dumps(1) + pickle.dumps("x" * 500) * 3 + BEHIND)
    with open_checkpoint(path) as container, pytest.raises(LimitReached, match="--max-pickle"):
        container.follow(Limits(pickle_bytes=1000))


@pytest.mark.parametrize("most", range(990, 1010))
def test_a_bare_pickle_past_the_limit_is_long_and_not_damaged_wherever_the_limit_cuts(
    tmp_path, most
):
    path = tmp_path / "bare.pkl"
    path.write_bytes(pickle.dumps([*range(300, 2000), "a word " * 200], protocol=2))
    with open_checkpoint(path) as container, pytest.raises(LimitReached, match="--max-pickle"):
        container.follow(Limits(pickle_bytes=most))


def test_zeros_are_called_what_they_are(made):
    with pytest.raises(Malformed, match="only zeros: a download that never arrived"):
        open_checkpoint(made(bytes(5000)))


@pytest.mark.parametrize("size", [1, 4, 30, 200, 700, -1, -21, -22])
def test_a_zip_that_is_cut_short_is_malformed_at_any_length(made, size):
    with pytest.raises(Malformed):
        open_checkpoint(made(saved()[:size]))


@pytest.mark.parametrize("cut", [1, 8, 20, 60])
def test_a_legacy_file_that_is_cut_short_is_malformed(made, cut):
    with open_checkpoint(made(legacy()[:-cut])) as container, pytest.raises(Malformed):
        program = container.follow()
        raise program.error


def test_storages_are_listed_with_their_sizes(made):
    for data in (saved(), legacy()):
        with open_checkpoint(made(data)) as container:
            assert container.follow().error is None
            assert sorted(container.storages.values()) == [8, 24]


def test_a_file_of_many_members_and_bytes_is_read(made):
    many = {str(n): torch.full((1,), n) for n in range(2000)}
    with open_checkpoint(made(saved(many))) as container:
        assert len(container.storages) == 2000
        assert container.follow().error is None


def rewritten(data, change):
    """The zip with its central directory's entries changed; they begin at `at`."""
    data = bytearray(data)
    change(data, data.index(b"PK\x01\x02"))
    return bytes(data)


def set_at(offset, value, form="<H"):
    def change(data, at):
        struct.pack_into(form, data, at + offset, value)

    return change


def set_locally(offset, value, form="<H"):
    return lambda data, at: struct.pack_into(form, data, offset, value)


def renamed(data, at):
    data[30] = ord("n")


def deflated(members):
    return zipped(members, compress_type=zipfile.ZIP_DEFLATED)


def overlapping():
    """The second member's header lies among the first one's bytes."""
    inner = zipped([("m/data/0", b"12345678")])
    inner = inner[: inner.index(b"PK\x01\x02")]
    data = bytearray(zipped([("m/data.pkl", b"\x80\x02N." + inner), ("m/data/0", b"12345678")]))
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    struct.pack_into("<L", data, second + 42, data.index(inner))
    return bytes(data)


def twice(name, again):
    members = [*CHECKPOINT, (name, b"one"), (again, b"two")]
    with pytest.warns(UserWarning) if name == again else open(os.devnull):
        return zipped(members)


def shifted(at):
    """A member that the directory does not list stands before the member `at`."""
    data = bytearray(zipped(CHECKPOINT))
    start = data.index(b"PK\x01\x02")
    places, where = [], start
    while data[where : where + 4] == b"PK\x01\x02":
        places.append(where + 42)
        where += 46 + sum(struct.unpack_from("<3H", data, where + 28))
    hidden = zipped([("m/other", b"hidden")])
    hidden = hidden[: hidden.index(b"PK\x01\x02")]
    for place in places[at:]:
        struct.pack_into("<I", data, place, struct.unpack_from("<I", data, place)[0] + len(hidden))
    struct.pack_into("<I", data, len(data) - 6, start + len(hidden))
    first = struct.unpack_from("<I", data, places[at])[0] - len(hidden)
    return bytes(data[:first] + hidden + data[first:])


def widened(kind, number):
    """The last member's local header has an extra field of this kind."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, data in CHECKPOINT:
            info = zipfile.ZipInfo(name)
            if name.endswith("/0"):
                info.extra = struct.pack("<HHQ", kind, 8, number)
            archive.writestr(info, data)
    data = whole.getvalue()
    # Only the local header keeps it: the directory's copy becomes padding.
    at = data.rindex(struct.pack("<HH", kind, 8))
    return data[:at] + struct.pack("<H", 0x4246) + data[at + 2 :]


HYGIENE = {
    "doubled": (lambda: twice("m/data/1", "m/data/1"), "twice"),
    "doubled but for its case": (lambda: twice("m/data/a", "m/Data/A"), "twice"),
    "data.pkl in two cases": (lambda: twice("m/DATA.PKL", "m/x"), "twice"),
    "compressed": (lambda: deflated(CHECKPOINT), "compressed"),
    "encrypted": (lambda: rewritten(zipped(CHECKPOINT), set_at(8, 1)), "encrypted"),
    "another name locally": (lambda: rewritten(zipped(CHECKPOINT), renamed), "disagree"),
    "another method locally": (
        lambda: rewritten(zipped(CHECKPOINT), set_locally(8, 8)),
        "disagree",
    ),
    "other flags locally": (lambda: rewritten(zipped(CHECKPOINT), set_locally(6, 8)), "disagree"),
    "another size locally": (
        lambda: rewritten(zipped(CHECKPOINT), set_locally(22, 3, "<L")),
        "disagree",
    ),
    "another size in the directory": (
        lambda: rewritten(zipped(CHECKPOINT), set_at(24, 3, "<L")),
        "compressed|disagree",
    ),
    "overlapping": (overlapping, "reaches into the next"),
    "something before it": (lambda: shifted(0), "before the zip"),
    "something between members": (
        lambda: shifted(1),
        "hidden behind the zip's member 'm/data.pkl'",
    ),
    "another wide size locally": (lambda: widened(1, 99), "disagree"),
    "a second name": (lambda: widened(0x7075, 99), "disagree"),
    "outside the folder": (lambda: zipped([*CHECKPOINT, ("other/data.pkl", b"")]), "outside"),
    "bytes behind it": (lambda: zipped(CHECKPOINT) + b"\n", "added behind"),
    "another zip behind it": (lambda: zipped(CHECKPOINT) * 2, "does not end where it says"),
    "a comment": (
        lambda: zipped(CHECKPOINT)[:-2] + b"\x03\x00abc",
        "added behind|does not end where it says",
    ),
    "fewer entries than listed": (
        lambda: zipped(CHECKPOINT)[:-14] + struct.pack("<HH", 2, 2) + zipped(CHECKPOINT)[-10:],
        "holds more than it lists",
    ),
    "a wide end that disagrees": (
        lambda: saved()[:-14] + struct.pack("<HH", 1, 1) + saved()[-10:],
        "does not end where it says",
    ),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("what", HYGIENE)
def test_a_zip_that_can_be_read_in_two_ways_is_refused(made, what):
    build, said = HYGIENE[what]
    with pytest.raises(Refused, match=said):
        open_checkpoint(made(build()))


def test_the_zip_that_these_are_made_from_is_sound(made):
    with open_checkpoint(made(zipped(CHECKPOINT))) as container:
        assert (container.format, container.storages) == ("torch-zip", {"0": 8})


def test_sizes_beyond_32_bits_are_read(tmp_path):
    """As torch writes a storage over 4 GB; the file is sparse and takes no room."""
    path = tmp_path / "wide"
    size = 5 * 2**30
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/data.pkl", pickle.dumps({}, 2))
    data = path.read_bytes()
    entries = data.index(b"PK\x01\x02")
    entry = data[entries : data.index(b"PK\x05\x06")]
    extra = struct.pack("<2H2Q", 1, 16, size, size)
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 45, 0, 0, 0, 0, 0, *[2**32 - 1] * 2, 8, 20)
    wide = struct.pack("<2H2Q", 1, 16, size, size)
    central = struct.pack(
        "<4s6H3L5H2L",
        *(b"PK\x01\x02", 45, 45, 0, 0, 0, 0, 0, 2**32 - 1, 2**32 - 1, 8, len(extra), 0, 0, 0, 0),
        entries,
    )
    with open(path, "r+b") as file:
        file.seek(entries)
        file.write(local + b"m/data/0" + wide)
        file.seek(size, os.SEEK_CUR)
        start = file.tell()
        directory = entry + central + b"m/data/0" + extra
        file.write(directory)
        wide_end = file.tell()
        file.write(
            struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 2, 2, len(directory), start)
        )
        file.write(struct.pack("<4sLQL", b"PK\x06\x07", 0, wide_end, 1))
        ones = 2**32 - 1
        file.write(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, len(directory), ones, 0))
    with open_checkpoint(path) as container:
        assert container.storages == {"0": size}


def test_a_pickle_longer_than_granted_reaches_the_limit(made):
    for data in (saved(), pickle.dumps(list(range(1000)))):
        with open_checkpoint(made(data)) as container, pytest.raises(LimitReached, match="--max-p"):
            container.follow(Limits(pickle_bytes=50))


def test_a_bare_pickle_larger_than_the_first_look_is_read_to_its_end(made):
    big = {"bytes": bytes(3 * 2**20), "then": len}
    with open_checkpoint(made(pickle.dumps(big))) as container:
        program = container.follow()
        assert program.error is None
        assert [str(wanted) for wanted in program.globals.values()] == ["builtins.len"]


def test_what_is_no_file_cannot_be_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, said in [
        (tmp_path, "not a regular file"),
        (tmp_path / "pipe", "not a regular file"),
        (tmp_path / "missing", "No such file"),
        ("a\0b", "cannot be read"),
    ]:
        with pytest.raises(Unreadable, match=said):
            open_checkpoint(path)


def entry(**changes):
    return {"w": {**SOUND["w"], **changes}}


BAD_HEADERS = {
    "cut short": safetensors(SOUND, bytes(7)),
    "no JSON": safetensors(b"{broken", bytes(8)),
    "no dictionary": safetensors(b"{}{}"),
    "nested beyond measure": safetensors(b'{"a":' * 100_000, length=500_000),
    "no dtype": safetensors({"w": {"shape": [2], "data_offsets": [0, 8]}}, bytes(8)),
    "an unfitting shape": safetensors(entry(shape=[3]), bytes(8)),
    "a negative shape": safetensors(entry(shape=[-2]), bytes(8)),
    "a shape of text": safetensors(entry(shape="22"), bytes(8)),
    "offsets beyond the file": safetensors(entry(data_offsets=[0, 99]), bytes(8)),
    "offsets backwards": safetensors(entry(data_offsets=[8, 0]), bytes(8)),
    "a gap": safetensors(entry(data_offsets=[8, 16]), bytes(16)),
    "more data than tensors": safetensors(SOUND, bytes(9)),
    "metadata of another kind": safetensors({"__metadata__": {"a": 1}, **SOUND}, bytes(8)),
    "a list of tensors": safetensors({"w": [1, 2]}, b""),
}


@pytest.mark.parametrize("what", BAD_HEADERS)
def test_a_safetensors_header_that_does_not_hold_is_malformed(made, what):
    with open_checkpoint(made(BAD_HEADERS[what])) as container, pytest.raises(Malformed):
        read_header(container.file, container.size)


def test_a_safetensors_name_that_stands_twice_is_refused(made):
    one = json.dumps(SOUND["w"])
    data = safetensors(f'{{"w":{one},"w":{one}}}'.encode(), bytes(8))
    with open_checkpoint(made(data)) as container, pytest.raises(Refused, match="twice"):
        read_header(container.file, container.size)


def test_a_safetensors_header_over_100_mb_reaches_the_limit(made):
    path = made(safetensors(b"{", length=200_000_000))
    with open_checkpoint(path) as container, pytest.raises(LimitReached, match="no reader"):
        read_header(container.file, container.size)


def test_a_header_of_countless_lists_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(safetensors_header, "MOST_PARTS", 100)
    header = b'{"a":[' + b"[]," * 100 + b"[]]}"
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(LimitReached, match="parts"):
        inspect(path)


@pytest.mark.parametrize("length", [0x0280, 0x0380, 0x0480, 0x0580, 0x4B50, 0x6C80, 0x8000])
def test_a_safetensors_header_of_any_length_is_no_other_format(length, made):
    """Its first bytes, the header's length, may be those of a pickle or of a zip."""
    data = safetensors(SOUND, bytes(8))
    header = data[8:-8]
    path = made(struct.pack("<Q", length) + header.ljust(length) + bytes(8))
    assert inspect(path).format == "safetensors"
    (judged,) = scan([path.rename(path.with_suffix(".safetensors"))]).checkpoints
    assert judged.verdict == "fine", judged


def test_an_array_that_is_not_measured_is_not_called_damaged(tmp_path):
    path = tmp_path / "forest.joblib"
    joblib.dump({"nodes": np.zeros(3, [(("a title", "left"), "i8")])}, path)
    with pytest.raises(Malformed, match="cannot be followed") as problem:
        inspect(path)
    assert "damaged" not in str(problem.value)
