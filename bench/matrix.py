"""The matrix: against a fresh process for each pair, its growth, and what the atlas says in sum."""

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import few, tell
from missing_aa import releases
from missing_aa.matrix import atlas, run, summary
from missing_aa.matrix.cells import FORMATS
from missing_aa.matrix.models import sizes
from missing_aa.matrix.results import Results

MODELS = ["regnetx_002", "resnet18", "rexnet_100", "mobilenetv2_100"]
JOBS = 2

ONE = """
import os
import sys

from missing_aa.matrix import tasks
from missing_aa.releases.processes import see_release
release, what, folder, *models = sys.argv[1:]
see_release(release, {})
for model in models:
    there = f"{folder}/{model}"
    if what == "write":
        os.makedirs(there)
        tasks.write(model, 64, 0, there)
    else:
        for form in ("whole", "state_dict"):
            tasks.run_written(model, 64, 0, form, there)
"""
"""What a script without this room does: a process for each pair, with the same work in it."""


def ours(models: list[str], among: list[str], formats=("whole", "state_dict")) -> float:
    plan = run.Plan(sizes(models, among), among, among, list(formats))
    with tempfile.TemporaryDirectory() as folder, Results(Path(folder, "r.jsonl")) as results:
        begun = time.perf_counter()
        run.run(plan, results)
        assert len(results.cells) == plan.cells
        return time.perf_counter() - begun


def fresh_processes(models: list[str], among: list[str]) -> float:
    """The same cells, with a fresh process for each writer and each pair, as many at once."""

    def process(release: str, what: str, folder: str) -> None:
        where = str(releases.locate(release))
        subprocess.run([sys.executable, "-c", ONE, where, what, folder, *models], check=True)

    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(JOBS) as pool:
        begun = time.perf_counter()
        list(pool.map(lambda w: process(w, "write", f"{folder}/{w}"), among))
        pairs = [(writer, reader) for writer in among for reader in among]
        list(pool.map(lambda pair: process(pair[1], "read", f"{folder}/{pair[0]}"), pairs))
        return time.perf_counter() - begun


def main() -> None:
    window = list(releases.COURSE)
    models, among = MODELS[: few(4)], window[: few(5, 2)]
    quick, slow = ours(models, among), fresh_processes(models, among)
    what = f"matrix, {len(among)} × {len(among)} releases, {len(models)} models"
    print(f"{what}: {quick:.1f} s; a process per pair: {slow:.1f} s")
    tell("matrix / a fresh process per pair", quick / slow, 0.2)

    two, four = window[1:3], window[1:]
    start = ours(MODELS[:1], two[:1])
    times = {
        (len(among), len(models)): ours(models, among, FORMATS) - start
        for among in (two, four)
        for models in (MODELS[:2], MODELS)
    }
    for (among, models), seconds in times.items():
        cells = among * among * models * len(FORMATS)
        print(f"{among} releases, {models} models: {seconds / cells:.3f} s a cell")
    least, most = times[2, 2], times[4, 4]
    tell("time of 8 times the cells / 8 times the time", most / (8 * least), 1)

    full = atlas.load()
    upgrades = summary.upgrades(full.cells, full.releases)
    print(
        f"the atlas: {len(full.releases)} releases, {len(full.models)} models, made with "
        f"torch {full.head['torch']} on {full.head['date']}; a newer release reads"
    )
    for form, share in summary.by_format(upgrades).items():
        print(f"  {form}: {share}")
