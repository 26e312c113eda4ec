"""Models and folders for the tests of save_portable; nothing imports timm at the top, so that the
functions run where another release is to be seen."""

from importlib.metadata import version
from pathlib import Path

from packaging.version import Version

from missing_aa.releases.processes import Trials

REMEMBERS = Version(version("timm")) >= Version("1.0.31")
"""Whether a model of the installed timm knows what it was made with."""

SETTINGS = {"num_classes": 5, "in_chans": 1, "global_pool": "max", "drop_rate": 0.2}


def make(name: str, **settings):
    """A model with seeded values on every tensor, in eval mode."""
    import timm
    import torch

    from missing_aa.tensors import perturb

    torch.manual_seed(0)
    return perturb(timm.create_model(name, **settings))


def told(settings: dict) -> dict:
    """What save_portable has to be told of them: nothing, if the installed timm remembers."""
    return {} if REMEMBERS else settings


def save_under(release: str, folder: Path, model_args: dict) -> str:
    """Save regnetx_002, made with SETTINGS, under a release: what it says without `model_args`."""
    with Trials(1) as trials:
        return trials.under(release, _save, str(folder), model_args).result()


def _save(folder: str, model_args: dict) -> str:
    from missing_aa import save_portable
    from missing_aa.errors import Problem

    model, said = make("regnetx_002", **SETTINGS), ""
    try:
        save_portable(model, folder)
    except Problem as problem:
        said = str(problem)
    save_portable(model, folder, model_args=model_args)
    return said


def load_under(release: str, folder: Path) -> tuple[list[str], dict]:
    """Load a folder under a release: what it warns of, and the tensors."""
    with Trials(1) as trials:
        return trials.under(release, _load, str(folder)).result()


def _load(folder: str):
    import warnings

    from missing_aa import load_portable

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = load_portable(folder)
    kinds = [type(warning.message).__name__ for warning in caught]
    return kinds, {name: value.numpy() for name, value in model.state_dict().items()}


def save_again_and_again(folder: str) -> None:
    """Replace a folder as long as this process lives: all weights of a save are its number."""
    import itertools

    from torch import nn

    from missing_aa import save_portable

    model = make("test_resnet")
    for number in itertools.cycle([0.125, 0.25, 0.5]):
        for value in model.parameters():
            nn.init.constant_(value, number)
        save_portable(model, folder, training={"number": number}, force=True)
