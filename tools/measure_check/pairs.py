"""A file and a reader: what `check` foretold, and what happened."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from missing_aa import check
from missing_aa.matrix.cells import gist

FEW = "so few modules were walked that it cannot tell"


@dataclass(frozen=True)
class Pair:
    """`met` is the error that came ("Class: text"), None where the file ran.

    `certain` and `possible` are the findings as such texts, in the order in which they come;
    `followed` is False where something of the file was not. `seconds` is what `check` took.
    """

    group: str
    model: str
    writer: str
    reader: str
    met: str | None
    answer: str
    certain: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.group, self.model, self.writer, self.reader


def foretell(path: Path, folders: Iterable[str], **where) -> dict:
    """What `check` says of a file, as fields of a Pair; `folders` are cut out of its texts."""
    result = check(path, **where)

    def text_of(finding) -> str:
        text = finding.message
        for folder in folders:
            text = text.replace(os.path.join(folder, ""), "")
        return f"{finding.error}: {gist(text)}"

    return {
        "answer": result.answer,
        "certain": [text_of(finding) for finding in result.certain],
        "found": [text_of(finding) for finding in result.findings],
        "notes": result.notes if result.enough else [*result.notes, FEW],
    }


class Kept:
    """Pairs in a file of JSON lines, added to as they are measured and taken up again.

    Of two lines for one pair the later stands.
    """

    def __init__(self, path: Path):
        self.path = path
        self.pairs: dict[tuple, Pair] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            for line in path.read_text("utf-8").splitlines():
                self._take(Pair(**json.loads(line)))

    def add(self, pairs: Iterable[Pair]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            for pair in pairs:
                self._take(pair)
                file.write(json.dumps(asdict(pair), ensure_ascii=False) + "\n")

    def _take(self, pair: Pair) -> None:
        self.pairs[pair.key] = pair
