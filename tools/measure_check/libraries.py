"""Files of other libraries, written by one release and read by another, each in its own venv."""

import json
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from missing_aa.matrix.cells import gist
from missing_aa.releases import sources
from tools.measure_check.pairs import Kept, Pair, foretell

SCRIPT = Path(__file__).with_name("use_models.py")
SECONDS = 1800

VENVS = Path(tempfile.gettempdir(), "missing-aa-measure-check")
"""Where the environments and the files of other libraries are kept."""


@dataclass(frozen=True)
class Side:
    """A release of a library with what it needs.

    `install` are wheels for `uv pip install`, without what they ask for unless `needs`. `sources`
    have no wheel: unpacked, never built. Without a torch among them it is this Python's own.
    """

    library: str
    version: str
    install: tuple[str, ...]
    sources: tuple[str, ...] = ()
    python: str = sys.executable
    needs: bool = False

    @property
    def own_torch(self) -> bool:
        return any(each.startswith("torch==") for each in self.install)

    def make(self, folder: Path) -> Path:
        """The side's Python, in a venv that is made once."""
        home = folder / f"{self.library}-{self.version}"
        python = home / "bin" / "python"
        if (home / "made").exists():
            return python
        _uv("venv", "--clear", "--python", self.python, str(home))
        words = [] if self.needs else ["--no-deps"]
        _uv("pip", "install", "--python", str(python), *words, *self.install)
        below = [str(sources.fetch_source(*named.split("=="))) for named in self.sources]
        below += [] if self.own_torch else [sysconfig.get_path("purelib")]
        for place in home.glob("lib/python*/site-packages"):
            (place / "below.pth").write_text("\n".join(below))
        (home / "made").touch()
        return python


BESIDE_TORCH = """numpy<2 pillow<10 scipy<1.10 six typing-extensions requests urllib3<2 certifi idna
charset-normalizer"""

BESIDE_YOLO = """opencv-python-headless<4.12 pandas seaborn psutil py-cpuinfo thop requests urllib3
certifi idna charset-normalizer setuptools<80 tqdm ultralytics-thop hub-sdk polars
pytz tzdata scipy"""


def _vision(version: str, torch: str, python: str) -> Side:
    wheels = (f"torch=={torch}", f"torchvision=={version}", *BESIDE_TORCH.split())
    return Side("torchvision", version, wheels, python=python)


def _smp(version: str, timm: str) -> Side:
    wheels = (f"segmentation-models-pytorch=={version}", f"timm=={timm}", "munch", "six")
    plain = ("efficientnet_pytorch==0.7.1", "pretrainedmodels==0.7.4")
    return Side("segmentation_models_pytorch", version, wheels, plain)


def _yolo(version: str) -> Side:
    return Side("ultralytics", version, (f"ultralytics=={version}", *BESIDE_YOLO.split()))


def _transformers(version: str) -> Side:
    return Side("transformers", version, (f"transformers=={version}", "numpy<2.3"), needs=True)


SIDES = {
    "torchvision": [
        _vision("0.5.0", "1.4.0", "3.8"),
        _vision("0.9.1", "1.8.1", "3.8"),
        _vision("0.13.1", "1.12.1", "3.8"),
        Side("torchvision", "0.29.1", ("six",)),
    ],
    "segmentation_models_pytorch": [
        _smp("0.3.2", "0.6.13"),
        _smp("0.3.4", "0.9.7"),
        _smp("0.4.0", "1.0.13"),
        _smp("0.5.0", "1.0.15"),
        _smp("0.6.0", "1.0.31"),
    ],
    "ultralytics": [_yolo(each) for each in ("8.0.43", "8.0.120", "8.2.0", "8.3.0", "8.4.190")],
    "transformers": [
        _transformers("4.30.2"),
        _transformers("4.40.2"),
        _transformers("4.41.0"),
        _transformers("4.48.0"),
        _transformers("4.57.6"),
    ],
}
"""Of each library its releases, oldest first: each reads what an older one wrote."""

BOTH_WAYS = {"ultralytics"}
"""Libraries whose older releases read what a newer one wrote as well."""


def ways(library: str) -> list[tuple[Side, Side]]:
    """Writers and readers."""
    sides = SIDES[library]
    up = [(old, new) for at, old in enumerate(sides) for new in sides[at + 1 :]]
    return up + [(new, old) for old, new in up] * (library in BOTH_WAYS)


def measure(library: str, kept: Kept) -> None:
    """Let each release write and others read, and ask `check` of it.

    What was met is kept; `check` is asked anew, for its code may be another one by now.
    """
    pythons = {side.version: side.make(VENVS) for side in SIDES[library]}
    for writer, reader in ways(library):
        files = VENVS / "files" / f"{library}-{writer.version}"
        if not files.is_dir():
            files.mkdir(parents=True)
            _note_unwritten(writer, _use(pythons[writer.version], "write", library, files))
        way, other = (library, writer.version, reader.version), pythons[reader.version]
        met = {p.model: p.met for p in kept.pairs.values() if (p.group, p.writer, p.reader) == way}
        met = met or dict(_read(other, library, files))
        kept.add(_pairs(way, met, other, files))


def _read(python: Path, library: str, files: Path) -> Iterator[tuple[str, str | None]]:
    """What each model met: its name, and its error or None."""
    for said in _use(python, "read", library, files):
        met = said["met"]
        yield said["model"], met and f"{met[0]}: {gist(met[1])}"


def _pairs(way: tuple[str, str, str], met: dict, python: Path, files: Path) -> Iterator[Pair]:
    entries = json.loads(_run(python, "-c", "import json, sys; print(json.dumps(sys.path))"))
    folders = sorted(filter(None, entries), key=len, reverse=True)
    library, writer, reader = way
    for model, error in met.items():
        start = time.perf_counter()
        told = foretell(files / f"{model.replace(':', '+')}.pt", folders, python=python)
        took = round(time.perf_counter() - start, 3)
        yield Pair(library, model, writer, reader, error, seconds=took, **told)


def _use(python: Path, task: str, library: str, files: Path) -> list[dict]:
    lines = _run(python, str(SCRIPT), task, library, str(files)).splitlines()
    return [json.loads(line) for line in lines if line.startswith('{"model"')]


def _note_unwritten(writer: Side, said: list[dict]) -> None:
    for each in said:
        if each["met"]:
            print(f"{writer.library} {writer.version}: no {each['model']}: {each['met']}"[:200])


def _run(python: Path, *words: str) -> str:
    done = subprocess.run(
        [str(python), *words], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if done.returncode:
        print(f"{python}: ended with {done.returncode}: {done.stderr[-500:]}")
    return done.stdout


def _uv(*words: str) -> None:
    subprocess.run(["uv", *words, "--quiet"], check=True)
