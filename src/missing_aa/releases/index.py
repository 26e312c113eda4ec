"""The person's package index: what it has of a package, and one file of it, as it lies there.

Neither pip nor uv brings an archive that is not for this machine, or a source archive, without
running what is in it. So the index is asked here, where pip, or else uv, is set up to look.
"""

import ast
import base64
import http.client
import netrc
import os
import re
import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from missing_aa.releases import installer
from missing_aa.releases.cache import ReleaseProblem

PYPI = "https://pypi.org/simple"
ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html"
STRENGTH = {"global": 1, "download": 2, "install": 2, ":env:": 3}
"""The sections of pip's settings that count here; the strongest wins."""

NAMED = re.compile(r"^[\w.-]+=")
"""How uv lets an index be called something: `ours=https://…`."""

SECONDS = 60
"""So long an index may be silent."""


@dataclass(frozen=True)
class Page:
    """What an index says of a package, in JSON or HTML, and at which address."""

    url: str
    json: bool
    text: str


@dataclass(frozen=True)
class Settings:
    """Where to look, in order; `proxy` and `certificates` (a file) where they are set for pip."""

    indexes: list[str]
    proxy: str | None = None
    certificates: str | None = None


def settings() -> Settings:
    """As pip is set up, by its files and PIP_*; without pip as uv is, by UV_*.

    Raises ReleaseProblem where pip does not say.
    """
    if not installer.pip():
        first = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL") or PYPI
        more = [os.environ.get(name, "") for name in ("UV_INDEX", "UV_EXTRA_INDEX_URL")]
        listed = [*" ".join(more).split(), first]
        return Settings([NAMED.sub("", url) for url in listed])
    options = _of_pip()
    indexes = [options.get("index-url") or PYPI, *options.get("extra-index-url", "").split()]
    never = options.get("no-index", "").lower() in ("1", "true", "yes", "on")
    return Settings([] if never else indexes, options.get("proxy"), options.get("cert"))


def pages(name: str, settings: Settings) -> list[Page]:
    """What each index says of a package; an index that does not know it is left out.

    Raises ReleaseProblem where one cannot be asked.
    """
    found = []
    for index in settings.indexes:
        url = f"{index.rstrip('/')}/{name}/"
        try:
            answer = _ask(f"{url}index.html" if url.startswith("file:") else url, settings)
        except _Absent:
            continue
        kind, where = answer.headers.get("Content-Type", ""), _split(answer.url)[0]
        found.append(
            Page(where, "json" in kind, b"".join(_pieces(answer)).decode(errors="replace"))
        )
    return found


def get(url: str, target: Path, settings: Settings) -> None:
    """Write the file at an address. Raises ReleaseProblem where it cannot be had, else OSError."""
    on_disk = any(index.startswith("file:") for index in settings.indexes)
    if not url.startswith(("https:", "http:")) and not (on_disk and url.startswith("file:")):
        raise ReleaseProblem(f"{url}: the index leads to what is no web address")
    answer = _ask(url, settings)
    with open(target, "wb") as file:
        file.writelines(_pieces(answer))


class _Absent(ReleaseProblem):
    """Nothing is at that address."""


def _of_pip() -> dict[str, str]:
    """What `pip config list` says: an option's name -> its value, the strongest setting of each."""
    command = [*installer.pip(), "config", "list"]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["nothing"]
        raise ReleaseProblem(f"pip does not give its settings; its last line: {lines[-1]}")
    strongest: dict[str, tuple[int, str]] = {}
    for line in done.stdout.splitlines():
        key, _, value = line.partition("=")
        section, _, option = key.rpartition(".")
        if section in STRENGTH:
            strongest[option] = max(
                strongest.get(option, (0, "")), (STRENGTH[section], _plain(value))
            )
    return {option: value for option, (_, value) in strongest.items()}


def _plain(value: str) -> str:
    try:
        return str(ast.literal_eval(value))
    except (SyntaxError, ValueError):
        return value


def _ask(url: str, settings: Settings):
    """The open answer to a request for an address, which may hold a password."""
    plain, password = _split(url)
    # Asked for as it lies there: a server may pack it, and its sha256 would be another.
    request = urllib.request.Request(
        plain, headers={"Accept": ACCEPT, "Accept-Encoding": "identity"}
    )
    if password := password or _password_for(plain, settings):
        # Not sent on to where the index may lead.
        request.add_unredirected_header("Authorization", password)
    handlers: list[urllib.request.BaseHandler] = [
        urllib.request.HTTPSHandler(context=_certificates(settings))
    ]
    if settings.proxy:
        proxies = {"http": settings.proxy, "https": settings.proxy}
        handlers.append(urllib.request.ProxyHandler(proxies))
    with _in_words(plain):
        return urllib.request.build_opener(*handlers).open(request, timeout=SECONDS)


def _pieces(answer) -> Iterator[bytes]:
    with answer:
        while True:
            with _in_words(answer.url):
                piece = answer.read(2**20)
            if not piece:
                return
            yield piece


@contextmanager
def _in_words(url: str):
    """Every way in which asking fails, as a ReleaseProblem."""
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        if getattr(error, "code", 0) in (404, 410) or isinstance(reason, FileNotFoundError):
            raise _Absent(f"{_split(url)[0]}: not found") from error
        raise ReleaseProblem(f"{_split(url)[0]}: {reason or type(error).__name__}") from error


def _certificates(settings: Settings) -> ssl.SSLContext:
    """Those of the system, and, as pip does, those that are set or that certifi brings."""
    context = ssl.create_default_context()
    chosen = settings.certificates or os.environ.get("REQUESTS_CA_BUNDLE")
    try:
        if not chosen:
            import certifi

            chosen = certifi.where()
        context.load_verify_locations(chosen)
    except ModuleNotFoundError:  # then the system's have to do
        pass
    except OSError as error:
        raise ReleaseProblem(f"the certificates in {chosen} cannot be read ({error})") from error
    return context


def _password_for(url: str, settings: Settings) -> str:
    """What an index of the same host, or .netrc, has for this address."""
    asked = urllib.parse.urlsplit(url)
    for index in settings.indexes:
        plain, password = _split(index)
        if password and urllib.parse.urlsplit(plain)[:2] == asked[:2]:
            return password
    try:
        known = netrc.netrc(os.environ.get("NETRC")).authenticators(asked.hostname or "")
    except (OSError, netrc.NetrcParseError):
        return ""
    return _basic(known[0], known[2] or "") if known else ""


def _split(url: str) -> tuple[str, str]:
    """An address without its name and password, and these as a header has them, or ""."""
    parts = urllib.parse.urlsplit(url)
    who, at, place = parts.netloc.rpartition("@")
    if not at:
        return url, ""
    name, _, password = who.partition(":")
    unquote = urllib.parse.unquote
    return parts._replace(netloc=place).geturl(), _basic(unquote(name), unquote(password))


def _basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
