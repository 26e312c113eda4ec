"""An error's text as it was pasted, made plain."""

import html
import re
from typing import BinaryIO

from missing_aa.containers.formats import is_text
from missing_aa.errors import UsageProblem

LONGEST = 1_000_000
"""Characters that are looked at; of a longer text the last ones, because an error comes last."""

_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""With which UTF-16 begins."""

_COLOURS = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b[@-Z\\^_]"
    r"|\\(?:u001b|x1b|033|e)\[[\d;]*m"  # as JSON and source text write them
)
_QUOTES = dict.fromkeys(map(ord, '"‘’‚‛“”„`´′'), "'")
_BOXES = dict.fromkeys(map(ord, "│┃║╭╮╰╯┌┐└┘─━═|"), " ")
_OTHERS: dict[int, str | None] = {
    ord("*"): None,  # Markdown's
    ord("："): ":",  # what Chinese keyboards write
    ord("❱"): "->",  # rich's arrow at the line that failed, as IPython draws it
}
MOST_PREFIXES = 8
"""Different beginnings of lines, of a log or of one process among several, that are taken off."""
_PREFIX = re.compile(r"(?m)^[ \t]*(\S.{0,80}?)[ \t]*Traceback \(most recent call last\)")
_HIDDEN = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127, *range(0x200B, 0x2010), 0xFEFF))
_CHANGED = _QUOTES | _BOXES | _OTHERS | _HIDDEN


def read_text(file: BinaryIO) -> bytes:
    """The last bytes of a stream, at most LONGEST, with the mark of its encoding if it has one."""
    kept = file.read(LONGEST)
    mark = kept[:2] if kept[:2] in _MARKS else b""
    cut = False
    while more := file.read(LONGEST):
        kept, cut = (kept + more)[-LONGEST:], True
    return mark + kept if cut else kept


def is_some(raw: bytes) -> bool:
    """Whether bytes are text."""
    return raw[:2] in _MARKS or is_text(raw)


def decode(raw: bytes) -> str:
    """Bytes as text. Raises UsageProblem for what is none."""
    if raw[:2] in _MARKS:  # as PowerShell writes what is redirected to a file
        return raw.decode("utf-16", "replace")
    if not is_some(raw):
        raise UsageProblem(
            "this is no text; a checkpoint has to be named as a file: missing-aa explain model.pt"
        )
    return raw.decode("utf-8-sig", "replace")


def plain(text: str) -> str:
    """The text with one kind of quotes, and without what is there for the eye alone.

    Lines stay lines: a traceback is read by them.
    """
    text = _COLOURS.sub("", html.unescape(text[-LONGEST:]))
    if "\n" not in text.strip():  # a log in JSON, say
        text = text.replace("\\r", "").replace("\\n", "\n")
    text = re.sub(r"\\(['\"_<>*])", r"\1", text)
    text = text.translate(_CHANGED).replace("\r", "\n")
    text = re.sub(r"(?m)^[> \t]*>", "", text)
    for before in dict.fromkeys(_PREFIX.findall(text)[-MOST_PREFIXES:]):
        start = rf"(?m)^[ \t]*{re.escape(before)}"
        if re.search(rf"{start}[ \t]+File '", text):
            text = re.sub(f"{start} ?", "", text)
    return text


def squeeze(text: str) -> str:
    """The text without any white space, as which it is the same however its lines were broken."""
    return re.sub(r"\s+", "", text)
