"""A release, a folder or an archive, as a folder to put first on the path."""

import os
from pathlib import Path

from missing_aa.errors import UsageProblem


def folder_of(named: str) -> str:
    """The folder that stands for what a person named after --with.

    Raises UsageProblem for what is none of them, and what fetching a release raises.
    """
    from missing_aa.releases import sources

    if release := sources.RELEASE.fullmatch(named):
        return os.fspath(sources.fetch_source(release[1], release[2]))
    path = Path(named)
    if path.is_dir():
        return os.path.abspath(path)
    if path.is_file() and sources.is_archive(path):
        return os.fspath(sources.unpacked(path))
    raise UsageProblem(
        f"{named}: name a release, as timm==1.0.31, a folder, a wheel or a source archive"
    )
