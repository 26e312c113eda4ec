"""Which names a whole model's file asks for, told without writing the file."""

import pickle
from types import BuiltinFunctionType, FunctionType


def held(names: list[str]) -> dict[str, set[str]]:
    """Model -> timm's classes and functions in its pickle, for those that this process's timm has.

    Runs in a process of its own, under one release.
    """
    import timm
    import torch

    found = {}
    for name in filter(timm.is_model, names):
        try:
            with torch.device("meta"):  # without memory, and so without filling it
                model = timm.create_model(name)
        except Exception:  # of one that computes while it is made, whatever that meets
            model = timm.create_model(name)
        asked = _Asked()
        asked.dump(model)
        found[name] = {each for each in asked.names if each.startswith("timm.")}
    return found


class _Asked(pickle.Pickler):
    """Writes nowhere, leaves tensors out, and notes each name."""

    def __init__(self):
        super().__init__(self, protocol=2)
        self.names: set[str] = set()

    def write(self, data) -> int:
        return len(data)

    def persistent_id(self, value):
        import torch

        if isinstance(value, type | FunctionType | BuiltinFunctionType):
            self.names.add(f"{value.__module__}.{value.__qualname__}")
        return "a tensor" if isinstance(value, torch.Tensor) else None
