"""Names out of a file, made fit for a terminal and for a log."""

from collections.abc import Iterable, Sequence
from typing import Any


def clean(text: str, longest: int = 200) -> str:
    """The text with whatever a terminal could obey (control, bidirectional) as a visible escape."""
    shown = text
    if not text.isprintable():
        shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def clean_all(value: Any) -> Any:
    """The same for every text in nested lists and dictionaries, for JSON; there nothing is cut."""
    if isinstance(value, str):
        return clean(value, len(value) * 12 + 1)
    if isinstance(value, list | tuple):
        return [clean_all(item) for item in value]
    if isinstance(value, dict):
        return {clean_all(key): clean_all(item) for key, item in value.items()}
    return value


def shell_word(text: str) -> str:
    """The text as one word of a shell's; what cannot be printed as bash reads it, `$'…'`."""
    if text.isprintable():
        from shlex import quote  # no help waits for it

        return quote(text)
    known = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t"}
    shown = (known.get(c) or (c if c.isprintable() else _as_bytes(c)) for c in text)
    return f"$'{''.join(shown)}'"


def shell_path(path: str) -> str:
    """The same of a file; one that begins with a dash is no option."""
    return shell_word(f"./{path}" if path.startswith("-") else path)


def _as_bytes(text: str) -> str:
    from os import fsencode

    return "".join(f"\\x{byte:02x}" for byte in fsencode(text))


def few(names: Sequence[str], most: int = 3, longest: int = 200) -> str:
    """The first of some names, each cleaned: "a, b, c and 7 more"."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(clean(name, longest) for name in names[:most]) + more


def size(number: float) -> str:
    """Bytes for a person: `581.2 MB`."""
    for unit in ("bytes", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} GB"


def encode(numbers: Iterable[int], last: int) -> str:
    """`{1, 2, 3, 7}` as "1-3,7"; a range up to `last` as "5-"."""
    return ",".join(
        f"{first}-" if end == last else str(first) if first == end else f"{first}-{end}"
        for first, end in runs(numbers)
    )


def runs(numbers: Iterable[int]) -> list[list[int]]:
    """`{1, 2, 3, 7}` as `[[1, 3], [7, 7]]`."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def in_words(numbers: Iterable[int], names: Sequence[str], and_later: bool = False) -> str:
    """The names with these numbers: "1.0.7 to 1.0.11, 1.0.13".

    What reaches to the last name is "1.0.12 and later" if so asked.
    """
    last = len(names) - 1
    ranges = [
        f"{names[first]} and later"
        if and_later and end == last
        else names[first]
        if first == end
        else f"{names[first]} to {names[end]}"
        for first, end in runs(numbers)
    ]
    return ", ".join(ranges) or "none"


def decode(text: str, last: int) -> frozenset[int]:
    """`"1-3,7"` as the numbers 1, 2, 3 and 7; "5-" reaches to `last`."""
    numbers: set[int] = set()
    for part in filter(None, text.split(",")):
        first, to, end = part.partition("-")
        stop = int(end) if end else last if to else int(first)
        numbers.update(range(int(first), stop + 1))
    return frozenset(numbers)
