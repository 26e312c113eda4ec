"""`load_portable` against building the model and a plain `load_state_dict` of the same file."""

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

from bench import alternate, few, tell

MODELS = ("regnetx_002", "resnet50", "vit_base_patch16_224")
TINY = "test_resnet"
"""Its building takes about as long as the checks do."""


def main() -> None:
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        for name in MODELS[: few(3)]:
            ours, theirs = alternate(*loads(name, Path(folder, name)), rounds=15)
            tell(f"load_portable / plain load_state_dict, {name}", ours / theirs, 1.2)
        ours, theirs = alternate(*loads(TINY, Path(folder, TINY)), rounds=50)
        print(f"load_portable, {TINY}: {ours - theirs:+.4f} s against plain (aim: 0.005 s)")


def loads(name: str, folder: Path) -> tuple[Callable, Callable]:
    """Both ways to load one model, saved under `folder`, each gone once."""
    import timm
    from safetensors.torch import load_file

    from missing_aa import load_portable, save_portable
    from missing_aa.tensors import perturb

    save_portable(perturb(timm.create_model(name)), folder)

    def ours():
        load_portable(folder)

    def plain():
        timm.create_model(name).load_state_dict(load_file(folder / "model.safetensors"))

    ours()
    plain()
    return ours, plain
