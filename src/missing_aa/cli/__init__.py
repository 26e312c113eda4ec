"""The command `missing-aa`: one module here for each subcommand.

A subcommand's module has `add(commands)`, which declares it with `set_defaults(run=…)`; `run(args)`
returns the exit code. Modules import nothing heavy until they run. Exit codes everywhere: 0 fine,
1 a finding or a failure, 2 usage, 3 refused as dangerous, 4 malformed, 5 target exists, 6 a limit
reached, 70 a fault of the tool, 74 output that could not be written, 130 stopped; of several files
the highest. A reader that leaves a pipe changes nothing of it.
"""

import argparse
import os
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib import import_module

import missing_aa
from missing_aa.cli import completion, output, terminal
from missing_aa.errors import Problem

COMMANDS = ("check", "compat", "explain", "fetch", "inspect", "matrix", "rescue", "scan")

PAGES = {"fetch": "matrix"}
"""Commands whose page has another name."""

OWN_FAULT = 70
"""The exit code of what nobody foresaw."""

COURSE = ("doctor", "kit", "report", "run")
"""Commands of the course, which comes with a checkout or a kit and not with this tool."""


EXAMPLES = {
    "check": [
        "missing-aa check model.pt",
        "missing-aa check model.pt --with timm==1.0.31",
    ],
    "compat": [
        "missing-aa compat timm==1.0.3 timm==1.0.11",
        "missing-aa compat --github released.zip src/mylib",
    ],
    "explain": [
        """missing-aa explain "'ConvNormAct' object has no attribute 'aa'\"""",
        "missing-aa explain model.pt",
        "python train.py 2>&1 | missing-aa explain -",
    ],
    "fetch": ["missing-aa fetch 1.0.3 1.0.11"],
    "inspect": ["missing-aa inspect model.pt", "missing-aa inspect --json *.pt"],
    "matrix": ["missing-aa matrix --models resnet50 --releases 1.0.3,1.0.31 --output mine.jsonl"],
    "rescue": [
        "missing-aa rescue model.pt weights.safetensors",
        "missing-aa rescue *.pt --to rescued",
        "missing-aa rescue model.pt folder --format timm",
    ],
    "scan": ["missing-aa scan .", "missing-aa scan --sarif . > scan.sarif"],
}
"""What each command's help ends with."""


class _Version(argparse.Action):
    """Name the package, torch and timm; their versions are looked up only when asked for."""

    def __init__(self, option_strings, dest):
        super().__init__(option_strings, dest, nargs=0, help="name the versions and exit")

    def __call__(self, parser, namespace, values, option_string=None):
        own = f"missing-aa {missing_aa.__version__}"
        print(", ".join([own, _installed("torch"), _installed("timm")]))
        parser.exit()


def _installed(package: str) -> str:
    """A package and its version, by the name of its metadata: importlib.metadata takes long."""
    for folder in sys.path:
        with suppress(OSError):
            for name in os.listdir(folder or os.curdir):
                if name.startswith(f"{package}-") and name.endswith(".dist-info"):
                    return f"{package} {name.removesuffix('.dist-info').split('-')[1]}"
    return f"{package} not installed"


class _Help(argparse.HelpFormatter):
    """Breaks a text that is one line, between words; one of several lines stays as it is."""

    def __init__(self, prog: str, **options):
        super().__init__(prog, **{"width": terminal.columns() - 2, **options})

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" in text:
            return text
        return super()._fill_text(text, min(width, 78), indent)


class Parser(argparse.ArgumentParser):
    """Takes no abbreviation of an option, and says what a word that is off may have meant."""

    def __init__(self, *args, **options):
        super().__init__(*args, **{"formatter_class": _Help, **options, "allow_abbrev": False})

    def options(self) -> list[str]:
        """Every option that it takes."""
        return [word for action in self._actions for word in action.option_strings]

    def error(self, message: str):
        unknown = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
        if unknown:
            known = re.findall(r"[\w.-]+", unknown[2])
            message += _near(unknown[1], known + self.options())
        self.print_usage(sys.stderr)
        output.complain(f"{self.prog}: error", message)
        self.exit(2)


def _near(word: str, known: Sequence[str]) -> str:
    import difflib

    plain = {name.lstrip("-"): name for name in known}
    near = difflib.get_close_matches(word.lstrip("-").lower(), plain, n=1, cutoff=0.65)
    return f"; did you mean {plain[near[0]]}?" if near else ""


def parser(commands: Iterable[str] = COMMANDS) -> Parser:
    """The command line, the whole of it or with some commands alone."""
    top = parser_of(
        "missing-aa",
        "Checkpoints of PyTorch models: what one is, its weights, its errors.",
        [f"missing_aa.cli.{name}" for name in commands],
        "missing-aa COMMAND --help has examples. The pages are in docs/reference of the project.",
    )
    top.add_argument("--print-completion", action=completion.PrintCompletion)
    return top


def parser_of(name: str, description: str, modules: Sequence[str], epilog: str = "") -> Parser:
    """A command line called `name`, with a subcommand from each of the modules."""
    top = Parser(prog=name, description=description, epilog=epilog)
    top.add_argument("-V", "--version", action=_Version)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for module in modules:
        import_module(module).add(commands)
    for word, command in commands.choices.items():
        if word in EXAMPLES:
            page = f"docs/reference/{PAGES.get(word, word)}.md"
            command.epilog = "\n  ".join(["examples:", *EXAMPLES[word]]) + f"\n\nreference: {page}"
        command.add_argument("--traceback", action="store_true", help=argparse.SUPPRESS)
    top.set_defaults(commands=commands.choices)
    return top


def helped(words: Sequence[str]) -> list[str]:
    """The words of a person; `help scan` means `scan --help`."""
    return [*words[1:2], "--help"] if words and words[0] == "help" else list(words)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit code. An expected failure is one line on stderr."""
    words = helped(sys.argv[1:] if argv is None else argv)
    if words and words[0] in COURSE:
        output.complain(
            f"missing-aa {words[0]}",
            f"this belongs to the course; in its folder, type python -m helpers {words[0]}",
        )
        return 2
    is_version = words in (["-V"], ["--version"])  # which needs no commands
    wanted = words[:1] if words and words[0] in COMMANDS else COMMANDS
    return run(parser_of("missing-aa", "", []) if is_version else parser(wanted), words)


def run(top: Parser, argv: Sequence[str]) -> int:
    """Run one command; returns the exit code. An expected failure is one line on stderr."""
    ended = None
    with output.guarded() as stdout:
        try:
            code = _run(top, argv)
        except SystemExit as end:  # a help, a version, a word that is off
            ended = end
    if stdout.error:
        output.complain(top.prog, f"the output cannot be written: {stdout.error}")
        return output.NOT_WRITTEN
    if ended:
        raise ended
    return code


def _run(top: Parser, argv: Sequence[str]) -> int:
    if not argv:
        top.print_help()
        return 0
    args, rest = top.parse_known_args(argv)
    command = args.commands.get(args.command)
    if command is None and rest:
        top.error(f"unrecognized arguments: {' '.join(rest)}{_near(rest[0], top.options())}")
    if command is None:
        top.error(f"a command is missing: {', '.join(args.commands)}")
    if rest:
        near = _near(rest[0].partition("=")[0], command.options())
        command.error(f"unrecognized arguments: {' '.join(rest)}{near}")
    name = f"{top.prog} {args.command}"
    try:
        return args.run(args)
    except Problem as problem:
        output.complain(name, problem)
        if getattr(args, "json", False) or getattr(args, "form", "") == "json":
            output.print_failure(problem)
        return problem.exit_code
    except KeyboardInterrupt:
        output.complain(name, "stopped", "warning")
        return 130
    except Exception as error:
        if args.traceback:
            raise
        what = f"{type(error).__name__}: {ascii(str(error))[1:-1][:200]}"
        output.complain(
            name,
            f"this is a fault of the tool, not yours ({what}); please report it, with what the "
            "same command prints with --traceback",
        )
        return OWN_FAULT
