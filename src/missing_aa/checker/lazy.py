"""A module's syntax tree, of which a class or function is parsed when somebody asks for it.

A model needs a tenth of what its modules hold, and parsing is most of the work.
"""

import ast
import re
from bisect import bisect

from missing_aa.comparer.names import Definition, Names, parse, read_names

STATEMENT = re.compile(rb"^(?![\s#)\]}])", re.M)
"""Where a statement at the top of a module may begin: a line without indent, closing nothing."""

QUOTES = re.compile(rb"\"\"\"|'''")

HEAD = re.compile(rb"(?:async[ \t]+)?(class|def)[ \t]+(\w+)")


class Later:
    """A class or function at a module's top, as text: its first line is number `line`."""

    def __init__(self, text: bytes, line: int, kind: str):
        self.text = text
        self.line = line
        self.kind = kind

    def parse(self) -> Definition | None:
        """Its node; None where what was cut out is no statement of its own."""
        try:
            body = parse(self.text).body
        except (SyntaxError, ValueError):
            return None
        if len(body) != 1 or not isinstance(body[0], Definition):
            return None
        return ast.increment_lineno(body[0], self.line - 1)


class Bound(dict):
    """The names that a module binds; a class or function is parsed when it is looked up."""

    def __init__(self, names: dict, parse_all):
        super().__init__(names)
        self._parse_all = parse_all

    def get(self, name, default=None):
        found = super().get(name, default)
        if isinstance(found, Later):
            node = found.parse()
            if node is None:  # the text was not cut where its statements end
                super().update(self._parse_all())
                return super().get(name, default)
            self[name] = found = node
        return found

    def __getitem__(self, name):
        found = self.get(name, self)
        if found is self:
            raise KeyError(name)
        return found

    def kind(self, name: str) -> str | None:
        """ "class" or "def" for such a name, without parsing it."""
        found = super().get(name)
        if isinstance(found, Later):
            return found.kind
        if isinstance(found, ast.ClassDef):
            return "class"
        return "def" if isinstance(found, Definition) else None


class Module:
    """One module: its text, the names that it binds, and how often it gives each of them."""

    def __init__(self, name: str, path: str, package: bool, text: bytes):
        self.name = name
        self.path = path
        self.package = package
        self.text = text
        self.names: Names = self._read()

    def _read(self) -> Names:
        rest, later = split(self.text)
        try:
            tree = parse(rest)
        except SyntaxError:
            if not later:
                raise
            return self._read_all()
        names = read_names(tree, self.name, self.package)
        self.tree = tree
        before = {name: names.bound[name] for name in later if name in names.bound}
        self.twice = set(before)
        self.twice |= {name for name, those in later.items() if len(those) > 1}
        bound = {**names.bound, **{name: those[-1] for name, those in later.items()}}
        for name, value in before.items():
            if _is_after(value, tree, name, later[name][-1]):
                bound[name] = value
        names.bound = Bound(bound, lambda: self._read_all().bound)
        hook = later.get("__getattr__")
        if hook:
            node = names.bound.get("__getattr__")
            names.hook = node if isinstance(node, ast.FunctionDef) else None
        return names

    def _read_all(self) -> Names:
        tree = parse(self.text)
        self.tree = tree
        self.twice = set()
        return read_names(tree, self.name, self.package)


def _is_after(value, tree: ast.Module, name: str, last: Later) -> bool:
    """Whether the module's last word on a name, such as `f = wrap(f)`, stands behind its `def`."""
    if isinstance(value, Definition):
        return value.lineno > last.line
    lines = [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store))
        or (isinstance(node, ast.alias) and (node.asname or node.name) == name)
    ]
    return max(lines, default=0) > last.line


def _long_texts(text: bytes) -> list[tuple[int, int]]:
    """Beginning and end of what stands in three quotes, as far as one can tell without parsing."""
    found, quote, start = [], b"", 0
    for match in QUOTES.finditer(text):
        if not quote:
            quote, start = match[0], match.start()
        elif match[0] == quote:
            found.append((start, match.end()))
            quote = b""
    return found


def _is_inside(place: int, spans: list[tuple[int, int]]) -> bool:
    at = bisect(spans, (place,)) - 1
    return at >= 0 and spans[at][0] < place < spans[at][1]


def split(text: bytes) -> tuple[bytes, dict[str, list[Later]]]:
    """The text with its classes and functions blanked out, and those by name."""
    texts = _long_texts(text)
    starts = [found.start() for found in STATEMENT.finditer(text)]
    if texts:
        starts = [start for start in starts if not _is_inside(start, texts)]
    starts.append(len(text))
    later: dict[str, list[Later]] = {}
    pieces, done, line, counted = [], 0, 1, 0
    at = 0
    while at < len(starts) - 1:
        start, end = starts[at], starts[at + 1]
        first = start
        while text[start : start + 1] == b"@" and at + 2 < len(starts):
            at += 1
            start, end = starts[at], starts[at + 1]
        head = HEAD.match(text, start)
        if head:
            line += text.count(b"\n", counted, first)
            counted = first
            block = text[first:end]
            later.setdefault(head[2].decode(), []).append(Later(block, line, head[1].decode()))
            pieces += [text[done:first], b"\n" * block.count(b"\n")]
            done = end
        at += 1
    pieces.append(text[done:])
    return b"".join(pieces), later
