"""A release, a folder or an archive as a folder to put first on the path."""

import os
import re
from pathlib import Path

from missing_aa.errors import UsageProblem


def folder_of(named: str) -> str:
    """The folder that stands for what a person named."""
    if match := re.fullmatch(r"([\w.-]+)==(.+)", named):
        if match[1] == "timm":
            from missing_aa import releases

            return os.fspath(releases.fetch(match[2]))
    if Path(named).is_dir():
        return named
    raise UsageProblem(f"{named}: not a release, folder or archive")
