"""The child process that reads files for a rescue, and what its end means to the caller."""

from collections.abc import Callable

from missing_aa.children import Child, Died, NotStarted, Overdue
from missing_aa.errors import CheckpointError, LimitReached, Malformed
from missing_aa.limits import TOO_LONG
from missing_aa.rescuer.messages import Request

READS = "missing_aa.rescuer.extract:answer"
BROKE_DOWN = (
    "reading it broke the process that did (this one is untouched): the file is damaged, was made "
    "to do that, or was changed meanwhile; fetch it again"
)


class Session:
    """A process that reads one file after the other; as a context manager it leaves none behind.

    It starts with the first file, and again after one that it did not survive.
    """

    def __init__(self):
        self._child = Child(READS)

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def start(self) -> None:
        """Start the process now: before there are threads, it can be forked."""
        try:
            self._child.start()
        except NotStarted as error:
            raise CheckpointError("no process can be started here to read files in") from error

    def close(self) -> None:
        """End the process, and whatever it was doing."""
        self._child.close()

    def ask(self, request: Request, wrote: Callable[[int, int], object] = lambda *_: None) -> dict:
        """What the child gives back for one file; `wrote` gets the bytes written, and of how many.

        Raises the CheckpointError or UsageProblem that it met, LimitReached when the time is over,
        Malformed when it broke down over the file.
        """
        self.start()
        seconds = request.limits.seconds
        try:
            return self._child.ask(request.as_dict(), lambda written: wrote(*written), seconds)
        except Overdue:
            raise LimitReached(TOO_LONG.format(seconds)) from None
        except Died:
            raise Malformed(BROKE_DOWN) from None
