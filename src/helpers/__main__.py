"""`python -m helpers`: run the lessons, check this machine, report what is solved, make a kit."""

import sys

from missing_aa.cli import helped, parser_of, run

COMMANDS = ("helpers.runner", "helpers.doctor", "helpers.report", "helpers.kit")


def parser():
    """The whole command line."""
    return parser_of(
        "python -m helpers",
        "The course about the missing aa: its lessons, run and checked.",
        [f"{room}.cli" for room in COMMANDS],
    )


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    return run(parser(), helped(sys.argv[1:] if argv is None else argv))


if __name__ == "__main__":
    sys.exit(main())
