"""The command `missing-aa`: one module here for each subcommand.

A subcommand's module has `add(commands)`, which declares it with `set_defaults(run=…)`; `run(args)`
returns the exit code. Modules import nothing heavy until they run. Exit codes everywhere: 0 fine,
1 a finding or a failure, 2 usage, 3 refused as dangerous, 4 malformed, 5 target exists, 6 a limit
reached; of several files the highest.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

import missing_aa
from missing_aa.errors import Problem

COMMANDS = ("check", "compat", "explain", "fetch", "inspect", "matrix", "rescue", "scan")

COURSE = ("doctor", "kit", "report", "run")
"""Commands of the course, which comes with a checkout or a kit and not with this tool."""


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

        own = f"missing-aa {missing_aa.__version__}"
        print(", ".join([own, installed("torch"), installed("timm")]))
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    return parser_of(
        "missing-aa",
        "Checkpoints of PyTorch models: what one is, its weights, its errors.",
        [f"missing_aa.cli.{name}" for name in COMMANDS],
    )


def parser_of(name: str, description: str, modules: Sequence[str]) -> argparse.ArgumentParser:
    """A command line called `name`, with a subcommand from each of the modules."""
    top = argparse.ArgumentParser(prog=name, description=description)
    top.add_argument("--version", action=_Version)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in modules:
        import_module(module).add(commands)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit code. An expected failure is one line on stderr."""
    words = sys.argv[1:] if argv is None else argv
    if words and words[0] in COURSE:
        print(
            f"missing-aa {words[0]}: this belongs to the course; in its folder, type "
            f"python -m helpers {words[0]}",
            file=sys.stderr,
        )
        return 2
    return run(parser(), words)


def run(top: argparse.ArgumentParser, argv: Sequence[str]) -> int:
    """Run one command; returns the exit code. An expected failure is one line on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that lacks a letter gets its number
            stream.reconfigure(errors="backslashreplace")
    args = top.parse_args(argv)
    try:
        return args.run(args)
    except Problem as problem:
        print(f"{top.prog} {args.command}: {problem}", file=sys.stderr)
        return problem.exit_code
    except KeyboardInterrupt:
        print(f"{top.prog} {args.command}: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe left early, as `| head` does
        sys.stderr.close()
        return 0
