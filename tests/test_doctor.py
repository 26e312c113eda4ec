import io
import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from helpers.doctor import CHECKS, OF_A_KIT, Result, examine, software, verdict
from helpers.runner import kit_folder, memory
from missing_aa import releases

LOCK = Path(__file__).parents[1] / "requirements.lock"
IN_A_KIT = ("packages", "releases", "release kernel", "kit")

pytestmark = pytest.mark.xdist_group("doctor")


def doctor(*words, **places):
    command = [sys.executable, "-m", "helpers", "doctor", *words]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | places)


def as_locked() -> bool:
    """Whether the packages are those of the lock; not so where its range is tested."""
    pins = map(Requirement, LOCK.read_text().splitlines())
    here = [pin for pin in pins if not pin.marker or pin.marker.evaluate()]
    return all(pin.specifier.contains(version(pin.name), prereleases=True) for pin in here)


def test_a_machine_in_order_is_ok_in_every_line():
    if not as_locked():
        pytest.skip("these are not the packages of the lock")
    done = doctor()
    assert done.returncode == 0, done.stdout + done.stderr
    *lines, last = done.stdout.splitlines()
    assert last == "ready"
    assert len(lines) == 11
    assert all(line.startswith("ok") for line in lines)
    assert "timm 1.0.11" in done.stdout


@pytest.fixture(scope="module")
def ailing(tmp_path_factory):
    """The doctor's JSON on a machine where much is wrong: check -> its result."""
    folder = tmp_path_factory.mktemp("ailing")
    # What a torchvision built for another torch does, and with the same words.
    (folder / "torchvision").mkdir()
    (folder / "torchvision" / "__init__.py").write_text(
        "import torch\ntorch.library.register_fake('torchvision::nms')(print)\n"
    )
    (folder / "alabaster-1.2.3.dist-info").mkdir()
    (folder / "alabaster-1.2.3.dist-info" / "METADATA").write_text(
        "Name: alabaster\nVersion: 1.2.3\n"
    )
    (folder / "kernels" / "python3").mkdir(parents=True)
    other = "import sys; sys.prefix = '/other'; from ipykernel.kernelapp import main; main()"
    kernel = {"argv": [sys.executable, "-c", other, "-f", "{connection_file}"]}
    kernel |= {"display_name": "Other", "language": "python"}
    (folder / "kernels" / "python3" / "kernel.json").write_text(json.dumps(kernel))
    (folder / "file").write_text("")
    done = doctor(
        "--json",
        PYTHONPATH=releases.seeing(folder)["PYTHONPATH"],
        JUPYTER_PATH=str(folder),
        MISSING_AA_CACHE=str(folder / "file"),
    )
    assert done.returncode == 1, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["schema"], answer["ready"]) == (1, False)
    return {check["name"]: check for check in answer["checks"]}


@pytest.mark.parametrize(
    "check, finds, advises",
    [
        ("packages", "alabaster is 1.2.3, not ==", "install -r requirements.lock"),
        ("torch and torchvision", "operator torchvision::nms does not exist", "torchvision=="),
        ("kernel", "/other", "ipykernel install --sys-prefix"),
        ("releases", "1.0.11", "missing-aa fetch"),
        ("release kernel", "1.0.11", "missing-aa fetch"),
        ("writing", "file", "MISSING_AA_CACHE"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(ailing, check, finds, advises):
    result = ailing[check]
    assert not result["ok"]
    assert finds in result["detail"]
    assert advises in result["remedy"]


def test_what_is_in_order_stays_so_beside_it(ailing):
    assert [name for name, check in ailing.items() if check["ok"]] == [
        "Python",
        "pip or uv",
        "JupyterLab",
        "memory",
        "disk",
    ]
    assert all(bool(check["remedy"]) != check["ok"] for check in ailing.values())


def test_too_little_memory_for_the_hungriest_lesson_is_said(monkeypatch):
    monkeypatch.setattr(memory, "available_mb", lambda: 1500)
    (found,) = [result for result in examine() if result.name == "memory"]
    assert "1.5 GB free" in found.detail and "close other programs" in found.remedy


@pytest.mark.parametrize(
    "without, detail, remedy, packages",
    [
        ((), "pip is there", "", "python -m pip install -r"),
        (("pip",), "uv is there", "", "uv pip install -r"),
        (("pip", "uv"), "neither pip nor uv", "python -m ensurepip", "python -m pip install -r"),
    ],
)
def test_what_installs_packages_is_looked_for_and_named_in_remedies(
    monkeypatch, tmp_path, without, detail, remedy, packages
):
    for module in without:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = CHECKS["pip or uv"]()
    assert found[0] == detail and found[1].startswith(remedy) and bool(found[1]) == bool(remedy)
    assert packages in software.install()


def test_the_last_line_names_what_is_missing():
    good, bad = Result("disk", True, "", ""), Result("releases", False, "none", "fetch them")
    assert verdict([good]) == ("ready", True)
    assert verdict([bad, good, bad]) == ("not ready: releases, releases", False)


@pytest.mark.skipif(os.name != "posix", reason="rights of another kind")
def test_a_cache_that_an_administrator_has_filled_need_not_be_written(monkeypatch, tmp_path):
    for release in releases.COURSE:
        (tmp_path / f"timm-{release}").mkdir()
    monkeypatch.setenv("MISSING_AA_CACHE", str(tmp_path))

    def refuse(dir):
        if dir == tmp_path:
            raise PermissionError(13, "Permission denied")
        return io.BytesIO()

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert CHECKS["writing"]() == ("allowed", "")
    (tmp_path / f"timm-{releases.CURRENT}").rmdir()
    detail, remedy = CHECKS["writing"]()
    assert str(tmp_path) in detail and "MISSING_AA_CACHE" in remedy


def test_in_a_kit_every_remedy_does_without_a_network(monkeypatch, tmp_path):
    """Seen from a Python whose environment lies in a kit's folder, with much of it gone."""
    (tmp_path / "kit.json").write_text('{"wheels": {"gone-1.0-py3-none-any.whl": "0"}}')
    (tmp_path / "requirements.lock").write_text("rich==1.2.3\n")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    monkeypatch.setattr(software, "LOCK", tmp_path / "nowhere" / "requirements.lock")
    monkeypatch.setenv("MISSING_AA_CACHE", str(tmp_path / "empty"))
    found = {name: look() for name, look in (CHECKS | OF_A_KIT).items() if name in IN_A_KIT}
    for detail, remedy in found.values():
        assert remedy and "pip" not in remedy and "fetch" not in remedy, detail
    assert "rich is" in found["packages"][0]
    assert f"{tmp_path}: delete the folder .venv" in found["packages"][1]
    assert "unpack the archive again" in found["kit"][1]


def test_a_kit_that_was_moved_or_cut_short_is_to_be_installed_again(monkeypatch, tmp_path):
    (tmp_path / "kit.json").write_text('{"wheels": {}}')
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    look, again = OF_A_KIT["kit"], f"in {tmp_path}: {kit_folder.KIT_INSTALL}"
    assert look() == ("the installation did not come to its end", again)
    (tmp_path / ".venv").mkdir()
    state = tmp_path / kit_folder.KIT_STATE
    state.write_text(json.dumps({"folder": str(tmp_path / "before")}))
    assert look() == (f"installed in {tmp_path / 'before'}, then moved", again)
    state.write_text(json.dumps({"folder": str(tmp_path)}))
    assert look() == (f"all 0 wheels in {tmp_path}", "")
