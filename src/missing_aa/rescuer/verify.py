"""Hold rescued weights against the original, loaded for real: this runs the original's code."""

import importlib.util
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from missing_aa.errors import CheckpointError
from missing_aa.releases import processes
from missing_aa.rescuer.messages import Report
from missing_aa.tensors import TOLERANCE, difference, fixed_input, identical, output_of


@dataclass(frozen=True)
class Verdict:
    """How the original, loaded by a timm release, compares with what was rescued.

    `tensors_equal`: its state_dict holds the same names and bits (None for a folder in timm's
    format, where timm may have renamed them). `difference`: between the outputs of the original and
    of a fresh model with the rescued weights, relative to the original's largest value; the fresh
    model is made by the same release, or by the installed one for a folder.
    """

    release: str
    tensors_equal: bool | None
    difference: float

    @property
    def passed(self) -> bool:
        return self.tensors_equal is not False and self.difference <= TOLERANCE


def verify(source: Path, rescued: Path, report: Report, release: str) -> Verdict:
    """Load the source under a timm release, which runs its code, and compare.

    `rescued` is a safetensors file or a folder in timm's format. Raises CheckpointError where the
    source is no whole timm model or a release cannot run it, and what `releases.locate` raises.
    """
    if not importlib.util.find_spec("torch"):
        raise CheckpointError("--verify-with needs torch: pip install 'missing-aa[timm]'")
    if not report.architecture:
        raise CheckpointError("only a whole model that names its timm architecture can be verified")
    size = report.config.get("input_size") or [3, 224, 224]
    with tempfile.TemporaryDirectory(prefix="missing-aa-") as folder, processes.Trials(1) as runs:
        kept = str(Path(folder, "original.pt"))
        facts = (str(source), report.root, report.prefix, size, kept)
        _result(runs.under(release, _run_original, *facts), f"timm {release}, with the original")
        if rescued.is_dir():
            run = runs.submit(_compare_folder, kept, str(rescued), size)
            return Verdict(release, None, _result(run, "the installed timm, with the folder"))
        model = (report.architecture, report.num_classes, size[0])
        run = runs.under(release, _compare_file, kept, str(rescued), model, size)
        return Verdict(release, *_result(run, f"timm {release}, with the rescued weights"))


def _result(run, where: str):
    try:
        return run.result()
    except Exception as error:  # whatever the release, or the file's code, raises
        raise CheckpointError(f"{where}: {type(error).__name__}: {error}"[:500]) from error


def _run_original(source: str, root: str, prefix: str, size: list[int], kept: str) -> None:
    import torch

    # The one place that runs a file's code: the person said --trust.
    model = torch.load(source, map_location="cpu", weights_only=False)
    for step in [*filter(None, root.split(".")), *filter(None, prefix.split("."))]:
        if isinstance(model, dict):
            model = model[step]
        elif isinstance(model, list | tuple):
            model = model[int(step)]
        else:
            model = getattr(model, step)
    state_dict = {name: value.detach().clone() for name, value in model.state_dict().items()}
    torch.save({"state_dict": state_dict, "output": _answer(model, size)}, kept)


def _compare_file(kept: str, rescued: str, model: tuple, size: list[int]) -> tuple[bool, float]:
    import timm
    import torch
    from safetensors.torch import load_file

    original, weights = torch.load(kept, weights_only=True), load_file(rescued)
    wanted = original["state_dict"]
    equal = wanted.keys() == weights.keys() and all(
        wanted[name].dtype == weights[name].dtype and identical(wanted[name], weights[name])
        for name in wanted
    )
    name, classes, channels = model
    fresh = timm.create_model(name, in_chans=channels, **_given(num_classes=classes))
    fresh.load_state_dict(weights)
    return equal, difference(_answer(fresh, size), original["output"])


def _compare_folder(kept: str, rescued: str, size: list[int]) -> float:
    import timm
    import torch

    fresh = timm.create_model(f"local-dir:{rescued}", pretrained=True)
    return difference(_answer(fresh, size), torch.load(kept, weights_only=True)["output"])


def _given(**settings) -> dict:
    return {name: value for name, value in settings.items() if value is not None}


def _answer(model, size: Sequence[int]):
    """The output for one fixed input of that size: channels, height, width."""
    channels, _, width = size
    return output_of(model.eval().float(), fixed_input(width, channels))
