"""The machines that a kit can be made for, and what a lock asks for on each."""

import re
import sys
from dataclasses import dataclass

from packaging.requirements import Requirement

from helpers.kit.install import machine
from missing_aa.errors import UsageProblem

OLDEST = (3, 11)
MICROS = (0, 99)
"""A kit is for every patch of a Python: what the first needs, and what the last."""


@dataclass(frozen=True)
class Platform:
    """One kind of machine: what pip calls its wheels, what uv calls it, what markers say there.

    `least` is the oldest glibc or macOS that the wheels run on.
    """

    name: str
    tags: tuple[str, ...]
    uv: str
    markers: dict[str, str]
    least: str = ""

    @property
    def linux(self) -> bool:
        return self.name.startswith("linux")


def _linux(kind: str) -> Platform:
    # The glibc that torch's own wheels ask for. pip does not count down from a tag.
    tags = [f"manylinux_2_{minor}_{kind}" for minor in range(28, 4, -1)]
    tags += [f"manylinux{year}_{kind}" for year in (2014, 2010, 1)]
    markers = _markers("linux", "posix", "Linux", kind)
    return Platform(f"linux-{kind}", tuple(tags), f"{kind}-manylinux_2_28", markers, "2.28")


def _markers(sys_platform: str, os_name: str, system: str, kind: str) -> dict[str, str]:
    return {
        "sys_platform": sys_platform,
        "os_name": os_name,
        "platform_system": system,
        "platform_machine": kind,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }


# No Mac with an Intel processor: torch has none any more.
PLATFORMS = {
    platform.name: platform
    for platform in (
        _linux("x86_64"),
        _linux("aarch64"),
        Platform(
            "macos-arm64",
            ("macosx_14_0_arm64",),
            "aarch64-apple-darwin",
            _markers("darwin", "posix", "Darwin", "arm64"),
            "14.0",
        ),
        Platform(
            "windows-amd64",
            ("win_amd64",),
            "x86_64-pc-windows-msvc",
            _markers("win32", "nt", "Windows", "AMD64"),
        ),
    )
}
SHORT = {"linux": "linux-x86_64", "macos": "macos-arm64", "windows": "windows-amd64"}


def names() -> str:
    """What --platform takes, the short names first."""
    short = {name: word for word, name in SHORT.items()}
    return ", ".join(f"{short[name]} ({name})" if name in short else name for name in PLATFORMS)


def choose_platform(word: str | None) -> Platform:
    """The platform that a word names, this machine's by default; UsageProblem if there is none."""
    name = SHORT.get(word, word) if word else machine()
    if name not in PLATFORMS:
        raise UsageProblem(f"no kit can be made for {name!r}; --platform takes {names()}")
    return PLATFORMS[name]


def choose_pythons(words: list[str]) -> list[str]:
    """Versions such as 3.12, this Python's by default; UsageProblem for what is none."""
    pythons = words or [f"{sys.version_info[0]}.{sys.version_info[1]}"]
    for python in pythons:
        fits = re.fullmatch(r"(\d)\.(\d{1,2})", python)
        if not fits or tuple(map(int, fits.groups())) < OLDEST:
            raise UsageProblem(f"--python takes versions from 3.11 on, such as 3.12, not {python}")
    return sorted(set(pythons), key=lambda python: tuple(map(int, python.split("."))))


def pins(lock: list[str], platform: Platform, python: str, micro: int) -> list[Requirement]:
    """The lines of a lock that apply to one machine, without their markers."""
    there = platform.markers | {
        "python_version": python,
        "python_full_version": f"{python}.{micro}",
    }
    wanted = [one for line in lock if _applies(one := Requirement(line), there)]
    for one in wanted:
        one.marker = None
    return wanted


def _applies(requirement: Requirement, there: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(there)
