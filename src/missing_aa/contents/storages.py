"""Where the bytes of tensors lie: in the file, or beside it where they had to be unpacked."""

from collections.abc import Callable
from io import BufferedRandom

from missing_aa.containers import legacy
from missing_aa.containers.container import Container
from missing_aa.contents.standins import Kind
from missing_aa.contents.views import Span, Untaken
from missing_aa.disk import unwritable
from missing_aa.errors import CheckpointError, Malformed
from missing_aa.limits import Limits
from missing_aa.pickles.program import Object, Program
from missing_aa.pickles.storages import NO_STORAGE, described, itemsize

Places = dict[str, tuple[int, int]]
"""First byte and length of each storage, by its key."""

NOT_FOLLOWED = Untaken("over data in a pickle of its own, which cannot be followed")
NO_DATA = Untaken("on the meta device, which has no data")
STRANGE = Untaken("over a storage of a kind that is not known here")


class Beside:
    """A file that takes bytes which lie in the source as text, or in a pickle of their own.

    It is made when it is first needed, at `path`, or without a name.
    """

    def __init__(self, path: str | None = None):
        self._path = path
        self.file: BufferedRandom | None = None

    def __enter__(self) -> "Beside":
        return self

    def __exit__(self, *_) -> None:
        if self.file:
            self.file.close()

    def keep(self, data: bytes) -> int:
        """Append them; where they begin. Raises CheckpointError where there is no room."""
        try:
            if not self.file:
                self.file = self._open()
            start = self.file.seek(0, 2)
            self.file.write(data)
            self.file.flush()
            return start
        except OSError as error:
            raise CheckpointError(unwritable("what was unpacked", error.strerror)) from error

    def _open(self) -> BufferedRandom:
        if self._path:
            return open(self._path, "x+b")
        import tempfile

        return tempfile.TemporaryFile()


class Storages:
    """The storages of one file. Without `beside` its bytes are only counted, for `inspect`.

    Raises Refused or Malformed where torch would not take them as they are described.
    """

    def __init__(
        self, container: Container, program: Program, limits: Limits, beside: Beside | None = None
    ):
        self.embedded = program.embedded
        self.arrays = program.arrays
        self._data = program.data
        self._limits = limits
        self._beside = beside
        self._is_unpacked = container.format == "joblib"
        self._places = None if container.format in BARE else _places(container, program)

    def span(self, id: object) -> Span | Untaken:
        """A storage, from its persistent id. Raises Malformed."""
        if type(id) is not tuple or len(id) < 5 or id[0] != "storage":
            raise Malformed(NO_STORAGE)
        _, kind, key, location, count, *rest = id
        if not isinstance(kind, Kind):
            return STRANGE
        if location == META:
            return NO_DATA
        if self._places is not None:
            return _locate(self._places, kind.dtype, key, count, *rest[:1])
        if self._beside:
            raise Malformed("its tensors' data lie in another file; a checkpoint is one file")
        if type(count) is not int or not 0 <= count < 2**63:
            raise Malformed("a storage in it has a size that cannot be")
        return Span(kind.dtype, 0, count * itemsize(kind.dtype))

    def embedded_span(self, made: Object) -> Span | Untaken:
        """The storage in a pickle within the pickle, written as torch did before 1.6."""
        storage = self.embedded[made]
        if storage is None:
            return NOT_FOLLOWED
        if storage.location == META:
            return NO_DATA
        if not self._beside:
            return Span(storage.dtype, 0, storage.nbytes)
        data = legacy.bytes_of(made.args[0])
        inner, keys = legacy.follow_legacy(data, self._limits)
        sizes = legacy.measure(_reader(data), len(data), inner, keys)
        start, size = _behind(inner.end, sizes).get(storage.key, (0, -1))
        if size != storage.nbytes:
            raise Malformed(MISSING)
        return _keep(self._beside, storage.dtype, data[start : start + size])

    def raw_span(self, node: object, dtype: str) -> Span:
        """Bytes that stand in the pickle itself."""
        data = legacy.bytes_of(node)
        return _keep(self._beside, dtype, data) if self._beside else Span(dtype, 0, len(data))

    def array_span(self, node: Object, dtype: str) -> Span:
        """Bytes that joblib put behind what describes the array."""
        start, size = self.arrays[node]
        if self._is_unpacked and self._beside:
            return _keep(self._beside, dtype, self._data[start : start + size])
        return Span(dtype, start, size)


META = "meta"
"""Where a storage lies that is a size and nothing more."""

BARE = ("pickle", "joblib", "numpy-objects")
"""Formats in which no storages lie outside the pickle."""

MISSING = "a storage that it names is missing or too short; fetch it again"


def _keep(beside: Beside, dtype: str, data: bytes) -> Span:
    return Span(dtype, beside.keep(data), len(data), beside=True)


def _places(container: Container, program: Program) -> Places:
    is_legacy = container.format == "torch-legacy"
    for key, storage in described(program.persistent, with_views=is_legacy).items():
        if container.storages.get(key, storage.nbytes) != storage.nbytes:
            raise Malformed(MISSING)
    if is_legacy:
        return _behind(program.end, container.storages)
    return {key: container.members[f"data/{key}"] for key in container.storages}


def _behind(at: int, sizes: dict[str, int]) -> Places:
    """Storages in a row behind a legacy pickle, each with its length before it."""
    places = {}
    for key, size in sizes.items():
        places[key] = (at + 8, size)
        at += 8 + size
    return places


def _locate(places: Places, dtype: str, key, count, view=None) -> Span:
    start, size = places.get(key, (0, -1)) if type(key) is str else (0, -1)
    if view is not None:
        _, offset, count = view if type(view) is tuple and len(view) == 3 else (0, -1, 0)
        if type(offset) is not int or offset < 0:
            raise Malformed("a storage in it begins before its own beginning")
        start, size = start + offset * itemsize(dtype), size - offset * itemsize(dtype)
    if type(count) is not int or not 0 <= count * itemsize(dtype) <= size:
        raise Malformed(MISSING)
    return Span(dtype, start, count * itemsize(dtype))


def _reader(data: bytes) -> Callable[[int, int], bytes]:
    return lambda start, size: data[start : start + size]
