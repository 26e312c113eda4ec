"""An error as far as it is one that a change of releases can bring; `kinds/` reads them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

ATTRIBUTE, MODULE, LOOKUP = "attribute", "module", "lookup"
IMPORT, WEIGHTS_ONLY, STATE_DICT, OTHER = "import", "weights only", "state_dict", "other"
TORCHSCRIPT, FIRST_BYTE, CODE = "TorchScript", "first byte", "code object"
DEVICE, KEY, UNREGISTERED = "device", "missing key", "unregistered name"

NEAR = 300
"""Characters beside the words that tell an error in which its names are looked for."""

MOST_HITS = 500

NAME = r"[A-Za-z_]\w{0,100}"
DOTTED = r"[A-Za-z_][\w.]{0,200}"


@dataclass(frozen=True)
class Error:
    """An error: `kind` is one of the names above.

    `class_` is the class that it names, `name` the attribute (ATTRIBUTE), the module (MODULE,
    LOOKUP, IMPORT), or the whole text (the others). A STATE_DICT error has the names of tensors,
    and `shapes`: (name, in the file, in the model); its `name` is what failed while a tensor that
    fits was copied. `said` is how the text says it, where that is not how its kind is said.
    `cut` is whether the text cuts a list of names off.
    """

    kind: str
    class_: str = ""
    name: str = ""
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    shapes: tuple[tuple[str, str, str], ...] = ()
    said: str = field(default="", compare=False)
    cut: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        """As Python or torch says it."""
        if self.said:
            return self.said
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
        who = self.class_ or "a model"
        return f"{who}: {'; '.join(parts) or self.name}".removesuffix(": ")


@dataclass(frozen=True)
class Hit:
    """An error, and where in the text its words begin and end."""

    start: int
    end: int
    error: Error


def line_at(text: str, start: int) -> str:
    """The line of a text that has this place, as an error is shown by it."""
    end = (text + "\n").index("\n", start)
    return text[text.rfind("\n", 0, start) + 1 : end].strip()[:NEAR]


def find_words(
    words: str, read: Callable[[str, str, str], Error | None], text: str
) -> Iterator[Hit]:
    """The errors of a kind that is told by its words.

    `read` is given what stands before the words, the words, and what stands behind them.
    """
    for found in list(re.finditer(words, text, re.I))[-MOST_HITS:]:
        before = text[max(0, found.start() - NEAR) : found.start()]
        error = read(before, found[0], text[found.end() : found.end() + NEAR])
        if error:
            yield Hit(found.start(), found.end(), error)
