"""Figures, as ratios within one run: a number alone says more of the machine than of the code."""

import statistics
import sys
import time
from collections.abc import Callable
from operator import truediv

SMALL = "--small" in sys.argv
"""Whether each figure is made once, of little: that it can be made is known, its value is not."""


def few(full: int, small: int = 1) -> int:
    """How many: of rounds, files, models."""
    return small if SMALL else full


def turns(*calls: Callable, rounds: int, before: Callable = lambda: None) -> list[list[float]]:
    """Seconds of each call in each round, measured in turns so that all meet the same machine.

    `before` is done before every call, and not measured.
    """
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(few(rounds)):
        for call, kept in zip(calls, times, strict=True):
            before()
            begun = time.perf_counter()
            call()
            kept.append(time.perf_counter() - begun)
    return times


def alternate(one: Callable, other: Callable, rounds: int) -> tuple[float, float]:
    """Median seconds of two calls, measured in turns."""
    ours, theirs = turns(one, other, rounds=rounds)
    return statistics.median(ours), statistics.median(theirs)


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over the rounds: both calls of one round met the machine at the same work."""
    return statistics.median(map(truediv, ours, theirs))


def tell(what: str, ratio: float, most: float) -> None:
    """Print one figure beside its target."""
    print(f"{what}: {ratio:.2f} (target: at most {most}) {'ok' if ratio <= most else 'MISSED'}")


def tell_seconds(what: str, times: list[float]) -> None:
    """Print what one call took: the median, and how far the rounds lie apart."""
    print(f"  {what}: {statistics.median(times):.3f} s ({min(times):.3f} to {max(times):.3f})")
