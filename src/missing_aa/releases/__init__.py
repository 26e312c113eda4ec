"""Published releases of timm, cached and checked, and a Python that sees one."""

from missing_aa.releases.cache import (
    COURSE,
    CURRENT,
    KNOWN,
    ReleaseProblem,
    UnknownRelease,
    cache_folder,
    cached,
    check_known,
    damage_of,
    fetch,
    locate,
    published,
    remove,
    seeing,
)

__all__ = [
    "COURSE",
    "CURRENT",
    "KNOWN",
    "ReleaseProblem",
    "UnknownRelease",
    "cache_folder",
    "cached",
    "check_known",
    "damage_of",
    "fetch",
    "locate",
    "published",
    "remove",
    "seeing",
]
