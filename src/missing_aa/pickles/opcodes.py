"""The opcodes of a pickle: what each does to the stack and the memo of the machine of `pickles`."""

import struct

from missing_aa.pickles import joblib_arrays
from missing_aa.pickles.literals import DIFFERS, LITERALS, number_line, whole_number
from missing_aa.pickles.machine import (
    BYTE,
    GROWN,
    INT,
    LONG,
    SHORT,
    UINT,
    UNFOLLOWED,
    Broken,
    Machine,
    Short,
    Stop,
    text,
)
from missing_aa.pickles.program import Dict, Global, Object, Persistent, is_class_name
from missing_aa.pickles.states import build, note_set

SETTERS = ("torch._utils._rebuild_parameter_with_state", "torch._tensor._rebuild_from_type_v2")
"""They set each attribute of the state that they are given fourth."""

NO_TEXTS = (joblib_arrays.WRAPPER, joblib_arrays.DTYPE, joblib_arrays.ARRAY)
"""Names of classes that joblib writes with every array, so that a reader without it meets them."""

CLASS_METHODS = ("zoneinfo.ZoneInfo._unpickle",)
"""Methods of Python's own classes that make an object, and are asked for as their attributes."""


def _proto(m: Machine) -> None:
    m.program.protocol = m.number(BYTE)
    if m.program.protocol > 5:
        raise Broken(f"protocol {m.program.protocol} is unknown")


def _frame(m: Machine) -> None:
    """FRAME says how far to read ahead. C's reader takes other bytes than ours where it lies."""
    size = m.number(LONG)
    is_odd = m.program.protocol < 4 or m.at < m.frame_end
    m.frame_end = m.at + size
    if is_odd:
        m.doubt_frame("a frame stands where there can be none")


def _stop(m: Machine) -> None:
    if m.frame_end > len(m.data):
        raise Short("a frame reaches beyond what there is")
    if m.at < m.frame_end:  # a reader of a file may go on behind the frame, or here
        m.doubt_frame("a frame goes on behind the pickle's end")
    m.program.root = m.pop()
    raise Stop


def _mark(m: Machine) -> None:
    m.marks.append(m.stack)
    m.stack = []


def _pop(m: Machine) -> None:
    if m.stack:
        m.stack.pop()
    else:
        m.to_mark()


def _tuple(size: int):
    def step(m: Machine) -> None:
        stack = m.stack
        if len(stack) < size:
            raise Broken("the stack is empty")
        stack[-size:] = (tuple(stack[-size:]),)
        m.made += 1

    return step


def _fresh(make):
    def step(m: Machine) -> None:
        m.stack.append(make())
        m.made += 1

    return step


def _gathered(make):
    """What stands above the mark, as one thing."""

    def step(m: Machine) -> None:
        m.push(make(m.to_mark()))
        m.made += 1

    return step


def _get(m: Machine) -> None:
    (at,) = UINT.unpack_from(m.data, m.at)
    m.at += 4
    m.stack.append(m.memo[at])


def _put(m: Machine) -> None:
    (at,) = UINT.unpack_from(m.data, m.at)
    m.at += 4
    m.memo[at] = m.stack[-1]


# Most of what a model's pickle does is to put and get by one byte: so that has its own functions.


def _get_byte(m: Machine) -> None:
    m.stack.append(m.memo[m.data[m.at]])
    m.at += 1


def _put_byte(m: Machine) -> None:
    m.memo[m.data[m.at]] = m.stack[-1]
    m.at += 1


PLACES = 2**32
"""How many places the memo has for the opcodes that name one by bytes."""


def _place(m: Machine) -> int | str:
    """A place in the memo, as text where it is so large that numbers would be slow to look up."""
    at = whole_number(m, number_line(m), 10)
    if at < 0:
        raise Broken("the memo has no such place")
    if at < PLACES:
        return at
    m.doubt(DIFFERS)
    return str(at)


def _get_line(m: Machine) -> None:
    m.push(m.memo[_place(m)])


def _put_line(m: Machine) -> None:
    m.memo[_place(m)] = m.stack[-1]


def _memoize(m: Machine) -> None:
    m.memo[len(m.memo)] = m.stack[-1]


# An imported name may be bound to anything: what is done to it is noted, and judged. What is done
# to something else that is not followed here (a byte array that grows, an item set in a list) makes
# all that comes after uncertain: the names are still read, and the file is refused.


def _fill(target, items: list) -> None:
    if isinstance(target, list):
        target.extend(items)
    elif isinstance(target, Object):
        if target.items:
            target.items += items
        else:
            target.items = items


def _append(m: Machine) -> None:
    item = m.pop()
    _fill(m.stack[-1], [item])
    _note_filled(m, list | Object)


def _note_keys(m: Machine, keys: list) -> None:
    m.program.keys += [key for key in keys if isinstance(key, tuple | Object)]


def _add_to_set(m: Machine) -> None:
    _note_keys(m, m.stack)
    _appends(m)


def _appends(m: Machine) -> None:
    items = m.to_mark()
    _fill(m.stack[-1], items)
    _note_filled(m, list | Object)


def _note_filled(m: Machine, kinds) -> None:
    """Note what something is added to; `kinds` are those that this follows."""
    target = m.stack[-1]
    if m.read and id(target) in m.read:
        m.doubt(GROWN)
    if isinstance(target, Global):
        m.program.filled.add(target)
    elif not isinstance(target, kinds):
        m.doubt(UNFOLLOWED)


def _set(m: Machine, target, items: list) -> None:
    if len(items) % 2:
        raise Broken("a key has no value")
    _note_keys(m, items[::2])
    if isinstance(target, Dict | Object):
        pairs = list(zip(items[::2], items[1::2], strict=True))
        if target.pairs:
            target.pairs += pairs
        else:
            target.pairs = pairs


def _setitem(m: Machine) -> None:
    value, key = m.pop(), m.pop()
    _set(m, m.stack[-1], [key, value])
    _note_filled(m, Dict | Object)


def _setitems(m: Machine) -> None:
    items = m.to_mark()
    _set(m, m.stack[-1], items)
    _note_filled(m, Dict | Object)


def _dict(m: Machine) -> None:
    made = Dict()
    _set(m, made, m.to_mark())
    m.push(made)
    m.made += 1


def _set_of(m: Machine, kind: str) -> None:
    made = Object(kind, ())
    made.items = m.to_mark()
    _note_keys(m, made.items)
    m.push(made)
    m.made += 1


def _global(m: Machine) -> None:
    module = text(m.line())
    m.push(m.ask(module, text(m.line())))


def _may_be_text(node: object) -> bool:
    """Whether it may be a text once it is loaded, and one that is not empty."""
    if isinstance(node, Object):
        is_fresh = node.is_new and type(node.made_by) is Global and node.args == ()
        return not is_fresh and not isinstance(node.made_by, str)
    if isinstance(node, Global) and node.dotted in NO_TEXTS:
        return False
    return isinstance(node, str | Global | Persistent)


def _stack_global(m: Machine) -> None:
    name, module = m.pop(), m.pop()
    if not _may_be_text(name) or not _may_be_text(module):
        raise Broken("a name is asked for by what is no text")
    m.push(m.ask(module, name))


def _extension(form: struct.Struct):
    def step(m: Machine) -> None:
        m.number(form)  # a number that stands for a name in a table of the loading process
        m.push(m.ask(None, None))

    return step


def _arguments(m: Machine):
    """What a call is given; Python's own reader takes anything that holds items, C a tuple."""
    args = m.stack.pop()
    if isinstance(args, list | str | bytes | Dict):
        m.doubt(DIFFERS)
    return args


def _call(m: Machine) -> None:
    args = _arguments(m)
    made_by = m.stack.pop()
    m.make(made_by, args)
    if type(made_by) is Global and made_by.dotted in SETTERS and isinstance(args, tuple):
        for state in args[3:4]:
            for part in state if isinstance(state, tuple) else (state,):
                if not isinstance(part, Dict) and part is not None:
                    m.doubt("a tensor's state is no dictionary")
                note_set(m, part)
    if type(made_by) is Global and made_by.dotted == "builtins.getattr":
        match args:  # a class in a class, which is a name as any other
            case (Global() as outer, str(name)) if _is_named_by(outer, name):
                module, path = outer.asked
                m.stack[-1] = m.ask(module, f"{path}.{name}")


def _is_named_by(outer: Global, name: str) -> bool:
    if f"{outer.dotted}.{name}" in CLASS_METHODS:
        return True
    last = outer.name.rpartition(".")[2]
    return name.isidentifier() and is_class_name(name) and is_class_name(last)


def _new(m: Machine) -> None:
    args = _arguments(m)
    m.make(m.stack.pop(), args, is_new=True)


def _new_with_keywords(m: Machine) -> None:
    kwargs, args, made_by = m.pop(), _arguments(m), m.pop()
    m.make(made_by, args, kwargs, is_new=True)


def _inst(m: Machine) -> None:
    module = text(m.line())
    made_by = m.ask(module, text(m.line()))
    m.make(made_by, tuple(m.to_mark()))


def _obj(m: Machine) -> None:
    made_by, *args = m.to_mark()
    m.make(made_by, tuple(args))


def _is_taken(made: Object) -> bool:
    """Whether it is an attribute of something, as a class nested in another is pickled."""
    return isinstance(made.made_by, Global) and made.made_by.dotted == "builtins.getattr"


def _persistent(m: Machine, id) -> None:
    # torch before 1.6 hands over a class together with its source, and compares that with today's.
    is_class = isinstance(id, tuple) and len(id) > 1 and type(id[0]) is str and id[0] == "module"
    if is_class and not (
        isinstance(id[1], Global) or isinstance(id[1], Object) and _is_taken(id[1])
    ):
        raise Broken("a class that is no name stands where torch compares sources")
    if isinstance(id, tuple) and len(id) == 4 and id[0] == "module" and isinstance(id[1], Global):
        m.program.sources[id[1]] = id[2:]
        m.push(id[1])
    else:
        m.program.persistent.append(id)
        m.push(Persistent(id))


def _unknown(m: Machine) -> None:
    raise Broken(f"there is no opcode {m.data[m.at - 1]:#04x}")


STEPS = [_unknown] * 256
for _code, _step in {
    **LITERALS,
    b"\x80": _proto,
    b".": _stop,
    b"\x95": _frame,
    b"(": _mark,
    b"0": _pop,
    b"1": lambda m: m.to_mark(),
    b"2": lambda m: m.push(m.stack[-1]),
    b")": lambda m: m.stack.append(()),
    b"\x85": _tuple(1),
    b"\x86": _tuple(2),
    b"\x87": _tuple(3),
    b"t": _gathered(tuple),
    b"]": _fresh(list),
    b"l": _gathered(list),
    b"}": _fresh(Dict),
    b"d": _dict,
    b"\x8f": _fresh(lambda: Object("set", ())),
    b"\x90": _add_to_set,
    b"\x91": lambda m: _set_of(m, "frozenset"),
    b"a": _append,
    b"e": _appends,
    b"s": _setitem,
    b"u": _setitems,
    b"g": _get_line,
    b"h": _get_byte,
    b"j": _get,
    b"p": _put_line,
    b"q": _put_byte,
    b"r": _put,
    b"\x94": _memoize,
    b"c": _global,
    b"\x93": _stack_global,
    b"\x82": _extension(BYTE),
    b"\x83": _extension(SHORT),
    b"\x84": _extension(INT),
    b"R": _call,
    b"\x81": _new,
    b"\x92": _new_with_keywords,
    b"i": _inst,
    b"o": _obj,
    b"b": build,
    b"P": lambda m: _persistent(m, text(m.line())),
    b"Q": lambda m: _persistent(m, m.pop()),
}.items():
    STEPS[_code[0]] = _step
