"""A lesson opened where the packages are not ours, as on Colab, brings the course by itself."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import ways_in
from helpers.runner import catalogue
from missing_aa import releases

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = [lesson.path for lesson in catalogue.lessons(ROOT)]
THEIRS = ["torch", "torchvision", "timm", "jupyterlab", "papermill"]
"""What is there, in its newest releases; none of it is held by our lock."""


def set_up(path):
    cells = json.loads(path.read_text())["cells"]
    return ["".join(c["source"]) for c in cells if "setup" in c["metadata"].get("tags", [])]


@pytest.mark.parametrize("path", [p for p in NOTEBOOKS if p.stem[0].isdigit()], ids=str)
def test_every_lesson_begins_by_looking_for_the_course(path):
    (cell,) = set_up(path)
    assert cell.index('find_spec("helpers")') < cell.index("%load_ext helpers.magics")
    assert "missing-aa/src/helpers/install_here.py" in cell
    (other,) = set_up(NOTEBOOKS[0])
    assert cell.partition("%load_ext")[0] == other.partition("%load_ext")[0]


def begin(path, monkeypatch, address=""):
    """Run what a set-up cell does before the course is loaded, where there is none; what it ran."""
    (cell,) = set_up(path)
    source = ways_in.drawn(cell.partition("%load_ext")[0], address or ways_in.UNSET)
    ran, shell = [], SimpleNamespace()
    shell.system = ran.append
    shell.run_line_magic = lambda *words: ran.append(" ".join(words))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    exec(source, {"get_ipython": lambda: shell})
    return ran


def test_without_an_address_a_lesson_says_what_to_do_and_clones_nothing(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="make lab.*choose the kernel of"):
        begin(NOTEBOOKS[0], monkeypatch)


def test_a_wrong_kernel_inside_a_checkout_clones_no_second_one(monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
    with pytest.raises(ModuleNotFoundError, match="make lab.*choose the kernel of"):
        begin(NOTEBOOKS[0], monkeypatch, "someone/the-project")


def test_with_an_address_a_lesson_brings_the_course(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert begin(NOTEBOOKS[0], monkeypatch, "someone/the-project") == [
        "git clone --quiet https://github.com/someone/the-project missing-aa",
        "run missing-aa/src/helpers/install_here.py",
    ]


@pytest.mark.long
def test_a_lesson_brings_the_course_over_the_newest_torch_that_is_there(tmp_path):
    uv = [sys.executable, "-m", "uv"]
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([*uv, "venv", "--quiet", "--seed", tmp_path / "venv"], check=True)
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, *THEIRS], check=True)
    lesson = next(path for path in NOTEBOOKS if path.stem.startswith("03"))
    folder = tmp_path / "another folder"
    folder.mkdir()
    text = re.sub(
        r'course_from = \\"[^"]*\\"', f'course_from = \\\\"{ROOT}\\\\"', lesson.read_text()
    )
    assert str(ROOT) in text
    (folder / lesson.name).write_text(text)
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env["MISSING_AA_CACHE"] = str(releases.cache_folder())
    subprocess.run(
        [python, "-m", "papermill", lesson.name, "done.ipynb", "--kernel", "python3"],
        cwd=folder,
        env=env,
        check=True,
    )
    assert "Bringing the course" in (folder / "done.ipynb").read_text()
