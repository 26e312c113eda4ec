"""What GitHub shows beside a file: workflow commands, and SARIF for its code scanning."""

from pathlib import Path

from missing_aa.text import clean


def annotation(level: str, message: str, title: str, file: str = "", line: int = 0) -> str:
    """A workflow command, `::error file=…,line=…,title=…::message`; `level` error or warning."""
    words = {"title": title}
    if file:
        words = {"file": relative(file)} | ({"line": str(line)} if line else {}) | words
    where = ",".join(f"{key}={_property(value)}" for key, value in words.items())
    return f"::{level} {where}::{_data(message)}"


def relative(file: str) -> str:
    """As seen from the folder that the command runs in: in a workflow, the repository."""
    path = Path(file)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return path.as_posix()


def _data(text: str) -> str:
    """As GitHub wants it escaped; whatever else a terminal would obey is made visible."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return clean(text, 5000)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
