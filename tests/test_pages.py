"""Small reads leave a file's pages as they were: in memory, or on the disk."""

import os

import pytest

from missing_aa.containers import zip_directory

pytestmark = pytest.mark.skipif(not hasattr(os, "RWF_NOWAIT"), reason="only Linux tells")
SIZE = 4 * 2**20


@pytest.fixture
def file(tmp_path):
    """An open file, in memory and on the disk."""
    path = tmp_path / "file"
    path.write_bytes(os.urandom(SIZE))
    with open(path, "rb", buffering=0) as file:
        os.fsync(file.fileno())
        yield file


def is_in_memory(file, at):
    try:
        return bool(os.preadv(file.fileno(), [bytearray(1)], at, os.RWF_NOWAIT))
    except BlockingIOError:
        return False


def test_what_was_in_memory_stays_there(file):
    with zip_directory.left_as_found(file.fileno(), SIZE):
        os.pread(file.fileno(), 1, 2**20)
    assert all(is_in_memory(file, at) for at in range(0, SIZE, 4096))


def is_let_go(file):
    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with zip_directory.left_as_found(file.fileno(), SIZE):
        os.pread(file.fileno(), 1, 2**20)
        assert is_in_memory(file, 2**20)
    return not is_in_memory(file, 2**20)


def test_what_was_fetched_in_between_is_let_go(file):
    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if is_in_memory(file, SIZE // 4):
        pytest.skip("this folder is kept in memory")
    # Linux keeps a page that is in use at this moment: on a busy machine for a hundred trials.
    assert any(is_let_go(file) for _ in range(5000))
