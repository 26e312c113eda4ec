"""The state of a training beside its model, so that it goes on exactly where it stopped."""

import random
import sys
from pathlib import Path
from typing import Any

import torch

from missing_aa import disk
from missing_aa.errors import CheckpointError, UsageProblem
from missing_aa.portable.record import TRAINING, check_file, file_sha256, read_record


def write(folder: Path, training: dict[str, Any]) -> None:
    """Save states and plain values by name, and the random states of this process.

    Raises UsageProblem for a value that a load with weights_only=True would not take,
    CheckpointError where the file cannot be written.
    """
    states = {name: _state(value) for name, value in training.items() if _has_state(value)}
    values = {name: value for name, value in training.items() if name not in states}
    saved = {"states": states, "values": values, "random": _random_state()}
    if error := _keep(saved, folder / TRAINING):
        parts = states | values
        culprit = next((name for name in parts if _keep(parts[name], folder / TRAINING)), "")
        raise UsageProblem(
            "training takes objects with a state_dict, generators, plain values and tensors; "
            f"{culprit!r} holds something else: {error}"[:500]
        ) from error


def _keep(value: Any, path: Path) -> Exception | None:
    """Save a value; what a load raises that trusts nothing, or None."""
    try:
        torch.save(value, path)
    except RuntimeError as error:  # torch's own writer says so of a full disk
        raise CheckpointError(disk.unwritable(path.name, error)) from error
    except Exception as error:  # pickle, of what it cannot take
        return error
    try:
        torch.load(path, weights_only=True)
    except Exception as error:
        return error
    return None


def load_training(folder: str | Path, **objects: Any) -> dict[str, Any]:
    """Put a training back where save_portable(…, training=…) kept it, and give its plain values.

    `objects` are those that were saved with a state, under the same names: a new optimizer
    over the loaded model's parameters, a scheduler, a torch.Generator. The random states of Python,
    NumPy, torch and CUDA are set last. Raises CheckpointError, Refused for a file of another save,
    UsageProblem where a name is missing or an object does not take its state.
    """
    folder = Path(folder)
    _, record = read_record(folder)
    if TRAINING not in record.sha256:
        raise CheckpointError(f"{folder} holds a model only: save_portable was given no training")
    check_file(folder, TRAINING, record, file_sha256(folder, TRAINING))
    saved = torch.load(folder / TRAINING, map_location="cpu", weights_only=True)
    if odd := saved["states"].keys() ^ objects.keys():
        raise UsageProblem(
            f"{folder} holds the states of {', '.join(sorted(saved['states'])) or 'nothing'}; give "
            f"an object for each of them and no other (look at {', '.join(sorted(odd))})"
        )
    for name, made in objects.items():
        try:
            _put(made, saved["states"][name])
        except Exception as error:  # whatever an optimizer says of other parameters
            raise UsageProblem(
                f"{name} does not take the state that was saved: {error}; make it as it was made "
                "there, over the parameters of the loaded model"
            ) from error
    _set_random_state(saved["random"])
    return saved["values"]


def _has_state(value: object) -> bool:
    return isinstance(value, torch.Generator) or hasattr(type(value), "state_dict")


def _state(value: Any) -> Any:
    return value.get_state() if isinstance(value, torch.Generator) else value.state_dict()


def _put(made: Any, state: Any) -> None:
    if isinstance(made, torch.Generator):
        made.set_state(state)
    else:
        made.load_state_dict(state)


def _random_state() -> dict:
    """As plain values and tensors. NumPy's is its shared one, where NumPy is in use."""
    state = {
        "python": random.getstate(),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all(),
    }
    if numpy := sys.modules.get("numpy"):
        kind, keys, *rest = numpy.random.get_state()
        state["numpy"] = (kind, keys.tolist(), *rest)
    return state


def _set_random_state(state: dict) -> None:
    random.setstate(state["python"])
    torch.set_rng_state(state["torch"])
    torch.cuda.set_rng_state_all(state["cuda"][: torch.cuda.device_count()])
    if "numpy" in state:
        import numpy

        numpy.random.set_state(state["numpy"])
