"""What programs print of tensors that were not loaded, or not used, without an error."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from missing_aa.explainer.errors import NEAR, STATE_DICT, Error, line_at

MOST_NAMES = 5_000
_ALL = "<All keys matched successfully>"
_CHECKPOINT = r"[^\[\]{}]{0,400}?"
_HEADS = re.compile(
    "|".join(
        (
            # transformers, from its beginnings to 4
            r"Weights\s+of\s+(?P<m0>\w+)\s+not\s+initialized\s+from\s+pretrained\s+model\s*:",
            r"Weights\s+from\s+pretrained\s+model\s+not\s+used\s+in\s+(?P<u0>\w+)\s*:",
            r"Some\s+(?:weights|layers)(?:\s+or\s+buffers)?\s+of\s+(?:the\s+[\w.]+(?:\s2\.0)?\s+model\s+)?"
            r"(?P<m1>\w{1,100})\s+were\s+not\s+initialized\s+from\b"
            rf"{_CHECKPOINT}newly\s+initialized"
            r"(?:\s+because\s+the\s+shapes\s+did\s+not\s+match)?\s*:",
            rf"Some\s+(?:weights|layers)\b{_CHECKPOINT}\bnot\s+used\s+when\s+initializing\s+"
            r"(?:the\s+[\w.]+(?:\s2\.0)?\s+model\s+)?(?P<u1>\w{1,100})\s*:",
            # Lightning
            r"(?P<m2>keys\s+that\s+are)\s+in\s+the\s+model\s+state\s+dict\s+but\s+not\s+in\s+the"
            r"\s+checkpoint\s*:",
            r"(?P<u2>keys\s+that\s+are)\s+not\s+in\s+the\s+model\s+state\s+dict\s+but\s+in\s+the"
            r"\s+checkpoint\s*:",
            # fvcore, detectron2
            r"(?P<m3>model\s+parameters\s+or\s+buffers)\s+are\s+not\s+found\s+in\s+the\s+checkpoint\s*:",
            r"(?P<u3>checkpoint\s+state_dict)\s+contains\s+keys\s+that\s+are\s+not\s+used\s+by\s+the"
            r"\s+model\s*:",
            # mmcv, mmengine
            r"(?P<m4>missing\s+keys?)\s+in\s+source\s+state_?dict\s*:",
            r"(?P<u4>unexpected\s+keys?)\s+in\s+source\s+state_?dict\s*:",
            # timm, and what others print of torch's answer
            r"\b(?P<m5>missing[ _]key(?:s|\(s\))?)[ \w]{0,40}[:=]?\s{0,20}(?=[\[({])",
            r"\b(?P<u5>unexpected[ _]key(?:s|\(s\))?)[ \w]{0,40}[:=]?\s{0,20}(?=[\[({])",
            rf"(?P<all>{re.escape(_ALL)})",
        )
    ),
    re.I,
)
_NAME = r"\w[\w\-/]*(?:\.[\w\-/]+)*"
_LIST = re.compile(rf"\s*({_NAME}(?:\s*,\s*{_NAME})*)")
_LINES = re.compile(rf"[ \t]{{0,20}}\n((?:[ \t]+{_NAME}(?:\.\{{[^}}\n]+\}})?[ \t]*(?:\n|\Z))+)")
_RESHAPED = re.compile(
    rf"-\s+({_NAME}):\s+found\s+shape\s+torch\.Size\(\[([\d,\s]*)\]\)\s+in\s+the\s+checkpoint"
    r"\s+and\s+torch\.Size\(\[([\d,\s]*)\]\)"
)
_REPORT = re.compile(r"\b(?P<class>\w{1,100})[ \t]{1,20}LOAD[ \t]REPORT\b")
_ROW = re.compile(rf"(?m)^[ \t]*({_NAME})[ \t]+(MISSING|UNEXPECTED)(?=[ \t]*$)")
_STRICT = re.compile(
    r"(?:Error|Exception):\s*(?:The\s+model\s+and\s+loaded\s+state[_ ]?dict.*)?\s*\Z"
)


@dataclass(frozen=True)
class Message:
    """What a text says of a load: `error` has the names; `end` is where it ends in the text.

    `both` is whether it says of either side what is there; `strict` whether it was raised.
    """

    error: Error
    end: int
    both: bool = False
    strict: bool = False


def read(text: str) -> Message | None:
    """The messages of a plain text, put together; None if it has none that names a tensor."""
    heads = list(_HEADS.finditer(text))[-MOST_NAMES:]
    if not heads:
        return _report(text)
    if heads[-1]["all"]:
        return Message(Error(STATE_DICT, said=_ALL), heads[-1].end(), both=True)
    names: dict[str, list[str]] = {}
    shapes: list[tuple[str, str, str]] = []
    class_, end, cut = "", 0, False
    ends = [head.start() for head in heads[1:]] + [len(text)]
    for head, until in zip(heads, ends, strict=True):
        side = (head.lastgroup or "")[:1]
        if side in ("m", "u"):
            part = text[head.end() : until]
            found, length, is_cut = _names(part)
            names.setdefault(side, []).extend(found)
            shapes += _reshaped(part)
            class_ = class_ or _class(head)
            end, cut = head.end() + length, cut or is_cut
    if not shapes and not any(names.values()):
        return None
    error = Error(
        STATE_DICT,
        class_,
        missing=_unique(names.get("m", ())),
        unexpected=_unique(names.get("u", ())),
        shapes=tuple(shapes),
        said=_line(text, heads[0]),
        cut=cut,
    )
    strict = bool(_STRICT.search(text[max(0, heads[0].start() - NEAR) : heads[0].start()]))
    return Message(error, end, len(names) == 2, strict)


def _line(text: str, head: re.Match) -> str:
    """The line in which a message begins; all of its first words, if that line was broken."""
    words = " ".join(head[0].split())
    return words if "\n" in head[0].strip() else line_at(text, head.start())


def _class(head: re.Match) -> str:
    named = (head[group] for group in ("m0", "m1", "u0", "u1") if head[group])
    return next(named, "")


def _unique(names) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))[:MOST_NAMES]


def _names(text: str) -> tuple[list[str], int, bool]:
    """The names at the beginning, how far they go, and whether the list is cut off."""
    start = re.match(r"\s*(?:dict_keys\()?[\[({]", text)
    if start:
        end = re.search(r"[\])}]", text[start.end() :])
        inside = text[start.end() :][: end.start() if end else None]
        quoted = re.findall(r"'([^']{1,9999})'", inside) if "'" in inside else [inside]
        length = start.end() + len(inside)
        return list(_split(quoted)), length, not end or ".." in inside or "…" in inside
    if lines := _LINES.match(text):
        return list(_spread(lines[1])), lines.end(), False
    if listed := _LIST.match(text):
        rest = text[listed.end() :]
        return (
            list(_split([listed[1]])),
            listed.end(),
            bool(re.match(r"\s{0,20},?\s{0,20}(?:\.\.|…)", rest)),
        )
    return [], 0, False


def _split(texts: list[str]) -> Iterator[str]:
    for text in texts:
        for name in re.sub(r"\s", "", text).split(","):  # lines are broken where they are long
            if re.fullmatch(_NAME, name):
                yield name


def _spread(lines: str) -> Iterator[str]:
    """The names of lines in which `a.{weight, bias}` stands for two."""
    for line in lines.split("\n"):
        stem, _, ends = line.strip().partition(".{")
        for end in ends.strip("}").split(",") if ends else [""]:
            name = f"{stem}.{end.strip()}".strip(".")
            if name:
                yield name


def _reshaped(text: str) -> list[tuple[str, str, str]]:
    return [
        (name, re.sub(r"\s", "", ours), re.sub(r"\s", "", theirs))
        for name, ours, theirs in _RESHAPED.findall(text)
    ]


def _report(text: str) -> Message | None:
    """The table that transformers 5 prints."""
    head = _REPORT.search(text)
    rows = list(_ROW.finditer(text, head.end())) if head else []
    if not head or not rows:
        return None
    sides = {
        word: _unique(row[1] for row in rows if row[2] == word)
        for word in ("MISSING", "UNEXPECTED")
    }
    error = Error(
        STATE_DICT,
        head["class"],
        missing=sides["MISSING"],
        unexpected=sides["UNEXPECTED"],
        said=line_at(text, head.start()),
    )
    return Message(error, rows[-1].end(), both=True)
