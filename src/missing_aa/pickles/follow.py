"""Follow a pickle program step by step and build inert nodes: nothing is imported, nothing called.

The machine does to its stack and memo what Python's own unpickler would do, so the names that it
meets are the names that would be imported, however they were put together.
"""

import struct

from helpers.checkpoints.errors import LimitReached, Malformed
from helpers.checkpoints.limits import DEFAULT, Limits
from helpers.checkpoints.literals import DOUBLE, Broken
from helpers.checkpoints.nodes import Global, Object
from helpers.checkpoints.opcodes import STEPS, Stop
from helpers.checkpoints.python2 import modern_name
from helpers.checkpoints.tensors import Storage


class Program:
    """What following one pickle gave: its `root`, and every Global that it asks for.

    It lies in `data` from `start` on; `end` is where the next pickle would begin. `persistent`
    lists the ids of what lies outside the pickle: its storages. `sources` holds the class source
    that files of torch before 1.6 embed: Global -> (file, text). `embedded` holds the calls that
    would load a pickle within the pickle, and the storage in each once it has been looked into.
    `objects` are all calls, those whose result is thrown away among them.
    `error` is set where the program breaks off; what was asked for until there would have been
    imported all the same. `short` says that it may go on in data that is not there.
    """

    def __init__(self, data: bytes, start: int):
        self.data = data
        self.start = start
        self.root = None
        self.globals: dict[tuple[str, str], Global] = {}
        self.sources: dict[Global, tuple] = {}
        self.persistent: list = []
        self.embedded: dict[Object, Storage | None] = {}
        self.objects: list[Object] = []
        self.protocol = 0
        self.opcodes = 0
        self.end = 0
        self.error: Malformed | LimitReached | None = None
        self.short = False


class _Short(Broken):
    pass


BROKEN = (Broken, IndexError, KeyError, ValueError, TypeError, struct.error, OverflowError)
PICKLE_IN_PICKLE = "torch.storage._load_from_bytes"
"""How a tensor's data is pickled where torch.save was not used."""

COMPUTED = "(computed)"
"""Stands for a name that is put together while the file is loaded, and so cannot be judged."""


def read(data: bytes, start: int = 0, limits: Limits = DEFAULT) -> Program:
    """Follow the pickle that begins at `start`; never raises on what the file holds."""
    machine = Machine(data, start)
    program = machine.program
    try:
        machine.run(limits)
    except LimitReached as error:
        program.error = error
    except BROKEN as error:
        detail = f" ({error})" if isinstance(error, Broken) else ""
        program.error = Malformed(
            f"the pickle breaks off at byte {machine.at}{detail}: the file is damaged or cut "
            "short; fetch or save it again"
        )
        program.short = isinstance(error, _Short) or machine.at + DOUBLE.size > len(data)
    program.end = machine.at
    return program


class Machine:
    """The stack, the marks, the memo and the place in the text, on which the opcodes work."""

    def __init__(self, data: bytes, start: int):
        self.data = data
        self.at = start
        self.stack: list = []
        self.marks: list[list] = []
        self.memo: dict[int, object] = {}
        self.program = Program(data, start)

    def run(self, limits: Limits) -> None:
        data, steps, program = self.data, STEPS, self.program
        try:
            for count in range(1, limits.opcodes + 1):
                code = data[self.at]
                self.at += 1
                program.opcodes = count
                steps[code](self)
        except Stop:
            return
        limits.check("opcodes", limits.opcodes + 1, "the number of the pickle's steps")

    # Reading the program's text.

    def take(self, size: int) -> bytes:
        end = self.at + size
        if size < 0 or end > len(self.data):
            raise _Short("it asks for more bytes than there are")
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def number(self, form: struct.Struct):
        (value,) = form.unpack_from(self.data, self.at)
        self.at += form.size
        return value

    def line(self) -> bytes:
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise _Short("a line has no end")
        taken = self.data[self.at : end]
        self.at = end + 1
        return taken

    # Working on the stack.

    def push(self, value) -> None:
        self.stack.append(value)

    def pop(self):
        return self.stack.pop()

    def to_mark(self) -> list:
        items = self.stack
        self.stack = self.marks.pop()
        return items

    def ask(self, module, name) -> Global:
        """The node of a name; the same name gives the same node."""
        if not isinstance(module, str) or not isinstance(name, str):
            module = name = COMPUTED
        known = self.program.globals
        if (module, name) not in known:
            known[module, name] = Global(*modern_name(module, name), asked=(module, name))
        return known[module, name]

    def make(self, made_by, args, kwargs=None) -> None:
        """Push what calling `made_by` would give."""
        made = Object(made_by, args, kwargs)
        self.program.objects.append(made)
        if isinstance(made_by, Global) and made_by.dotted == PICKLE_IN_PICKLE:
            self.program.embedded[made] = None
        self.stack.append(made)
