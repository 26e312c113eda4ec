"""Execute one lesson with papermill, in this process: `python -m helpers.runner.worker JOB`.

JOB is JSON: `notebook`, `output` and `temp` (folders), and `parameters`. Events go to stdout, one
line of JSON each: `{"done": cells, "total": cells}` as cells end, and `{"error": …}` at the end,
null if all is well. The worker stops, its kernels with it, and takes `temp` away, as soon as its
stdin ends: when whoever started it says so, or is gone.
"""

import _thread
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import nbformat
import papermill
import psutil
from jupyter_client import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_output
from papermill.engines import NBClientEngine, papermill_engines

from helpers.kernels import Provisioner, ThisPython
from helpers.runner import page

Report = Callable[[dict], None]


class LessonKernel(AsyncKernelManager):
    """A manager whose kernel is the Python that runs, over sockets that need no encryption."""

    kernel_spec = ThisPython.kernel_spec

    def __init__(self, **options):
        if os.name == "posix":
            options |= {"transport": "ipc", "ip": str(Path(tempfile.gettempdir(), "k"))}
        super().__init__(**options)
        self.provisioner = Provisioner(kernel_spec=self.kernel_spec, parent=self)


class ReportingEngine(NBClientEngine):
    """papermill's own engine, which also reports how many cells are done."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, *, report: Report, **options):
        cells = nb_man.nb.cells
        last = None
        complete = nb_man.cell_complete

        def cell_complete(cell, cell_index=None, **more):
            nonlocal last
            last = cell
            complete(cell, cell_index, **more)
            report({"done": cell_index + 1, "total": len(cells)})

        nb_man.cell_complete = cell_complete
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **options)
        except DeadKernelError:  # made an error of the cell, shown where it happened
            died = {"ename": "DeadKernelError", "evalue": "the kernel died (out of memory?)"}
            before = [cell.get("execution_count") or 0 for cell in cells if cell is not last]
            last.execution_count = 1 + max(before, default=0)
            last.outputs.append(new_output("error", **died, traceback=[died["evalue"]]))
            nb_man.cell_exception(last)


def execute(
    notebook: Path, output: Path, parameters: dict[str, object], report: Report
) -> str | None:
    """Run a lesson into a notebook and a page in `output`; what went wrong, or None."""
    executed = output / notebook.name
    shown = executed.with_suffix(".html")
    executed.unlink(missing_ok=True)
    shown.unlink(missing_ok=True)
    error = None
    try:
        papermill.execute_notebook(
            _literal(notebook),
            _literal(executed),
            parameters,
            engine_name="reporting",
            progress_bar=False,
            cwd=notebook.parent,
            start_timeout=180,
            iopub_timeout=60,  # a machine with many kernels at work is slow to answer
            kernel_manager_class=LessonKernel,
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
            report=report,
        )
    except papermill.PapermillExecutionError as failure:
        error = f"In [{failure.exec_count}]: {_last_words(failure, executed)}"
    page.write(executed, shown)
    return error


def _last_words(failure: papermill.PapermillExecutionError, executed: Path) -> str:
    """An error's type and the first line of its text."""
    if failure.traceback:
        first_line = failure.evalue.strip().partition("\n")[0]
        return f"{failure.ename}: {first_line}"
    # A UsageError, which IPython only prints. papermill has put two notes above the cell.
    cell = nbformat.read(executed, 4).cells[failure.cell_index + 2]
    printed = "".join(output.get("text", "") for output in cell.outputs).split("\n")
    return next(line for line in [*reversed(printed), failure.ename] if line.strip())


def main(job: dict) -> None:
    """Run the job; its events are the only thing that reaches stdout."""
    papermill_engines.register("reporting", ReportingEngine)
    events = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def report(event: dict) -> None:
        print(json.dumps(event), file=events, flush=True)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_stop_at_end_of_stdin, daemon=True).start()
    try:
        try:
            error = execute(Path(job["notebook"]), Path(job["output"]), job["parameters"], report)
            report({"error": error})
        finally:
            for left in psutil.Process().children(recursive=True):  # stopped while it started
                left.kill()
    except (KeyboardInterrupt, BrokenPipeError):  # the second where nobody listens any more
        shutil.rmtree(job["temp"], ignore_errors=True)
        sys.exit(130)


def _stop_at_end_of_stdin() -> None:
    os.read(sys.stdin.fileno(), 1)
    _thread.interrupt_main()


def _literal(path: Path) -> str:
    """A path for papermill, which fills braces in."""
    return str(path).replace("{", "{{").replace("}", "}}")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
