"""missing-aa check: what a whole-model file will miss in an environment, before it is loaded."""

import argparse
import sys

from missing_aa.errors import Problem, UsageProblem


def add(commands) -> None:
    from missing_aa.cli.options import add_limits, count, path

    command = commands.add_parser(
        "check",
        help="say what a whole-model file will miss here, before it is loaded",
        description="Follow eval() and forward of the models in a file through the source of what "
        "is installed, with the file's own objects, and say which classes and attributes it will "
        "miss. Nothing of the file is run, no library is imported, and torch is not needed. Exit "
        "code 1 means that it will fail.",
    )
    command.add_argument("files", nargs="+", metavar="FILE", type=path)
    command.add_argument(
        "--python", metavar="PATH", help="another Python, or a folder with one, to ask for"
    )
    command.add_argument(
        "--with",
        dest="with_",
        action="append",
        default=[],
        metavar="NAME==VERSION",
        help="a release that stands before what is installed; it is fetched, never installed. "
        "Also a folder, a wheel or a source archive. Can be given again",
    )
    command.add_argument(
        "--path",
        dest="paths",
        action="append",
        default=[],
        metavar="DIR",
        help="a folder that is read first, such as the project's own; or the script that stands "
        "for __main__. Can be given again",
    )
    command.add_argument("--root", metavar="NAME", help="which of several models in the file")
    command.add_argument("--strict", action="store_true", help="exit code 1 also where it may fail")
    command.add_argument("--json", action="store_true", help="print the answers as JSON")
    limits = command.add_argument_group("limits that a file may not pass")
    add_limits(limits, ("pickle_bytes", "opcodes", "objects", "depth", "seconds"))
    limits.add_argument(
        "--max-steps", type=count, metavar="N", help="steps of the abstract run (5,000,000)"
    )
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from missing_aa.checker.check import STEPS, check_in, environment
    from missing_aa.cli import output
    from missing_aa.cli.options import limits
    from missing_aa.cli.render.check import Outcome, as_json, lines
    from missing_aa.text import clean

    if "-" in args.files:
        raise UsageProblem("what comes through a pipe cannot be checked; save it to a file first")
    granted, steps = limits(args), args.max_steps or STEPS
    where = environment(args.python, args.with_, args.paths)
    outcomes = []
    for path in args.files:
        try:
            found = check_in(where, path, args.root, steps, granted)
            outcomes.append(Outcome(path, found, strict=args.strict))
        except Problem as problem:
            outcomes.append(Outcome(path, problem))
    if args.json:
        output.print_text(as_json(outcomes))
    for at, outcome in enumerate([] if args.json else outcomes):
        if isinstance(outcome.result, Problem):
            sys.stdout.flush()
            output.complain("missing-aa check", clean(f"{outcome.path}: {outcome.result}", 1000))
        else:
            output.print_text("\n" * bool(at) + "\n".join(lines(outcome.result)))
    return max(outcome.exit_code for outcome in outcomes)
