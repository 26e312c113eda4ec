"""missing-aa inspect: say what checkpoints hold, without running anything that they hold."""

import argparse
import gc

from missing_aa.errors import UsageProblem


def add(commands) -> None:
    from missing_aa.cli.options import add_limits, path

    command = commands.add_parser(
        "inspect",
        help="say what a checkpoint holds without running it",
        description="Say what files are and hold: models and their classes, every name that a "
        "pickle asks for, the timm releases that can have made it. Nothing in them is run, and "
        "torch is not needed. Exit code 1 means a name whose use was not judged, 3 one that no "
        "checkpoint needs.",
    )
    command.add_argument("files", nargs="+", metavar="FILE", type=path)
    command.add_argument("--json", action="store_true", help="print the findings as JSON")
    limits = command.add_argument_group("limits that a file may not pass")
    add_limits(limits, ("pickle_bytes", "opcodes", "objects", "depth", "seconds"))
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from missing_aa.cli.options import limits
    from missing_aa.cli.render.inspect import Outcome, as_json, print_findings
    from missing_aa.errors import Problem
    from missing_aa.inspector import inspect

    if "-" in args.files:
        raise UsageProblem(
            "what comes through a pipe cannot be inspected, because a zip is read from its end; "
            "save it to a file and name that"
        )
    # What a pickle describes is built whole, then dropped: to look for cycles meanwhile is in vain.
    gc.set_threshold(100_000)
    granted, outcomes = limits(args), []
    for path in args.files:
        try:
            outcomes.append(Outcome(path, inspect(path, granted)))
        except Problem as problem:
            outcomes.append(Outcome(path, problem))
    if args.json:
        print(as_json(outcomes))
    else:
        print_findings(outcomes)
    return max(outcome.exit_code for outcome in outcomes)
