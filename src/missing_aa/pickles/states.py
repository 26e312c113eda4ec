"""What the opcode that gives an object its state does: it can call, set and change, too."""

from missing_aa.pickles import joblib_arrays, known_names
from missing_aa.pickles.machine import BYTE, FRAME_WITHIN, GROWN, UNFOLLOWED, Machine, Unfollowed
from missing_aa.pickles.program import Dict, Global, Object, class_of

HOLDERS = frozenset(known_names.HOLDERS.split())
GIVERS = frozenset(known_names.GIVERS.split())
GROWS = "itertools.cycle"
"""It adds to the list that its state gives it, while another goes over it."""
CHANGED_LATE = "an object in it gets its state after something was made of it, as in no checkpoint"


def build(m: Machine) -> None:
    """BUILD: an object gets its state."""
    state = m.pop()
    target = m.stack[-1]
    if isinstance(target, Global):
        m.program.filled.add(target)
    elif not isinstance(target, Object):
        m.doubt(UNFOLLOWED)
    if isinstance(target, Object):
        if _may_be_pair(state):
            m.doubt("a state is made by what may give any")
        elif isinstance(state, tuple) and len(state) == 2:
            note_set(m, state[1])
        parts = state if isinstance(state, tuple) and len(state) == 2 else (state,)
        m.read.update(id(part) for part in parts if isinstance(part, Dict | Object))  # it is copied
        if id(target) in m.read:
            m.doubt(CHANGED_LATE)
        if isinstance(target.made_by, Global) and target.made_by.dotted == GROWS:
            _note_growing(m, state)
        if target.states:
            target.states.append(state)
        else:
            target.states = [state]
        if m.with_arrays:
            _pass_array(m, target)


def _note_growing(m: Machine, state: object) -> None:
    lists = [part for part in state if isinstance(part, list)] if isinstance(state, tuple) else []
    m.growing.update(map(id, lists))
    if not m.read.isdisjoint(map(id, lists)):
        m.doubt(GROWN)


def note_set(m: Machine, attributes: object) -> None:
    """What is set by `setattr`, and not put into a `__dict__`, can change an object's class."""
    if id(attributes) in m.attributes:  # many objects can share them
        return
    m.attributes.add(id(attributes))
    if isinstance(attributes, Object) and _may_have_items(attributes):
        m.doubt("the attributes that a state sets are given by an object of the file's making")
    pairs = attributes.pairs if isinstance(attributes, Dict | Object) else ()
    if any(type(name) is not str or name in ("__class__", "__dict__") for name, _ in pairs):
        m.doubt("a state sets attributes that can change an object's class")


def _may_have_items(node: Object) -> bool:
    """Whether a reader that asks for its `items` may get what the file has put there."""
    kind = class_of(node)
    if kind is None:
        return not isinstance(node.made_by, str)  # what an object gave that was called
    is_dictionary = kind.dotted in known_names.DICTIONARIES
    return kind.dotted in HOLDERS or is_dictionary and bool(node.args or node.states)


def _may_be_pair(state: object) -> bool:
    """Whether a state may turn out to be a pair that the file does not show."""
    if not isinstance(state, Object) or isinstance(state.made_by, str):
        return False
    kind = class_of(state)
    return kind is None or kind.dotted in GIVERS


def _pass_array(m: Machine, target: Object) -> None:
    """Go on behind the bytes of an array, which joblib reads before the next opcode."""
    try:
        array = joblib_arrays.described(target)
    except ValueError as error:
        raise Unfollowed(str(error)) from error
    if array is None:
        return
    # joblib puts the array in the place of what described it, which the memo still has.
    m.stack.pop()
    m.make(target.made_by, target.args, target.kwargs, target.is_new)
    m.stack[-1].states, target = list(target.states), m.stack[-1]
    if m.at < m.frame_end:  # joblib's reader would take the array from behind the frame
        m.doubt(FRAME_WITHIN)
    if joblib_arrays.holds_objects(array):
        m.program.arrays[target] = (m.at, 0)
        m.frame_end = 0
        m.follow_inner()
        return
    size = joblib_arrays.nbytes(array)
    if size is None:
        raise Unfollowed(joblib_arrays.UNLIKE)
    if array.get("numpy_array_alignment_bytes") is not None:
        m.take(m.number(BYTE))
    m.program.arrays[target] = (m.at, size)
    m.frame_end = 0  # joblib ends the frame before an array
    m.skip(size)
