"""The magics of the lessons: %%timm runs a cell in a kernel of one release, %timm starts kernels
ahead of time, %%expect waits for an error in the lesson's own. Load: `%load_ext helpers.magics`.
`expect_error` checks afterwards what a cell with `--may-raise` ended with.
"""

import argparse
import os
import re
import shlex
import sys
import sysconfig
import warnings
from dataclasses import dataclass

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from IPython.display import clear_output, publish_display_data

from helpers import plain, tracebacks
from helpers.kernels import KernelDied, ReleaseKernel
from helpers.tracebacks import RUN_ABOVE, Report
from missing_aa.errors import Problem, UsageProblem
from missing_aa.releases import check_known

TIMM_USAGE = "%%timm RELEASE [--raises TYPE [--match REGEX] | --may-raise] [--in a,b] [--out c,d]"
START_USAGE = "%timm RELEASE…"
EXPECT_USAGE = "%%expect TYPE [--match REGEX] | %%expect --may-raise"


class PromiseBroken(Problem):
    """A cell promised an error, and nothing or something else was raised."""


@dataclass(frozen=True)
class Outcome:
    """How a cell ended: the type of its error, None if there was none, and the error's text."""

    name: str | None
    message: str


_outcomes: list[Outcome] = []
"""How the last cell with `--may-raise` ended, until `expect_error` has looked at it."""


def expect_error(name: str, text: str = "") -> None:
    """Check that the last cell with `--may-raise` ended with this type of error, and this text.

    For the folded cell behind a prediction: each such cell is checked once. Raises PromiseBroken
    if another error came, or none, or if no such cell has run since the last check.
    """
    if not _outcomes:
        raise PromiseBroken(
            f"no cell with --may-raise has run since the last check: run the one above; {RUN_ABOVE}"
        )
    outcome = _outcomes.pop()
    wanted = name + (f" with {text!r}" if text else "")
    _compare(wanted, outcome, outcome.name == name and text in outcome.message)


class _Words(argparse.ArgumentParser):
    """An argument parser whose complaint is one line with the usage."""

    def __init__(self, usage: str, can_fail: bool = True):
        super().__init__(usage=usage, add_help=False, allow_abbrev=False)
        if can_fail:
            self.add_argument("--match", type=_regex)
            self.add_argument("--may-raise", action="store_true")

    def error(self, message: str):
        raise UsageProblem(f"{message}; usage: {self.usage}")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {error}") from None
    return text


def _timm_parser() -> _Words:
    parser = _Words(TIMM_USAGE)
    parser.add_argument("release")
    parser.add_argument("--raises")
    parser.add_argument("--in", dest="send", type=_names, default=[])
    parser.add_argument("--out", dest="bring", type=_names, default=[])
    return parser


def _start_parser() -> _Words:
    parser = _Words(START_USAGE, can_fail=False)
    parser.add_argument("releases", nargs="+")
    return parser


def _expect_parser() -> _Words:
    parser = _Words(EXPECT_USAGE)
    parser.add_argument("raises", nargs="?")
    return parser


def _parse(parser: _Words, line: str, variables: dict) -> argparse.Namespace:
    """Split a magic's line and fill `{name}` in from the lesson's variables."""

    def value(found: re.Match) -> str:
        name = found[1]
        if name not in variables:
            raise UsageProblem(
                f"the lesson has no variable {name!r}; {RUN_ABOVE}; usage: {parser.usage}"
            )
        return str(variables[name])

    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageProblem(f"{error} in {line!r}; usage: {parser.usage}") from None
    return parser.parse_args([re.sub(r"\{([A-Za-z_]\w*)\}", value, word) for word in words])


class _Raised(Exception):
    """An error of a release's kernel, shown here with the traceback that it has there."""

    def __init__(self, message: str, report: Report):
        super().__init__(message)
        self.report = report

    def _render_traceback_(self) -> list[str]:
        return self.report.short


def _keep_promise(args: argparse.Namespace, outcome: Outcome) -> None:
    """Note how the cell ended if it may raise; else raise PromiseBroken for any other end."""
    if args.may_raise:
        _outcomes.append(outcome)
        return
    wanted = args.raises + (f" matching {args.match!r}" if args.match else "")
    fits = not args.match or re.search(args.match, outcome.message)
    _compare(wanted, outcome, outcome.name == args.raises and bool(fits))


def _compare(wanted: str, outcome: Outcome, fits: bool) -> None:
    if outcome.name is None:
        raise PromiseBroken(f"this cell promised {wanted}, and nothing was raised")
    if not fits:
        came = f"{outcome.name}: {outcome.message}"
        advice = f"; {RUN_ABOVE}" if outcome.name == "NameError" else ""
        raise PromiseBroken(f"this cell promised {wanted}, and this came: {came}{advice}")


def _report(kernel: ReleaseKernel, error: dict) -> Report:
    described = kernel.last_error()
    return Report(**described) if described else Report(error["traceback"])


def _replay(kind: str, content: dict) -> None:
    """Show one output of a release's kernel as if the cell had run here."""
    if kind == "stream":
        stream = sys.stderr if content["name"] == "stderr" else sys.stdout
        stream.write(content["text"])
        stream.flush()
    elif kind in ("display_data", "execute_result", "update_display_data"):
        publish_display_data(
            content["data"],
            content.get("metadata"),
            transient=content.get("transient"),
            update=kind == "update_display_data",
        )
    elif kind == "clear_output":
        clear_output(wait=content.get("wait", False))


@magics_class
class LessonMagics(Magics):
    """%timm, %%timm and %%expect."""

    def __init__(self, shell):
        super().__init__(shell)
        self._kernels: dict[str, ReleaseKernel] = {}

    @no_var_expand
    @line_magic("timm")
    def start(self, line: str) -> None:
        """Start the kernels of some releases already, so that they are ready when asked."""
        for release in _parse(_start_parser(), line, self.shell.user_ns).releases:
            self._kernel(release, ahead=True)

    @no_var_expand
    @cell_magic
    def timm(self, line: str, cell: str) -> None:
        """Run the cell in a kernel of its own that sees one published timm release.

        State stays between the cells of one release. `{name}` in the line stands for a variable
        of the lesson. `--in` and `--out` carry plain values there and back. With `--raises` the
        error is shown, and the cell fails unless exactly that error comes. With `--may-raise`
        whatever comes is shown, and `expect_error` in a later cell says what it was to be.
        """
        variables = self.shell.user_ns
        args = _parse(_timm_parser(), line, variables)
        if args.match is not None and not args.raises:
            raise UsageProblem(f"--match goes with --raises; usage: {TIMM_USAGE}")
        if args.may_raise and args.raises:
            raise UsageProblem(f"--may-raise goes without --raises; usage: {TIMM_USAGE}")
        if args.may_raise:
            _outcomes.clear()
        for name in args.send:
            if name not in variables:
                raise UsageProblem(
                    f"--in names {name!r}, and the lesson has no such variable; {RUN_ABOVE}"
                )
            plain.dump(name, variables[name])  # complains before a kernel starts
        kernel = self._kernel(args.release)
        error: dict | None = None

        def on_output(kind: str, content: dict) -> None:
            nonlocal error
            if kind == "error":
                error = content
            else:
                _replay(kind, content)

        try:
            kernel.put({name: variables[name] for name in args.send})
            kernel.run(cell, on_output, self._number())
            report = _report(kernel, error) if error else None
            if args.raises or args.may_raise:
                if report:
                    report.publish()
                outcome = Outcome(error["ename"], error["evalue"]) if error else Outcome(None, "")
                _keep_promise(args, outcome)
            elif report:
                raise type(error["ename"], (_Raised,), {})(error["evalue"], report)
            if args.bring:
                variables.update(kernel.get(args.bring))
        except KernelDied:
            del self._kernels[args.release]
            raise
        except KeyboardInterrupt:
            if error is None:  # it would not stop, and was killed
                raise
            stopped = (_Raised, KeyboardInterrupt)  # shown as the cell's own, not as ours
            report = Report(error["traceback"])
            raise type(error["ename"], stopped, {})(error["evalue"], report) from None

    @no_var_expand
    @cell_magic
    def expect(self, line: str, cell: str) -> None:
        """Run the cell here; show the promised error, and fail if it does not come.

        With `--may-raise` instead of a type: as in `%%timm`.
        """
        args = _parse(_expect_parser(), line, self.shell.user_ns)
        if args.may_raise == bool(args.raises) or (args.match is not None and not args.raises):
            raise UsageProblem(f"a type of error, or --may-raise alone; usage: {EXPECT_USAGE}")
        if args.may_raise:
            _outcomes.clear()
        count, self.shell.execution_count = self.shell.execution_count, self._number()
        try:
            with tracebacks.caught(self.shell) as reports:
                result = self.shell.run_cell(cell)
        finally:
            self.shell.execution_count = count
        for report in reports:
            report.publish()
        error = result.error_before_exec or result.error_in_exec
        if isinstance(error, KeyboardInterrupt):
            raise error
        outcome = Outcome(type(error).__name__, str(error)) if error else Outcome(None, "")
        _keep_promise(args, outcome)

    def _number(self) -> int:
        """The number of the lesson's cell that is at work: `In [7]` is 7."""
        # The shell's own count is already that of the next cell in newer IPythons.
        result = self.shell.displayhook.exec_result
        return getattr(result, "execution_count", None) or self.shell.execution_count

    def _kernel(self, release: str, ahead: bool = False) -> ReleaseKernel:
        check_known(release)
        if release not in self._kernels:
            self._kernels[release] = ReleaseKernel(release, ahead)
        elif not self._kernels[release].alive:
            self._kernels.pop(release).shutdown()
            raise KernelDied(
                f"the kernel of timm {release} has ended since its last cell, and its variables "
                "are gone; choose Run, Run All Above Selected Cell, then run this cell again"
            )
        return self._kernels[release]


def load_ipython_extension(shell) -> None:
    """What `%load_ext helpers.magics` calls."""
    # torchvision sets this one off on import; it is for its authors.
    warnings.filterwarnings("ignore", message=".*torch.jit.interface.*", category=FutureWarning)
    # So that `!missing-aa` is found, and draws no progress bars into the notebook.
    scripts = sysconfig.get_path("scripts")
    if scripts not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = scripts + os.pathsep + os.environ["PATH"]
    os.environ["TTY_COMPATIBLE"] = "0"
    shell.register_magics(LessonMagics)
    tracebacks.install(shell)
