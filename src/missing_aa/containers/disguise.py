"""Whether a file that looks like one kind is a pickle all the same, for a reader that runs it."""

from collections.abc import Callable, Sequence
from struct import Struct
from typing import Any, BinaryIO

from missing_aa.containers.formats import by_head
from missing_aa.containers.legacy import MAGIC_NUMBER
from missing_aa.errors import LimitReached, Malformed
from missing_aa.limits import Limits
from missing_aa.pickles.follow import BROKEN, follow_pickle
from missing_aa.pickles.machine import BYTE, LONG, UINT, Machine, text
from missing_aa.pickles.opcodes import STEPS
from missing_aa.pickles.program import Global, Program

WINDOW = 2**20
FEW = 16
"""So many steps the first bytes of other kinds may be good for, by chance."""
STEPS_AT_MOST = 100_000
NEAR = 2**12
"""So far the end of a line is looked for at first."""
FAR_TEXT = 2**16
MOST = Limits().pickle_bytes


def is_pickle(begins: bytes) -> bool:
    """Pickles of protocol 0 and 1 have no mark: one is what can be followed to an end or a name.

    What calls something, does more than a few steps, or goes on behind what was read of it, is one
    whatever comes after.
    """
    if by_head(begins, len(begins)) in ("pickle", "torch-legacy"):
        return True
    program = follow_pickle(begins)
    goes_on = program.short and len(begins) == WINDOW
    return not program.error or goes_on or program.opcodes > FEW or _asks(program)


def is_also_pickle(file: BinaryIO, size: int) -> bool:
    """Whether what has the mark of another kind does something where it is read as a pickle.

    An honest header takes such a reader a few steps, even to an end: that alone is no pickle.
    """
    program = _follow_far(file, size, _Counted(), Limits(opcodes=STEPS_AT_MOST))
    if isinstance(program.error, LimitReached):
        return True
    return program.root == MAGIC_NUMBER or _asks(program)


def follow_far(file: BinaryIO, size: int, limits: Limits) -> Program:
    """Follow the pickle that a file begins with, and read no more of it than its steps look at."""
    return _follow_far(file, size, FAR, limits)


def _follow_far(file: BinaryIO, size: int, steps: Sequence, limits: Limits) -> Program:
    data: Any = _Far(file, size)
    machine = _Reader(data, 0)
    try:
        machine.run(steps, limits)
    except LimitReached as error:
        machine.program.error = error
    except BROKEN as error:
        machine.program.error = Malformed(str(error))
    return machine.program


def _asks(program: Program) -> bool:
    """Whether it calls something, or asks for a name that there can be."""
    if any(isinstance(made.made_by, Global) for made in program.objects):
        return True
    return any(
        all(part.isidentifier() for part in module.split("."))
        and all(part.isidentifier() for part in name.split(".") if name)
        for module, name in program.globals
    )


class _Counted(Sequence):
    """What each opcode does, for more than a few of which LimitReached is raised.

    A row of the same ones is one: weights of few bits are often such a row.
    """

    def __init__(self):
        self.done, self.last = 0, None

    def __len__(self) -> int:
        return len(FAR)

    def __getitem__(self, code: Any) -> Any:
        self.done += code != self.last
        self.last = code
        if self.done > FEW:
            raise LimitReached("it does more than a few steps")
        return FAR[code]


def _text(form: Struct) -> Callable[[Machine], None]:
    return lambda m: m.push(text(m.take(m.number(form))))


def _get(m: Machine) -> None:
    m.push(m.memo[m.number(UINT)])


def _put(m: Machine) -> None:
    m.memo[m.number(UINT)] = m.stack[-1]


FAR: list[Callable[[Machine], None]] = list(STEPS)
"""The same steps where those of `opcodes` take bytes that lie in memory."""
for _code, _step in (
    (b"X", _text(UINT)),
    (b"\x8c", _text(BYTE)),
    (b"\x8d", _text(LONG)),
    (b"j", _get),
    (b"r", _put),
):
    FAR[_code[0]] = _step


class _Far:
    """The bytes of a file, read where they are looked at."""

    def __init__(self, file: BinaryIO, size: int):
        self.file, self.size = file, size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            return self._read(at.start, at.stop - at.start)
        return self._read(at, 1)[0]

    def _read(self, start: int, size: int) -> bytes:
        self.file.seek(start)
        return self.file.read(size)

    def find(self, what: bytes, start: int) -> int:
        size = NEAR
        while piece := self._read(start, size):
            if (found := piece.find(what)) >= 0:
                return start + found
            start += len(piece)
            size = WINDOW
        return -1


class _Reader(Machine):
    """Works on a `_Far`, and takes no long text into memory."""

    def number(self, form):
        (value,) = form.unpack(self.take(form.size))
        return value

    def take(self, size: int) -> bytes:
        if size <= FAR_TEXT:
            return super().take(size)
        self.skip(size)
        return b"0"

    def line(self) -> bytes:
        end = self.data.find(b"\n", self.at)
        if (end if end >= 0 else len(self.data)) - self.at > MOST:
            raise LimitReached("a line in it is too long")
        return super().line()
