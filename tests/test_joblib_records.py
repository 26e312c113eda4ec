"""Arrays of records that joblib wrote are measured; names that are no text end a pickle."""

import pickle

import joblib
import numpy
import pytest

from hostile_files import array, call, many, name, new, pickled, row, text
from missing_aa.cli import main
from missing_aa.pickles.follow import follow_pickle
from missing_aa.pickles.policy import judge_all

ROW = [("left", "i8"), ("value", "f4"), ("of", "S3")]
RECORDS = {
    "a record": numpy.dtype(ROW),
    "aligned": numpy.dtype(ROW, align=True),
    "a record in a record": numpy.dtype([("a", "u1"), ("b", ROW), ("c", ROW), ("d", "U3")]),
    "rows": numpy.dtype([("a", "f4", (2, 3)), ("b", "?")]),
    "a time": numpy.dtype([("a", "M8[D]"), ("b", "c16")]),
    "gaps": numpy.dtype({"names": ["a"], "formats": ["f4"], "offsets": [4], "itemsize": 20}),
}


@pytest.fixture
def saved(tmp_path):
    def dump(dtype, compress=0):
        path = tmp_path / "file.joblib"
        joblib.dump({"rows": numpy.zeros(5, dtype), "last": numpy.arange(3)}, path, compress)
        return path

    return dump


@pytest.mark.parametrize("compress", [0, 3])
@pytest.mark.parametrize("kind", RECORDS)
def test_an_array_of_records_is_passed_by_its_size(saved, kind, compress):
    path = saved(RECORDS[kind], compress)
    assert [main([command, str(path)]) for command in ("scan", "inspect")] == [0, 0]
    if not compress:
        program = follow_pickle(path.read_bytes(), with_arrays=True)
        sizes = [size for _, size in program.arrays.values()]
        assert not program.error and sizes == [5 * RECORDS[kind].itemsize, 24]


def test_records_that_hold_objects_are_pickled_and_so_followed(saved):
    path = saved(numpy.dtype([("a", "f4"), ("b", "O")]))
    program = follow_pickle(path.read_bytes(), with_arrays=True)
    assert not program.error and program.end == path.stat().st_size
    verdicts = {found.name: found.verdict for found in judge_all(program)}
    assert verdicts["numpy.dtype"] == "unjudged"


ODD = {
    "another size": lambda state: (*state[:5], 8, *state[6:]),
    "a pointer": lambda state: (*state[:7], 16 | 4),
    "a field outside": lambda state: (*state[:4], {"a": (numpy.dtype("f4"), 9)}, *state[5:]),
    "a field of objects": lambda state: (*state[:4], {"a": (numpy.dtype("O"), 0)}, *state[5:]),
    "another name": lambda state: (*state[:3], ("b",), *state[4:]),
}


class Told:
    """Pickled as a dtype of a state of one's own."""

    def __init__(self, *state):
        self.state = state

    def __reduce__(self):
        return numpy.dtype, ("V12", False, True), self.state


@pytest.mark.parametrize("how", ODD)
def test_a_record_that_does_not_hold_together_is_unjudged(how):
    sound = (3, "|", None, ("a",), {"a": (numpy.dtype("f4"), 0)}, 12, 1, 16)
    for state, verdict in ((sound, "fine"), (ODD[how](sound), "unjudged")):
        names = judge_all(follow_pickle(pickle.dumps(Told(*state), 2)))
        assert {found.name: found.verdict for found in names} == {"numpy.dtype": verdict}


def test_a_record_that_lies_in_itself_is_none():
    made = call(name("numpy", "dtype"), text("V8"), b"\x89", b"\x88") + b"q\x01"
    fields = b"}" + text("a") + b"h\x01K\x00\x86s"
    state = b"(K\x03" + text("|") + b"N" + text("a") + b"\x85" + fields + b"K\x08K\x01K\x10t"
    program = follow_pickle(b"\x80\x02" + made + state + b"b.")
    assert [found.verdict for found in judge_all(program)] == ["unjudged"]


@pytest.mark.parametrize(
    "shape", [row(b"K\0", b"\x8a\x09" + bytes(8) + b"\1"), row(*65 * [b"K\1"])]
)
def test_a_shape_that_no_array_can_have_is_not_multiplied(shape):
    """A number of 200,000 digits, thousands of times, would take minutes."""
    made = array(new(name("joblib.numpy_pickle", "NumpyArrayWrapper")), 1, shape=shape)
    program = follow_pickle(pickled(made + b"\0"), with_arrays=True)
    assert "cannot be followed" in str(program.error)


NO_TEXT = {
    "a number": b"K\x01",
    "a list": many(text("os")),
    "a set": b"\x8f",
    "an object": new(name("a", "B")),
}
MAY_BE = {
    "what is called": call(name("a", "b")),
    "an object made of something": new(name("a", "B"), text("os")),
    "a name": name("a", "b"),
}


@pytest.mark.parametrize("what", NO_TEXT)
def test_a_name_that_is_no_text_ends_the_pickle(what):
    program = follow_pickle(b"\x80\x04" + NO_TEXT[what] + text("system") + b"\x93.")
    assert program.error and "(computed)" not in {name for name, _ in program.globals}


@pytest.mark.parametrize("what", MAY_BE)
def test_a_name_that_may_be_a_text_is_computed(what):
    program = follow_pickle(b"\x80\x04" + MAY_BE[what] + text("system") + b"\x93.")
    assert not program.error and "(computed)" in {name for name, _ in program.globals}


WORDS = numpy.array(["a", "b"], dtype=object)
HONEST = {"in a dictionary": {"names": WORDS, "x": 1}, "alone": WORDS, "in a list": [WORDS[:1]]}


@pytest.mark.parametrize("where", HONEST)
def test_an_array_of_objects_is_no_mark_and_no_name(where, tmp_path, capsys):
    joblib.dump(HONEST[where], tmp_path / "words.joblib")
    path = str(tmp_path / "words.joblib")
    # Without joblib the array's own pickle is read with the outer memo: names may come of that.
    code = int(where == "in a dictionary")
    assert [main([command, path]) for command in ("scan", "inspect")] == [code, code]
