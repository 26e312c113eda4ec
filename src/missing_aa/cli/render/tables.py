"""Rows for a person: a table, or on a narrow terminal a block of lines for each row."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from missing_aa.cli.output import print_text
from missing_aa.cli.terminal import NARROW

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

Cell = str | tuple[str, str]
"""A text, or one with its style, as rich names it."""


def print_table(
    console: "Console",
    head: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    numbers: Sequence[str] = (),
    title: str = "",
    caption: str = "",
) -> None:
    """Print rows under their headings; those of `numbers` stand at the right."""
    if console.width >= NARROW:
        console.print(_table(head, rows, numbers, title, caption))
        return
    if title:
        print_text(title)
    for row in rows:
        console.print(*_block(head, row), sep="\n", soft_wrap=True)
    if caption:
        print_text(caption)


def _table(head, rows, numbers, title, caption) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.ROUNDED,
        title=_text(title) if title else None,
        caption=_text(caption) if caption else None,
        title_justify="left",
        caption_justify="left",
    )
    for name in head:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(_text, row))
    return table


def _block(head: Sequence[str], row: Sequence[Cell]) -> Iterator["Text"]:
    """The first cell, and below it the others that hold something, each behind its heading."""
    yield _text(row[0])
    for name, cell in zip(head[1:], row[1:], strict=True):
        if text := _text(cell):
            yield _text(f"  {name}: ").append_text(text)


def _text(cell: Cell) -> "Text":
    from rich.text import Text

    return Text(cell) if isinstance(cell, str) else Text(*cell)
