"""What error a text speaks of, as far as it is one that a change of releases can bring."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
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
_BOXES = dict.fromkeys(map(ord, "│┃║╭╮╰╯┌┐└┘─━═❱|"), " ")
_OTHERS = {ord("*"): None, ord("："): ":"}  # Markdown's, and what Chinese keyboards write
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
    return re.sub(r"(?m)^[> \t]*>", "", text)


def squeeze(text: str) -> str:
    """The text without any white space, as which it is the same however its lines were broken."""
    return re.sub(r"\s+", "", text)


ATTRIBUTE, MODULE, LOOKUP = "attribute", "module", "lookup"
IMPORT, WEIGHTS_ONLY, STATE_DICT, OTHER = "import", "weights only", "state_dict", "other"

NEAR = 300
"""Characters beside the words that tell an error in which its names are looked for."""

MOST_KEYS = 5_000
MOST_HITS = 500

_NAME = r"[A-Za-z_]\w{0,100}"
_DOTTED = r"[A-Za-z_][\w.]{0,200}"


@dataclass(frozen=True)
class Error:
    """An error: `kind` is one of the names above.

    `class_` is the class that it names, `name` the attribute (ATTRIBUTE), the module (MODULE,
    LOOKUP, IMPORT), or the whole text (OTHER). A STATE_DICT error has the names of tensors, and
    `shapes`: (name, in the file, in the model).
    """

    kind: str
    class_: str = ""
    name: str = ""
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    shapes: tuple[tuple[str, str, str], ...] = ()

    def __str__(self) -> str:
        """As Python or torch says it."""
        if self.kind == ATTRIBUTE:
            return f"AttributeError: '{self.class_}' object has no attribute '{self.name}'"
        if self.kind == MODULE:
            return f"ModuleNotFoundError: No module named '{self.name}'"
        if self.kind == LOOKUP:
            return f"AttributeError: Can't get attribute '{self.class_}' on <module '{self.name}'>"
        if self.kind == IMPORT:
            return f"cannot import name '{self.class_}' from '{self.name or '?'}'"
        if self.kind == WEIGHTS_ONLY:
            what = f"{self.name}.{self.class_}".strip(".")
            return f"Weights only load failed{f': unsupported global {what}' if what else ''}"
        if self.kind == STATE_DICT:
            return f"RuntimeError: Error(s) in loading state_dict for {self._tensors()}"
        return self.name

    def _tensors(self) -> str:
        named = {
            "missing": self.missing,
            "unexpected": self.unexpected,
            "size mismatch": [name for name, *_ in self.shapes],
        }
        parts = [
            f"{what} {', '.join(names[:3])}{', …' if len(names) > 3 else ''}"
            for what, names in named.items()
            if names
        ]
        return f"{self.class_ or 'a model'}: {'; '.join(parts)}"


@dataclass(frozen=True)
class Hit:
    """An error, and where in the text its words begin and end."""

    start: int
    end: int
    error: Error


def last(text: str) -> Hit | None:
    """The last error of a plain text; it is what ended the program."""
    hits = [hit for find in (_named, _state_dicts) for hit in find(text)]
    if not hits:
        squeezed = squeeze(text)
        hits = [Hit(0, len(text), hit.error) for hit in _named(_opened(squeezed))]
    return max(hits, key=lambda hit: hit.start, default=None)


def of_cell(kind: str | None, text: str | None) -> Error:
    """The error that a cell of the atlas holds, by its class and text."""
    said = plain(f"{kind}: {text}")
    hit = last(said)
    return hit.error if hit else Error(OTHER, name=" ".join(said.split()))


def _opened(squeezed: str) -> str:
    """Text without white space, with spaces again where the words of errors need them."""
    for words in ("object has no attribute ", "No module named ", " on <module "):
        squeezed = squeezed.replace(squeeze(words), f" {words.strip()} ")
    return squeezed.replace("Can'tgetattribute", "Can't get attribute ")


_WORDS = re.compile(
    r"(?P<attribute>has\s+no\s+attribute)|(?P<module>no\s+module\s+named)"
    r"|(?P<lookup>get\s+attribute)|(?P<import>cannot\s+import\s+name)"
    r"|(?P<unsupported>unsupported\s+(?:global:\s+global|class))"
    r"|(?P<refused>weights\s+only\s+load\s+failed)|(?P<missing>ModuleNotFoundError)",
    re.I,
)


def _named(text: str) -> Iterator[Hit]:
    """Errors that name a class, an attribute or a module."""
    for found in list(_WORDS.finditer(text))[-MOST_HITS:]:
        before = text[max(0, found.start() - NEAR) : found.start()]
        after = text[found.end() : found.end() + NEAR]
        error = _READERS[str(found.lastgroup)](before, after)
        if error:
            yield Hit(found.start(), found.end(), error)


def _attribute(before: str, after: str) -> Error | None:
    name = re.match(rf"\s*'?({_NAME})", after)
    # Without the word `object`, and for a module, any word could stand there.
    subject = re.search(rf"(\w+\s+)?'?\b(?!object\b)({_DOTTED})'?(\s+object)?\s+\Z", before)
    if not name or not subject:
        return None
    word, class_, is_object = subject.groups()
    word = (word or "").strip()
    if word == "module":
        return Error(IMPORT, name[1], class_)
    if is_object and class_ == "module":  # as Python 2 and pickle say it
        return Error(IMPORT, name[1])
    if word == "object":  # "type object 'X'": the class itself was asked
        return None
    if not is_object and not class_[0].isupper():
        return None
    return Error(ATTRIBUTE, class_.rpartition(".")[2], name[1])


def _module(before: str, after: str) -> Error | None:
    name = re.match(rf"\s*'?({_DOTTED})", after)
    return Error(MODULE, name=name[1].strip(".")) if name else None


def _translated(before: str, after: str) -> Error | None:
    """Where only the names of error and module were left as they are."""
    name = re.match(r"\W[^'\n]{0,40}'(timm[\w.]{0,200})'", after)
    return Error(MODULE, name=name[1]) if name else None


def _lookup(before: str, after: str) -> Error | None:
    names = re.match(rf"\s*'?({_DOTTED})'?\s+on\s+<?module\s+'?({_DOTTED})", after)
    return Error(LOOKUP, names[1], names[2]) if names else None


def _import(before: str, after: str) -> Error | None:
    names = re.match(
        rf"\s*'?({_NAME})'?(?:\s+from\s+(?:partially\s+initialized\s+module\s+)?'?({_DOTTED}))?",
        after,
    )
    return Error(IMPORT, names[1], names[2] or "") if names else None


def _unsupported(before: str, after: str) -> Error | None:
    name = re.match(rf"\s*'?({_DOTTED})", after)
    if not name:
        return None
    module, _, class_ = name[1].strip(".").rpartition(".")
    return Error(WEIGHTS_ONLY, class_, module)


def _refused(before: str, after: str) -> Error:
    return Error(WEIGHTS_ONLY)


_READERS = {
    "attribute": _attribute,
    "module": _module,
    "lookup": _lookup,
    "import": _import,
    "unsupported": _unsupported,
    "refused": _refused,
    "missing": _translated,
}

_SECTIONS = re.compile(
    r"Error\(s\)\s+in\s+loading\s+state_dict\s+for\s+(?P<class>\w{1,100})"
    r"|(?P<missing>missing\s+key\(s\)(?:\s+in\s+state_dict)?)"
    r"|(?P<unexpected>unexpected\s+key\(s\)(?:\s+in\s+state_dict)?)"
    r"|size\s+mismatch\s+for\s+(?P<shape>[\w.\s]{1,300}?):",
    re.I,
)
_SHAPES = re.compile(
    r"[^:]{0,40}?torch\.Size\(\[([\d,]*)\]\)fromcheckpoint.{0,40}?torch\.Size\(\[([\d,]*)\]\)"
)


def _state_dicts(text: str) -> Iterator[Hit]:
    """The last mismatch of a state_dict, put together from its parts."""
    parts = list(_SECTIONS.finditer(text))[-MOST_KEYS:]
    heads = [at for at, part in enumerate(parts) if part["class"]]
    parts = parts[heads[-1] :] if heads else parts
    if not parts:
        return
    names: dict[str, tuple] = {"missing": (), "unexpected": ()}
    shapes = []
    ends = [part.start() for part in parts[1:]] + [len(text)]
    for part, end in zip(parts, ends, strict=True):
        if part.lastgroup in names:
            names[part.lastgroup] = _keys(text[part.end() : end])
        elif part.lastgroup == "shape":
            sizes = _SHAPES.match(squeeze(text[part.end() : end][:NEAR]))
            saved, made = sizes.groups() if sizes else ("", "")
            shapes.append((squeeze(part["shape"]), saved, made))
    class_ = parts[0]["class"] or ""
    error = Error(STATE_DICT, class_, "", **names, shapes=tuple(shapes))
    yield Hit(parts[0].start(), parts[-1].end(), error)


def _keys(text: str) -> tuple[str, ...]:
    """The quoted names at the beginning; one that is cut off is left out."""
    listed = re.match(r":?((?:'[^']{1,300}'[,.]?)*)", squeeze(text))
    return tuple(re.findall(r"'([^']+)'", listed[1] if listed else "")[:MOST_KEYS])
