"""What segmentation_models_pytorch's whole files meet in a later release, rescued and not.

    python -m tools.measure_smp [--output docs/measured/segmentation_models.md]

The releases are put into folders of their own under a temporary one, by uv, without what they ask
for beside; torch is the one that runs this. Minutes, and some downloads.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
import torchvision

from missing_aa.errors import Problem
from missing_aa.releases import sources
from missing_aa.rescuer.rescue import rescue_to

ROOT = Path(__file__).parents[1]
OLD, NEW = "0.3.2", "0.6.0"
WHEELS = {
    OLD: (f"segmentation-models-pytorch=={OLD}", "timm==0.6.13", "munch==4.0.0"),
    NEW: (f"segmentation-models-pytorch=={NEW}", "timm==1.0.31"),
}
ARCHIVES = {
    ("efficientnet-pytorch", "0.7.1"): (
        "00b9b261effce59d2d47aae2ad238c29a2a65175470f41ada7ecac439b7c1ee1"
    ),
    ("pretrainedmodels", "0.7.4"): (
        "7e77ead4619a3e11ab3c41982c8ad5b86edffe37c87fd2a37ec3c2cc6470b98a"
    ),
}
"""What 0.3.2 asks for and nobody made a wheel of: source archives, unpacked and never built."""

DECODERS = ["Unet", "UnetPlusPlus", "MAnet", "Linknet", "FPN", "PSPNet", "PAN"]
DECODERS += ["DeepLabV3", "DeepLabV3Plus"]
ENCODERS = ["mobilenet_v2", "efficientnet-b0", "timm-efficientnet-b0", "timm-regnetx_002"]
ENCODERS += ["densenet121", "vgg11_bn", "resnext50_32x4d", "mit_b0"]
MODELS = [(decoder, "resnet18") for decoder in DECODERS] + [("Unet", name) for name in ENCODERS]
TOLERANCE = 1e-4

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
said = {"whole": "", "where": "load"}
with torch.no_grad():
    try:
        model = torch.load(folder + "/model.pt", weights_only=False)  # written a moment ago
        said["where"] = "use"
        off = difference(model.eval()(saved["x"]), saved["output"])
        said["where"] = "output"
        said["whole"] = f"off by {off:.1%}" if off > 1e-4 else ""
    except Exception as error:
        said["whole"] = f"{type(error).__name__}: {error}".splitlines()[0]
    model = smp.create_model(decoder, encoder, encoder_weights=None)
    try:
        model.load_state_dict(load_file(folder + "/model.safetensors"), strict=True)
        said["off"] = difference(model.eval()(saved["x"]), saved["output"])
    except RuntimeError as error:
        said["rescued"] = f"{error}".splitlines()[1].strip()[:80]
print(json.dumps(said))
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


def install(folder: Path, wheels: tuple[str, ...]) -> Path:
    """A folder with these releases and nothing else. Raises Problem if uv cannot have them."""
    command = ["uv", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
    done = subprocess.run(
        [*command, "--python", sys.executable, "--target", folder, *wheels], capture_output=True
    )
    if done.returncode:
        raise Problem(f"uv could not install {', '.join(wheels)}: {done.stderr.decode()[-300:]}")
    return folder


def unpacked(name: str, version: str, sha256: str) -> Path:
    """The folder with an archive's packages. Raises Problem if it is another archive."""
    found = sources._choose(name, version).sha256
    if found != sha256:
        raise Problem(f"{name} {version}: the index has another archive, of sha256 {found}")
    return sources.fetch_source(name, version)


def ask(code: str, path: list[Path], **names: str) -> str:
    """What a fresh Python prints that sees these folders first. Raises Problem if it fails."""
    known = "import json\n" + "".join(f"{name} = {value!r}\n" for name, value in names.items())
    folders = os.pathsep.join(map(str, [*path, ROOT / "src"]))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", known + code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": folders},
    )
    if done.returncode:
        raise Problem(f"{names}: {done.stderr[-800:]}")
    return done.stdout


def measure(decoder: str, encoder: str, old: list[Path], new: list[Path]) -> Result:
    """One model: written by the old release, rescued here, read by the new one."""
    with tempfile.TemporaryDirectory(prefix="aa-") as folder:
        names = {"decoder": decoder, "encoder": encoder, "folder": folder}
        ask(WRITE, old, **names)
        rescue_to(f"{folder}/model.pt", f"{folder}/model.safetensors")
        said = json.loads(ask(READ, new, **names).splitlines()[-1])
    return Result(decoder, encoder, **said)


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
    with tempfile.TemporaryDirectory(prefix="aa-smp-") as folder:
        archives = [unpacked(*which, sha256) for which, sha256 in ARCHIVES.items()]
        old = [install(Path(folder, OLD), WHEELS[OLD]), *archives]
        new = [install(Path(folder, NEW), WHEELS[NEW])]
        results = []
        for decoder, encoder in MODELS:
            results.append(measure(decoder, encoder, old, new))
            print(results[-1].row(), flush=True)
    if output:
        output.write_text(render(results), encoding="utf-8")


if __name__ == "__main__":
    main()
