"""missing-aa matrix: measure which timm release reads what another one wrote."""

import argparse
from contextlib import contextmanager

from missing_aa import home
from missing_aa.errors import Problem, UsageProblem

OUTPUT = "build/matrix.jsonl"

NEEDED = ("torch", "torchvision", "safetensors")
"""What measuring needs beside a release of timm."""


def add(commands) -> None:
    from missing_aa.cli.options import as_seconds

    command = commands.add_parser(
        "matrix",
        help="measure which timm release reads what another one wrote",
        description="Let timm releases write models, whole and as a state_dict, let others read "
        "them, the rescued weights too, and hold each output against the writer's. A file of "
        "results that is there is taken up where it stopped.",
    )
    command.add_argument(
        "--releases",
        type=_words,
        metavar="A,B,…",
        help="writers and readers: the course's by default; `atlas` for those of the atlas, `all` "
        "for all that can be imported",
    )
    command.add_argument("--writers", type=_words, metavar="A,B,…", help="other writers")
    command.add_argument("--readers", type=_words, metavar="A,B,…", help="other readers")
    command.add_argument(
        "--models",
        type=_words,
        metavar="A,B,…",
        help="one small architecture of each timm model file by default",
    )
    command.add_argument(
        "--formats", type=_words, metavar="A,B,…", help="of whole, state_dict and rescued"
    )
    command.add_argument("--output", default=OUTPUT, metavar="FILE", help=f"the results ({OUTPUT})")
    command.add_argument("--seed", type=int, default=0, help="of the weights and the picture (0)")
    command.add_argument(
        "--seconds", type=as_seconds, default=120, metavar="N", help="for one cell (120)"
    )
    command.add_argument(
        "--dask", metavar="ADDRESS", help="let the workers of a Dask cluster measure"
    )
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from missing_aa.cli import output
    from missing_aa.matrix.results import Results
    from missing_aa.matrix.run import run as measure
    from missing_aa.releases import warm

    console = output.console(stderr=True)
    plan = _plan(args)
    with Results(Path(args.output), args.seed) as results:
        done = plan.done(results)
        if not warm.wanted():
            output.remark("processes are not forked here: each imports torch")
        if done:
            output.remark(f"{args.output}: {done:,} of {plan.cells:,} cells are there already")
        with _executor(args.dask) as executor, _bar(console, plan, results) as wrote:
            measure(plan, results, wrote, executor)
        _summary(plan, results, args.output)
    return 0


def _plan(args: argparse.Namespace):
    from missing_aa import releases
    from missing_aa.cli import output
    from missing_aa.matrix import atlas
    from missing_aa.matrix.cells import FORMATS
    from missing_aa.matrix.models import importable, known_models, sizes
    from missing_aa.matrix.run import Plan

    formats = args.formats or list(FORMATS)
    for form in formats:
        if form not in FORMATS:
            raise UsageProblem(f"there is no format {form!r}; there are {', '.join(FORMATS)}")
    _check_installed()
    among = args.releases or list(releases.COURSE)
    if among == ["atlas"]:
        among = atlas.load().releases
    if among == ["all"]:
        among, failed = importable()
        output.remark(f"left out, since this Python cannot import them: {', '.join(failed)}")
    writers, readers = args.writers or among, args.readers or among
    for release in (*writers, *readers):
        releases.check_known(release)
    models = sizes(args.models or list(known_models()), writers)
    return Plan(models, writers, readers, formats, args.seed, args.seconds)


def _check_installed() -> None:
    """Raise a Problem for what the bare package lacks; timm itself comes from the cache."""
    from importlib.util import find_spec

    for name in NEEDED:
        if find_spec(name) is None:
            raise Problem(f"{name} is not installed; measuring needs timm: {home.install('timm')}")


@contextmanager
def _executor(address: str | None):
    """Dask's own executor over a cluster, or None to measure here."""
    if not address:
        yield None
        return
    try:
        from distributed import Client
    except ModuleNotFoundError as missing:
        raise Problem(f"--dask needs Dask: {home.install('dask')}") from missing
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise Problem(
            f"no Dask scheduler answers at {address} ({error}); start one with `dask scheduler`, "
            "or leave --dask away"
        ) from error
    with client, client.get_executor() as executor:
        yield executor


@contextmanager
def _bar(console, plan, results):
    """A progress bar with the time left; gives what takes each new cell."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("cells", total=plan.cells, completed=plan.done(results))
        row = len(plan.readers) * len(plan.formats)
        yield lambda cell: progress.update(
            bar, description=cell.model, advance=1 if cell.reader else row
        )


def _summary(plan, results, output: str) -> None:
    """A line for each format: how much of what was written is read."""
    from missing_aa.cli.output import print_text
    from missing_aa.matrix.cells import OK

    for form in plan.formats:
        cells = [
            cell
            for cell in results.cells.values()
            if cell.format == form
            and cell.model in plan.models
            and cell.writer in plan.writers
            and cell.reader in plan.readers
        ]
        right = sum(cell.outcome.result == OK for cell in cells)
        share = f" ({right / len(cells):.0%})" if cells else ""
        print_text(f"{form}: {right:,} of {len(cells):,} files give the writer's output{share}")
    print_text(f"Results: {output}")


def _words(text: str) -> list[str]:
    words = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not words:
        raise argparse.ArgumentTypeError("takes names with commas between them")
    return words
