"""python -m helpers doctor: is this machine ready for the lessons?"""

import argparse


def add(commands) -> None:
    command = commands.add_parser(
        "doctor",
        help="check that this machine is ready for the lessons",
        description="Check that this machine is ready for the lessons; says what to do if not.",
    )
    command.add_argument("--json", action="store_true", help="print the results as JSON")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import dataclasses
    import json
    import sys

    from helpers import doctor
    from missing_aa.cli.output import print_text
    from missing_aa.cli.terminal import paint

    results = doctor.examine()
    if args.json:
        checks = [dataclasses.asdict(result) for result in results]
        ready = all(result.ok for result in results)
        print(json.dumps({"schema": 1, "ready": ready, "checks": checks}))
    else:
        for line, ok in (*doctor.lines(results), doctor.verdict(results)):
            word, space, rest = line.partition(" ")
            print_text(paint(word, "good" if ok else "bad", sys.stdout) + space + rest)
    return int(not all(result.ok for result in results))
