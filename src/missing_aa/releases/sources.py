"""The source of any release on the package index: fetched, checked, unpacked, never installed.

Of a wheel, the smallest of any platform, only its `.py` files are kept; where there is none, those
of the source archive, which is never built: building would run it.
"""

import hashlib
import html.parser
import json
import os
import re
import tarfile
import urllib.parse
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from missing_aa import releases
from missing_aa.errors import UsageProblem
from missing_aa.releases import index
from missing_aa.releases.cache import ReleaseProblem, cache_folder, made_whole

RELEASE = re.compile(r"([A-Za-z0-9][\w.-]*)==([\w.!+-]+)")
"""How a person names a release: `timm==1.0.31`."""

ARCHIVES = (".tar.gz", ".zip")
COMPILED = (".so", ".pyd")
MOST_BYTES = 500_000_000
"""So many bytes of source are in no library."""


@dataclass(frozen=True)
class File:
    """A file of the index; `size` in bytes where the index says it."""

    name: str
    url: str
    sha256: str | None
    size: int | None


def fetch_source(name: str, version: str) -> Path:
    """The folder with a release's packages, to be put first on a path.

    It is made once, in the cache, whole or not at all. Raises UsageProblem for what the index does
    not have, and ReleaseProblem where it cannot be asked or gives something else than it says.
    """
    if canonicalize_name(name) == "timm" and version in releases.KNOWN:
        return releases.fetch(version)
    target = cache_folder() / "sources" / f"{canonicalize_name(name)}-{version}"
    if target.is_dir():
        return target
    with made_whole(target, f"{name} {version}") as folder:
        settings = index.settings()
        archive = _download(_choose(name, version, settings), folder.parent, settings)
        unpack(archive, folder)
    return target


def unpack(archive: Path, folder: Path) -> None:
    """Write an archive's modules into a new folder, its packages at the top.

    Compiled modules become empty files, so that it can be seen that they are there. Raises
    ReleaseProblem for what is no archive.
    """
    folder.mkdir()
    try:
        _write(folder, _of_wheel(archive) if archive.suffix == ".whl" else _of_source(archive))
    except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise ReleaseProblem(f"{archive.name}: a broken archive ({error})") from error


def _of_wheel(archive: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    for name, _, read in members(archive):
        path = PurePosixPath(name)
        if len(path.parts) > 2 and path.parts[0].endswith(".data"):
            path = PurePosixPath(*path.parts[2:])  # NAME.data/purelib/…
        if path.suffix == ".py" or path.name == "METADATA":
            yield path, read()
        elif path.name.endswith(COMPILED):
            yield path, b""


def _of_source(archive: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """The modules of a source archive, without its folder of the name and version, and `src`."""
    for name, _, read in members(archive):
        inner = PurePosixPath(*PurePosixPath(name).parts[1:])
        if inner.parts[:1] == ("src",):
            inner = PurePosixPath(*inner.parts[1:])
        if inner.suffix == ".py" and inner.name != "setup.py":
            yield inner, read()


def members(archive: Path) -> Iterator[tuple[str, int, Callable[[], bytes]]]:
    """Of each file in a zip or tar its name, its size, and what reads it before the next is asked.

    Raises BadZipFile and TarError for what is broken, or neither.
    """
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                yield info.filename, info.file_size, partial(packed.read, info)
        return
    with tarfile.open(archive) as packed:
        for member in packed:
            if member.isfile() and (file := packed.extractfile(member)):
                yield member.name, member.size, file.read


def _write(folder: Path, modules: Iterator[tuple[PurePosixPath, bytes]]) -> None:
    total = 0
    for path, text in modules:
        if path.is_absolute() or ".." in path.parts or not path.parts:
            continue
        total += len(text)
        if total > MOST_BYTES:
            raise ReleaseProblem(f"it holds more than {MOST_BYTES:,} bytes of modules")
        target = folder.joinpath(*path.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text)


def _choose(name: str, version: str, settings: index.Settings) -> File:
    """The smallest wheel, or the source archive."""
    found = list(_files(_pages(name, settings), name))
    try:
        those = [file for file in found if _version_of(file.name, name) == Version(version)]
    except InvalidVersion:
        raise UsageProblem(f"{name}=={version}: {version} is no version") from None
    if not those:
        all_of = {v for file in found if (v := _version_of(file.name, name))}
        versions = [str(each) for each in sorted(all_of)]
        known = f"it has {', '.join(versions[-5:])}" if versions else "it has no such package"
        raise UsageProblem(f"{name}=={version}: the package index has no such release; {known}")
    wheels = [file for file in those if file.name.endswith(".whl")]
    if wheels:
        return min(wheels, key=lambda file: (file.size is None, file.size or 0, file.name))
    return next(file for file in those if file.name.endswith(ARCHIVES))


def _files(pages: list[index.Page], name: str) -> Iterator[File]:
    for page in pages:
        for file in _of_json(page) if page.json else _of_html(page):
            if file.name.endswith((".whl", *ARCHIVES)) and _version_of(file.name, name):
                yield file


def _of_json(page: index.Page) -> Iterator[File]:
    for entry in json.loads(page.text)["files"]:
        url = urllib.parse.urljoin(page.url, entry["url"])
        yield File(entry["filename"], url, entry["hashes"].get("sha256"), entry.get("size"))


def _of_html(page: index.Page) -> Iterator[File]:
    for href in _Links.of(page.text):
        url, _, mark = urllib.parse.urljoin(page.url, href).partition("#")
        name = urllib.parse.unquote(url.rpartition("/")[2])
        sha256 = mark.removeprefix("sha256=") if mark.startswith("sha256=") else None
        yield File(name, url, sha256, None)


class _Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found: list[str] = []

    @classmethod
    def of(cls, text: str) -> list[str]:
        parser = cls()
        parser.feed(text)
        return parser.found

    def handle_starttag(self, tag, attrs):
        self.found += [value for key, value in attrs if (tag, key) == ("a", "href") and value]


def _version_of(file: str, name: str) -> Version | None:
    """The version in a file's name; None if it is of another package, or no package's."""
    read = parse_wheel_filename if file.endswith(".whl") else parse_sdist_filename
    try:
        package, version, *_ = read(file)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return version if package == canonicalize_name(name) else None


def _pages(name: str, settings: index.Settings) -> list[index.Page]:
    try:
        return index.pages(canonicalize_name(name), settings)
    except ReleaseProblem as problem:
        raise ReleaseProblem(f"{name}: the package index cannot be asked ({problem})") from problem


def _download(file: File, folder: Path, settings: index.Settings) -> Path:
    target = folder / os.path.basename(file.name)
    try:
        index.get(file.url, target, settings)
    except ReleaseProblem as problem:
        raise ReleaseProblem(f"{file.name} could not be fetched ({problem})") from problem
    if file.sha256 is None:
        raise ReleaseProblem(f"the index gives no sha256 of {file.name}; nothing was kept")
    if (found := _sha256(target)) != file.sha256:
        raise ReleaseProblem(
            f"{file.name} is not what the index says: sha256 {found}, announced {file.sha256}; "
            "nothing was kept, fetch it again"
        )
    return target


def is_archive(path: Path) -> bool:
    """Whether a file is named like a wheel or a source archive."""
    return path.name.endswith((".whl", *ARCHIVES))


def unpacked(archive: Path) -> Path:
    """The folder with the modules of an archive on the disk, made once for its content."""
    target = cache_folder() / "sources" / f"{archive.name}-{_sha256(archive)[:16]}"
    if not target.is_dir():
        with made_whole(target, archive.name) as folder:
            unpack(archive, folder)
    return target


def _sha256(path: Path) -> str:
    with open(path, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
