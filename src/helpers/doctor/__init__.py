"""Is this machine ready for the lessons? A handful of checks, each with its remedy."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from helpers.doctor import machine, software
from helpers.runner import kit_folder

CHECKS = {
    "Python": machine.python,
    "pip or uv": software.installers,
    "packages": software.packages,
    "torch and torchvision": software.torch,
    "JupyterLab": software.jupyterlab,
    "kernel": software.kernel,
    "releases": software.releases_cached,
    "release kernel": software.release_kernel,
    "memory": machine.memory,
    "disk": machine.disk,
    "writing": machine.writing,
}
OF_A_KIT = {"kit": software.kit_files}


@dataclass(frozen=True)
class Result:
    """What one check found; where it is not ok, what to do."""

    name: str
    ok: bool
    detail: str
    remedy: str


def examine() -> list[Result]:
    """Every check of this machine, in seconds; those that import torch do so elsewhere."""
    checks = CHECKS | (OF_A_KIT if kit_folder.kit_folder() else {})
    with ThreadPoolExecutor() as pool:
        return list(pool.map(_judge, checks, checks.values()))


def lines(results: list[Result]) -> Iterator[tuple[str, bool]]:
    """Lines of plain text to print, each with whether it is about something in order."""
    for result in results:
        yield f"{'ok' if result.ok else 'NOT OK':<7} {result.name}: {result.detail}", result.ok
        if not result.ok:
            yield f"        what to do: {result.remedy}", False


def verdict(results: list[Result]) -> tuple[str, bool]:
    """The last line: ready, or which checks say no."""
    wrong = [result.name for result in results if not result.ok]
    return f"not ready: {', '.join(wrong)}" if wrong else "ready", not wrong


def _judge(name: str, look: Callable[[], tuple[str, str]]) -> Result:
    try:
        detail, remedy = look()
    except Exception as error:  # whatever keeps a check from its end is a finding itself
        detail, remedy = f"{type(error).__name__}: {error}", software.install()
    return Result(name, not remedy, detail, remedy)
