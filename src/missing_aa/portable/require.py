"""Compare the installed packages with what a program needs, before it loads a model."""

import sys
import warnings
from importlib import metadata

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from missing_aa.errors import Problem, UsageProblem


class VersionProblem(Problem):
    """An installed package is not of a version that the program needs."""


class InconsistentVersionWarning(UserWarning):
    """A model was saved with other versions than the ones that load it.

    `folder` is where it lies, `versions` gives for each package that differs the version it was
    saved with and the one here.
    """

    def __init__(self, folder: str, versions: dict[str, tuple[str, str]]):
        self.folder, self.versions = folder, versions
        changed = ", ".join(
            f"{name} {saved} (here {here})" for name, (saved, here) in versions.items()
        )
        super().__init__(
            f"{folder} was saved with {changed}; its output for the fixed input is still what it "
            "was. Save it again to record these versions"
        )


def require(*, warn: bool = False, **needed: str) -> None:
    """Say at once that a package is of another version than this program was written for.

    `require(timm=">=1.0.3,<1.0.7")`: terms joined by commas, read and compared as pip does.
    What counts is the version that is loaded, and otherwise the installed one. Raises
    VersionProblem, or with `warn` only warns; UsageProblem for terms that cannot be read.
    """
    wrong = [name for name, wanted in needed.items() if not fits(found(name), wanted)]
    if not wrong:
        return
    lacking = " and ".join(f"{name} {needed[name]} ({_state(name)})" for name in wrong)
    remedy = " ".join(f"'{name}{needed[name].replace(' ', '')}'" for name in wrong)
    message = f"this program needs {lacking}: pip install {remedy}, and start it again"
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
    if installed and not _same(installed, version):  # pip was at work since this program began
        return f"{version} is loaded, though {installed} is installed by now"
    return f"{version} is installed"


def fits(version: str | None, wanted: str) -> bool:
    """Whether a version is one of those wanted, in the terms of `require`; None is never."""
    try:
        terms = SpecifierSet(wanted)
    except InvalidSpecifier:
        terms = SpecifierSet()
    if not len(terms):
        raise UsageProblem(f"cannot read {wanted!r} as versions; write it like '>=1.0.3,<1.0.7'")
    try:
        return version is not None and terms.contains(version, prereleases=True)
    except InvalidVersion:  # not written as packages write theirs: it cannot be compared
        return False


def _same(one: str, other: str) -> bool:
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other
