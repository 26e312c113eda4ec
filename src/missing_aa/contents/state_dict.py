"""From the stand-ins of a module to its state_dict: names and tensors, as `state_dict()` goes.

Names, order and choice are those of `torch.nn.Module.state_dict`: of each module its parameters,
then its persistent buffers, then its children, whatever is None left out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii
from typing import TypeGuard

from missing_aa.containers.safetensors_header import LONG_NAMES, MOST_BYTES
from missing_aa.contents.standins import (
    GRAPH_MODULES,
    LITERALS,
    SETS,
    Standin,
    attributes,
    everything,
    has_literal_keys,
    is_dictionary,
    pairs,
    states,
)
from missing_aa.contents.views import Untaken, View
from missing_aa.errors import LimitReached, Malformed, Refused
from missing_aa.limits import Limits
from missing_aa.pickles.known_names import DICTIONARIES
from missing_aa.text import clean

WRAPPERS = {
    "torch.nn.parallel.data_parallel.DataParallel": "module",
    "torch.nn.parallel.distributed.DistributedDataParallel": "module",
    "torch._dynamo.eval_frame.OptimizedModule": "_orig_mod",
    "timm.utils.model_ema.ModelEmaV2": "module",
    "timm.utils.model_ema.ModelEmaV3": "module",
}
"""Classes that hold a model as a child of this name, and mostly nothing beside it."""

HOLDERS = ("_parameters", "_buffers", "_modules")

OWN_WAYS = ("torch.ao.", "torch.nn.quantized", "torch.nn.intrinsic", "torch.nn.qat")
"""Packages whose modules save something else than their parameters and buffers."""

SAVING = {"state_dict", "_save_to_state_dict"}
"""Methods that make a state_dict; an object may bring its own."""

QUANTISED = (
    "a quantised model's weights are packed in a way of torch's own and cannot be rescued; load it "
    "with the release that wrote it"
)
NO_SET = (
    "the names of the buffers that a module does not save are in no set of texts: do not load it"
)
CALLED = (
    "is made by a call, which may give it tensors that are not in the file; load the file with "
    "what wrote it, and save the state_dict"
)
BRINGING = ("torch.", "torchvision.", "timm.")
"""Packages whose modules keep their tensors where torch does, and say so when they are pickled."""
COMPUTED_KEY = (
    "a dictionary around its tensors has a key that is neither text nor number: under which name a "
    "load would find them cannot be known; ask for the original"
)
FILLED = (
    "gets items after it was made, as no module of torch's does, which may change its layers: it "
    "cannot be rescued; load the file with what wrote it"
)
ENTRY = 50
"""Bytes of a header, at least, that say what a tensor is and where it lies."""
MANY = 100
"""So many entries of a module count as another one: the same ones can be those of many modules."""
SHOWN = 3
"""How many values that were left out are named."""


@dataclass
class Weights:
    """A state_dict that was noted down: `tensors` in order, and `notes` for the person.

    `prefix` is what a wrapper had put before every name, and was taken off. `parameters` counts the
    elements of a module's parameters, each once; a state_dict does not tell them from buffers.
    """

    tensors: dict[str, View] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    prefix: str = ""
    parameters: int | None = None
    parts: int = 0
    """How many modules and tensors were looked at for it; several models can share them."""
    _bytes: int = 0

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors, each as large as it is written."""
        return sum(tensor.nbytes for tensor in self.tensors.values())

    def count(self, name: str) -> None:
        """Bound what all names take in a header: they stand in it, in `order` and in `aliases`.

        A few letters can stand in many names, and again and again in one. Raises LimitReached.
        """
        spelt = encode_basestring_ascii(name)
        again = len(spelt) + spelt.count("\\") + 2  # as text within a text
        self._bytes += ENTRY + len(spelt) + 2 * again
        if self._bytes > MOST_BYTES:
            raise LimitReached(LONG_NAMES)

    def shared(self) -> list[list[str]]:
        """Groups of names whose tensors share bytes of the file: tied weights and views."""
        place = {name: at for at, name in enumerate(self.tensors)}
        spans = sorted(
            (view.span.beside, *view.extent, place[name], name)
            for name, view in self.tensors.items()
        )
        groups: list[list[str]] = []
        end, where = -1, False
        for beside, start, stop, _, name in spans:
            if beside != where:
                where, end = beside, -1
            if stop > start and start < end:
                groups[-1].append(name)
            elif stop > start:
                groups.append([name])
            end = max(end, stop)
        return [sorted(group, key=place.__getitem__) for group in groups if len(group) > 1]


def is_module(value: object) -> TypeGuard[Standin]:
    """Whether it is an object with what every torch.nn.Module has."""
    if isinstance(value, Standin) and value.dotted in DICTIONARIES:
        return False
    state = attributes(value)
    return "_parameters" in state and "_modules" in state


def unwrap(root: Standin) -> tuple[Standin, str]:
    """The model inside DataParallel and its kind, and the prefix that they put before its names.

    A wrapper that was given tensors or children of its own is part of the model.
    """
    prefix = ""
    while root.dotted in WRAPPERS and not root.is_called and _is_of_dictionaries(root):
        child, state = WRAPPERS[root.dotted], attributes(root)
        held = [(kind, *pair) for kind in HOLDERS for pair in pairs(state.get(kind))]
        match [found for found in held if found[2] is not None]:
            case [("_modules", name, inner)] if name == child and is_module(inner):
                root, prefix = inner, f"{prefix}{child}."
            case _:
                break
    return root, prefix


def _is_of_dictionaries(module: Standin) -> bool:
    """Whether its attributes, tensors and children lie in dictionaries, under literal keys."""
    holders = [attributes(module).get(kind) for kind in HOLDERS]
    parts = [part for part in states(module) if part is not None] + holders
    return all(is_dictionary(part) and has_literal_keys(part) for part in parts)


def from_module(root: Standin, limits: Limits) -> Weights:
    """The state_dict that the module would have saved. Raises Refused, Malformed, LimitReached."""
    root, prefix = unwrap(root)
    weights = Weights(prefix=prefix)
    learned: dict[int, int] = {}
    plain: set[int] = set()
    hiding: dict[int, set[str]] = {}
    waiting, seen = [("", root, 1)], 0
    while waiting:
        prefix, module, depth = waiting.pop()
        state = attributes(module)
        entries = sum(len(list(pairs(state.get(kind)))) for kind in HOLDERS) + len(state)
        seen += 1 + entries // MANY
        limits.check("objects", seen + len(weights.tensors), "the number of modules and tensors")
        limits.check("depth", depth, "the depth of the modules")
        refuse_strange(prefix.removesuffix("."), module)
        _refuse_packed(prefix, state)
        _note_own_ways(weights, prefix, module, state)
        names = state.get("_non_persistent_buffers_set")
        if id(names) not in hiding:
            hiding[id(names)] = set(_names_of(names))
        hidden = hiding[id(names)]
        for name, value in _named(state, "_parameters"):
            learned[id(value)] = _add(weights, prefix + name, value).elements
        for name, value in _named(state, "_buffers"):
            if name not in hidden:
                _add(weights, prefix + name, value)
        for name, child in reversed(list(_named(state, "_modules"))):
            if not is_module(child):
                _pass_over(weights, prefix + name, child, plain)
                continue
            weights.count(inner := f"{prefix}{name}.")
            waiting.append((inner, child, depth + 1))
    weights.parameters = sum(learned.values())
    weights.parts = seen + len(weights.tensors)
    return weights


def refuse_strange(name: str, module: Standin) -> None:
    """Raises Malformed for a module that a load may give other tensors than those in its state."""
    where = f"{ascii(name) if name else 'the model'} ({clean(module.dotted)})"
    is_graph = module.dotted in GRAPH_MODULES and module.state is None
    if module.is_called and not is_graph:
        raise Malformed(f"{where} {CALLED}")
    if module.items or module.pairs:
        raise Malformed(f"{where} {FILLED}")
    if not _is_of_dictionaries(module):
        raise Malformed(
            f"{where} does not keep its parameters, buffers and children in dictionaries as every "
            "module of torch's does, each under a text: it cannot be rescued; load the file with "
            "what wrote it"
        )


def from_dict(items: Iterable[tuple], limits: Limits) -> Weights:
    """A state_dict as it lies in the file, without the names' common wrapper prefix."""
    weights, left_out = Weights(), []
    for name, value in items:
        limits.check("objects", len(weights.tensors) + 1, "the number of tensors")
        if type(name) not in LITERALS:
            raise Refused(COMPUTED_KEY)
        if not is_tensor(value):
            left_out.append(name)
        elif not isinstance(name, str):
            raise Refused("a key of the state_dict is no string; no reader could load it")
        else:
            _add(weights, name, value)
    if left_out:
        weights.notes.append(_left_out(left_out))
    for prefix in ("module.", "_orig_mod.", "module."):
        if weights.tensors and all(name.startswith(prefix) for name in weights.tensors):
            weights.prefix += prefix
            bare = {name.removeprefix(prefix): view for name, view in weights.tensors.items()}
            weights.tensors = bare
    return weights


def is_tensor(value: object) -> bool:
    """Whether it is a tensor, also one of a kind that cannot be rescued."""
    return isinstance(value, View | Untaken)


def _named(state: dict, kind: str) -> Iterator[tuple[str, object]]:
    """The entries of `_parameters`, `_buffers` or `_modules` that are not None."""
    for name, value in pairs(state[kind]):
        if not isinstance(name, str):
            raise Refused(f"a name in {kind} is no string; no state_dict could hold it")
        if value is not None:
            yield name, value


def _names_of(names: object) -> Iterator[str]:
    """The texts in a set: a stand-in that was given one list, or was filled afterwards.

    Raises Malformed for anything else.
    """
    if names is None:
        return
    if not isinstance(names, Standin) or names.dotted not in SETS or len(names.given) > 1:
        raise Malformed(NO_SET)
    given = names.given[0] if names.given else ()
    if not isinstance(given, list | tuple):
        raise Malformed(NO_SET)
    for name in (*given, *names.items):
        if type(name) is not str:
            raise Malformed(NO_SET)
        yield name


def _add(weights: Weights, name: str, value: object) -> View:
    weights.count(name)
    if name in weights.tensors:
        raise Refused(f"two tensors would both be named {ascii(name)}; no state_dict can hold that")
    if not isinstance(value, View):
        if isinstance(value, Untaken):
            what = value.why
        else:
            what = clean(getattr(value, "dotted", "") or type(value).__name__)
        raise Malformed(
            f"{ascii(name)} is no plain tensor ({clean(what)}) and cannot be rescued; load the "
            "file with what wrote it, and save that tensor dense"
        )
    weights.tensors[name] = value
    return value


def _pass_over(weights: Weights, name: str, child: object, plain: set[int]) -> None:
    """A child of a kind that is not known here may be passed over where it holds no tensor.

    `plain` are the ids of what was found to hold none.
    """
    if not isinstance(child, Standin):
        raise Malformed(f"what it lists as the module {ascii(name)} is none")
    is_of_torch = child.dotted.startswith(BRINGING)
    if child.is_called or is_of_torch:
        why = CALLED if child.is_called else "does not bring what every module of torch's keeps"
        raise Malformed(f"{ascii(name)} ({clean(child.dotted)}) {why}")
    if any(map(is_tensor, everything(child, plain))):
        raise Malformed(
            f"the module {ascii(name)} ({clean(child.dotted)}) keeps its tensors in a way of its "
            "own and cannot be rescued; load the file with what wrote it"
        )
    weights.notes.append(f"{ascii(name)} ({clean(child.dotted)}) holds no tensors: passed over")


def _refuse_packed(prefix: str, state: dict) -> None:
    for name, value in state.items():
        if isinstance(value, Standin) and value.dotted == "torch.ScriptObject":
            raise Malformed(f"{ascii(prefix + name)} holds weights that are packed; {QUANTISED}")


def _left_out(names: list) -> str:
    shown = ", ".join(ascii(name) for name in names[:SHOWN] if type(name) in (str, int))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{shown}{more}: no tensor, left out"


def _note_own_ways(weights: Weights, prefix: str, module: Standin, state: dict) -> None:
    """Say where a class, or an object, may save more than can be known without running it."""
    hooks = ("_state_dict_hooks", "_state_dict_pre_hooks")
    has_own = not SAVING.isdisjoint(state) or any(True for h in hooks for _ in pairs(state.get(h)))
    if module.dotted.startswith(OWN_WAYS) or has_own:
        where = ascii(prefix.removesuffix(".") or "the model")
        weights.notes.append(
            f"{where} ({clean(module.dotted)}) changes what its state_dict holds by code of its "
            "own, which was not run: compare with the original's"
        )
