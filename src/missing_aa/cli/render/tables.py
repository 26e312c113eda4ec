"""Rows for a person: a table, or a block of lines for each row where a table breaks words."""

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
    widths = _widths(console.width, head, rows)
    if console.width >= NARROW and widths:
        console.print(_table(head, rows, numbers, title, caption, widths))
        return
    if title:
        print_text(title)
    for row in rows:
        console.print(*_block(head, row), sep="\n", soft_wrap=True)
    if caption:
        print_text(caption)


def _widths(width: int, head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[int | None]:
    """The columns' widths, in which no word breaks; none if there are none.

    Each None where all fits as it is.
    """
    columns = [[str(_text(row[at])) for row in [head, *rows]] for at in range(len(head))]
    whole = [max(len(line) for cell in cells for line in cell.split("\n")) for cells in columns]
    frame = 3 * len(head) + 1
    if sum(whole) + frame <= width:
        return [None] * len(head)
    others = [max((len(w) for cell in cells for w in cell.split()), default=1) for cells in columns]
    left = width - frame - sum(others[1:])
    return [left, *others[1:]] if left >= others[0] else []


def _table(head, rows, numbers, title, caption, widths) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.ROUNDED,
        title=_text(title) if title else None,
        caption=_text(caption) if caption else None,
        title_justify="left",
        caption_justify="left",
    )
    for name, width in zip(head, widths, strict=True):
        table.add_column(
            name,
            justify="right" if name in numbers else "left",
            overflow="fold",
            width=width,
        )
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
