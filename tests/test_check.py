"""What `check` foretells of a file is what happens: real releases load it and run it."""

import json
import subprocess
import sys
import warnings

import pytest
import torch

from missing_aa import check, releases
from missing_aa.cli import main
from missing_aa.releases.processes import Trials

SIZE = 64
PAIRS = [
    ("1.0.3", "regnetx_002", "1.0.11"),
    ("1.0.3", "regnetx_002", "1.0.12"),
    ("1.0.3", "regnetx_002", "1.0.31"),
    ("1.0.3", "efficientnet_b0", "1.0.11"),
    ("1.0.3", "efficientnet_b0", "1.0.31"),
    ("1.0.3", "resnetblur18", "1.0.31"),
    ("1.0.3", "resnet18", "1.0.31"),
    ("0.6.13", "resnet18", "1.0.31"),
    ("1.0.31", "mobilenetv2_100", "1.0.3"),
    ("1.0.31", "mobilenetv2_100", "1.0.31"),
]

pytestmark = pytest.mark.xdist_group("check")


def write(name, path):
    import timm

    torch.save(timm.create_model(name).eval(), path)


def run(path):
    """The error that loading or running a file meets in this release; None if it runs."""
    try:
        with warnings.catch_warnings(action="ignore"), torch.no_grad():
            torch.load(path, weights_only=False).eval()(torch.zeros(1, 3, SIZE, SIZE))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


@pytest.fixture(scope="module")
def met(tmp_path_factory):
    """(writer, model, reader) -> the file, and what the reader really met."""
    folder = tmp_path_factory.mktemp("checked")
    with Trials(2) as trials:
        files = {pair[:2]: str(folder / f"{pair[1]}-{pair[0]}.pt") for pair in PAIRS}
        written = [trials.under(key[0], write, key[1], path) for key, path in files.items()]
        [done.result() for done in written]
        read = {pair: trials.under(pair[2], run, files[pair[:2]]) for pair in PAIRS}
        return {pair: (files[pair[:2]], done.result()) for pair, done in read.items()}


def words(path, reader):
    return ["check", "--with", str(releases.locate(reader)), path]


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_the_first_error_is_named_and_no_other_comes(met, pair, capsys):
    path, error = met[pair]
    code = main(words(path, pair[2]))
    said = capsys.readouterr().out
    assert code == (1 if error else 0), (error, said)
    if error:
        assert "will fail" in said.splitlines()[0]
        errors = [line.strip() for line in said.splitlines() if line.startswith("  ")]
        assert next(line for line in errors if "Error: " in line) == error
    else:
        assert said.splitlines()[0].endswith("nothing missing was found")


def test_it_never_says_that_a_file_will_run(met, capsys):
    path, _ = met["1.0.3", "regnetx_002", "1.0.31"]
    main(words(path, "1.0.31"))
    said = capsys.readouterr().out
    assert "will run" not in said and "Whether the output is what it was, no check can tell" in said


def test_the_answer_as_json(met, capsys):
    path, _ = met["1.0.3", "regnetx_002", "1.0.11"]
    assert main([*words(path, "1.0.11"), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == 1 and len(answer["files"]) == 1


def test_in_python_it_is_a_function(met):
    path, _ = met["1.0.3", "regnetx_002", "1.0.31"]
    assert check(path)


def test_nothing_of_the_file_or_its_library_is_imported(met):
    path, _ = met["1.0.3", "efficientnet_b0", "1.0.31"]
    program = (
        f"import sys\nfrom missing_aa.cli import main\nmain({words(path, '1.0.31')!r})\n"
        "print([m for m in ('torch', 'timm', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.endswith("\n[]\n"), done.stderr


OLD = """
import torch
class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 3, 1)
    def forward(self, x):
        return self.conv(x)
"""
READS = OLD.replace("return self.conv(x)", "return self.conv(x) * self.scale")
NEW = {
    "reads": READS,
    "a default for all": READS + "    def __getattr__(self, name):\n        return 1\n",
    "a default of its class": READS.replace("    def __init__", "    scale = 1\n    def __init__"),
    "asks first": OLD.replace(
        "return self.conv(x)", "return self.conv(x) * getattr(self, 'scale', 1)"
    ),
    "gives it back": READS
    + "    def __setstate__(self, state):\n        super().__setstate__(state)\n"
    "        self.scale = 1\n",
    "gives it back by a name": READS.replace(
        "class Block",
        "def put(self, state):\n    self.__dict__.update(state, scale=1)\n\nclass Block",
    )
    + "    __setstate__ = put\n",
    "makes what has it by a name": OLD.replace(
        "class Block",
        "def fill(self):\n    self.scale = 1\n\nclass Part:\n    __init__ = fill\n\nclass Block",
    ).replace("return self.conv(x)", "return self.conv(x) * Part().scale"),
    "patched at the top": READS + "\nBlock.forward = lambda self, x: x\n",
    "unknown decorator": READS.replace("class Block", "import other\n@other.thing\nclass Block"),
}
CERTAIN = {"reads"}


@pytest.fixture(scope="module")
def block(tmp_path_factory):
    """A model, written whole by the old source."""
    folder = tmp_path_factory.mktemp("old")
    (folder / "oldlib.py").write_text(OLD)
    program = "import torch, oldlib; torch.save(oldlib.Block(), 'model.pt')"
    subprocess.run([sys.executable, "-c", program], cwd=folder, check=True)
    return folder / "model.pt"


@pytest.mark.parametrize("how", NEW)
def test_only_what_must_fail_is_certain(block, tmp_path, capsys, how):
    """The file is checked against the new source."""
    (tmp_path / "oldlib.py").write_text(NEW[how])
    code = main(["check", "--path", str(tmp_path), str(block)])
    said = capsys.readouterr().out
    assert code == (how in CERTAIN), said
    assert ("'Block' object has no attribute 'scale'" in said) or how not in CERTAIN


def test_words_and_files_that_are_off(tmp_path, capsys):
    assert main(["check", str(tmp_path / "nowhere.pt")]) != 0
    (tmp_path / "cut.pt").write_bytes(b"PK\x03\x04 and no more")
    assert main(["check", str(tmp_path / "cut.pt")]) == 4
    assert main(["check", "--with", "no-such-thing", str(tmp_path / "cut.pt")]) == 2
    assert "Traceback" not in capsys.readouterr().err
