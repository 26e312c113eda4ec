import os
import signal

import pytest

# Tests run beside each other, and torch's threads on shared cores cost more than they give.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A job in the background of a script starts with Ctrl-C ignored, and so would all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """A folder of whole models and state_dicts, written by the releases of `rescue_files`."""
    import rescue_files

    folder = tmp_path_factory.mktemp("written")
    rescue_files.write_all(folder)
    return folder
