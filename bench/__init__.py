"""Figures, as ratios within one run: a number alone says more of the machine than of the code."""

import statistics
import time
from collections.abc import Callable


def alternate(one: Callable, other: Callable, rounds: int) -> tuple[float, float]:
    """Median seconds of two calls, measured in turns so that both meet the same machine."""
    times: tuple[list, list] = ([], [])
    for _ in range(rounds):
        for call, kept in zip((one, other), times, strict=True):
            begun = time.perf_counter()
            call()
            kept.append(time.perf_counter() - begun)
    return statistics.median(times[0]), statistics.median(times[1])


def tell(what: str, ratio: float, most: float) -> None:
    """Print one figure beside its target."""
    print(f"{what}: {ratio:.2f} (target: at most {most}) {'ok' if ratio <= most else 'MISSED'}")
