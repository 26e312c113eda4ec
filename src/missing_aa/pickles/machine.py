"""The machine on which the opcodes of a pickle work: its stack, its memo and its text."""

import struct
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Callable, Sequence

from missing_aa.errors import Malformed
from missing_aa.limits import Limits
from missing_aa.pickles.program import (
    COMPUTED,
    PICKLE_IN_PICKLE,
    Dict,
    Global,
    Object,
    Program,
)


def modern_name(module: str, name: str) -> tuple[str, str]:
    """Module and name in Python 3: `__builtin__ set` becomes `builtins set`.

    This is Python's own table; torch's restricted reader maps with a part of it, and at every
    protocol, where Python maps only up to protocol 2.
    """
    if (module, name) in NAME_MAPPING:
        return NAME_MAPPING[module, name]
    return IMPORT_MAPPING.get(module, module), name


class Broken(Exception):
    """The program cannot go on; the text says why."""


class Unfollowed(Broken):
    """It may go on when it is loaded, but not here."""


BYTE = struct.Struct("<B")
SHORT = struct.Struct("<H")
INT = struct.Struct("<i")
UINT = struct.Struct("<I")
LONG = struct.Struct("<Q")
DOUBLE = struct.Struct(">d")


def text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


FRAME_WITHIN = "a frame ends within an instruction: readers differ on it"

ENDLESS = "a line has no end"

CLOCK = 4096
"""After so many steps the clock is looked at."""

GROWN = (
    "a list or a dictionary in it grows after it was read, as in no checkpoint: what was made of "
    "it cannot be known"
)


UNFOLLOWED = (
    "something in it is changed in a way that no checkpoint needs: what it holds cannot be known"
)

TENSOR_LIBRARIES = ("torch.", "numpy.")
"""Calls of these make tensors and arrays of what they are given, which must stay as it is then."""


class Stop(Exception):
    """The program has ended as it should."""


class Short(Broken):
    pass


class Machine:
    """The stack, the marks, the memo and the place in the text, on which the opcodes work."""

    def __init__(self, data: bytes, start: int, into: Program | None = None):
        self.data = data
        self.at = start
        self.stack: list = []
        self.marks: list[list] = []
        self.memo: dict[int | str, object] = {}
        self.program = into or Program(data, start)
        self.with_arrays = False
        self.as_torch = False
        """Whether torch.load reads it, for which a str of Python 2 is UTF-8."""
        self.frame_end = 0
        """Where the last frame ends; no opcode may begin before and end behind it."""
        self.read: set[int] = set()
        """The ids of what a call has read, or a state has given: it must not grow any more."""
        self.growing: set[int] = set()
        """The ids of lists that an object adds to while it is used."""
        self.attributes: set[int] = set()
        """The ids of what was looked at because a state sets it."""
        self.made = self.program.made
        self.letters = 0
        """Bytes that texts take which are wider in memory than in the file."""

    def run(self, steps: Sequence[Callable], limits: Limits) -> None:
        """Do the program step by step; `steps` holds what each opcode does."""
        data, program = self.data, self.program
        program.protocol = 0
        self.limits, self.steps = limits, steps
        count = 0
        try:
            while count < limits.opcodes:
                if count:
                    self.check()
                for count in range(count + 1, min(count + CLOCK, limits.opcodes) + 1):  # noqa: B007, B020
                    start = self.at
                    self.at = start + 1
                    steps[data[start]](self)
                    if start < self.frame_end < self.at:
                        self.doubt_frame(FRAME_WITHIN)
        except Stop:
            return
        except (Broken, ValueError):
            if start < self.frame_end < self.at:  # C has read other bytes here
                self.doubt_frame(FRAME_WITHIN)
            raise
        finally:
            program.opcodes = count
            program.made = self.made
        limits.check("opcodes", limits.opcodes + 1, "the number of the pickle's steps")

    def check(self) -> None:
        """Look at the clock, and at how much there is."""
        check = self.limits.check
        waiting = len(self.stack) + len(self.marks)
        check("objects", waiting, "the number of objects on the pickle's stack")
        made = self.made + len(self.program.objects)
        check("objects", made, "the number of objects that the pickle makes")

    # Reading the program's text.

    def take(self, size: int) -> bytes:
        end = self.at + size
        if size < 0 or end > len(self.data):
            raise Short("it asks for more bytes than there are")
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def skip(self, size: int) -> None:
        if self.at + size > len(self.data):
            raise Short("it asks for more bytes than there are")
        self.at += size

    def follow_inner(self) -> None:
        """Follow a pickle that stands between two opcodes of this one."""
        self.program.made = self.made
        inner = Machine(self.data, self.at, self.program)
        protocol = self.program.protocol
        inner.run(self.steps, self.limits)
        self.made = inner.made
        self.at, self.program.protocol = inner.at, protocol

    def doubt(self, why: str) -> None:
        """Note that a load would not do what is followed here; the names are still looked for."""
        self.program.fault = self.program.fault or Malformed(why)

    def doubt_frame(self, why: str) -> None:
        """The same for the last frame; beyond the end of what there is, none is read as one."""
        self.doubt(why)
        self.program.is_framed_oddly |= self.frame_end <= len(self.data)

    def number(self, form: struct.Struct):
        (value,) = form.unpack_from(self.data, self.at)
        self.at += form.size
        return value

    def line(self) -> bytes:
        end = self.data.find(b"\n", self.at)
        if end < 0:  # Python's own reader takes the last byte for the line's end
            self.doubt(ENDLESS)
            end = max(self.at, len(self.data) - 1)
        taken = self.data[self.at : end]
        self.at = min(end + 1, len(self.data))
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
            self.limits.check("names", len(known), "the number of different names")
        return known[module, name]

    def note_read(self, args: list | tuple, deep: bool) -> None:
        """Remember the lists among a call's arguments, those in them, and what else can change.

        What lies in lists and tuples only counts for itself where the call looks so `deep`.
        """
        waiting: list[list | tuple] = [args]
        while waiting:
            items = waiting.pop()
            if id(items) in self.read:
                continue
            self.read.add(id(items))
            if id(items) in self.growing:
                self.doubt(GROWN)
            for item in items:
                if type(item) is list or type(item) is tuple:
                    waiting.append(item)
                elif (deep or items is args) and (type(item) is Dict or type(item) is Object):
                    self.read.add(id(item))

    def make(self, made_by, args, kwargs=None, is_new=False) -> None:
        """Push what calling `made_by`, or its `__new__`, would give."""
        made = Object(made_by, args, kwargs, is_new)
        self.program.objects.append(made)
        if type(made_by) is Global:
            if made_by.reads_lists and args and isinstance(args, list | tuple):
                self.note_read(args, made_by.dotted.startswith(TENSOR_LIBRARIES))
            if made_by.dotted == PICKLE_IN_PICKLE:
                self.program.embedded[made] = None
        self.stack.append(made)
