"""The caller's side of the worker: start it, ask it, give it up when its time is over."""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable

from missing_aa import errors
from missing_aa.containers import container
from missing_aa.contents import find_models
from missing_aa.errors import CheckpointError, LimitReached, Malformed
from missing_aa.limits import TOO_LONG
from missing_aa.rescuer.messages import Request

WORKER = [sys.executable, "-P", "-m", "missing_aa.rescuer.worker"]
"""-P: nothing that lies in the current folder, beside a file to be rescued, is imported."""

PROBLEMS = {
    problem.__name__: problem
    for problem in (
        container.Unreadable,
        errors.CheckpointError,
        errors.LimitReached,
        errors.Malformed,
        errors.Refused,
        find_models.WhichRoot,
    )
}
NEEDS = "rescuing needs torch: pip install 'missing-aa[rescue]'"
BROKE_DOWN = (
    "reading it broke the process that did (this one is untouched): the file is damaged, was made "
    "to do that, or was changed meanwhile; fetch it again"
)


class Session:
    """A worker that serves one file after the other; as a context manager it leaves none behind.

    It starts with the first file, and again after one that it did not survive.
    """

    def __init__(self):
        self._process: subprocess.Popen | None = None
        self._serves_many = False

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """End the worker, and whatever it was doing."""
        if self._process:
            _kill(self._process)
            with self._process:  # closes the pipes and waits
                pass
            self._process = None

    def ask(self, request: Request, wrote: Callable[[int, int], object] = lambda *_: None) -> dict:
        """What the worker gives back for one file; `wrote` hears of bytes written, and of how many.

        Raises the CheckpointError or UsageProblem that the worker met, LimitReached when the time
        is over, Malformed when the worker broke down over the file.
        """
        process = self._ready()
        overdue = threading.Event()

        def give_up() -> None:
            overdue.set()
            _kill(process)

        timer = threading.Timer(request.limits.seconds, give_up)
        timer.daemon = True
        timer.start()
        try:
            message = _talk(process, request, wrote)
        except BaseException:
            self.close()
            raise
        finally:
            timer.cancel()
        if message is None or overdue.is_set() or not self._serves_many:
            self.close()
        if overdue.is_set():
            raise LimitReached(TOO_LONG.format(request.limits.seconds))
        if message is None or "died" in message:
            raise Malformed(BROKE_DOWN)
        if "problem" in message:
            raise PROBLEMS[message["problem"]](message["text"])
        return message["result"]

    def _ready(self) -> subprocess.Popen:
        """The worker, started unless it is there and has not ended after its one file."""
        if self._process and self._process.poll() is None:
            return self._process
        self.close()
        if not importlib.util.find_spec("torch"):
            raise CheckpointError(NEEDS)
        with tempfile.TemporaryFile() as said:
            self._process = subprocess.Popen(
                WORKER,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                # No plug-in of torch's is wanted in there.
                env=os.environ | {"TORCH_DEVICE_BACKEND_AUTOLOAD": "0"},
                # A group of its own, so that what it forked ends with it.
                **({} if os.name == "nt" else {"process_group": 0}),
            )
            ready = self._process.stdout.readline()
            if not ready:
                self.close()
                said.seek(0)
                last = (said.read().decode(errors="replace").strip().splitlines() or ["nothing"])[
                    -1
                ]
                raise CheckpointError(
                    f"the process that reads files does not start; it said: {last}"
                )
        self._serves_many = json.loads(ready)["serves_many"]
        return self._process


def _talk(process: subprocess.Popen, request: Request, wrote) -> dict | None:
    """The worker's last word on a file; None if it ended without one."""
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(request.encode())
        process.stdin.flush()
    for line in process.stdout:
        message = json.loads(line)
        if "wrote" not in message:
            return message
        wrote(message["wrote"], message["total"])
    return None


def _kill(process: subprocess.Popen) -> None:
    with contextlib.suppress(ProcessLookupError):
        if os.name == "nt":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
