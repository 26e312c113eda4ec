"""The frames of a traceback, in the forms that Python, IPython and rich give them."""

import re
from dataclasses import dataclass

MOST_LINES = 5_000
LONGEST_LINE = 1_000
_CELL = r"(?P<cell><(?:ipython-input|stdin|string)[^>]*>|(?:Cell )?In ?\[[\d ]*\]|Input In \[\d+\])"
_FORMS = [
    re.compile(form)
    for form in (
        r"\s*(?:File )?'?(?P<path>[^'\n]+?)', line \d+",
        rf"\s*\[?{_CELL}",
        r"\s*File (?P<path>\S.*?\.py):\d+, in ",
        r"\s*\[?(?P<path>[^\s\[\]]+\.py)c?(?:\]\([^)]*\))? in ",
        r"\s*(?P<path>\S.*?\.py):\d+ in ",
    )
]
_NUMBERED = re.compile(r"\s*(-*>)?\s*\[?\d+\]?(?:\([^)]*\))?(?=\s|$)(.*)")
_ERROR = re.compile(r"\s*[\w.]*(?:Error|Exception|Interrupt|Exit)\b(?=:|\s*$)")
_LOADERS = (
    "torch/serialization.py",
    "torch/_weights_only_unpickler.py",
    "pickle.py",
    "dill/_dill.py",
)


@dataclass
class Frame:
    """One frame: its file, with slashes, and the lines of code that were printed with it."""

    path: str
    code: str = ""

    @property
    def _folders(self) -> list[str]:
        return self.path.split("/")[:-1]

    @property
    def is_torch(self) -> bool:
        return "torch" in self._folders

    @property
    def is_timm(self) -> bool:
        return "timm" in self._folders

    @property
    def unpickles(self) -> bool:
        """Whether it is at work on a pickle."""
        return self.path.endswith(_LOADERS)

    @property
    def loads(self) -> bool:
        """Whether it loads a file."""
        return self.unpickles or loads(self.code)


def loads(code: str) -> bool:
    return bool(re.search(r"\bload(s|_learner)?\(|\bfind_class\(", code))


def imports(code: str, package: str) -> bool:
    """Whether code stands at an import of a package."""
    name = re.escape(package)
    return bool(re.search(rf"\b(from\s+{name}(\.[\w.]+)?\s+import|import\s+{name})\b", code))


def frames(text: str) -> list[Frame]:
    """The frames in a text, the innermost last."""
    found: list[Frame] = []
    for line in text.splitlines()[-MOST_LINES:]:
        line = line[:LONGEST_LINE]
        match = next((match for form in _FORMS if (match := form.match(line))), None)
        if match:
            path = match.groupdict().get("path") or "<cell>"
            path = re.sub(r"[\\/]+", "/", path.strip())
            found.append(Frame(re.sub(r"^timm \d[^/]*/", "timm/", path)))  # as the lessons show it
        elif found and (code := _code(line)):
            found[-1].code += f"{code}\n"
    return found


def said(text: str) -> str:
    """The lines of a text that are no source of a frame: what the error itself says."""
    kept: list[str] = []
    first = numbered = False  # behind a frame's name; behind a numbered line of it
    for line in text.splitlines():
        short = line[:LONGEST_LINE]
        if any(form.match(short) for form in _FORMS):
            first, numbered = True, False
            kept.append(line)
            continue
        # Python prints one line behind a frame's name; IPython and rich number theirs.
        numbered = (first or numbered) and bool(_NUMBERED.match(short) or not short.strip())
        if not numbered and not (first and not _ERROR.match(short)):
            kept.append(line)
        first = False
    return "\n".join(kept)


def _code(line: str) -> str:
    """A line of source; of the several that IPython shows for a frame only the one at work."""
    numbered = _NUMBERED.match(line)
    if not numbered:
        return line.strip()
    return numbered[2].strip() if numbered[1] else ""


def innermost(found: list[Frame]) -> Frame | None:
    """The frame that failed: the last one, torch's own left out, which only pass an error on."""
    return next((frame for frame in reversed(found) if not frame.is_torch), None)
