"""Follow a pickle program step by step and build inert nodes: nothing is imported, nothing called.

The machine does to its stack and memo what Python's own unpickler would do, so the names that it
meets are the names that would be imported, however they were put together.
"""

import codecs
import struct

from helpers.checkpoints.errors import LimitReached, Malformed
from helpers.checkpoints.limits import DEFAULT, Limits
from helpers.checkpoints.nodes import Dict, Global, Object, Persistent
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


class _Stop(Exception):
    pass


class _Broken(Exception):
    pass


class _Short(_Broken):
    pass


BROKEN = (_Broken, IndexError, KeyError, ValueError, TypeError, struct.error, OverflowError)
PICKLE_IN_PICKLE = "torch.storage._load_from_bytes"
"""How a tensor's data is pickled where torch.save was not used."""

COMPUTED = "(computed)"
"""Stands for a name that is put together while the file is loaded, and so cannot be judged."""


def read(data: bytes, start: int = 0, limits: Limits = DEFAULT) -> Program:
    """Follow the pickle that begins at `start`; never raises on what the file holds."""
    machine = _Machine(data, start)
    program = machine.program
    try:
        machine.run(limits)
    except LimitReached as error:
        program.error = error
    except BROKEN as error:
        detail = f" ({error})" if isinstance(error, _Broken) else ""
        program.error = Malformed(
            f"the pickle breaks off at byte {machine.at}{detail}: the file is damaged or cut "
            "short; fetch or save it again"
        )
        program.short = isinstance(error, _Short) or machine.at + DOUBLE.size > len(data)
    program.end = machine.at
    return program


class _Machine:
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
        except _Stop:
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


BYTE = struct.Struct("<B")
SHORT = struct.Struct("<H")
INT = struct.Struct("<i")
UINT = struct.Struct("<I")
LONG = struct.Struct("<Q")
DOUBLE = struct.Struct(">d")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


def _proto(m: _Machine) -> None:
    m.program.protocol = m.number(BYTE)
    if m.program.protocol > 5:
        raise _Broken(f"protocol {m.program.protocol} is unknown")


def _stop(m: _Machine) -> None:
    m.program.root = m.pop()
    raise _Stop


def _mark(m: _Machine) -> None:
    m.marks.append(m.stack)
    m.stack = []


def _pop(m: _Machine) -> None:
    if m.stack:
        m.stack.pop()
    else:
        m.to_mark()


def _int_line(m: _Machine) -> None:
    line = m.line()
    m.push(line == b"01" if line in (b"00", b"01") else int(line, 0))


def _long_line(m: _Machine) -> None:
    m.push(int(m.line().strip().rstrip(b"L"), 0))


def _string_line(m: _Machine) -> None:
    line = m.line().strip()
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in b"\"'":
        raise _Broken("a string has no quotes")
    m.push(_byte_string(codecs.escape_decode(line[1:-1])[0]))


def _byte_string(raw: bytes):
    """What Python 2 called str: text where it is ASCII, else bytes."""
    return raw.decode() if raw.isascii() else raw


def _sized(form: struct.Struct, convert):
    def step(m: _Machine) -> None:
        m.push(convert(m.take(m.number(form))))

    return step


def _whole(raw: bytes) -> int:
    return int.from_bytes(raw, "little", signed=True)


def _plain(form: struct.Struct):
    return lambda m: m.stack.append(m.number(form))


def _constant(value):
    return lambda m: m.stack.append(value)


def _fresh(make):
    return lambda m: m.stack.append(make())


def _tuple(size: int):
    def step(m: _Machine) -> None:
        if len(m.stack) < size:
            raise _Broken("the stack is empty")
        m.stack[-size:] = [tuple(m.stack[-size:])]

    return step


def _get(form: struct.Struct):
    return lambda m: m.stack.append(m.memo[m.number(form)])


def _put(form: struct.Struct):
    def step(m: _Machine) -> None:
        m.memo[m.number(form)] = m.stack[-1]

    return step


def _put_line(m: _Machine) -> None:
    m.memo[int(m.line())] = m.stack[-1]


def _memoize(m: _Machine) -> None:
    m.memo[len(m.memo)] = m.stack[-1]


# An imported name may be bound to anything, so what is done to a node that is neither list nor
# dictionary nor Object is let pass: stopping here would hide the names that come after it.


def _fill(target, items: list) -> None:
    if isinstance(target, list):
        target.extend(items)
    elif isinstance(target, Object):
        target.items.extend(items)


def _append(m: _Machine) -> None:
    item = m.pop()
    _fill(m.stack[-1], [item])


def _appends(m: _Machine) -> None:
    items = m.to_mark()
    _fill(m.stack[-1], items)


def _set(target, items: list) -> None:
    if len(items) % 2:
        raise _Broken("a key has no value")
    if isinstance(target, Dict | Object):
        target.pairs.extend(zip(items[::2], items[1::2], strict=True))


def _setitem(m: _Machine) -> None:
    value, key = m.pop(), m.pop()
    _set(m.stack[-1], [key, value])


def _setitems(m: _Machine) -> None:
    items = m.to_mark()
    _set(m.stack[-1], items)


def _dict(m: _Machine) -> None:
    made = Dict()
    _set(made, m.to_mark())
    m.push(made)


def _set_of(m: _Machine, kind: str) -> None:
    made = Object(kind, ())
    made.items = m.to_mark()
    m.push(made)


def _global(m: _Machine) -> None:
    module = _text(m.line())
    m.push(m.ask(module, _text(m.line())))


def _stack_global(m: _Machine) -> None:
    name, module = m.pop(), m.pop()
    m.push(m.ask(module, name))


def _extension(form: struct.Struct):
    def step(m: _Machine) -> None:
        m.number(form)  # a number that stands for a name in a table of the loading process
        m.push(m.ask(None, None))

    return step


def _make(m: _Machine, made_by, args, kwargs=None) -> None:
    made = Object(made_by, args, kwargs)
    m.program.objects.append(made)
    if isinstance(made_by, Global) and made_by.dotted == PICKLE_IN_PICKLE:
        m.program.embedded[made] = None
    m.stack.append(made)


def _call(m: _Machine) -> None:
    args = m.stack.pop()
    _make(m, m.stack.pop(), args)


def _call_with_keywords(m: _Machine) -> None:
    kwargs, args, made_by = m.pop(), m.pop(), m.pop()
    _make(m, made_by, args, kwargs)


def _inst(m: _Machine) -> None:
    module = _text(m.line())
    made_by = m.ask(module, _text(m.line()))
    _make(m, made_by, tuple(m.to_mark()))


def _obj(m: _Machine) -> None:
    made_by, *args = m.to_mark()
    _make(m, made_by, tuple(args))


def _build(m: _Machine) -> None:
    state = m.pop()
    if isinstance(m.stack[-1], Object):
        m.stack[-1].states.append(state)


def _persistent(m: _Machine, id) -> None:
    # torch before 1.6 hands over a class together with its source.
    if isinstance(id, tuple) and len(id) == 4 and id[0] == "module" and isinstance(id[1], Global):
        m.program.sources[id[1]] = id[2:]
        m.push(id[1])
    else:
        m.program.persistent.append(id)
        m.push(Persistent(id))


def _unknown(m: _Machine) -> None:
    raise _Broken(f"there is no opcode {m.data[m.at - 1]:#04x}")


STEPS = [_unknown] * 256
for _code, _step in {
    b"\x80": _proto,
    b".": _stop,
    b"\x95": lambda m: m.take(8),  # FRAME: only says how far to read ahead
    b"(": _mark,
    b"0": _pop,
    b"1": lambda m: m.to_mark(),
    b"2": lambda m: m.push(m.stack[-1]),
    b"N": _constant(None),
    b"\x88": _constant(True),
    b"\x89": _constant(False),
    b"I": _int_line,
    b"J": _plain(INT),
    b"K": _plain(BYTE),
    b"M": _plain(SHORT),
    b"L": _long_line,
    b"\x8a": _sized(BYTE, _whole),
    b"\x8b": _sized(INT, _whole),
    b"F": lambda m: m.push(float(m.line())),
    b"G": _plain(DOUBLE),
    b"S": _string_line,
    b"U": _sized(BYTE, _byte_string),
    b"T": _sized(INT, _byte_string),
    b"V": lambda m: m.push(m.line().decode("raw-unicode-escape")),
    b"X": _sized(UINT, _text),
    b"\x8c": _sized(BYTE, _text),
    b"\x8d": _sized(LONG, _text),
    b"C": _sized(BYTE, bytes),
    b"B": _sized(UINT, bytes),
    b"\x8e": _sized(LONG, bytes),
    b"\x96": _sized(LONG, bytes),
    b")": _constant(()),
    b"\x85": _tuple(1),
    b"\x86": _tuple(2),
    b"\x87": _tuple(3),
    b"t": lambda m: m.push(tuple(m.to_mark())),
    b"]": _fresh(list),
    b"l": lambda m: m.push(m.to_mark()),
    b"}": _fresh(Dict),
    b"d": _dict,
    b"\x8f": lambda m: m.push(Object("set", ())),
    b"\x90": _appends,
    b"\x91": lambda m: _set_of(m, "frozenset"),
    b"a": _append,
    b"e": _appends,
    b"s": _setitem,
    b"u": _setitems,
    b"g": lambda m: m.push(m.memo[int(m.line())]),
    b"h": _get(BYTE),
    b"j": _get(UINT),
    b"p": _put_line,
    b"q": _put(BYTE),
    b"r": _put(UINT),
    b"\x94": _memoize,
    b"c": _global,
    b"\x93": _stack_global,
    b"\x82": _extension(BYTE),
    b"\x83": _extension(SHORT),
    b"\x84": _extension(INT),
    b"R": _call,
    b"\x81": _call,
    b"\x92": _call_with_keywords,
    b"i": _inst,
    b"o": _obj,
    b"b": _build,
    b"P": lambda m: _persistent(m, _text(m.line())),
    b"Q": lambda m: _persistent(m, m.pop()),
}.items():
    STEPS[_code[0]] = _step
