"""What a file is, known by its first bytes and, for a zip, by the names of its members."""

import re

FORMATS = {
    "torch-zip": "torch checkpoint (zip, torch 1.6 and later)",
    "torch-legacy": "torch checkpoint (legacy, before torch 1.6)",
    "pickle": "pickle, not written by torch.save",
    "joblib": "pickle, compressed by joblib",
    "safetensors": "safetensors",
    "torchscript": "TorchScript archive",
    "pt2": "exported program (.pt2)",
    "onnx": "ONNX model",
    "hdf5": "HDF5 file (Keras and others)",
    "gguf": "GGUF file",
    "numpy": "NumPy array",
    "numpy-objects": "NumPy array of objects, which are a pickle",
    "zip": "zip without a checkpoint",
    "tar": "tar archive",
    "gzip": "gzip archive",
    "git-lfs": "Git LFS pointer",
    "html": "HTML page",
    "empty": "empty file",
    "truncated": "file cut short",
    "unknown": "unknown",
}
"""The names that `format` can take, and what they mean to a person."""

FOREIGN = {
    "torchscript": "load it with torch.jit.load",
    "pt2": "load it with torch.export.load",
    "onnx": "open it with onnx or onnxruntime",
    "hdf5": "open it with h5py or Keras",
    "gguf": "open it with gguf or llama.cpp",
    "numpy": "load it with numpy.load",
}
"""Sound files of other kinds, and what opens them."""

PROGRAM = "torchscript"
RUNS_PROGRAM = (
    "a program of its own, which torch.load(weights_only=False) and torch.jit.load begin to run: "
    "it can write files"
)
"""What a file of the format PROGRAM is: nothing here follows it."""

ADVICE = {
    "git-lfs": "this is a Git LFS pointer, not the file itself: fetch it with `git lfs pull`",
    "html": "this is an HTML page, not the file: the download led to a web page; "
    "look for the direct link, or sign in first",
    "empty": "this file is empty: the download or the save never happened; fetch it again",
    "zip": "this zip holds no checkpoint of torch's; unpack it and look for the file inside",
    "tar": "this is a tar archive; unpack it and look inside (torch before 0.1.10 wrote such "
    "files: load and save it with a torch of that time)",
    "gzip": "this file is compressed with gzip: unpack it first with `gunzip`",
}
"""Files that hold no checkpoint, and what to do."""

HEAD = 4096
"""How many bytes `by_head` wants to see."""

MAGIC = {
    b"\x89HDF\r\n\x1a\n": "hdf5",
    b"GGUF": "gguf",
    b"\x93NUMPY": "numpy",
    b"\x1f\x8b": "gzip",
    b"version https://git-lfs.github.com/spec/": "git-lfs",
}
LEGACY = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""torch before 1.6 begins with this number, as a pickle of its own, behind a protocol mark."""


TAR_BLOCK = 512

PAGE = re.compile(
    rb"(\xef\xbb\xbf)?\s*(?:(?><!--.*?-->)\s*)*+<(!doctype\s+html|html|head|body)", re.I | re.S
)
"""A web page's beginning; a comment is taken one way only, so that many take no time."""


def by_head(head: bytes, size: int) -> str:
    """The format that the first bytes speak for; "unknown" also for pickles of protocol 0 and 1."""
    if not size:
        return "empty"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if _is_tar(head):
        return "tar"
    if head[2:9] == b"\0\0\0\0\0\0{":  # behind the mark of a pickle, a zero ends it
        return "safetensors"
    for magic, format in MAGIC.items():
        if head.startswith(magic):
            return format
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        framed = head[2:3] == b"\x95" and head[11:].startswith(LEGACY)
        legacy = head[2:].startswith(LEGACY) or framed
        return "torch-legacy" if legacy else "pickle"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 2**32:
        return "safetensors"
    if PAGE.match(head):
        return "html"
    # A protobuf message whose first field is ONNX's ir_version and whose second is a string or the
    # graph.
    if re.match(rb"\x08[\x01-\x20][\x12\x1a\x22\x2a\x32\x3a\x42]", head):
        return "onnx"
    return "unknown"


def _is_tar(head: bytes) -> bool:
    """Whether torch would open it as a tar: it tries that for whatever is no zip."""
    if len(head) < TAR_BLOCK:
        return False
    import tarfile  # takes long, and few files come this far

    try:
        tarfile.TarInfo.frombuf(head[:TAR_BLOCK], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def by_members(names: list[str]) -> str:
    """The format of a zip, from its members' names in the directory's order.

    torch.load runs the data.pkl in the first member's folder unless constants.pkl, spelt just so,
    lies beside it: no other name may make of such a zip something whose pickle is not looked into.
    """
    folder = names[0].partition("/")[0] + "/" if names else ""
    inside = {name.removeprefix(folder) for name in names if name.startswith(folder)}
    if "constants.pkl" in inside:
        return "torchscript"
    if any(name.partition("/")[2].lower() == "data.pkl" for name in names):
        return "torch-zip"
    if any(name.startswith("code/") for name in inside):
        return "torchscript"
    marks = ("archive_format", "serialized_exported_program.json", "models/model.json")
    return "pt2" if any(mark in inside or mark in names for mark in marks) else "zip"


CHECKPOINTS = (".pt", ".pth", ".ckpt", ".safetensors", "pytorch_model.bin", ".pth.tar")
"""Names end like this that promise a checkpoint: what is none, but no text either, is reported."""

_PICKLED = (".pkl", ".pickle", ".joblib")
_PACKED = (".gz", ".bz2", ".xz", ".z", ".lzma")
PICKLES = (
    *(*CHECKPOINTS, *_PICKLED, ".bin", ".p", ".pk", ".pckl", ".th", ".dill"),
    *(pickled + packed for pickled in _PICKLED for packed in _PACKED),
)
"""Under such names also pickles of protocol 0 and 1, which have no mark, are looked for."""

LOOKED_INTO = ("numpy", "gguf")
"""Other kinds whose files may hold a pickle, or be one; those that do not are not listed."""
MARKED = ("zip", "torch-legacy", "pickle", "safetensors", *LOOKED_INTO)
ARRAYS = (".npy", ".npz")
"""numpy.load takes a pickle under such names too."""

_TEXT = bytes({*b"\a\b\t\n\f\r\x1b", *range(0x20, 0x7F), *range(0x80, 0x100)})
_FIRST_MEMBER = 30
"""Where the name of a zip's first member begins."""


def is_candidate(path: str, head: bytes, size: int) -> bool:
    format = by_head(head, size)
    is_marked = format in MARKED or format == "tar" and head.startswith(b"\x80")
    return is_marked or is_named_pickle(path) or is_named_array(path)


def is_named_pickle(path: str) -> bool:
    return path.lower().endswith(PICKLES)


def is_named_array(path: str) -> bool:
    return path.lower().endswith(ARRAYS)


def promises_checkpoint(path: str) -> bool:
    return path.lower().endswith(CHECKPOINTS)


def is_text(head: bytes) -> bool:
    return not head.translate(None, _TEXT)


def begins_as_torch_writes(head: bytes) -> bool:
    """Whether it is a zip whose first member is an uncompressed FOLDER/data.pkl."""
    stored = head.startswith(b"PK\x03\x04") and head[8:10] == b"\0\0"
    name = head[_FIRST_MEMBER : _FIRST_MEMBER + int.from_bytes(head[26:28], "little")]
    return stored and name.endswith(b"/data.pkl")


def first_bytes(path: str, size: int) -> bytes:
    """What `is_candidate` wants to see of a regular file. Raises OSError."""
    if not size:
        return b""
    with open(path, "rb", buffering=0) as file:
        return file.read(HEAD)
