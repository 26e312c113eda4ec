"""What a terminal asks for: colour where it is wanted, and lines broken between words."""

import os
import re
import sys
import textwrap
from typing import TextIO

STYLES = {"good": "32", "warning": "33", "bad": "1;31", "dim": "2"}
"""The colours that a terminal's own theme defines, by what they mean."""

NARROW = 60
"""Columns below which a table is no table any more."""

LEAST = 30
"""Columns below which nothing is broken here."""

PAINTED = re.compile(r"(\x1b\[[\d;]+m)([^\x1b]*)(\x1b\[0m)")
CODE = re.compile(
    r"\s+(\$ |>>> |missing-aa |python |pip |import |from \S+ import |[\w.]+ = |[\w.]+\()"
)
"""A line to be copied: it stays whole, and the terminal breaks it where it must."""

HEADING = re.compile(r" *(\S+ )*\S+ {2,}(?=\S)")
"""What stands before the text of a row, and the blanks behind it."""


def has_colours(stream: TextIO) -> bool:
    """Whether it is to be painted: NO_COLOR says no, FORCE_COLOR yes, else a terminal is."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    plain = os.environ.get("TERM") == "dumb"
    if sys.platform == "win32":  # the old console shows the escapes as they are
        plain = plain or not os.environ.get("WT_SESSION")
    return stream.isatty() and not plain


def paint(text: str, style: str, stream: TextIO) -> str:
    """The text in one of STYLES, where the stream has colours."""
    if not has_colours(stream):
        return text
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m"


def width(stream: TextIO) -> int | None:
    """The columns of a terminal (COLUMNS, if set); None for what is no terminal."""
    return columns() if stream.isatty() else None


def columns() -> int:
    """The columns of stdout's terminal, as shutil says it, whose import takes long; else 80."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ else 80
    except (OSError, ValueError):
        return 80


def fold(text: str, columns: int | None) -> str:
    """The text in lines of at most so many columns, broken between words; code stays whole.

    Only the start of a line may be painted.
    """
    if columns is None or columns < LEAST:
        return text
    return "\n".join(_folded(line, columns) for line in text.split("\n"))


def _folded(line: str, columns: int) -> str:
    painted = PAINTED.match(line)
    if painted:
        start, word, end = painted.groups()
        return f"{start}{word}{end}" + _folded(word + line[painted.end() :], columns)[len(word) :]
    if len(line) <= columns or CODE.match(line):
        return line
    heading = HEADING.match(line)
    indent = len(line) - len(line.lstrip()) + 2
    if heading and heading.end() <= columns // 2:
        indent = heading.end()
    return textwrap.fill(
        line,
        columns,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
