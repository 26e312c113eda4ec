import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.xdist_group("doctor")


def doctor(*words, **places):
    command = [sys.executable, "-m", "helpers.cli", "doctor", *words]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | places)


def test_a_machine_in_order_is_ok_in_every_line():
    done = doctor()
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 8
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
    (folder / "rich-1.2.3.dist-info").mkdir()
    (folder / "rich-1.2.3.dist-info" / "METADATA").write_text("Name: rich\nVersion: 1.2.3\n")
    (folder / "kernels" / "python3").mkdir(parents=True)
    other = "import sys; sys.prefix = '/other'; from ipykernel.kernelapp import main; main()"
    kernel = {"argv": [sys.executable, "-c", other, "-f", "{connection_file}"]}
    kernel |= {"display_name": "Other", "language": "python"}
    (folder / "kernels" / "python3" / "kernel.json").write_text(json.dumps(kernel))
    (folder / "file").write_text("")
    done = doctor(
        "--json",
        PYTHONPATH=str(folder),
        JUPYTER_PATH=str(folder),
        MISSING_AA_CACHE=str(folder / "file"),
    )
    assert done.returncode == 1, done.stderr
    answer = json.loads(done.stdout)
    assert answer["schema"] == 1
    return {check["name"]: check for check in answer["checks"]}


@pytest.mark.parametrize(
    "check, finds, advises",
    [
        ("packages", "rich is 1.2.3, not ==", "install -r requirements.lock"),
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
    assert [name for name, check in ailing.items() if check["ok"]] == ["Python", "disk"]
    assert all(bool(check["remedy"]) != check["ok"] for check in ailing.values())
