"""Checkpoints for the tests of rescue: written by real releases, or put together byte by byte.

Nothing here imports timm at the top: the functions run where another release is to be seen.
"""

import pickle
import pickletools
import struct
import zipfile
from pathlib import Path

from missing_aa import releases
from missing_aa.releases.processes import Trials

RELEASES = ("0.6.13", "1.0.3", "1.0.31")
MODELS = ("regnetx_002", "mobilenetv3_small_050")
PROTO = b"\x80\x02"


def write_all(folder: Path) -> None:
    """RELEASE-MODEL.pt, .legacy.pt and .sd.pt (the state_dict), for all of them."""
    with Trials(2) as trials:
        for run in [trials.under(release, _write, release, str(folder)) for release in RELEASES]:
            run.result()


def _write(release: str, folder: str) -> None:
    import timm
    import torch

    from missing_aa.tensors import perturb

    for name in MODELS:
        torch.manual_seed(0)
        model = perturb(timm.create_model(name))
        path = f"{folder}/{release}-{name}"
        torch.save(model, f"{path}.pt")
        torch.save(model, f"{path}.legacy.pt", _use_new_zipfile_serialization=False)
        torch.save(model.state_dict(), f"{path}.sd.pt")


def write_with_outputs(folder: Path, settings: dict[str, dict]) -> None:
    """NAME.pt and its NAME.output.pt for a fixed input, written by 0.6.13."""
    write_each([("0.6.13", name, folder / name, given) for name, given in settings.items()])


def write_each(files: list[tuple[str, str, Path, dict]]) -> None:
    """Of each (release, model, path, settings) PATH.pt and PATH.output.pt, for a fixed input."""
    for release in {release for release, *_ in files}:
        releases.fetch(release)
    with Trials(2) as trials:
        runs = [
            trials.under(release, _write_with_output, name, str(path), given)
            for release, name, path, given in files
        ]
        for run in runs:
            run.result()


def _write_with_output(name: str, path: str, settings: dict) -> None:
    import timm
    import torch

    from missing_aa.tensors import fixed_input, perturb

    torch.manual_seed(0)
    model = perturb(timm.create_model(name, **settings))
    with torch.no_grad():
        output = model(fixed_input(224, settings.get("in_chans", 3)))
    torch.save(model, f"{path}.pt")
    torch.save(output, f"{path}.output.pt")


def write_fine_tuned(release: str, name: str, path: Path, classes: int) -> None:
    """PATH.pt and PATH.output.pt: a model of 1000 classes whose head was replaced by another."""
    with Trials(1) as trials:
        trials.under(release, _write_fine_tuned, name, str(path), classes).result()


def _write_fine_tuned(name: str, path: str, classes: int) -> None:
    import timm
    import torch

    from missing_aa.tensors import fixed_input, perturb

    torch.manual_seed(0)
    model = timm.create_model(name)
    model.head = torch.nn.Linear(model.head.in_features, classes)
    with torch.no_grad():
        output = perturb(model)(fixed_input(224))
    torch.save(model, f"{path}.pt")
    torch.save(output, f"{path}.output.pt")


def write_odd_ones(release: str, folder: Path) -> None:
    """training.pt, weights.pt, tresnet.pt and scripted.pt; the first two hold what regnet.pt does.

    The model in training.pt is wrapped, and stands beside another of its kind.
    """
    with Trials(1) as trials:
        trials.under(release, _write_odd_ones, str(folder)).result()


def _write_odd_ones(folder: str) -> None:
    import timm
    import torch

    # Our own file, written a moment ago: trusted.
    regnet = torch.load(f"{folder}/regnet.pt", weights_only=False)
    torch.save(regnet.state_dict(), f"{folder}/weights.pt")
    both = {"model": timm.create_model("regnetx_002"), "ema": torch.nn.DataParallel(regnet)}
    torch.save({**both, "epoch": 3}, f"{folder}/training.pt")
    torch.save(timm.create_model("tresnet_m"), f"{folder}/tresnet.pt")
    torch.jit.save(torch.jit.script(torch.nn.ReLU()), f"{folder}/scripted.pt")


def write_seeds(folder: Path) -> None:
    """Small files of real classes, for fuzzing: whole, legacy, state_dict, wrapped, safetensors."""
    with Trials(2) as trials:
        for run in [trials.under(r, _write_seeds, f"{folder}/{r}") for r in ("0.6.13", "1.0.31")]:
            run.result()


def _write_seeds(path: str) -> None:
    import torch
    from safetensors.torch import save_file
    from timm.models.byobnet import ByoBlockCfg, ByobNet, ByoModelCfg
    from timm.models.vision_transformer import VisionTransformer

    blocks = (ByoBlockCfg(type="basic", d=1, c=8, s=2, gs=0, br=1.0),) * 2
    net = ByobNet(ByoModelCfg(blocks=blocks, stem_chs=8), num_classes=3)
    transformer = VisionTransformer(32, 16, num_classes=3, embed_dim=8, depth=1, num_heads=2)
    torch.save(net, f"{path}-net.pt")
    torch.save(net, f"{path}-net.legacy.pt", _use_new_zipfile_serialization=False)
    wrapped = {"model": torch.nn.DataParallel(transformer), "epoch": 3}
    torch.save(wrapped, f"{path}-wrapped.pt")
    torch.save(transformer, f"{path}-transformer.legacy.pt", _use_new_zipfile_serialization=False)
    torch.save({"state_dict": net.state_dict(), "args": (1, 2.0, None)}, f"{path}-sd.pt")
    save_file(net.state_dict(), f"{path}-sd.safetensors")


def torch_zip(path: Path, program: bytes, storages: dict[str, bytes] | None = None) -> Path:
    """A checkpoint as torch.save lays it out, around a pickle program of one's own."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", PROTO + program + b".")
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/version", "3\n")
        for key, data in (storages or {"0": bytes(64)}).items():
            archive.writestr(f"archive/data/{key}", data)
    return path


def value(plain: object) -> bytes:
    """The opcodes that push a plain value."""
    return pickletools.optimize(pickle.dumps(plain, 2))[2:-1]  # without touching the memo


def name(module: str, function: str) -> bytes:
    return f"c{module}\n{function}\n".encode()


def call(module: str, function: str, *args: object) -> bytes:
    return name(module, function) + value(args) + b"R"


def mapping(items: dict[str, bytes]) -> bytes:
    """A dictionary of opcodes by key."""
    return b"}" + b"".join(value(key) + pushed + b"s" for key, pushed in items.items())


def module(parameters=None, modules=None, kind=("a", "B"), **state: bytes) -> bytes:
    """An object with what an nn.Module keeps."""
    held = {"_parameters": mapping(parameters or {}), "_buffers": mapping({})}
    held |= {"_modules": mapping(modules or {})} | state
    return name(*kind) + b")\x81" + mapping(held) + b"b"


def tensor(shape=(4, 4), strides=(4, 1), offset=0, key="0", count=16) -> bytes:
    """A float32 tensor over the storage `key` of `count` elements."""
    storage = b"(" + value("storage") + name("torch", "FloatStorage")
    storage += value(key) + value("cpu") + value(count) + b"tQ"
    numbers = value(offset) + value(shape) + value(strides) + b"\x89"
    hooks = name("collections", "OrderedDict") + b")R"
    return name("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + numbers + hooks + b"tR"


def text(raw: bytes) -> bytes:
    """A string given as bytes, which need not be UTF-8 that Python would write."""
    return b"X" + struct.pack("<I", len(raw)) + raw
