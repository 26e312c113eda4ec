"""`load_portable` against building the model and a plain `load_state_dict` of the same file."""

import tempfile
import warnings
from pathlib import Path

from bench import alternate, tell

MODELS = ("test_resnet", "regnetx_002", "resnet50", "vit_base_patch16_224")
"""From 0.5 to 346 MB; the last one also at the fixed input size that it asks for."""


def main() -> None:
    warnings.simplefilter("ignore")
    import timm
    from safetensors.torch import load_file

    from helpers.checkpoints import load_portable, save_portable
    from helpers.weights import perturb

    with tempfile.TemporaryDirectory() as name:
        for architecture in MODELS:
            folder = Path(name, architecture)
            save_portable(perturb(timm.create_model(architecture)), folder)

            def plain(architecture=architecture, folder=folder):
                model = timm.create_model(architecture)
                model.load_state_dict(load_file(folder / "model.safetensors"))

            load_portable(folder)  # both warm
            plain()
            ours, theirs = alternate(lambda f=folder: load_portable(f), plain, rounds=7)
            size = (folder / "model.safetensors").stat().st_size / 1e6
            what = (
                f"load_portable / create_model and load_state_dict, {architecture} ({size:.1f} MB)"
            )
            tell(what, ours / theirs, 1.2)
