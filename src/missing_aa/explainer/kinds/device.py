"""Tensors for a device that is not there: `don't know how to restore data location`, and others."""

import re
from functools import partial

from missing_aa.explainer.advice import RESCUE, advise
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.cases import Ledger
from missing_aa.explainer.errors import DEVICE, Error, find_words, line_at
from missing_aa.explainer.known_files import BACKENDS, CALLERS
from missing_aa.explainer.remedies import ADVICE, Way
from missing_aa.explainer.seen import Seen

WORDS = (
    r"how\s*to\s*restore\s*data\s*location|Attempting\s*to\s*deserialize\s*object\s*on"
    r"|Storage\s*device\s*not\s*recognized|device\s*module\s*is\s*not\s*registered"
)
_NAMES = (
    re.compile(r"[^(\n]{0,100}\(\s*tagged\s*with\s*(?P<name>[\w:.-]{1,50})\)"),
    re.compile(r"\s*an?\s*(?P<name>\w{1,30}?)\s*device\b"),
    re.compile(r"\s*(?P<name>\w{1,30})\s*device\s*(?P<number>\d+)"),
    re.compile(r"\s*:\s*(?P<name>[\w:]{1,50})"),
)
_COUNT = re.compile(r"device_count\(\)\s+is\s+(\d+)")
TO_CPU = Way(
    ADVICE,
    "Read the tensors onto the processor, and move the model afterwards, if there is a device to "
    "move it to.",
    ("torch.load(path, map_location='cpu')",),
)
TO_CUDA = "Where there is a graphics card of NVIDIA's that torch can use: map_location='cuda:0'."


def read(before: str, words: str, after: str) -> Error | None:
    """`class_` is the device, as torch writes it: 'gpu', 'cpu:0', 'cuda:1'."""
    first = re.search(r"\b(?P<name>\w{1,30})\s+\Z", before) if words[:6] == "device" else None
    match = first or next((found for form in _NAMES if (found := form.match(after))), None)
    if not match:
        return None
    number = match.groupdict().get("number")
    name = f"{match['name']}:{number}" if number else match["name"]
    name = name.lower() if name.partition(":")[0].isupper() else name
    shown = line_at(f"{before}{words}{after}", len(before))
    count = _COUNT.search(after)
    if count and not _COUNT.search(shown):  # it stands in the next line
        shown = " ".join(f"{shown} … {count[0]}".split())
    return Error(DEVICE, name, shown)


find = partial(find_words, WORDS, read)


def other(error: Error, seen: Seen) -> Answer:
    device = error.class_
    backend = device.partition(":")[0]
    asked = re.search(
        rf"map_location\s*=\s*(?:torch\.device\()?\s*'{re.escape(device)}'", seen.text
    )
    caller = "the code that loads the file (by map_location)"
    if backend in CALLERS:
        what = f"{caller} asks for {device!r}. {CALLERS[backend]} The file has no part in it."
    else:
        count = _COUNT.search(error.name)
        about = BACKENDS.get(backend, "the machine has none, or this torch was built without it.")
        if count:
            about = f"torch finds {count[1]} of that kind here, and counts from 0."
        who = f"{caller} asks" if asked else f"the tensors in the file, or {caller}, ask"
        what = (
            f"{who} for the device {device!r}, which the torch here cannot use: {about} Nothing "
            "says that the file is damaged."
        )
    ways: list[Way | str] = [TO_CPU, TO_CUDA]
    if backend in BACKENDS and not asked:
        ways.append(f"Or make the device known: {BACKENDS[backend]}")
    if backend not in CALLERS and (not seen.frames or "_load_from_bytes" in seen.text):
        ways.append(BY_PICKLE)
    return advise(
        error,
        what,
        *ways,
        known_by="the words of the error",
    )


BY_PICKLE = Way(
    ADVICE,
    "Where the traceback names _load_from_bytes, plain pickle wrote the file, and map_location "
    "does not reach its tensors: take them out.",
    RESCUE.commands,
)


def nearest(error: Error, seen: Seen, ledger: Ledger) -> Answer | None:
    return None
