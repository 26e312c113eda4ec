"""missing-aa scan: find checkpoints, and say which of them will not outlive an upgrade."""

import argparse


def add(commands) -> None:
    from missing_aa.cli.options import add_limits, count

    command = commands.add_parser(
        "scan",
        help="find checkpoints below a path and say which will outlive an upgrade",
        description="Find every checkpoint at and below PATH, by content, and say whether it will "
        "outlive an upgrade of what wrote it. Nothing in them is run, and torch is not needed. "
        "Exit code 1 means a whole-model pickle, 3 a name that no checkpoint needs.",
    )
    command.add_argument("paths", nargs="+", metavar="PATH", help="a file or a folder")
    command.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="GLOB",
        help="pass over files and folders whose name or path it fits; may be repeated",
    )
    command.add_argument(
        "--all",
        action="store_true",
        dest="everything",
        help="look into hidden folders, node_modules, __pycache__ and environments too",
    )
    command.add_argument("--jobs", type=count, metavar="N", help="at most N processes at work")
    command.add_argument("--json", action="store_true", help="print the findings as JSON")
    limits = command.add_argument_group("limits that a file may not pass")
    add_limits(limits, ("pickle_bytes", "opcodes", "objects", "depth"))
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from missing_aa.cli.options import limits
    from missing_aa.cli.render.scan import print_scan
    from missing_aa.limits import cores
    from missing_aa.scanner.scan import Scan

    scan = Scan()
    try:
        scan.run(args.paths, args.exclude, args.everything, limits(args), args.jobs or cores())
    except KeyboardInterrupt:
        # What was found by then is worth hearing; `main` says the rest.
        print_scan(scan, args.json)
        raise
    print_scan(scan, args.json)
    return scan.exit_code
