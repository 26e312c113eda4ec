"""Tensors that the file gives to a function, which may change them while the file is loaded."""

from collections.abc import Callable, Iterable

from missing_aa.contents import tensors
from missing_aa.contents.standins import GRAPH_MODULES
from missing_aa.contents.views import Span, View
from missing_aa.errors import Refused
from missing_aa.pickles.known_names import DICTIONARIES, FROM_BUFFER
from missing_aa.pickles.program import (
    INDIRECT,
    NODES,
    PICKLE_IN_PICKLE,
    Global,
    Object,
    Program,
    class_of,
    is_class_name,
    parts_of,
)
from missing_aa.text import clean

Handed = tuple[str, Span]
"""What is called, and bytes that it may reach."""

KEEPERS = (
    "builtins.frozenset builtins.getattr builtins.list builtins.set builtins.tuple "
    "collections.deque functools.partial torch.Size"
)
HARMLESS = DICTIONARIES.union(
    tensors.MAKERS, tensors.RECONSTRUCT, FROM_BUFFER, tensors.REFUSED, GRAPH_MODULES
).union(KEEPERS.split(), INDIRECT, [PICKLE_IN_PICKLE])
"""They make a tensor of what they are given, or keep it."""
DIRECTLY = HARMLESS.difference(INDIRECT)
"""Those that make what they say, and not an object of a class that they are given."""


def look(program: Program, span: Callable[[object], Span | None]) -> list[Handed]:
    """What bytes of tensors each call can reach that may change them; `span` gives those of a node.

    A class counts where something is put into what it makes, which may be what it was given.
    """
    found: list[Handed] = []
    seen: set[int] = set()
    for call in program.objects:
        name = _may_change(call)
        waiting = [call.made_by, call.args, call.kwargs] if name else []
        if name and (call.items or call.pairs):
            waiting += call.states
        while waiting:
            node = waiting.pop()
            if type(node) not in NODES or id(node) in seen:
                continue
            seen.add(id(node))
            if reached := span(node):
                found.append((name, reached))
            waiting += parts_of(node)
            if isinstance(node, Object):
                waiting.append(node.made_by)
    return found


def _may_change(call: Object) -> str:
    """The name of what is called; "" where it changes nothing that it is given."""
    maker = call.made_by
    if isinstance(maker, str) or type(maker) is Global and maker.dotted in DIRECTLY:
        return ""
    kind = class_of(call) or maker
    name = kind.dotted if isinstance(kind, Global) else "what a call gave"
    is_class = call.is_new or str(maker) in INDIRECT or is_class_name(name.rpartition(".")[2])
    if name in HARMLESS:
        return ""
    return "" if is_class and not call.items and not call.pairs else name


def refuse_changed(views: Iterable[tuple[str, View]], handed: list[Handed]) -> None:
    """Raises Refused where a tensor shares its bytes with one that is given to a function."""
    spans = [(span, True, name) for name, span in handed]
    if spans:
        spans += [(view.span, False, name) for name, view in views]
    last: dict[bool, tuple[bool, int, str]] = {True: (False, -1, ""), False: (False, -1, "")}
    spans.sort(key=lambda found: (found[0].beside, found[0].start))
    for span, is_handed, name in spans:
        beside, end, other = last[not is_handed]
        if beside == span.beside and span.start < end:
            function, tensor = (name, other) if is_handed else (other, name)
            raise Refused(
                f"{clean(function)} is called with the tensor {ascii(tensor)} and may change it "
                "while the file is loaded: ask for the original. To get it as it lies in the "
                "file, type the command again with --even-if-dangerous (in Python: "
                "even_if_dangerous=True)"
            )
        here = (span.beside, span.start + span.nbytes, name)
        last[is_handed] = max(last[is_handed], here, key=lambda seen: seen[:2])
