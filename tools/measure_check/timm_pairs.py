"""Files of timm, written by the releases, against what the atlas saw readers meet."""

import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from missing_aa import releases
from missing_aa.matrix import atlas, tasks
from missing_aa.matrix.cells import DIFFERENT, ERROR, OK, Cell
from missing_aa.matrix.models import known_models
from missing_aa.releases.processes import ReleaseProcess
from tools.measure_check.pairs import Kept, Pair, foretell

READERS = 10
SECONDS = 300

ERAS = {
    "0.4, 0.5": ("0.4.12", "0.5.4"),
    "0.6": ("0.6.5", "0.6.13"),
    "0.8": ("0.8.10.dev0", "0.8.23.dev0"),
    "0.9": ("0.9.0", "0.9.16"),
    "1.0.3 – 1.0.15": ("1.0.3", "1.0.15"),
    "1.0.16 – 1.0.31": ("1.0.16", "1.0.31"),
}
"""Eras of timm, each by its first and last release in the atlas."""


@dataclass(frozen=True)
class File:
    """A model, written by a release; `met` has for each reader what it met, None if it ran."""

    era: str
    writer: str
    model: str
    met: dict[str, str | None]


def draw(seed: int, files: int) -> list[File]:
    """As many files of each era; for each ten readers, half of which fail as far as there are."""
    chance = random.Random(seed)
    cells: dict = defaultdict(dict)
    for cell in atlas.load().cells:
        if cell.format == "whole" and cell.outcome.result in (OK, DIFFERENT, ERROR):
            cells[cell.writer, cell.model][cell.reader] = _met(cell)
    drawn: list[list[File]] = []
    for era, bounds in ERAS.items():
        drawn.append([])
        of_era = sorted(key for key in cells if key[0] in _between(*bounds))
        for writer, model in chance.sample(of_era, files // len(ERAS)):
            met = cells[writer, model]
            drawn[-1].append(File(era, writer, model, {r: met[r] for r in _readers(met, chance)}))
    return [file for one_of_each in zip(*drawn, strict=True) for file in one_of_each]


def _met(cell: Cell) -> str | None:
    if cell.outcome.result != ERROR:
        return None
    return f"{cell.outcome.error}: {cell.outcome.text}"


def _between(first: str, last: str) -> list[str]:
    known = list(releases.KNOWN)
    return known[known.index(first) : known.index(last) + 1]


def _readers(met: dict[str, str | None], chance: random.Random) -> list[str]:
    all_of = chance.sample(sorted(met), len(met))
    fail = [reader for reader in all_of if met[reader]]
    run = [reader for reader in all_of if not met[reader]]
    half = READERS // 2
    return [*fail[:half], *run[:half], *fail[half:], *run[half:]][:READERS]


def measure(files: list[File], kept: Kept, jobs: int) -> None:
    """Write each file, and ask `check` of its readers; what is kept already is not done again."""
    waiting = [file for file in files if not all(key in kept.pairs for key in _keys(file))]
    for release in {name for file in waiting for name in (file.writer, *file.met)}:
        releases.fetch(release)
    with ProcessPoolExecutor(jobs) as pool:
        running = [pool.submit(_measure_file, file) for file in waiting]
        for number, done in enumerate(as_completed(running), 1):
            kept.add(done.result())
            print(f"\r{number} of {len(running)} files", end="", flush=True)
    print()


def _keys(file: File) -> list[tuple]:
    return [(file.era, file.model, file.writer, reader) for reader in file.met]


def _measure_file(file: File) -> list[Pair]:
    with tempfile.TemporaryDirectory(prefix="missing-aa-") as folder:
        process = ReleaseProcess(file.writer, SECONDS)
        try:
            size = known_models()[file.model]
            outcome = process.call(tasks.write, file.model, size, 0, folder)
        finally:
            process.close()
        if outcome:
            raise RuntimeError(f"{file.model} of {file.writer}: {outcome.text}")
        return list(_pairs(file, Path(folder, tasks.WHOLE)))


def _pairs(file: File, path: Path) -> Iterator[Pair]:
    for reader, met in file.met.items():
        start = time.perf_counter()
        where = str(releases.locate(reader))
        foretold = foretell(path, [where], with_=[f"timm=={reader}"])
        took = round(time.perf_counter() - start, 3)
        yield Pair(file.era, file.model, file.writer, reader, met, seconds=took, **foretold)
