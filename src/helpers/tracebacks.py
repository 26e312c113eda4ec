"""How an error is shown: the learner's line, each frame of timm or another library, the message.
Runs of torch's own frames are one line, and the whole traceback is one click below.
"""

import html
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from IPython.core.getipython import get_ipython
from IPython.core.ultratb import AutoFormattedTB, FrameInfo
from IPython.display import publish_display_data
from stack_data import RepeatedFrames

RUN_ABOVE = "after a restart of the kernel, choose Run, Run All Above Selected Cell"
"""What mends the commonest mishap in a notebook: a cell runs, and those above it have not."""

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Report:
    """An error as lines of text in IPython's colours: short, and whole if that shows more."""

    short: list[str]
    whole: list[str] | None = None
    not_defined: str | None = None
    """A name that the cell itself uses and that is not defined."""

    def publish(self) -> None:
        """Show an error that was to come: as display data, since an error output fails a run."""
        text = _plain(self.short)
        # Of a SyntaxError IPython makes one piece.
        message = _plain(self.short[-1:]) if self.short[1:] else text.rpartition("\n")[2]
        way = html.escape(text.removesuffix(message))
        shown = f"<pre>{way}<strong>{html.escape(message)}</strong></pre>"
        page = f'<div class="traceback">{shown}{self._details()}</div>'
        publish_display_data({"text/plain": text, "text/html": page})

    def publish_rest(self) -> None:
        """Below an error output: the whole traceback, and what to do about a name not defined."""
        if self.whole:
            page = f'<div class="traceback">{self._details()}</div>'
            publish_display_data({"text/plain": _plain(self.whole), "text/html": page})
        if self.not_defined:
            hint = f"If a cell above defines `{self.not_defined}`, run that first; {RUN_ABOVE}."
            page = re.sub("`(.+?)`", r"<code>\1</code>", f"<p>{hint}</p>")
            publish_display_data({"text/plain": hint, "text/html": page})

    def _details(self) -> str:
        if not self.whole:
            return ""
        whole = html.escape(_plain(self.whole))
        return f"<details><summary>The whole traceback</summary><pre>{whole}</pre></details>"


class LessonTB(AutoFormattedTB):
    """IPython's own formatter of tracebacks, which folds torch's frames and shortens paths.

    `%xmode` works as ever: only its mode Context, with which a notebook begins, is folded.
    """

    report: tuple[BaseException, Report] | None = None
    """The last error that was formatted, and both its forms."""

    def __init__(self, shell):
        vars(self).update(vars(shell.InteractiveTB))  # its colours, mode and debugger
        self._shell = shell
        self._folds = self._has_library = False

    def structured_traceback(self, etype, evalue, etb=None, tb_offset=None, context=5):
        """The lines that IPython shows; short ones in mode Context."""
        if self.mode != "Context":
            return super().structured_traceback(etype, evalue, etb, tb_offset, context)
        self._has_library = False
        whole = super().structured_traceback(etype, evalue, etb, tb_offset, context)
        self._folds = True
        try:
            lines = super().structured_traceback(etype, evalue, etb, tb_offset, context)
        finally:
            self._folds = False
        short = [line.rstrip() for line in lines[1:]]  # without the rule above it
        unknown = _name_not_defined(evalue, etb, self._is_cell)
        self.report = evalue, Report(short, whole if self._has_library else None, unknown)
        return short

    def get_records(self, etb, context, tb_offset):
        """The frames; if folded, torch's in one line, and of the others only the line at work."""
        if not self._folds:
            records = super().get_records(etb, context, tb_offset)
        else:
            records = self._folded(etb, tb_offset)
        for record in records:
            if record.filename and not self._is_cell(record.filename):
                record.filename = _short_path(record.filename)
                self._has_library = True
        return records

    def format_record(self, frame_info):
        """The text of one frame."""
        if isinstance(frame_info._sd, _TorchFrames):
            return f"      … {frame_info._sd.description}"
        if not self._folds or frame_info._sd is not None:
            return super().format_record(frame_info)
        # What stack_data was not asked about, as cells of a kernel: here IPython counts lines.
        frame_info.context = 1
        where, *lines = super().format_record(frame_info).rstrip().split("\n")
        return "\n".join([where, *lines[-1:]])

    def _folded(self, etb, tb_offset) -> list[FrameInfo]:
        # Taken out before stack_data sees them, which would take timm's and torch's calls of each
        # other for a recursion, and fold them together.
        kept, before, count = None, {}, 0
        others = []
        for step in _steps(etb):
            if _is_torch(step.tb_frame):
                count += 1
            else:
                others.append(step)
                before[step.tb_frame, step.tb_lineno] = count
                count = 0
        for step in reversed(others):
            kept = TracebackType(kept, step.tb_frame, step.tb_lasti, step.tb_lineno)
        records = []
        for record in super().get_records(kept, 1, tb_offset) if kept else []:
            if number := before.get((record.frame, record.lineno)):
                records.append(_torch_record(number))
            records.append(record)
        if count:
            records.append(_torch_record(count))
        return records

    def _is_cell(self, filename: str) -> bool:
        return self._shell.compile.format_code_name(filename) is not None


class _TorchFrames(RepeatedFrames):
    """A run of torch's frames, which IPython then takes as it takes a recursion: as one line."""

    def __init__(self, number: int):
        self.number = number

    @property
    def description(self) -> str:
        return f"{self.number} frame{'s' * (self.number > 1)} of torch"


def _torch_record(number: int) -> FrameInfo:
    return FrameInfo("", "", 0, None, None, sd=_TorchFrames(number))


def _steps(etb: TracebackType | None) -> Iterator[TracebackType]:
    while etb is not None:
        yield etb
        etb = etb.tb_next


def _is_torch(frame) -> bool:
    return str(frame.f_globals.get("__name__")).split(".")[0] == "torch"


def _short_path(path: str) -> str:
    """A path below the folder where Python finds it: `torch/nn/…`, and `timm 1.0.11/layers/…`."""
    file = Path(path)
    homes = [Path(home) for home in sys.path if home and file.is_relative_to(home)]
    if not homes:
        return file.name
    home = max(homes, key=lambda home: len(home.parts))
    package, *below = file.relative_to(home).parts
    if package == "timm" and (version := getattr(sys.modules.get("timm"), "__version__", "")):
        package = f"timm {version}"
    return "/".join([package, *below])


def _name_not_defined(error, etb, is_cell) -> str | None:
    """The name behind a NameError that a cell itself raised."""
    frames = [step.tb_frame for step in _steps(etb)]
    if isinstance(error, NameError) and frames and is_cell(frames[-1].f_code.co_filename):
        return getattr(error, "name", None)
    return None


def _plain(lines: list[str]) -> str:
    return COLOUR.sub("", "\n".join(lines)).rstrip("\n")


def install(shell) -> None:
    """Have a shell show its errors short, with the whole traceback below."""
    if isinstance(shell.InteractiveTB, LessonTB):
        return
    formatter = shell.InteractiveTB = LessonTB(shell)
    show = shell._showtraceback

    def show_short(etype, evalue, lines):
        show(etype, evalue, lines)
        _report(formatter, evalue, lines).publish_rest()

    shell._showtraceback = show_short


@contextmanager
def caught(shell) -> Iterator[list[Report]]:
    """Errors that the shell would show inside go into a list, and are not shown."""
    reports = []
    show = shell._showtraceback
    shell._showtraceback = lambda etype, evalue, lines: reports.append(
        _report(shell.InteractiveTB, evalue, lines)
    )
    try:
        yield reports
    finally:
        shell._showtraceback = show


def _report(formatter: AutoFormattedTB, error: BaseException, lines: list[str]) -> Report:
    """What is known of an error that is being shown: it may bring a report of its own."""
    if isinstance(own := getattr(error, "report", None), Report):
        return own
    formatted, report = getattr(formatter, "report", None) or (None, None)
    return report if formatted is error else Report(lines)


def last() -> str:
    """The report of this kernel's last error, as JSON; empty if IPython's own lines stand."""
    shell, error = get_ipython(), sys.last_value
    formatter = LessonTB(shell)
    custom = hasattr(error, "_render_traceback_") or isinstance(error, SyntaxError)
    if formatter.mode != "Context" or custom:
        return ""
    formatter.structured_traceback(type(error), error, sys.last_traceback)
    return json.dumps(asdict(formatter.report[1]))
