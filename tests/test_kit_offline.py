"""A kit made here sets a machine up that has no network, no home and no cache of this one.

And kits for other systems hold what their lock asks for there; nobody installs those here.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("kit")]

ROOT = Path(__file__).parents[1]
# A network namespace of its own with nothing in it but the machine's own loopback.
ALONE = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]

ONLINE = "import socket; socket.create_connection(('pypi.org', 443), 5)"
PAGE = """
import subprocess, sys, time, urllib.request
lab = subprocess.Popen(["./lab", "--no-browser", "--allow-root", "--ServerApp.port=8899",
                        "--ServerApp.port_retries=0", "--IdentityProvider.token=t"])
while True:
    try:
        page = urllib.request.urlopen("http://127.0.0.1:8899/lab?token=t").read()
        break
    except OSError:
        assert lab.poll() is None, "JupyterLab ended"
        time.sleep(0.2)
listed = urllib.request.urlopen("http://127.0.0.1:8899/api/contents?token=t").read()
lab.terminate()
assert b"<title>JupyterLab" in page and b"03_reproduce_the_error.ipynb" in listed
"""


def make(output, *words):
    command = [sys.executable, "-m", "helpers", "kit", "--output", output, *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " MB, " in done.stdout and "not checked" not in done.stdout
    (archive,) = output.glob("*.zip")
    return archive


@pytest.fixture(scope="module")
def laptop():
    """`run` for commands in an unpacked kit, on a machine that has nothing else."""
    try:
        subprocess.run([*ALONE, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no network namespace can be made here: {error}")
    # The torch of this environment: from PyTorch's index of CPU builds, or else from the usual one.
    words = [] if version("torch").endswith("+cpu") else ["--torch-index", "none"]
    with tempfile.TemporaryDirectory(prefix="a room é ") as place:
        archive = make(Path(place, "made"), *words)
        shutil.unpack_archive(archive, place)  # forgets which files can be run, unlike unzip
        shutil.rmtree(archive.parent)  # several GB, some of it twice
        kit = Path(place, "missing-aa-kit")
        home = Path(place, "home")
        home.mkdir()
        clean = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}

        def run(*command):
            return subprocess.run(
                [*ALONE, *command], cwd=kit, env=clean, capture_output=True, text=True
            )

        yield run


@pytest.fixture(scope="module")
def installed(laptop):
    return laptop(sys.executable, "install")


def test_there_is_no_network(laptop):
    assert laptop(sys.executable, "-c", "import socket").returncode == 0
    assert laptop(sys.executable, "-c", ONLINE).returncode == 1


def test_it_is_set_up_and_ready(installed):
    assert installed.returncode == 0, installed.stdout + installed.stderr
    lines = installed.stdout.splitlines()
    assert "ready" in lines and "Start with: ./lab" in lines[-1]
    assert any(line.startswith("ok      kit: all ") for line in lines)
    assert any(line.startswith("ok      releases: ") and "/.venv/share/" in line for line in lines)


def test_the_doctor_says_ready(laptop, installed):
    done = laptop(".venv/bin/python", "-m", "helpers", "doctor")
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "ready"


def test_a_lesson_with_two_releases_runs(laptop, installed):
    done = laptop(".venv/bin/python", "-m", "helpers", "run", "03")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "03_reproduce_the_error" in done.stdout and "passed" in done.stdout


def test_jupyterlab_opens_on_the_lessons(laptop, installed):
    done = laptop(".venv/bin/python", "-c", PAGE)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "platform, python, wheel, there, elsewhere",
    [
        ("windows", "3.12", "cp312-win_amd64", "pywinpty", "pexpect"),
        ("macos", "3.13", "cp313-macosx_14_0_arm64", "appnope", "pywinpty"),
    ],
)
def test_a_kit_for_another_system_holds_what_it_needs_there(
    tmp_path, platform, python, wheel, there, elsewhere
):
    """uv has resolved it for that system, from the kit's wheels alone: `make` sees to that."""
    archive = make(tmp_path / "made", "--platform", platform, "--python", python)
    with zipfile.ZipFile(archive) as packed:
        wheels = [Path(name).name for name in packed.namelist() if name.endswith(".whl")]
    shutil.rmtree(archive.parent)
    assert [name for name in wheels if name.startswith("torch-") and name.endswith(f"{wheel}.whl")]
    assert [name for name in wheels if name.startswith(there)]
    assert not [name for name in wheels if name.startswith((elsewhere, "nvidia"))]
