"""The frames of a traceback, in the forms that Python, IPython and rich give them."""

import re
from dataclasses import dataclass
from itertools import pairwise

MOST_LINES = 5_000
LONGEST_LINE = 1_000
_CELL = (
    r"(?P<cell><(?:command|ipython-input|stdin|string)[^>]*>|(?:Cell )?In ?\[[\d ]*\]"
    r"|Input In \[\d+\]|\S+\.ipynb Cell \d+)"
)
_FORMS = [
    re.compile(form)
    for form in (
        r"\s*(?:File )?'?(?P<path>[^'\n]+?)', (?:in )?line \d+",
        rf"\s*\[?{_CELL}",
        r"\s*File (?P<path>\S.*?\.py):\d+, in ",
        r"\s*\[?(?P<path>[^\s\[\]]+\.py)c?(?:\]\([^)]*\))? in ",
        r"\s*(?P<path>\S.*?\.py):\d+:? in ",
    )
]
_INSTALLED = r"\b(?:site|dist)-packages/"
_FUNCTION = re.compile(
    r"(?:\bline \d+,|:\d+[:,]?|\.pyc?(?:\]\([^)]*\))?|>) in ([A-Za-z_]\w*(?:\.\w+)*)"
)
_NUMBERED = re.compile(r"\s*(-*>)?\s*\[?\d+\]?(?:\([^)]*\))?(?=\s|$)(.*)")
_ERROR = re.compile(r"\s*[\w.]*(?:Error|Exception|Interrupt|Exit)\b(?=:|\s*$)")
_LOADERS = (
    "torch/serialization.py",
    "torch/_weights_only_unpickler.py",
    "pickle.py",
    "dill/_dill.py",
)
_LOADS = re.compile(
    r"\b(?:load(?:s|_\w*(?:checkpoint|ckpt|ensemble|learner|model|pretrained|weights)\w*)?"
    r"|from_pretrained|find_class)\("
)


@dataclass
class Frame:
    """One frame: its file, with slashes, the lines of code printed with it, and its function."""

    path: str
    code: str = ""
    function: str = ""

    @property
    def _folders(self) -> list[str]:
        """Its folders; of an installed file, those from its package on."""
        return re.split(_INSTALLED, self.path)[-1].split("/")[:-1]

    @property
    def is_torch(self) -> bool:
        """Whether it is torch's own code; repositories that torch.hub fetched are others'."""
        folders = self._folders
        if re.search(_INSTALLED, self.path):
            return folders[:1] == ["torch"]
        return any(one == "torch" and two != "hub" for one, two in pairwise([*folders, ""]))

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
    """Whether code loads a file, by the names that it calls."""
    return bool(_LOADS.search(code))


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
            path = re.sub(r"^timm \d[^/]*/", "timm/", path)  # as the lessons show it
            function = _FUNCTION.search(line)
            found.append(Frame(path, function=function[1] if function else ""))
        elif found and (code := _code(line)):
            found[-1].code += f"{code}\n"
    return found


def said(text: str) -> str:
    """What the errors themselves say: the lines that are no frame's name and no source."""
    kept: list[str] = []
    first = numbered = False  # behind a frame's name; behind a numbered line of it
    column: int | None = None  # where the name of a frame began whose source may go on
    for line in text.splitlines():
        short = line[:LONGEST_LINE]
        indent = len(short) - len(short.lstrip())
        if any(form.match(short) for form in _FORMS):
            first, numbered, column = True, False, indent
            continue
        # Python indents what stands behind a frame's name; IPython and rich number it.
        is_error = bool(_ERROR.match(short))
        numbered = (first or numbered) and bool(_NUMBERED.match(short) or not short.strip())
        source = not is_error and (first or (column is not None and indent > column))
        if not source:
            column = None
        if not numbered and not source:
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
