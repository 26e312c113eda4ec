"""The set-up files hold together, and the bare package needs no torch."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import foreign
from missing_aa import releases

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = [Requirement(line) for line in (ROOT / "requirements.lock").read_text().splitlines()]


def test_the_lock_holds_exact_versions_no_addresses_and_no_cuda():
    for requirement in LOCK:
        assert re.fullmatch(r"==[^*]+", str(requirement.specifier)), requirement
        assert requirement.url is None
        assert not re.match(r"nvidia|cuda|triton", requirement.name), requirement


def test_a_development_container_has_a_python_that_serves_and_a_command_that_is_there():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    version = container["image"].rpartition(":")[2]
    assert SpecifierSet(PROJECT["requires-python"]).contains(f"{version}.0")
    command, target = container["postCreateCommand"].split()
    assert command == "make" and f"\n{target}:" in (ROOT / "Makefile").read_text()


def test_the_lock_satisfies_every_extra():
    locked = {requirement.name.lower(): requirement for requirement in LOCK}
    wanted = [*PROJECT["dependencies"], *sum(PROJECT["optional-dependencies"].values(), [])]
    for requirement in map(Requirement, wanted):
        if requirement.name != "missing-aa":
            pinned = str(locked[requirement.name].specifier).removeprefix("==")
            assert requirement.specifier.contains(pinned), requirement


def test_current_is_the_locked_timm():
    (timm,) = [requirement for requirement in LOCK if requirement.name == "timm"]
    assert str(timm.specifier) == f"=={releases.CURRENT}"


def test_environment_yml_agrees_with_pyproject_and_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, by_pip = environment["dependencies"]
    assert environment["channels"] == ["conda-forge"]
    # Exactly `python=X.Y`: repo2docker understands no more, and takes a Python of its own then.
    assert (found := re.fullmatch(r"python=(3\.\d+)", python)) and pip == "pip"
    assert SpecifierSet(PROJECT["requires-python"]).contains(found[1])
    assert {"--requirement requirements.lock", "--editable ."} <= set(by_pip["pip"])


@pytest.mark.skipif(os.name != "posix", reason="images are built on Linux")
def test_the_image_for_a_server_brings_the_releases_along(tmp_path):
    """repo2docker runs postBuild in the finished environment, in the project's folder."""
    script = ROOT / "postBuild"
    assert script.stat().st_mode & 0o111 and script.read_bytes().startswith(
        b"#!/usr/bin/env bash\n"
    )
    said = tmp_path / "missing-aa"
    said.write_text('#!/bin/sh\necho "$@ $MISSING_AA_CACHE"\n')
    said.chmod(0o755)
    path = os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run([script], capture_output=True, text=True, env=os.environ | {"PATH": path})
    assert (done.returncode, done.stdout) == (0, f"fetch {sys.prefix}/share/missing-aa\n")


def test_the_bare_package_has_no_torch_and_its_commands_say_what_to_install(bare):
    def run(*words):
        return subprocess.run([bare, *words], capture_output=True, text=True, cwd=bare.parent)

    assert run("-c", "import torch").returncode != 0
    assert "torch not installed" in run("-m", "missing_aa", "--version").stdout
    assert run("-m", "missing_aa", "fetch", "--list").returncode == 0
    refused = run("-m", "missing_aa", "run")
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1 and "python -m helpers run" in refused.stderr


def test_the_bare_package_inspects_a_checkpoint(bare, tmp_path):
    torch.save(torch.nn.Linear(2, 3), tmp_path / "model.pt")
    command = [bare, "-m", "missing_aa", "inspect", "--json", tmp_path / "model.pt"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["files"]
    assert (found["kind"], found["models"][0]["parameters"]) == ("whole model", 9)


def test_the_bare_package_rescues_what_other_libraries_wrote(bare, tmp_path):
    sources = foreign.unpack(tmp_path)
    command = [bare, "-m", "missing_aa", "rescue", "--even-if-dangerous", "--json", "--to", "out"]
    done = subprocess.run([*command, *sources], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for source, entry in zip(sources, json.loads(done.stdout)["files"], strict=True):
        wanted = foreign.EXPECTED[source.name]["tensors"]
        found = foreign.described(tmp_path / entry["target"])
        assert (list(found), found) == (list(wanted), wanted), source.name


def test_what_needs_torch_says_so_in_the_bare_package(bare, tmp_path):
    torch.save(torch.nn.Linear(2, 3), tmp_path / "model.pt")

    def run(*words):
        done = subprocess.run([bare, *words], capture_output=True, text=True, cwd=tmp_path)
        return done.returncode, done.stderr

    code, said = run("-m", "missing_aa", "rescue", "model.pt", "out", "--format", "timm")
    assert code == 1 and said.count("\n") == 1 and "'timm>=" in said
    code, said = run("-m", "missing_aa", "matrix", "--models", "resnet18")
    assert code == 1 and said.count("\n") == 1 and "'timm>=" in said, said
    code, said = run("-c", "import missing_aa; missing_aa.rescue('model.pt')")
    assert code == 1 and "torch is not installed" in said


def test_the_wheel_carries_the_record_of_releases_and_of_models(bare):
    program = (
        "from missing_aa import releases; print(len(releases.KNOWN)); "
        "from missing_aa.matrix.models import known_models; print(len(known_models()) > 70)"
    )
    done = subprocess.run([bare, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(len(releases.KNOWN)), "True"]
