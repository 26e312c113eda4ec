"""Sets of numbers as short text, for records of what holds in which releases."""

from collections.abc import Iterable


def encode(numbers: Iterable[int], last: int) -> str:
    """`{1, 2, 3, 7}` as "1-3,7"; a range up to `last` as "5-"."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(
        f"{first}-" if end == last else str(first) if first == end else f"{first}-{end}"
        for first, end in runs
    )


def decode(text: str, last: int) -> frozenset[int]:
    """`"1-3,7"` as the numbers 1, 2, 3 and 7; "5-" reaches to `last`."""
    numbers: set[int] = set()
    for part in filter(None, text.split(",")):
        first, to, end = part.partition("-")
        stop = int(end) if end else last if to else int(first)
        numbers.update(range(int(first), stop + 1))
    return frozenset(numbers)
