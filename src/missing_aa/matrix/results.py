"""The file of measured cells, in JSON lines: a head and a line for each cell.

The first line says with what it was made. A cell is written when it is measured; a line that was
cut off is dropped when the file is opened again. When all is done the lines are put in order, so
that two runs can be compared with diff. See docs/reference/matrix.md.
"""

import datetime
import json
import os
import platform
import tempfile
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TextIO

from missing_aa import __version__
from missing_aa.errors import Problem
from missing_aa.matrix.cells import Cell
from missing_aa.tensors import TOLERANCE

SCHEMA = 1


class ResultsProblem(Problem):
    """A file of results that cannot be read, written or taken up again."""


class Results:
    """An open file of results, as a context manager; `cells` are those that it holds, by key."""

    def __init__(self, path: Path, seed: int = 0):
        """Opens it, or makes it. Raises ResultsProblem if it was made in another way."""
        self.path = path
        self.head = _head(seed)
        self.cells: dict[tuple, Cell] = {}
        try:
            self._file = self._take_up(path)
        except OSError as error:
            raise _cannot("write", path, error) from error

    def __enter__(self) -> "Results":
        return self

    def __exit__(self, *_) -> None:
        with suppress(OSError):  # each line was flushed, or reported, when it was added
            self._file.close()

    def add(self, cell: Cell) -> None:
        """Note a cell, on the disk too. Raises ResultsProblem if that has no room."""
        try:
            self._file.write(json.dumps(cell.as_dict(), ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise _cannot("write", self.path, error) from error
        self.cells[cell.key] = cell

    def tidy(self) -> None:
        """Put the lines in order: by model, format, writer and reader."""
        from missing_aa.releases import KNOWN

        age = {release: number for number, release in enumerate(KNOWN)}

        def place(cell: Cell) -> tuple:
            return cell.model, cell.format or "", age[cell.writer], age.get(cell.reader or "", -1)

        lines = [self.head, *(c.as_dict() for c in sorted(self.cells.values(), key=place))]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        try:
            with tempfile.NamedTemporaryFile(
                "w", dir=self.path.parent, delete=False, encoding="utf-8"
            ) as file:
                file.write(text)
            os.replace(file.name, self.path)
        except OSError as error:
            raise _cannot("write", self.path, error) from error

    def _take_up(self, path: Path) -> TextIO:
        whole = 0
        if path.exists():
            head, self.cells, whole = _read(path)
            for name, ours in self.head.items():
                if head and name != "date" and head.get(name) != ours:
                    raise ResultsProblem(
                        f"{path} was made with {name} {head.get(name)}, and this is {ours}: "
                        "name another file with --output, or delete it to measure again"
                    )
            self.head = head or self.head
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a", encoding="utf-8")
        file.truncate(whole)
        if not whole:
            file.write(json.dumps(self.head) + "\n")
        return file


def read_results(path: Path) -> tuple[dict, dict[tuple, Cell]]:
    """The head and the cells of a file of results. Raises ResultsProblem."""
    try:
        return _read(path)[:2]
    except OSError as error:
        raise _cannot("read", path, error) from error


def _read(path: Path) -> tuple[dict, dict[tuple, Cell], int]:
    """Head, cells, and how many bytes are whole lines; nothing of an empty file."""
    with path.open("rb") as file:
        first = file.readline()
        if not first:
            return {}, {}, 0
        head, cells, whole = _as_head(first, path), {}, len(first)
        for number, line in enumerate(file, 2):
            if not line.endswith(b"\n"):
                break  # cut off: measured again
            try:
                cell = Cell.from_dict(json.loads(line))
            except (ValueError, KeyError, TypeError):
                raise ResultsProblem(
                    f"line {number} of {path} is no measured cell: the file is damaged; delete "
                    "that line, or the file to measure again"
                ) from None
            cells[cell.key] = cell
            whole += len(line)
    return head, cells, whole


def _as_head(line: bytes, path: Path) -> dict:
    try:
        head = json.loads(line)
        if head["schema"] == SCHEMA and line.endswith(b"\n"):
            return head
    except (ValueError, KeyError, TypeError):
        pass
    raise ResultsProblem(
        f"{path} holds no results of this version (schema {SCHEMA}): "
        "name another file with --output"
    )


def _head(seed: int) -> dict:
    return {
        "schema": SCHEMA,
        "date": datetime.date.today().isoformat(),
        "missing-aa": __version__,
        "python": ".".join(platform.python_version_tuple()[:2]),
        "torch": version("torch").partition("+")[0],
        "torchvision": version("torchvision").partition("+")[0],
        "seed": seed,
        "tolerance": TOLERANCE,
    }


def _cannot(do: str, path: Path, error: OSError) -> ResultsProblem:
    return ResultsProblem(
        f"cannot {do} {path} ({error.strerror or error}); what was measured before is kept: "
        "make room there, or name another file with --output"
    )
