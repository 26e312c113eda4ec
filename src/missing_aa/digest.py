"""The sha256 of a file, worked out beside whatever else is done with it."""

import hashlib
import threading

PIECE = 2**25
"""Hashed in one go; before the next one the thread may have to wait for Python's lock."""


class Digest:
    """Hashes a mapped file in a thread, as a context manager that stops it when it is not wanted.

    Begun before the file is judged, it also brings the file's bytes into memory meanwhile.
    """

    def __init__(self, mapped: memoryview):
        self._mapped = mapped
        self._unwanted = threading.Event()
        self._digest = hashlib.sha256()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "Digest":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._unwanted.set()
        self._thread.join()

    def result(self) -> str:
        """The whole file's sha256, once it is there."""
        self._thread.join()
        return self._digest.hexdigest()

    def _work(self) -> None:
        for at in range(0, len(self._mapped), PIECE):
            if self._unwanted.is_set():
                return
            self._digest.update(self._mapped[at : at + PIECE])
