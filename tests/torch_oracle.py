"""The state_dicts that torch.load gives, through Python's own unpickler: to compare readers with.

Only what makes tensors is looked up; every other name in a file becomes an inert class.
"""

import io
import pickle
import re
import warnings
from collections import OrderedDict

import torch

REAL = re.compile(
    r"torch\._utils\._rebuild_(tensor|tensor_v2|tensor_v3|parameter|parameter_with_state)"
    r"|torch\._?tensor\._rebuild_from_type(_v2)?|torch\.(Size|device|[a-z]+\d+\w*|bool)"
    r"|torch\.(storage\.)?\w*Storage"
    r"|collections\.OrderedDict|builtins\.set|__builtin__\.set|_codecs\.encode"
    r"|numpy\.(ndarray|dtype)|numpy\._?core\.(multiarray\._reconstruct|numeric\._frombuffer)"
)


class Inert:
    dump_patches = False  # torch asks this of a class whose source comes along

    def __new__(cls, *given, **named):
        self = super().__new__(cls)
        self.state, self.held, self.items = None, {}, []
        return self

    def __init__(self, *given, **named):
        pass

    def __call__(self, *given, **named):
        return Inert()

    def __setstate__(self, state):
        self.state = state

    def __setitem__(self, key, value):
        self.held[key] = value

    def append(self, item):
        self.items.append(item)

    def extend(self, items):
        self.items.extend(items)


class Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str):
        dotted = f"{module}.{name}"
        if dotted == "torch.storage._load_from_bytes":
            return lambda data: torch.load(io.BytesIO(data), **OPTIONS)
        if REAL.fullmatch(dotted):
            return super().find_class(module, name)
        return type("Inert", (Inert,), {})

    @staticmethod
    def load_from(file, **options):
        return Unpickler(file, **options).load()


class Module:
    """What torch.load asks of a `pickle_module`."""

    Unpickler = Unpickler
    load = staticmethod(Unpickler.load_from)


OPTIONS = {"pickle_module": Module, "weights_only": False, "map_location": "cpu"}


def state_dicts(path) -> list[dict[str, torch.Tensor]] | None:
    """Those of each model and dictionary in the file; None where torch cannot load it."""
    with warnings.catch_warnings(action="ignore"):
        try:
            top = torch.load(path, **OPTIONS)
        except Exception:  # whatever the file's steps raise
            try:
                with open(path, "rb") as file:
                    top = Unpickler(file).load()  # a bare pickle
            except Exception:
                return None
    found: list[dict[str, torch.Tensor]] = []
    _find(top, found, set())
    return found


def _find(value, found: list, seen: set[int]) -> None:
    if id(value) in seen or len(seen) > 100_000:
        return
    seen.add(id(value))
    if isinstance(value, Inert):
        if _is_module(value):
            weights: dict[str, torch.Tensor] = {}
            _walk(value, "", weights)
            found.append(weights)
        for part in (value.state, value.held, value.items):
            _find(part, found, seen)
    elif isinstance(value, dict | OrderedDict):
        tensors = {k: v for k, v in value.items() if hasattr(v, "dtype")}
        if tensors:
            found.append({k: torch.as_tensor(v) for k, v in tensors.items()})
        for item in value.values():
            _find(item, found, seen)
    elif isinstance(value, list | tuple):
        for item in value:
            _find(item, found, seen)


def _is_module(value) -> bool:
    return isinstance(value, Inert) and isinstance(value.state, dict) and "_modules" in value.state


def _walk(module: Inert, prefix: str, weights: dict) -> None:
    state = module.state
    hidden = state.get("_non_persistent_buffers_set", ())
    for name, value in (state.get("_parameters") or {}).items():
        if isinstance(value, torch.Tensor):
            weights[f"{prefix}{name}"] = value.detach()
    for name, value in (state.get("_buffers") or {}).items():
        if isinstance(value, torch.Tensor) and name not in hidden:
            weights[f"{prefix}{name}"] = value
    for name, child in (state.get("_modules") or {}).items():
        if _is_module(child) and prefix.count(".") < 30:
            _walk(child, f"{prefix}{name}.", weights)
