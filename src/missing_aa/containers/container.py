"""A checkpoint opened once: what it is, its pickle, and the storages beside it, unread.

Whatever is judged here and whatever is loaded later comes through the one open file object.
"""

import os
import stat
from dataclasses import dataclass, field
from io import BufferedReader

from missing_aa.containers import formats, numpy_arrays, zip_directory
from missing_aa.containers.disguise import WINDOW, follow_far, is_also_pickle, is_pickle
from missing_aa.containers.legacy import MAGIC_NUMBER, follow_legacy, look_into, measure
from missing_aa.containers.unpack import unpack, unpacked_head
from missing_aa.errors import CheckpointError, LimitReached, Malformed, Refused, Unreadable
from missing_aa.limits import DEFAULT, Limits
from missing_aa.pickles import joblib_arrays
from missing_aa.pickles.follow import follow_pickle
from missing_aa.pickles.keeping import hides_array
from missing_aa.pickles.program import Global, Object, Program, class_of

LOOKS_LIKE = ("safetensors", *formats.FOREIGN)
"""Told by a few bytes that can begin a pickle too: torch.load would run `GGUF` and what follows."""
LOOKS_PACKED = ("gzip", "unknown", *LOOKS_LIKE)

FORMAT_VERSION = 1001
"""What the second of a legacy file's pickles holds."""
HIDDEN_ARRAY = "it hides what joblib would read as an array: readers would see different files"
FRAMED = "a frame stands within an array that joblib wrote: readers would see different files"
MAY_BE_LEGACY = (
    "what it begins with may turn out to be the mark of torch's form before 1.6 once it is loaded: "
    "readers would see different files"
)

LONGEST_NAME = 255
"""torch cuts the names of a zip's members off at twice as many bytes."""


@dataclass
class Container:
    """An open file; use it as a context manager.

    `format` is one of `formats.FORMATS`. `members` (torch-zip only): name below the folder that
    all share -> (offset, size). `storages`: key -> bytes that its data takes in the file; those of
    a legacy file are known once its pickle has been followed. `arrays`: those members of a zip of
    NumPy's that are arrays of objects.
    """

    file: BufferedReader
    size: int
    format: str
    members: dict[str, tuple[int, int]] = field(default_factory=dict)
    storages: dict[str, int] = field(default_factory=dict)
    arrays: list[str] = field(default_factory=list)

    def __enter__(self) -> "Container":
        return self

    def __exit__(self, *_) -> None:
        self.file.close()

    def read(self, start: int, size: int) -> bytes:
        self.file.seek(start)
        return self.file.read(size)

    def follow(self, limits: Limits = DEFAULT) -> Program:
        """Follow the pickle; of a legacy file, all of the pickles.

        What is wrong with the program stands in its `error`. Raises LimitReached for a pickle that
        is too large, Malformed where the storages behind a legacy one are cut short.
        """
        if self.format == "torch-zip":
            start, size = self.members["data.pkl"]
            limits.check("pickle_bytes", size, "the length of the pickle, in bytes,")
            return follow_pickle(self.read(start, size), limits=limits, as_torch=True)
        if self.format == "numpy-objects":
            program = numpy_arrays.follow_objects(self.file, self.arrays, limits)
            look_into(program, limits)
            return program
        if self.format == "joblib":
            try:
                data, problem = unpack(self.file, limits), None
            except Malformed as damage:  # what was unpacked by then a load would have run
                data, problem = unpacked_head(self.file, WINDOW), damage
            program = follow_pickle(data, limits=limits, with_arrays=True)
            program.error = problem or program.error
            _add_what_pickle_would_read(program, limits)
            look_into(program, limits)
            return program
        program, keys = self._follow_from_start(limits)
        if self.format == "pickle" and program.root == MAGIC_NUMBER:
            self.format = "torch-legacy"  # the number in another spelling: torch compares its value
            with_arrays = program
            program, keys = self._follow_from_start(limits)
            if with_arrays.arrays:  # joblib reads another file
                program.add(with_arrays)
                program.fault = program.fault or Malformed(MAY_BE_LEGACY)
        if self.format == "pickle":
            self._follow_behind(program, limits)
            _add_what_pickle_would_read(program, limits, self)
            look_into(program, limits)
        elif not program.error:
            self.storages = measure(self.read, self.size, program, keys)
        return program

    def _follow_from_start(self, limits: Limits) -> tuple[Program, list]:
        """Read no more of the file than its pickles take, which only following them can tell."""
        most = min(self.size, limits.pickle_bytes)
        window = WINDOW
        while True:
            data = self.read(0, min(window, most))
            if self.format == "torch-legacy":
                program, keys = follow_legacy(data, limits)
            else:
                program, keys = follow_pickle(data, limits=limits, with_arrays=True), []
            if not program.error or isinstance(program.error, LimitReached):
                return program, keys
            if window >= most:
                break
            window *= 16
        if most < self.size and (program.short or program.end >= most):
            limits.check("pickle_bytes", self.size, "the length of the pickle, in bytes,")
        return program, keys

    def _follow_behind(self, program: Program, limits: Limits) -> None:
        """Add the names that pickles behind a bare one ask for: torch.load reads several in a row.

        It does so where the first makes torch's magic number, which can be spelt in many ways.
        """
        if program.error or program.end == self.size:
            return
        data = self.read(program.end, limits.pickle_bytes)
        behind, steps, roots = Program(data, 0), program.opcodes, []
        while behind.end < len(data) and not behind.error:
            follow_pickle(data, behind.end, limits, into=behind)
            roots.append(behind.root)
            steps += behind.opcodes
            limits.check("opcodes", steps, "the number of the pickles' steps")
        program.add(behind)
        if isinstance(program.root, Object) and behind.opcodes > 1:  # it may equal torch's number
            program.fault = program.fault or behind.error
        if _may_be_numbers(program.root, roots[0]):
            program.fault = program.fault or Malformed(MAY_BE_LEGACY)
        if program.end + len(data) < self.size and (behind.short or not behind.error):
            limits.check("pickle_bytes", self.size, "the length of the pickles, in bytes,")


def _may_be_numbers(first: object, second: object) -> bool:
    """Whether two pickles in a row may be the two numbers of a legacy file, made by what they call.

    Only a load can tell; objects that got a state are none, but for an array of one number.
    """
    if isinstance(second, Object):
        filled = second.states or second.items or second.pairs
        second_may_be = not filled or joblib_arrays.is_of_one(second)
    else:
        second_may_be = isinstance(second, Global) or second == FORMAT_VERSION
    return isinstance(first, Global | Object) and second_may_be


def _is_unsure(root: object) -> bool:
    """Whether only a load can tell what it is; an array or its description is no number."""
    kind = class_of(root)
    is_array = kind is not None and kind.dotted == joblib_arrays.WRAPPER
    is_array = is_array or joblib_arrays.is_of_several(root)
    return isinstance(root, Global | Object) and not is_array


def _add_what_pickle_would_read(
    program: Program, limits: Limits, file: Container | None = None
) -> None:
    """Add the dangerous names that a load without joblib would find in the bytes of arrays.

    `file` is what that load would read on from, where the program's data are its beginning.
    """
    if hides_array(program):
        program.fault = program.fault or Malformed(HIDDEN_ARRAY)
    if program.arrays:
        plain = follow_pickle(program.data, limits=limits)
        if file and plain.short and file.size > len(program.data):
            plain = follow_far(file.file, file.size, limits)
        if plain.root == MAGIC_NUMBER or not plain.error and _is_unsure(plain.root):
            program.fault = program.fault or Malformed(MAY_BE_LEGACY)
        if plain.is_framed_oddly:
            program.fault = program.fault or Malformed(FRAMED)
        if isinstance(plain.error, LimitReached):
            program.error = program.error or plain.error
        program.others.append(plain)
        program.globals = plain.globals | program.globals


def open_checkpoint(path: str | os.PathLike) -> Container:
    """Open a file and tell what it is, without reading more than its head and its directory.

    Raises Unreadable; Malformed for what holds no checkpoint (empty, cut short, an HTML page, a
    Git LFS pointer, unknown); Refused for a zip that can be read in two ways.
    """
    file = _open(path)
    try:
        return _recognise(file, os.fstat(file.fileno()).st_size)
    except BaseException:
        file.close()
        raise


def _open(path: str | os.PathLike) -> BufferedReader:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would wait for its writer
            raise Unreadable("this is not a regular file; name the checkpoint itself")
        return open(path, "rb")
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a null byte in the name
        raise Unreadable(f"cannot be read: {error}") from error


def _recognise(file: BufferedReader, size: int) -> Container:
    head = file.read(formats.HEAD)
    container = Container(file, size, formats.by_head(head, size))
    if container.format == "zip":
        try:
            _open_zip(container)
        except CheckpointError as problem:
            problem.format = problem.format or container.format
            raise
    elif container.format in LOOKS_PACKED and _is_packed_pickle(container):
        container.format = "joblib"  # `BZ` begins a long text of a pickle too
        _refuse_twofold(container, "what joblib compressed")
    elif _is_run_as_pickle(container):
        container.format = "pickle"
    elif container.format == "numpy" and numpy_arrays.pickle_start(file) is not None:
        container.format = "numpy-objects"
    if container.format == "tar":
        _refuse_twofold(container, "a tar archive")
    if container.format in formats.ADVICE:
        raise Malformed(formats.ADVICE[container.format], container.format)
    if container.format == "unknown":
        begins = "only zeros: a download that never arrived" if not any(head) else ascii(head[:16])
        raise Malformed(f"this is no checkpoint of a kind known here; it begins with {begins}")
    return container


def _refuse_twofold(container: Container, what: str) -> None:
    """Refuse what is a plain pickle as well, where two readers would run two programs."""
    if is_also_pickle(container.file, container.size):
        twofold = Refused(f"it is {what} and a pickle at once; do not load it")
        twofold.format = container.format
        raise twofold


def _is_packed_pickle(container: Container) -> bool:
    begins = unpacked_head(container.file, WINDOW)
    by_hand = formats.by_head(begins, len(begins)) == "torch-legacy"  # joblib reads a number
    return is_pickle(begins) and not by_hand


def _is_run_as_pickle(container: Container) -> bool:
    if container.format == "unknown":
        return is_pickle(container.read(0, WINDOW))
    return container.format in LOOKS_LIKE and is_also_pickle(container.file, container.size)


def _open_zip(container: Container) -> None:
    members, start = zip_directory.read_directory(container.file, container.size)
    if any(len(member.raw_name) > LONGEST_NAME for member in members):
        raise Refused("the zip holds a name so long that torch cuts it off: ask for the original")
    names = [member.name for member in members]
    container.format = formats.by_members(names)
    if container.format != "torch-zip":
        begins = ((m.name, zip_directory.first_bytes(container.file, m)) for m in members)
        _look_for_arrays(container, names, {name for name, head in begins if _begins_array(head)})
        return
    folder = members[0].name.partition("/")[0] + "/"
    if stray := [member.name for member in members if not member.name.startswith(folder)]:
        raise Refused(
            f"the zip holds {ascii(stray[0])} outside the folder of the checkpoint: readers would "
            "see different files; do not load it, ask for the original"
        )
    with zip_directory.left_as_found(container.file.fileno(), container.size):
        located = zip_directory.locate_all(container.file, members, start)
    arrays = {name for name, (_, begins, _) in located.items() if _begins_array(begins)}
    _look_for_arrays(container, names, arrays)
    container.members = {
        name.removeprefix(folder): (at, size) for name, (at, _, size) in located.items()
    }
    if "data.pkl" not in container.members:
        raise Malformed("the zip holds no data.pkl where torch looks for it", "torch-zip")
    container.storages = {
        name.removeprefix("data/"): size
        for name, (_, size) in container.members.items()
        if name.startswith("data/")
    }


def _begins_array(begins: bytes | None) -> bool:
    """Whether a member may be an array, as far as its first bytes are known."""
    return begins is None or begins.startswith(numpy_arrays.MAGIC)


def _look_for_arrays(container: Container, names: list[str], found: set[str]) -> None:
    """numpy.load takes any zip, and the arrays out of it: by their names, or those `found` by
    their first bytes."""
    named = {name for name in names if name.lower().endswith(numpy_arrays.SUFFIX)}
    if not named and not found:
        return
    looked_at = [name for name in names if name in named or name in found]
    container.arrays = numpy_arrays.of_objects(container.file, looked_at)
    if container.format == "zip" and (named or container.arrays):
        container.format = "numpy-objects" if container.arrays else "numpy"
    elif container.arrays:
        raise Refused(
            f"the zip holds {ascii(container.arrays[0])}, an array of objects for numpy.load, as "
            "no checkpoint does: readers would see different files; ask for the original"
        )
