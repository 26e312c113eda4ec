"""missing-aa scan: find checkpoints, and say which of them will not outlive an upgrade."""

import argparse

KINDS = {
    "whole": ("FINDING",),
    "unjudged": ("UNJUDGED",),
    "dangerous": ("DANGEROUS", "REFUSED"),
    "unreadable": ("UNREADABLE", "MALFORMED", "LIMIT"),
    "placeholder": ("PLACEHOLDER",),
}
"""What `--fail-on` can name, and the verdicts of each."""

FORMS = {
    "json": "print the findings as JSON",
    "github": "print them as annotations for GitHub Actions",
    "sarif": "print them as SARIF 2.1.0, for code scanning",
}


def add(commands) -> None:
    from missing_aa.cli.options import add_limits, count, path

    command = commands.add_parser(
        "scan",
        help="find checkpoints below a path and say which will outlive an upgrade",
        description="Find every checkpoint at and below PATH, by content, and say whether it will "
        "outlive an upgrade of what wrote it. Nothing in them is run, and torch is not needed. "
        "Exit code 1 means a whole-model pickle or something that was not judged, 3 a name that no "
        "checkpoint needs.",
    )
    command.add_argument("paths", nargs="+", metavar="PATH", type=path, help="a file or a folder")
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
    command.add_argument(
        "--fail-on",
        metavar="KINDS",
        type=_kinds,
        default=tuple(KINDS),
        help=f"what makes the exit code another than 0, of {', '.join(KINDS)}; all of them",
    )
    form = command.add_mutually_exclusive_group()
    for word, help_ in FORMS.items():
        form.add_argument(f"--{word}", dest="form", action="store_const", const=word, help=help_)
    command.set_defaults(form="text")
    limits = command.add_argument_group("limits that a file may not pass")
    add_limits(limits, ("pickle_bytes", "opcodes", "objects", "depth"))
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from missing_aa.cli.options import limits
    from missing_aa.cli.render.scan import print_scan
    from missing_aa.limits import cores
    from missing_aa.scanner import verdict
    from missing_aa.scanner.scan import Scan

    scan = Scan()
    try:
        scan.run(args.paths, args.exclude, args.everything, limits(args), args.jobs or cores())
    except KeyboardInterrupt:
        # What was found by then is worth hearing; `main` says the rest.
        print_scan(scan, args.form)
        raise
    print_scan(scan, args.form)
    chosen = {getattr(verdict, name) for kind in args.fail_on for name in KINDS[kind]}
    return max((f.exit_code for f in scan.checkpoints if f.verdict in chosen), default=0)


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(word.strip() for word in text.split(","))
    if unknown := sorted(set(kinds) - set(KINDS)):
        words = ", ".join(map(repr, unknown))
        raise argparse.ArgumentTypeError(
            f"knows {', '.join(KINDS)}, with commas between, and not {words}"
        )
    return kinds
