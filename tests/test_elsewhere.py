"""A lesson opened where the packages are not ours, as on Colab, brings the course by itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.long
def test_a_lesson_brings_the_course_over_the_newest_torch_that_is_there(tmp_path):
    uv = [sys.executable, "-m", "uv"]
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([*uv, "venv", "--quiet", "--seed", tmp_path / "venv"], check=True)
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, *THEIRS], check=True)
    lesson = next(path for path in NOTEBOOKS if path.stem.startswith("03"))
    folder = tmp_path / "another folder"
    folder.mkdir()
    address = f"https://github.com/{ways_in.repository()}"
    text = lesson.read_text().replace(address, str(ROOT))
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
