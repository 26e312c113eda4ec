"""Text that was not written as Markdown, for a page that is."""

SPECIAL = "\\*_<>[]{}$~^|#"


def plain(text: str) -> str:
    """The text as it is; only what stands between backticks becomes code."""
    parts = text.split("`")
    return "`".join(part if n % 2 else _escape(part) for n, part in enumerate(parts))


def _escape(text: str) -> str:
    return "".join(f"\\{letter}" if letter in SPECIAL else letter for letter in text)
