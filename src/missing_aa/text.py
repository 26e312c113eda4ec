"""Names out of a file, made fit for a terminal and for a log."""


def clean(text: str, longest: int = 200) -> str:
    """The text with whatever a terminal could obey (control, bidirectional) as a visible escape."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def clean_all(value: object) -> object:
    """The same for every text in nested lists and dictionaries, for JSON; there nothing is cut."""
    if isinstance(value, str):
        return clean(value, len(value) * 12 + 1)
    if isinstance(value, list | tuple):
        return [clean_all(item) for item in value]
    if isinstance(value, dict):
        return {clean_all(key): clean_all(item) for key, item in value.items()}
    return value


def size(number: float) -> str:
    """Bytes for a person: `581.2 MB`."""
    for unit in ("bytes", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} GB"
