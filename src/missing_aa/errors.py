"""The one way this package says no: a sentence that tells a person what to do."""


class Problem(Exception):
    """An expected failure; its text is one clear sentence, for a terminal and for a notebook."""

    exit_code = 1

    def _render_traceback_(self) -> list[str]:
        """IPython asks for this: the sentence alone, without the frames of this package."""
        return [f"{type(self).__name__}: {self}"]


class UsageProblem(Problem):
    """Words that are off: an unknown option, name or value."""

    exit_code = 2
