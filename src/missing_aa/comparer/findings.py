"""What a comparison finds."""

from dataclasses import dataclass

KINDS = {
    "missing": "attributes that old objects lack",
    "moved": "names that are not where they were",
    "state": "states that no longer fit",
    "hidden": "submodules that a class attribute hides",
}
"""Every kind of finding, and what several of it are called."""


@dataclass(frozen=True)
class Finding:
    """One way in which objects pickled by the old version fail in the new one.

    `kind` is one of KINDS. `class_` is the dotted path that an old pickle names, `attribute` the
    attribute, field or method that it is about ("" for the class itself), `readers` the methods
    that read it. `file` and `line` lead into the new version, or, for what has no place there, into
    the old one. It is `certain` unless only a method that nothing in the package calls reads the
    attribute, or it is read only where another missing attribute, `needs`, has been given a value.
    """

    kind: str
    class_: str
    attribute: str
    file: str
    line: int
    message: str
    remedy: str
    readers: tuple[str, ...] = ()
    certain: bool = True
    needs: str = ""
