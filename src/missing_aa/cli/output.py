"""Print in characters that stdout can take, whatever its encoding."""

import sys


def print_text(text: str) -> None:
    """Print a text to stdout; what the encoding lacks becomes a visible escape."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))
