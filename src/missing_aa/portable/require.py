"""Hold the installed packages against what a program needs, before it loads a model."""

import operator
import re
import sys
import warnings
from importlib import metadata

from missing_aa.errors import Problem, UsageProblem

_VERSION = re.compile(
    r"(?P<release>\d+(\.\d+)*)((?P<phase>a|b|rc)(?P<number>\d+))?"
    r"(\.post(?P<post>\d+))?(\.dev(?P<dev>\d+))?(\+[a-z0-9.]+)?"
)
_TERM = re.compile(r"(==|!=|<=|>=|<|>)\s*(.+)")
_COMPARE = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_FINAL = ("z", 0)
"""Stands where a version is neither alpha, beta nor candidate, and sorts after all of them."""
_PLAIN = (_FINAL, -1, True, 0)
"""What follows the numbers in the key of a version that is only numbers."""


class VersionProblem(Problem):
    """An installed package is not of a version that the program needs."""


class InconsistentVersionWarning(UserWarning):
    """A model was saved with other versions than the ones that load it.

    `folder` is where it lies, `versions` gives for each package that differs the version it was
    saved with and the one here.
    """

    def __init__(self, folder: str, versions: dict[str, tuple[str, str]]):
        self.folder, self.versions = folder, versions
        said = ", ".join(
            f"{name} {saved} (here {here})" for name, (saved, here) in versions.items()
        )
        super().__init__(
            f"{folder} was saved with {said}; its output for the fixed input is still what it was. "
            "Save it again to record these versions"
        )


def require(*, warn: bool = False, **needed: str) -> None:
    """Say at once that a package is of another version than this program was written for.

    `require(timm=">=1.0.3,<1.0.7")`: terms joined by commas, each one of == != <= >= < > and a
    version, ordered as pip orders them. What counts is the version that is loaded, and otherwise
    the installed one. Raises VersionProblem, or with `warn` only warns; UsageProblem for terms that
    cannot be read.
    """
    wrong = [name for name, wanted in needed.items() if not fits(found(name), wanted)]
    if not wrong:
        return
    said = " and ".join(f"{name} {needed[name]} ({_state(name)})" for name in wrong)
    remedy = " ".join(f"'{name}{needed[name].replace(' ', '')}'" for name in wrong)
    message = f"this program needs {said}: pip install {remedy}, and start it again"
    if not warn:
        raise VersionProblem(message)
    warnings.warn(message, stacklevel=2)


def found(package: str) -> str | None:
    """The version of a package: as it is loaded, else as it is installed, else None."""
    loaded = getattr(sys.modules.get(package), "__version__", None)
    return str(loaded) if loaded else _installed(package)


def _installed(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _state(package: str) -> str:
    version, installed = found(package), _installed(package)
    if version is None:
        return "it is not installed"
    if installed and _key(installed) != _key(version):  # pip was at work since this program began
        return f"{version} is loaded, though {installed} is installed by now"
    return f"{version} is installed"


def fits(version: str | None, wanted: str) -> bool:
    """Whether a version is one of those wanted, in the terms of `require`; None is never."""
    terms = [_term(term, wanted) for term in wanted.split(",")]
    key = version and _key(version)
    return bool(key) and all(_holds(key, *term) for term in terms)


def _term(term: str, wanted: str) -> tuple[str, tuple]:
    read = _TERM.fullmatch(term.strip())
    key = read and "+" not in read[2] and _key(read[2])
    if not key:
        raise UsageProblem(f"cannot read {wanted!r} as versions; write it like '>=1.0.3,<1.0.7'")
    return read[1], key


def _holds(version: tuple, compare: str, limit: tuple) -> bool:
    """As pip understands it: `<1.0.7` leaves out 1.0.7.dev0, and `>1.0.7` 1.0.7.post1."""
    if compare in ("<", ">") and limit == (version[0], *_PLAIN):
        return False
    return _COMPARE[compare](version, limit)


def _key(text: str) -> tuple | None:
    """What sorts as the version does; None where it is not written as packages write theirs."""
    read = _VERSION.fullmatch(text.strip())
    if not read:
        return None
    release = tuple(map(int, re.sub(r"(\.0+)+$", "", read["release"]).split(".")))
    phase = (read["phase"], int(read["number"])) if read["phase"] else _FINAL
    post = int(read["post"]) if read["post"] else -1
    if read["dev"] and phase == _FINAL and post < 0:
        phase = ("", 0)  # comes before the alphas
    return release, phase, post, not read["dev"], int(read["dev"] or 0)
