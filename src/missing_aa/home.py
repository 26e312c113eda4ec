"""Where this project lives, and so how it is installed while its name is on no package index."""

OF_A_CHECKOUT = "course"
"""The extra that is of use in a checkout alone."""

UNSET = "/OWNER/REPOSITORY"
"""What the address in pyproject.toml ends with until the project has one."""


def address() -> str | None:
    """The https address of the repository, as the installed package says; None until it is set."""
    from importlib.metadata import PackageNotFoundError, metadata  # no help waits for it

    try:
        listed = metadata("missing-aa").get_all("Project-URL") or []
    except PackageNotFoundError:  # run from a folder on the path
        return None
    urls = dict(entry.split(", ", 1) for entry in listed)
    url = urls.get("Repository", UNSET)
    return None if url.endswith(UNSET) else url


def install(extra: str = "", newer: bool = False) -> str:
    """The words that install this package, or a newer one, with an extra of its dependencies."""
    packages = [] if extra == OF_A_CHECKOUT or address() else _packages(extra)
    if packages:
        return f"pip install {' '.join(map(repr, packages))}"
    extra = f"[{extra}]" if extra else ""
    if url := address():
        return f"pip install {'--upgrade ' if newer else ''}'missing-aa{extra} @ git+{url}'"
    words = f"pip install '.{extra}'" if extra else "pip install ."
    return f"{'git pull, then ' if newer else ''}{words}, in a checkout of missing-aa"


def _packages(extra: str) -> list[str]:
    """What an extra asks for, as pip takes it; none where the package is not installed."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        listed = requires("missing-aa") or []
    except PackageNotFoundError:
        return []
    split = (entry.replace('"', "'").partition(";") for entry in listed)
    return [name.strip() for name, _, when in split if when.strip() == f"extra == '{extra}'"]
