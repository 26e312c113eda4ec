"""Every expected failure: a sentence that says what to do, and an exit code."""


class Problem(Exception):
    """An expected failure; its text is one clear sentence, for a terminal and for a notebook."""

    exit_code = 1

    def _render_traceback_(self) -> list[str]:
        """IPython asks for this: the sentence alone, without the frames of this package."""
        return [f"{type(self).__name__}: {self}"]


class UsageProblem(Problem):
    """Words that are off: an unknown option, name or value."""

    exit_code = 2


class CheckpointError(Problem):
    """A checkpoint that cannot be taken as it is; `format` says what it looks like."""

    format = ""


class Unreadable(CheckpointError):
    """The system does not let the file be read, or it is no file."""

    exit_code = 2


class Refused(CheckpointError):
    """It could do harm, or is built in a way that hides what it holds."""

    exit_code = 3


class Malformed(CheckpointError):
    """It is broken, cut short or no checkpoint at all."""

    exit_code = 4

    def __init__(self, message: str, format: str = "unknown"):
        super().__init__(message)
        self.format = format


class TargetExists(CheckpointError):
    """The file to be written is already there."""

    exit_code = 5


class LimitReached(CheckpointError):
    """It asks for more bytes, steps or time than it was granted; the message names the switch."""

    exit_code = 6


def unforeseen(error: Exception) -> CheckpointError:
    """What a damaged file can still lead to, as an error that a person should see."""
    if isinstance(error, MemoryError):
        return LimitReached("it needs more memory than there is")
    if isinstance(error, OSError):  # from a disk that fails, or a server that is gone
        return Unreadable(f"cannot be read: {error if error.filename else error.strerror or error}")
    what = f"{type(error).__name__}: {ascii(str(error))[1:-1][:200]}"
    return Malformed(f"it is damaged in a way that cannot be followed ({what}); fetch it again")
