"""Record the classes that the models of the atlas are made of: python -m tools.model_classes.

Each model is made in the newest release that has it.
"""

from pathlib import Path

import missing_aa

TARGET = Path(missing_aa.__file__).parent / "explainer" / "model_classes.txt"
HEADER = """\
# The models of the atlas: name, class, and the classes of timm's inside.
# Made by: python -m tools.model_classes
"""


def collect() -> str:
    """The text of model_classes.txt."""
    from missing_aa import releases
    from missing_aa.releases.processes import Trials
    from tools.choose_models import TARGET as MODELS

    lines = MODELS.read_text("utf-8").splitlines()
    names = sorted(line.split()[0] for line in lines if not line.startswith("#"))
    found: dict[str, list[str]] = {}
    with Trials(1) as trials:
        for release in reversed(releases.KNOWN):
            if left := [name for name in names if name not in found]:
                releases.fetch(release)
                found |= trials.under(release, _made_of, left).result()
    return HEADER + "".join(f"{name} {' '.join(found[name])}\n" for name in names)


def _made_of(names: list[str]) -> dict[str, list[str]]:
    """What those of these models that the release in sight has are made of."""
    import timm
    import torch

    found = {}
    for name in filter(timm.is_model, names):
        try:
            with torch.device("meta"):  # without memory, and so without filling it
                model = timm.create_model(name)
        except (RuntimeError, NotImplementedError):  # one that computes while it is made
            model = timm.create_model(name)
        inside = {type(one) for one in model.modules()} - {type(model)}
        found[name] = [
            type(model).__name__,
            *sorted({one.__name__ for one in inside if one.__module__.startswith("timm.")}),
        ]
    return found


if __name__ == "__main__":
    TARGET.write_text(collect(), encoding="utf-8")
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes")
