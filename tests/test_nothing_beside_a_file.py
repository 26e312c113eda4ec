"""Nothing that lies in the folder of a file is imported, however the command is started."""

import os
import shutil
import subprocess
import sys

import pytest
import torch

from missing_aa.cli import main

TRAPS = ("json", "rich", "torch", "typing", "argparse", "numpy", "timm", "packaging")
INSTALLED = shutil.which("missing-aa", path=os.path.dirname(sys.executable))
COMMANDS = (
    ["scan", "--json", "."],
    ["scan", "."],
    ["inspect", "sound.pt"],
    ["check", "sound.pt"],
    ["rescue", "sound.pt", "out.safetensors"],
)


@pytest.fixture
def trapped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"w": torch.ones(2)}, "sound.pt")
    for name in TRAPS:
        (tmp_path / f"{name}.py").write_text("open('PWNED', 'a').write(__name__ + ' ')")
    return tmp_path


@pytest.mark.parametrize("path", [None, "", ":", ".", "..:"], ids=str)
@pytest.mark.parametrize("start", ["installed", "module"])
def test_what_lies_beside_a_file_is_not_imported(trapped, start, path):
    program = [INSTALLED] if start == "installed" else [sys.executable, "-m", "missing_aa"]
    if None in program:
        pytest.skip("missing-aa is not installed here")
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    if path is not None:
        environment["PYTHONPATH"] = path
    for words in COMMANDS:
        done = subprocess.run([*program, *words], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert not (trapped / "PWNED").exists(), (trapped / "PWNED").read_text()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
@pytest.mark.parametrize("words", ["inspect", "check", "scan", "explain", "rescue --to out"])
def test_a_pipe_with_a_name_is_turned_down_at_once(trapped, words, capsys):
    os.mkfifo("pipe.pt")
    assert main([*words.split(), "pipe.pt"]) in (1, 2)
    printed = capsys.readouterr()
    assert "pipe.pt" in printed.out + printed.err
