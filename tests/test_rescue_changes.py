"""What is changed, or called with a tensor, while a file is loaded is not rescued as it was."""

import pickle

import joblib
import pytest
import torch

from hostile_files import (
    WRAPPER,
    call,
    many,
    name,
    new,
    number,
    ordered,
    pickled,
    put,
    row,
    table,
    text,
    then,
    wrapped,
)
from missing_aa import rescue
from missing_aa.errors import Malformed, Refused
from test_rescue_same import (
    IT,
    MADE,
    NOTED,
    NUMBERS,
    ONE,
    OTHER,
    W,
    array,
    as_bytes,
    computed,
    tensor,
    zipped,
)


def in_order(order: str) -> bytes:
    """The state of a type, of that order of bytes."""
    minus = number(-1)
    return row(number(3), text(order), b"N", b"N", b"N", minus, minus, number(0)) + b"b"


FOREIGN = put(8, call(name("numpy", "dtype"), text("f4"), b"\x89", b"\x88")) + in_order(">")
"""Numbers of a big-endian machine, which LATER says are of this one."""
LATER = b"h\x08" + in_order("<") + b"0"
SQUARE = row(number(2), number(2))


def by_joblib(**more: bytes) -> bytes:
    """An array as joblib writes it, its description in the memo before and after its state."""
    given = wrapped(1, shape=SQUARE, dtype=NUMBERS) | more
    return put(6, new(WRAPPER)) + put(7, table(**given)) + b"b" + ONE


@pytest.fixture
def dumped(tmp_path):
    def write(body: bytes):
        (tmp_path / "arrays.joblib").write_bytes(pickled(body))
        return tmp_path / "arrays.joblib"

    return write


STRANGE_RECORDS = {
    "an order that is computed": table(w=by_joblib(order=computed("F"))),
    "an order that joblib does not know": table(w=by_joblib(order=text("K"))),
    "a description that grows": table(w=by_joblib()) + b"h\x07" + text("order") + text("F") + b"s0",
    "a type that changes": table(w=by_joblib(dtype=FOREIGN)) + LATER,
}


@pytest.mark.parametrize("how", STRANGE_RECORDS)
def test_an_array_is_described_once(dumped, session, how):
    with pytest.raises(Malformed):
        rescue(dumped(STRANGE_RECORDS[how]), session=session)


def test_what_describes_an_array_is_no_array(dumped, session):
    path = dumped(table(w=by_joblib(), v=b"h\x06"))
    wanted = joblib.load(path)
    found = rescue(path, session=session)
    assert type(wanted["v"]).__name__ == "NumpyArrayWrapper" and "'v'" in found.report.notes[0]
    assert as_bytes(found.state_dict) == as_bytes({"w": torch.from_numpy(wanted["w"])})


def test_a_type_that_changes_once_an_array_is_made_is_refused(saved, session):
    changed = table(w=array(kind=FOREIGN)) + LATER
    with pytest.raises(Malformed):
        rescue(saved(zipped(changed)), session=session)


@pytest.mark.parametrize("raw", [ONE, "\u00e9\u00e9".encode()])
def test_bytes_that_python_2_wrote_are_an_arrays(tmp_path, session, raw):
    given = row(number(len(raw) // 4)), NUMBERS, b"\x89", b"U" + bytes([len(raw)]) + raw
    path = tmp_path / "old.pkl"
    path.write_bytes(pickled(table(w=MADE + row(number(1), *given) + b"b")))
    wanted = pickle.loads(path.read_bytes(), encoding="latin1")["w"]
    assert rescue(path, session=session).state_dict["w"].numpy().tobytes() == wanted.tobytes()


@pytest.mark.parametrize("more", [[], ["head"], ["scale"], ["head", "scale"]])
def test_a_wrapper_with_more_than_a_model_is_taken_whole(tmp_path, session, more):
    inner = torch.nn.Linear(2, 2)
    model = torch.nn.DataParallel(inner)
    parts = {"head": torch.nn.Linear(1, 1), "scale": torch.nn.Parameter(torch.ones(1))}
    for part in more:
        setattr(model, part, parts[part])
    torch.save({"model": model}, tmp_path / "model.pt")
    found = rescue(tmp_path / "model.pt", session=session)
    wanted = (model if more else inner).state_dict()
    assert as_bytes(found.state_dict) == as_bytes(wanted)
    assert found.report.prefix == ("" if more else "module.")


CALLED = {
    "a function": call(name("torch", "fill_"), IT, number(7)),
    "a function that gives it": call(name("torch", "squeeze"), IT) + number(0) + number(7) + b"s",
    "a class that keeps it": call(name("a", "Bag"), IT) + number(0) + number(7) + b"s",
    "what shares its bytes": call(name("torch", "fill_"), tensor(2), number(7)),
    "a partial": call(
        call(name("functools", "partial"), name("torch", "fill_"), table(of=many(IT))), number(7)
    ),
}


@pytest.mark.parametrize("what", CALLED)
def test_what_is_called_with_a_tensor_may_change_it(saved, session, what):
    path = saved(zipped(then(NOTED, CALLED[what], ordered(w=IT))))
    with pytest.raises(Refused, match="is called with the tensor 'w'"):
        rescue(path, session=session)
    written = rescue(path, session=session, even_if_dangerous=True).state_dict["w"]
    assert written.tolist() == [1, 2, 3, 4]
    other = saved(zipped(then(put(9, OTHER), CALLED["a function"], ordered(w=W))))
    assert list(rescue(other, session=session).state_dict) == ["w"]


def test_a_model_under_a_computed_key_is_not_taken_for_another(saved, session):
    path = saved(zipped(table(model=ordered(w=W)) + computed("model") + ordered(w=OTHER) + b"s"))
    with pytest.raises(Refused, match="neither text nor number"):
        rescue(path, root="model", session=session)
