"""The workflows do nothing that a laptop cannot do, and try the range that is promised."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import helpers.__main__
import missing_aa.cli

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
COMMANDS = {"missing-aa": missing_aa.cli.parser, "python -m helpers": helpers.__main__.parser}


def jobs(path):
    return yaml.safe_load(path.read_text())["jobs"]


def commands(path):
    steps = [step for job in jobs(path).values() for step in job["steps"]]
    return [line.strip() for step in steps for line in step.get("run", "").splitlines()]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_it_runs_of_ours_is_there(path):
    targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for line in commands(path):
        for command, parser in COMMANDS.items():
            if line.startswith(f"{command} "):
                parser().parse_args(line.removeprefix(command).split())
        if line.startswith("make "):
            assert line.split()[1] in targets, line
        for file in re.findall(r"python ([\w/]+\.py)", line):
            assert (ROOT / file).is_file(), line
        for module in re.findall(r"python -m (tools[\w.]*)", line):
            assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), line


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


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_the_actions_of_others_are_named_by_their_commit(path):
    for job in jobs(path).values():
        for step in job["steps"]:
            if "uses" in step:
                assert re.search(r"@[0-9a-f]{40}$", step["uses"]), step
