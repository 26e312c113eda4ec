"""Write small checkpoints with other people's libraries, and what a rescue must get out of each.

`python -m tools.write_foreign` runs this file in an environment for each library, made by `uv`, and
leaves tests/data/foreign/NAME.gz and expected.json, which has for each file the versions that wrote
it, the root to take and, for each tensor, its type, shape and the first 16 digits of the
sha256 of its bytes.
`--torch WHEEL` takes torch from a wheel.
"""

import argparse
import gzip
import hashlib
import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

FOREIGN = Path(__file__).parent.parent / "tests" / "data" / "foreign"
ENVIRONMENTS = {
    "ultralytics": ["ultralytics==8.2.0", "torchvision==0.28.0"],
    "fastai": ["fastai==2.8.12", "torchvision==0.28.0"],
    "mmengine": ["mmengine==0.10.7", "opencv-python-headless"],
    "pickles": ["einops==0.8.2", "joblib==1.6.0", "dill==0.4.1", "cloudpickle==3.1.3", "numpy"],
}
"""What each environment needs beside torch."""
TORCH = "torch==2.13.0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch", default=TORCH, help="what to install as torch")
    parser.add_argument("--only", choices=ENVIRONMENTS, help="the files of one environment")
    parser.add_argument("--write", choices=ENVIRONMENTS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.write:
        write(args.write)
        return
    FOREIGN.mkdir(parents=True, exist_ok=True)
    for name in [args.only] if args.only else ENVIRONMENTS:
        needed = [word for each in (args.torch, *ENVIRONMENTS[name]) for word in ("--with", each)]
        command = ["uv", "run", "--no-project", "--python", "3.11", *needed, __file__]
        subprocess.run([*command, "--write", name], check=True)


# What runs in an environment.


def write(name: str) -> None:
    import warnings

    import torch

    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    described = FOREIGN / "expected.json"
    expected = json.loads(described.read_text()) if described.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        for file, make in WRITERS[name].items():
            state_dict, root = make(Path(folder, file))
            (FOREIGN / f"{file}.gz").write_bytes(
                gzip.compress(Path(folder, file).read_bytes(), mtime=0)
            )
            expected[file] = {
                "versions": versions(name),
                "root": root,
                "tensors": {key: describe(tensor) for key, tensor in state_dict.items()},
            }
    lines = (f"{json.dumps(file)}: {json.dumps(expected[file])}" for file in sorted(expected))
    described.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def versions(name: str) -> dict[str, str]:
    from importlib.metadata import distributions
    from platform import python_version

    wanted = {word.partition("==")[0] for word in ENVIRONMENTS[name]} | {"torch", "numpy"}
    found = {d.metadata["Name"]: d.version for d in distributions()}
    return {key: found[key] for key in sorted(wanted & set(found))} | {"python": python_version()}


def describe(tensor) -> list:
    import torch

    tensor = torch.as_tensor(tensor).detach().contiguous()
    data = tensor.reshape(-1).view(torch.uint8).numpy().tobytes()
    dtype = str(tensor.dtype).removeprefix("torch.")
    return [dtype, list(tensor.shape), hashlib.sha256(data).hexdigest()[:16]]


def yolo(path: Path):
    """best.pt of a segmentation model, as `ultralytics.engine.trainer` saves it."""
    from copy import deepcopy
    from datetime import datetime

    import torch
    from ultralytics import __version__
    from ultralytics.nn.tasks import SegmentationModel

    layers = {
        "nc": 2,
        "backbone": [[-1, 1, "Conv", [4, 3, 2]], [-1, 1, "Conv", [4, 3, 2]]],
        "head": [[[1], 1, "Segment", ["nc", 2, 4]]],
    }
    model = SegmentationModel(layers, verbose=False)
    model.args = {"task": "segment", "imgsz": 64}
    with torch.no_grad():  # random weights of 64 channels would not fit into 20 KB
        for number, weight in enumerate(model.parameters()):
            weight.copy_((torch.arange(weight.numel()) % 7 + number).view_as(weight) * 0.01)
    half = deepcopy(model).half()
    saved = {
        "epoch": -1,
        "best_fitness": None,
        "model": half,
        "ema": None,
        "updates": 3,
        "optimizer": None,
        "train_args": vars(model)["args"],
        "date": datetime(2026, 1, 1).isoformat(),
        "version": __version__,
    }
    torch.save(saved, path)
    return half.state_dict(), None


def fastai(path: Path):
    """export.pkl of a Learner, with its transforms."""
    import pandas
    from fastai.data.block import CategoryBlock, DataBlock, TransformBlock
    from fastai.data.transforms import ColReader, RandomSplitter
    from fastai.learner import Learner
    from torch import nn

    net = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    table = pandas.DataFrame({"x": [0.0, 1.0, 2.0, 3.0], "y": ["a", "b", "a", "b"]})
    block = DataBlock(
        blocks=(TransformBlock(), CategoryBlock()),
        get_x=ColReader("x"),
        get_y=ColReader("y"),
        splitter=RandomSplitter(seed=1),
    )
    loaders = block.dataloaders(table, bs=2)
    learner = Learner(loaders, net, loss_func=nn.CrossEntropyLoss(), path=path.parent)
    learner.export(path.name)
    return net.state_dict(), None


def mmengine(path: Path):
    """epoch_1.pth of a runner, with its message hub and an optimizer."""
    import torch
    from mmengine.model import BaseModel
    from mmengine.runner import Runner
    from torch import nn

    class Net(BaseModel):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 1)

        def forward(self, *inputs, mode):
            return {"loss": sum(self.layer(given).sum() for given in inputs)}

    net = Net()
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(
            net,
            folder,
            train_dataloader={
                "batch_size": 2,
                "dataset": [torch.ones(2)] * 2,
                "sampler": {"type": "DefaultSampler", "shuffle": False},
            },
            train_cfg={"by_epoch": True, "max_epochs": 1},
            optim_wrapper={"optimizer": {"type": "Adam", "lr": 0.01}},
            log_level="ERROR",
        )
        runner.train()
        path.write_bytes(Path(folder, "epoch_1.pth").read_bytes())
    return {key: value.clone() for key, value in net.state_dict().items()}, None


def einops(path: Path):
    import torch
    from einops.layers.torch import Rearrange, Reduce
    from torch import nn

    net = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        Rearrange("b c h w -> b (h w) c"),
        nn.Linear(4, 2),
        Reduce("b n c -> b c", "mean"),
    )
    torch.save(net, path)
    return net.state_dict(), None


def small():
    import torch
    from torch import nn

    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))
    return net.to(memory_format=torch.channels_last)


def protocol_5(path: Path):
    import torch

    net = small()
    torch.save(net, path, pickle_protocol=5)
    return net.state_dict(), None


def bare(protocol: int) -> Callable:
    def write(path: Path):
        import pickle

        net = small()
        path.write_bytes(pickle.dumps(net, protocol))
        return net.state_dict(), None

    return write


def numpy_weights(path: Path):
    """A model zoo's file: arrays of numpy by name, pickled."""
    import pickle

    arrays = {key: value.numpy() for key, value in small().state_dict().items()}
    saved = {"model": arrays, "__author__": "zoo", "matching_heuristics": True}
    path.write_bytes(pickle.dumps(saved, 4))
    return arrays, None


def joblib(compress, arrays: bool = False) -> Callable:
    def write(path: Path):
        import joblib

        saved = small()
        wanted = saved.state_dict()
        if arrays:
            saved = wanted = {key: value.numpy() for key, value in wanted.items()}
        joblib.dump(saved, path, compress=compress)
        return wanted, None

    return write


def by_value(package: str) -> Callable:
    """A model of a class that the file itself carries."""

    def write(path: Path):
        import importlib

        namespace = {"__name__": "__main__"}
        exec(
            "from torch import nn\n"
            "class Net(nn.Module):\n"
            "    def __init__(self):\n"
            "        super().__init__()\n"
            "        self.layer = nn.Linear(3, 2)\n",
            namespace,
        )
        net = namespace["Net"]()
        path.write_bytes(importlib.import_module(package).dumps(net))
        return net.state_dict(), None

    return write


WRITERS = {
    "ultralytics": {"yolo_seg_best.pt": yolo},
    "fastai": {"fastai_export.pkl": fastai},
    "mmengine": {"mmengine_epoch_1.pth": mmengine},
    "pickles": {
        "einops.pt": einops,
        "protocol_5.pt": protocol_5,
        **{f"bare_{protocol}.pkl": bare(protocol) for protocol in (0, 1, 2, 4, 5)},
        "zoo.pkl": numpy_weights,
        "model.joblib": joblib(0),
        "arrays.joblib": joblib(0, arrays=True),
        **{f"{kind}.joblib": joblib((kind, 3)) for kind in ("zlib", "gzip", "bz2", "lzma", "xz")},
        "arrays_zlib.joblib": joblib(("zlib", 3), arrays=True),
        "dill.pkl": by_value("dill"),
        "cloudpickle.pkl": by_value("cloudpickle"),
    },
}

if __name__ == "__main__":
    main()
