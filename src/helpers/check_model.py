"""Can a lesson tell its story with this model? Tried in the releases themselves."""

import tempfile
from pathlib import Path

from missing_aa.errors import Problem
from missing_aa.releases.processes import Trials

SUGGESTED = ("regnetx_002", "rexnet_100", "gernet_s", "darknet17", "cs3darknet_s")
"""Small models that hold a ConvNormAct and run in every release of the lessons."""


FAILING = ("mobilenetv2_100", "efficientnet_b0", "mobilenetv3_large_100")
"""Small models that, written whole by 1.0.3, still fail in the newest release."""


class UnsuitableModel(Problem):
    """A model with which a lesson cannot tell its story."""


def check_model(
    model_name: str,
    writer: str,
    readers: list[str],
    image_size: int = 64,
    fails: str = "",
    keep: str = "",
) -> str:
    """Say in a line that a lesson can use this model, after trying it.

    It has to hold a ConvNormAct where `writer` makes it, and, written whole there, to run in each
    of `readers`; or, with `fails`, to meet there an error in whose text that stands. The file that
    `writer` wrote stays at the path `keep`, if one is given. Raises UnsuitableModel, which says
    what is in the way and names models that do.
    """
    suggested = FAILING if fails else SUGGESTED
    with tempfile.TemporaryDirectory(prefix="missing-aa-") as folder, Trials() as trials:
        path = keep or str(Path(folder, "model.pt"))
        written = trials.under(writer, _write, model_name, path).result()
        if written is None:
            raise _unsuitable(f"timm {writer} has no model {model_name!r}", suggested)
        blocks, own_size = written
        if not blocks and not fails:
            raise _unsuitable(f"{model_name} holds no ConvNormAct in timm {writer}", suggested)
        if own_size not in (None, image_size):
            reason = f"{model_name} takes pictures of one size alone: set image_size to {own_size}"
            raise _unsuitable(reason, suggested)
        tried = {release: trials.under(release, _read, path, image_size) for release in readers}
        met = {release: trial.result() for release, trial in tried.items()}
    for release, error in met.items():
        if error and not (fails and fails in error):
            reason = f"{model_name} written by {writer} meets another error in {release}: {error}"
            raise _unsuitable(reason, suggested)
        if fails and not error:
            reason = f"{model_name} written whole by {writer} still runs in {release}, and this "
            raise _unsuitable(reason + "lesson needs a file that fails there", suggested)
    if fails:
        return f"{model_name}: written whole by timm {writer}, it fails in {' and '.join(readers)}"
    return (
        f"{model_name}: {blocks} ConvNormAct blocks in timm {writer}; "
        f"written whole there, it runs in {' and '.join(readers)}"
    )


def _unsuitable(reason: str, suggested: tuple[str, ...]) -> UnsuitableModel:
    return UnsuitableModel(f"{reason}; models that work here: {', '.join(suggested)}")


def _write(model_name: str, path: str) -> tuple[int, int | None] | None:
    """Save a fresh model whole; None if there is no such model.

    Else its number of ConvNormAct, and the picture size that it is made for if it takes no other.
    """
    import timm
    import torch

    if not timm.is_model(model_name):
        return None
    model = timm.create_model(model_name)
    torch.save(model, path)
    blocks = sum(type(module).__name__ == "ConvNormAct" for module in model.modules())
    config = getattr(model, "pretrained_cfg", None) or model.default_cfg
    return blocks, config["input_size"][-1] if config.get("fixed_input_size") else None


def _read(path: str, image_size: int) -> str | None:
    """Load a whole model and run it; the error it meets, or None."""
    import torch

    try:
        # Our own file, written a moment ago: trusted.
        model = torch.load(path, weights_only=False).eval()
        with torch.no_grad():
            model(torch.zeros(1, 3, image_size, image_size))
    except Exception as error:
        return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return None
