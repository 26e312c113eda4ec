import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

# Tests run beside each other, and torch's threads on shared cores cost more than they give.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# jsonschema would build a grammar with it on import: seconds of each worker, for nothing used here.
sys.modules.setdefault("rfc3987_syntax", None)

# A job in the background of a script starts with Ctrl-C ignored, and so would all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


MADE_ONCE = {"written": "written", "book": "site", "built": "site"}
"""What takes long to make for many tests, and the group of xdist that shares it."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Tests that share one of them run in one process; pytest-xdist reads the mark."""
    for item in items:
        for name, group in MADE_ONCE.items():
            if name in item.fixturenames and not any(item.iter_markers("xdist_group")):
                item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """A folder of whole models and state_dicts, written by the releases of `rescue_files`."""
    import rescue_files

    folder = tmp_path_factory.mktemp("written")
    rescue_files.write_all(folder)
    return folder


@pytest.fixture(scope="module")
def session():
    """A process that rescues one file after the other."""
    from missing_aa import Session

    with Session() as session:
        yield session


@pytest.fixture
def saved(tmp_path):
    """A function that writes bytes as a file of torch's, and gives its path."""

    def write(data: bytes):
        (tmp_path / "model.pt").write_bytes(data)
        return tmp_path / "model.pt"

    return write


@pytest.fixture(scope="session")
def bare(tmp_path_factory):
    """A Python with the bare package: what its own dependencies bring, and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "uv", "venv", "--quiet", folder], check=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--python",
        python,
        Path(__file__).parents[1],
    ]
    subprocess.run(install, check=True)
    return python
