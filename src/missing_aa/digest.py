"""The sha256 of a file, found while the file is read."""

import hashlib
import mmap
import threading

from missing_aa import disk
from missing_aa.errors import Malformed

PIECE = 2**25
"""Hashed in one go; before the next one the thread may have to wait for Python's lock."""


class Digest:
    """Hashes an open file in a thread, as a context manager that stops it when it is not wanted.

    Begun before the file is judged, it also brings the file's bytes into memory meanwhile. It maps
    a piece at a time, so that no more of the file counts as this process's memory.
    """

    def __init__(self, file: int, size: int):
        self._file = file
        self._size = size
        self._unwanted = threading.Event()
        self._digest = hashlib.sha256()
        self._is_cut = False
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "Digest":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._unwanted.set()
        self._thread.join()

    def result(self) -> str:
        """The whole file's sha256, once it is there. Raises Malformed for a file that was cut."""
        self._thread.join()
        if self._is_cut:
            raise Malformed(disk.CHANGED)
        return self._digest.hexdigest()

    def _work(self) -> None:
        for at in range(0, self._size, PIECE):
            if self._unwanted.is_set():
                return
            length = min(PIECE, self._size - at)
            try:
                with mmap.mmap(self._file, length, access=mmap.ACCESS_READ, offset=at) as piece:
                    self._digest.update(piece)
            except (OSError, ValueError):  # it is shorter by now
                self._is_cut = True
                return
