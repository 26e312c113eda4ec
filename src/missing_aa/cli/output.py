"""Print to stdout, whatever its encoding, and whoever has left its other end."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from missing_aa.cli.terminal import fold, paint, width

if TYPE_CHECKING:
    from rich.console import Console

    from missing_aa.errors import Problem

NOT_WRITTEN = 74
"""The exit code when output could not be written."""

CLOSED = -1
"""What stands for the descriptor of a stdout that was closed: each write to it fails."""


def print_text(text: str) -> None:
    """Print a text to stdout, a terminal's lines broken between words.

    What the encoding lacks becomes a visible escape.
    """
    encoding = sys.stdout.encoding or "utf-8"
    folded = fold(text, width(sys.stdout))
    print(folded.encode(encoding, "backslashreplace").decode(encoding))


def remark(text: str) -> None:
    """Say on stderr what is no result and no error."""
    print(fold(text, width(sys.stderr)), file=sys.stderr)


def complain(name: str, message: object, style: str = "bad") -> None:
    """Say on stderr what is wrong, behind the name of the command that says it."""
    if sys.stderr is not None:  # None where it was closed
        remark(f"{paint(f'{name}:', style, sys.stderr)} {message}")


def print_failure(problem: "Problem") -> None:
    """Print as JSON why a command gives no answer, for the program that waits for one."""
    import json

    error = {"kind": type(problem).__name__, "message": str(problem)}
    print(json.dumps({"schema": 1, "error": error, "exit_code": problem.exit_code}, indent=2))


def console(stderr: bool = False) -> "Console":
    """A console for tables and bars: nothing in their texts is markup or an emoji."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


class Guarded(io.RawIOBase):
    """A file that swallows what its reader no longer takes; `error` is why else nothing arrived."""

    def __init__(self, descriptor: int):
        self._descriptor, self._is_open = descriptor, True
        self.error = ""

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data) -> int:
        if self._is_open:
            try:
                return os.write(self._descriptor, data)
            except BrokenPipeError:  # the reader of a pipe left early, as `| head` does
                self._is_open = False
            except OSError as error:
                self._is_open, self.error = False, error.strerror or str(error)
        return len(data)


@contextmanager
def guarded() -> Iterator[Guarded]:
    """While a command runs, stdout is a Guarded; one that is no real file stays as it is."""
    before = sys.stdout
    try:
        raw = Guarded(CLOSED if before is None else before.fileno())
    except (OSError, ValueError, AttributeError):  # a notebook's, a test's
        yield Guarded(CLOSED)
        return
    encoding = "utf-8"
    if before is not None:
        encoding = before.encoding
        before.flush()
    buffered = io.BufferedWriter(raw)
    sys.stdout = io.TextIOWrapper(
        buffered, encoding, "backslashreplace", line_buffering=raw.isatty()
    )
    if hasattr(sys.stderr, "reconfigure"):  # a terminal that lacks a letter gets its number
        sys.stderr.reconfigure(errors="backslashreplace")
    try:
        yield raw
    finally:
        sys.stdout.flush()
        sys.stdout = before
