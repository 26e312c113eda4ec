"""What a shell needs to complete the command line: a script of its own, printed once.

The shell then completes by itself; no Python is started at a press of the key.
"""

import argparse
from collections.abc import Iterator

from missing_aa import home
from missing_aa.errors import Problem

SHELLS = ("bash", "zsh", "fish")
FILES = ("FILE", "PATH", "SOURCE", "OLD", "NEW", "ERROR")
FOLDERS = ("DIR", "FOLDER")
"""What stands in a help for a file, and for a folder."""


class PrintCompletion(argparse.Action):
    """Print the script for a shell; shtab, which writes it, is imported only then."""

    def __init__(self, option_strings, dest):
        about = "print what makes this shell complete the command line, and exit"
        super().__init__(option_strings, argparse.SUPPRESS, choices=SHELLS, help=about)

    def __call__(self, parser, namespace, values, option_string=None):
        try:
            print(script(parser, str(values)))
        except Problem as problem:
            parser.exit(problem.exit_code, f"{parser.prog}: {problem}\n")
        parser.exit()


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script with which a shell completes what this parser takes.

    Raises Problem where shtab is not installed.
    """
    try:
        import shtab
    except ModuleNotFoundError as missing:
        raise Problem(f"--print-completion needs shtab: {home.install('completion')}") from missing
    from missing_aa import releases

    for action in _actions(parser):
        if action.metavar in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.metavar in FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif action.metavar == "RELEASE":
            action.choices = list(releases.KNOWN)
    return shtab.complete(parser, shell)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every argument and option, those of the subcommands too."""
    # argparse has no public way to a parser's arguments.
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
