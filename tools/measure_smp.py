"""What segmentation_models_pytorch's whole files meet in a later release, rescued and not.

    python -m tools.measure_smp [--output docs/measured/segmentation_models.md]

The releases are those of `tools.measure_check.libraries`, each in a venv of its own over the torch
that runs this. Minutes, and some downloads.
"""

import argparse
import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torchvision

from missing_aa.rescuer.rescue import rescue_to
from missing_aa.tensors import TOLERANCE
from tools.measure_check.libraries import SIDES, VENVS

ROOT = Path(__file__).parents[1]
OLD, NEW = "0.3.2", "0.6.0"
DECODERS = ["Unet", "UnetPlusPlus", "MAnet", "Linknet", "FPN", "PSPNet", "PAN"]
DECODERS += ["DeepLabV3", "DeepLabV3Plus"]
ENCODERS = ["mobilenet_v2", "efficientnet-b0", "timm-efficientnet-b0", "timm-regnetx_002"]
ENCODERS += ["densenet121", "vgg11_bn", "resnext50_32x4d", "mit_b0"]
MODELS = [(decoder, "resnet18") for decoder in DECODERS] + [("Unet", name) for name in ENCODERS]

HEAD = """\
# Another library: segmentation_models_pytorch

Seventeen models, written whole by {old} with all their weights perturbed, and read in {new} (timm
1.0.31): as they are; and rescued, loaded strictly into the model that {new} makes. *Same output*:
as the writer's for one picture, within a relative tolerance of {tolerance:g}. {old} asks for timm
0.6.12, which does not import on Python 3.11: 0.6.13 is taken. efficientnet-pytorch and
pretrainedmodels, for which it asks too, have no wheel: their source archives are unpacked, checked
by sha256, and never built. Measured with torch {torch} and torchvision {torchvision}, by
`python -m tools.measure_smp --output docs/measured/segmentation_models.md`.

**Of {count} whole files, {loaded} load in {new} and {ran} run; rescued, {strict} load strictly
and {same} give the same output.**

| model | encoder | the whole file | rescued |
|---|---|---|---|"""

WRITE = """
import segmentation_models_pytorch as smp, torch
from missing_aa.tensors import fixed_input, perturb
model = perturb(smp.create_model(decoder, encoder, encoder_weights=None)).eval()
x = fixed_input(128)
with torch.no_grad():
    output = model(x)
torch.save(model, folder + "/model.pt")
torch.save({"x": x, "output": output}, folder + "/output.pt")
"""
READ = """
import segmentation_models_pytorch as smp, torch
from safetensors.torch import load_file
from missing_aa.tensors import difference
saved = torch.load(folder + "/output.pt")
met = {"whole": "", "where": "load"}
with torch.no_grad():
    try:
        model = torch.load(folder + "/model.pt", weights_only=False)  # written a moment ago
        met["where"] = "use"
        off = difference(model.eval()(saved["x"]), saved["output"])
        met["where"] = "output"
        met["whole"] = f"off by {off:.1%}" if off > 1e-4 else ""
    except Exception as error:
        met["whole"] = f"{type(error).__name__}: {error}".splitlines()[0]
    model = smp.create_model(decoder, encoder, encoder_weights=None)
    try:
        model.load_state_dict(load_file(folder + "/model.safetensors"), strict=True)
        met["off"] = difference(model.eval()(saved["x"]), saved["output"])
    except RuntimeError as error:
        met["rescued"] = f"{error}".splitlines()[1].strip()[:80]
print(json.dumps(met))
"""


@dataclass
class Result:
    """What became of one file: what the whole one met, where, and the rescued one's deviation."""

    decoder: str
    encoder: str
    whole: str
    where: str
    off: float | None = None
    rescued: str = ""

    def row(self) -> str:
        error = re.sub(r" from '[^']+'", "", self.whole)  # without the folder of this machine
        fails = "fails on load" if self.where == "load" else "loads, and fails in use"
        whole = f"{fails}: `{error}`" if error else "same output"
        rescued = "same output" if self.same else self.rescued or f"off by {self.off:.1%}"
        return f"| {self.decoder} | `{self.encoder}` | {whole} | {rescued} |"

    @property
    def same(self) -> bool:
        return self.off is not None and self.off <= TOLERANCE


def run(python: Path, code: str, **names: str) -> str:
    """What code prints in a side's Python, with these names set."""
    known = "import json\n" + "".join(f"{name} = {value!r}\n" for name, value in names.items())
    words = [python, "-W", "ignore", "-c", known + code]
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, env=env, check=True).stdout


def measure(decoder: str, encoder: str, old: Path, new: Path) -> Result:
    """One model: written by the old release, rescued here, read by the new one."""
    with tempfile.TemporaryDirectory(prefix="aa-") as folder:
        names = {"decoder": decoder, "encoder": encoder, "folder": folder}
        run(old, WRITE, **names)
        rescue_to(f"{folder}/model.pt", f"{folder}/model.safetensors")
        met = json.loads(run(new, READ, **names).splitlines()[-1])
    return Result(decoder, encoder, **met)


def render(results: list[Result]) -> str:
    """The page."""
    head = HEAD.format(
        old=OLD,
        new=NEW,
        tolerance=TOLERANCE,
        torch=torch.__version__.partition("+")[0],
        torchvision=torchvision.__version__.partition("+")[0],
        count=len(results),
        loaded=sum(result.where != "load" for result in results),
        ran=sum(not result.whole for result in results),
        strict=sum(result.off is not None for result in results),
        same=sum(result.same for result in results),
    )
    return "\n".join([head, *(result.row() for result in results)]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path)
    output = parser.parse_args().output
    sides = {side.version: side for side in SIDES["segmentation_models_pytorch"]}
    old = sides[OLD].make(VENVS)
    new = replace(sides[NEW], sources=()).make(VENVS / "without_sources")  # it asks for none
    results = []
    for decoder, encoder in MODELS:
        results.append(measure(decoder, encoder, old, new))
        print(results[-1].row(), flush=True)
    if output:
        output.write_text(render(results), encoding="utf-8")


if __name__ == "__main__":
    main()
