"""The workflows do nothing that a laptop cannot do, and try the range that is promised."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PAGES = ("README.md", "CONTRIBUTING.md", "docs/releasing.md")
OURS = ("missing-aa ", "python -m pytest", "make ", "uv build")


def jobs(path):
    return yaml.safe_load(path.read_text())["jobs"]


def commands(path):
    steps = [step for job in jobs(path).values() for step in job["steps"]]
    return [line.strip() for step in steps for line in step.get("run", "").splitlines()]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_it_runs_of_ours_stands_on_a_page(path):
    readme = "".join((ROOT / page).read_text() for page in PAGES)
    ours = [line for line in commands(path) if line.startswith(OURS)]
    assert ours
    for line in ours:
        assert re.sub(r" \w+=\S+", "", line) in readme, line


def test_every_system_and_python_that_is_promised_is_tried():
    matrix = jobs(ROOT / ".github/workflows/test.yml")["lessons-and-tests"]["strategy"]["matrix"]
    assert {system.split("-")[0] for system in matrix["os"]} == {"ubuntu", "macos", "windows"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f">={matrix['python'][0]}" == project["requires-python"]
    assert len(matrix["python"]) == 3


def test_the_oldest_versions_tried_are_those_that_are_allowed():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    allowed = dict(name.split(">=") for name in extras["timm"] if ">=" in name)
    ends = jobs(ROOT / ".github/workflows/test.yml")["range"]["strategy"]["matrix"]["include"]
    (oldest,) = [end for end in ends if end["end"] == "oldest"]
    tried = dict(re.findall(r"(\w+)==([\d.]+\d)", f"{oldest['torch']} {oldest['timm']}"))
    assert tried == {name: allowed[name] for name in ("torch", "torchvision", "timm")}
