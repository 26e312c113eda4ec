"""python -m helpers report: which exercises of saved notebooks are solved."""

import argparse


def add(commands) -> None:
    command = commands.add_parser(
        "report",
        help="print which exercises of saved notebooks are solved",
        description="Print which exercises of saved lessons are solved, by what the checks left "
        "in their outputs. Nothing in a notebook is run. Without PATH: the lessons of this "
        "project. Exit code 1 means that an exercise is not solved.",
    )
    command.add_argument("paths", nargs="*", metavar="PATH", help="a notebook, or a folder of them")
    command.add_argument(
        "--summary", action="store_true", help="only a line for each notebook and each exercise"
    )
    command.add_argument("--json", action="store_true", help="print the report as JSON")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from helpers.report import collect, render
    from helpers.runner import catalogue
    from missing_aa.errors import Problem, UsageProblem

    try:
        folder = catalogue.root() / "notebooks"
    except Problem:  # no project here: then there is nothing to compare with
        folder = None
    if not (args.paths or folder):
        raise UsageProblem("name a notebook, or a folder of them")
    lessons = sorted(folder.glob("[0-9][0-9]_*.ipynb")) if folder else []
    report = collect.collect(args.paths or [str(folder)], lessons)
    render.print_report(report, args.json, args.summary)
    return report.exit_code
