"""python -m helpers run: execute the lessons and write their notebooks and pages."""

import argparse
from pathlib import Path

from missing_aa.errors import Problem


def add(commands) -> None:
    from missing_aa.cli.options import count

    command = commands.add_parser(
        "run",
        help="execute the lessons",
        description="Execute the lessons; without LESSON, all of them. Each gives an executed "
        "notebook and a self-contained HTML page.",
    )
    command.add_argument(
        "lessons", nargs="*", metavar="LESSON", help="a number, a name or a part of one, or a path"
    )
    command.add_argument(
        "--jobs", type=count, metavar="N", help="at most N at once (fewer where memory is short)"
    )
    command.add_argument(
        "-p",
        nargs=2,
        action="append",
        default=[],
        dest="parameters",
        metavar=("NAME", "VALUE"),
        help="set a parameter in the chosen lessons that have it; may be repeated",
    )
    command.add_argument(
        "--output", type=Path, metavar="DIR", help="where the results go (build/lessons)"
    )
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import signal
    import sys

    from missing_aa.cli import output

    try:
        from helpers.runner import catalogue, display, pool
    except ModuleNotFoundError as missing:
        raise Problem(
            f"{missing.name} is not installed; what lessons need comes with the extra `course`: "
            "in a checkout, make setup"
        ) from missing

    root = catalogue.root()
    chosen = catalogue.choose(catalogue.lessons(root), args.lessons)
    parameters = catalogue.fit_parameters(chosen, args.parameters)
    folder = (args.output or root / "build" / "lessons").resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(f"cannot write into {folder} ({error.strerror}); see --output") from error
    console = output.console()
    output.print_text(f"Lessons: {root / 'notebooks'}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that it ends in order then, too
    watcher = display.Bars(console, chosen) if sys.stdout.isatty() else display.Lines(console)
    with watcher:
        outcomes = pool.run(chosen, parameters, folder, args.jobs, watcher)
    display.summary(console, outcomes)
    output.print_text(f"Notebooks and pages: {folder}")
    return int(any(outcome.error for outcome in outcomes))
