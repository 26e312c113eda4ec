"""What is known of files that are no checkpoint, or one for another reader, as data.

A way out is a sentence; the lines below its first are commands.
"""

from typing import NamedTuple


class Known(NamedTuple):
    """A text: `pattern`, looked for in what the errors say; what it means; what to do.

    All of `beside` must be somewhere in the whole text, and `unless` must not; `frame` must be in
    the file or the line of the frame that failed.
    """

    pattern: str
    what: str
    ways: tuple[str, ...]
    beside: tuple[str, ...] = ()
    unless: str = ""
    frame: str = ""


WHOLE_FILE_AGAIN = (
    "Fetch or save the file again, and compare its size or sha256 with the published one. "
    "What is cut off cannot be taken out."
)
EDITOR = "Open it in a text editor: it is a few lines of plain text"
MESSAGE = (
    "Most often that is a message in the place of the file, such as `Entry not found` or `Access "
    "denied`."
)
MESSAGE_WAY = f"{EDITOR} if it is that. Then look at the address and the login, and fetch it again."
PACKED = "Unpack it, and read what is in it."
PROTOBUF = (
    "Most often that is a file of protobuf's: a model of ONNX or of TensorFlow, which torch.load "
    "and pickle cannot read. Then it is not damaged."
)
PROTOBUF_WAY = (
    "If it is a model of ONNX: run it with onnxruntime, or look at it with onnx.load. If it is "
    "TensorFlow's: read it with TensorFlow."
)
INSTEAD = "Or give the program the file that it wants, as a rule one in .pt, .pth or .bin."

FIRST_BYTES: dict[str, tuple[str, tuple[str, ...]]] = {
    "v": (
        "Nearly always that is a pointer of Git LFS in the place of the file: a small text that "
        "begins with `version https://git-lfs.github.com/spec/v1`.",
        (
            f"{EDITOR} if it is that. Then fetch the file itself, in the repository:\n"
            "git lfs install\ngit lfs pull",
            "Or download the file itself from the page where it lies, with its own button for "
            "that.",
        ),
    ),
    "<": (
        "Nearly always that is a web page (HTML) that was saved in the place of the file: one that "
        "asks for a login or a click, or says that there is no such file.",
        (
            f"{EDITOR} if it is that, and says why. Then download the file itself, by the link "
            "that leads to it and not to its page.",
        ),
    ),
    "{": (
        "Most often that is JSON: settings, an index of several files, or a server's message in "
        "the place of the file.",
        (f"{EDITOR} if it is that. Then read it as JSON, or fetch the weights' own file.",),
    ),
    "E": (MESSAGE, (MESSAGE_WAY,)),
    "A": (MESSAGE, (MESSAGE_WAY,)),
    "\x08": (PROTOBUF, (PROTOBUF_WAY, INSTEAD)),
    "\n": (PROTOBUF, (PROTOBUF_WAY, INSTEAD)),
    "H": (
        "Most often that is HDF5, as Keras writes it in .h5: its first byte a pickle's reader "
        "passes over.",
        ("Read it with Keras (load_model) or h5py.", INSTEAD),
    ),
    "\x1f": (
        "Most often that is a file that was compressed with gzip.",
        ("Unpack it, or open it with gzip.open, and read what is in it.",),
    ),
    "\xfd": ("Most often that is a file that was compressed with xz.", (PACKED,)),
    "\xb5": ("Most often that is a file that was compressed with zstd.", (PACKED,)),
    "7": ("Most often that is an archive of 7-Zip.", (PACKED,)),
}
"""What a reader of pickles stumbles over at the beginning -> what it most often is; the ways."""

DAMAGED = (
    r"failed finding central directory|PytorchStreamReader failed (?:reading|locating)"
    r"|pickle data was truncated|Ran out of input|unexpected EOF|invalid load key"
    r"|[Uu]nsupported operand \d|unpickling stack underflow|could not find MARK"
    r"|STACK_GLOBAL requires str|pickle exhausted before end"
    r"|not a ZIP archive|Expected hasRecord|\bEOFError\b"
    r"|file in archive is not in a subdirectory|BadZipFile"
)
"""How readers of checkpoints say that the bytes are not those of one."""

ZIP = Known(
    r"Expected hasRecord|file in archive is not in a subdirectory",
    "the file is a zip, and it is not laid out as torch.save lays one out: a folder with data.pkl, "
    "version and the tensors in it. As a rule another program wrote it (numpy's .npz is a zip), "
    "or a checkpoint, or a folder with one, was zipped. Rarely it is damaged. "
    "As a rule no version of torch is the cause.",
    (
        "Look what is in it.\npython -m zipfile -l FILE",
        "If it has .npy files: read it with numpy.load. If a checkpoint is in it: unpack it, and "
        "load that.",
        "If data.pkl is in it, and it was unpacked and zipped again: fetch the file again, and "
        "leave it as it is; or zip it without compression, from the folder above data.pkl's.\n"
        "zip -0 -r model.pt FOLDER",
    ),
)

NO_INSTRUCTION = r"dispatch\[key\[0\]\]|(?i:pickl)[\s\S]*dispatch\[key\]\(self\)"
"""How Python's reader of pickles looks an instruction up; the second is Python 2's."""
BYTE = r"KeyError: (?:\d+|'(?:\\x[0-9a-f]{2}|\\?.)')"
"""How it names a byte that begins none."""
UNKNOWN_BYTES = (
    Known(
        BYTE,
        "a reader of pickles met a byte that begins no instruction. joblib keeps the bytes of "
        "arrays between the instructions, and since 1.2 it puts bytes before them that an older "
        "joblib takes for instructions: as a rule a newer joblib wrote the file than reads it. "
        "Else the file is damaged, or is no pickle.",
        (
            "Read it with the joblib that wrote it, or a newer one.\npip install --upgrade joblib",
            "Or write it anew with the joblib that is to read it.",
            WHOLE_FILE_AGAIN,
        ),
        beside=(NO_INSTRUCTION, "joblib"),
    ),
    Known(
        BYTE,
        "Python's reader of pickles met a byte that begins no instruction: the file is damaged, or "
        "no pickle, or its reader is of another kind than its writer (joblib keeps arrays between "
        "the instructions).",
        (WHOLE_FILE_AGAIN, "Read it with what wrote it."),
        beside=(NO_INSTRUCTION,),
    ),
)

OF_A_VIT = "\n".join(
    (
        "If it is the .npz of a vision transformer of Google's, which old releases of timm fetch: "
        "timm's models of that kind have a reader of their own for it.",
        'model = timm.create_model("NAME")',
        'model.load_pretrained("FILE.npz")',
    )
)
ZIPS = (
    ZIP._replace(
        ways=(ZIP.ways[0], OF_A_VIT, *ZIP.ways[1:]),
        beside=(r"\btimm\b", r"(?i)(?:\b|_)vit(?:\b|_)|vision.?transformer"),
    ),
    ZIP,
)


class Format(NamedTuple):
    """A kind of file with a reader of its own, by the endings of its names."""

    name: str
    endings: str
    reader: str


OF_OTHER_FORMATS = (
    Format("ONNX", "onnx", "onnxruntime (to run it) or onnx.load"),
    Format("safetensors", "safetensors", "safetensors.torch.load_file"),
    Format("Keras or HDF5", "h5|hdf5|keras", "Keras (load_model) or h5py"),
    Format("llama.cpp (GGUF)", "gguf|ggml", "llama.cpp, or the package gguf"),
    Format("TensorFlow Lite", "tflite", "the interpreter of TensorFlow Lite"),
    Format("TensorFlow", "pb|pbtxt", "TensorFlow"),
    Format("TensorRT", "trt", "the TensorRT that wrote it"),
    Format("Core ML", "mlmodel|mlpackage", "coremltools"),
)

CALLERS = {
    "gpu": "torch has no device of that name; it calls the first graphics card of NVIDIA's "
    "'cuda:0'.",
    "cpu": "torch calls the processor 'cpu', without a number.",
}
"""Names of devices that torch writes into no file -> what is wrong with them."""

BACKENDS = {
    "mps": "a torch that was built for Apple's graphics knows it, and an old one does not.",
    "npu": "the package torch_npu brings it, and has to be imported first.",
    "privateuseone": "an extension of torch brings it (torch_npu, torch_directml and others), and "
    "has to be imported first.",
    "xla": "the package torch_xla brings it, and has to be imported first.",
    "mlu": "the package torch_mlu brings it, and has to be imported first.",
}
"""Devices that not every torch has -> what brings them."""
