"""The command `missing-aa`: one module here for each subcommand.

A subcommand's module has `add(commands)`, which declares it with `set_defaults(run=…)`; `run(args)`
returns the exit code. Modules import nothing heavy until they run. Exit codes everywhere: 0 fine,
1 a finding or a failure, 2 usage, 3 refused as dangerous, 4 malformed, 5 target exists, 6 a limit
reached; of several files the highest.
"""

import argparse
import sys
from importlib import import_module

import helpers
from helpers.errors import Problem

COMMANDS = (
    "compat",
    "doctor",
    "explain",
    "fetch",
    "inspect",
    "kit",
    "matrix",
    "report",
    "rescue",
    "run",
    "scan",
)


class _Version(argparse.Action):
    """Name the package, torch and timm; their versions are looked up only when asked for."""

    def __init__(self, option_strings, dest):
        super().__init__(option_strings, dest, nargs=0, help="name the versions and exit")

    def __call__(self, parser, namespace, values, option_string=None):
        from importlib.metadata import PackageNotFoundError, version

        def installed(package: str) -> str:
            try:
                return f"{package} {version(package)}"
            except PackageNotFoundError:
                return f"{package} not installed"

        print(
            ", ".join([f"missing-aa {helpers.__version__}", installed("torch"), installed("timm")])
        )
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="missing-aa", description="The course and toolbox about the missing aa."
    )
    top.add_argument("--version", action=_Version)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        import_module(f"helpers.cli.{name}").add(commands)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit code. An expected failure is one line on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that lacks a letter gets its number
            stream.reconfigure(errors="backslashreplace")
    args = parser().parse_args(argv)
    try:
        return args.run(args)
    except Problem as problem:
        print(f"missing-aa {args.command}: {problem}", file=sys.stderr)
        return problem.exit_code
    except KeyboardInterrupt:
        print(f"missing-aa {args.command}: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe left early, as `| head` does
        sys.stderr.close()
        return 0
