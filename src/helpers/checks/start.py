"""Checks of the first exercises: what the failing cell showed."""

from helpers.checks.verdict import exercise


@exercise
def failing_step(answer: str) -> str | None:
    """The step at which the whole-model pickle failed: save, load or forward."""
    if answer == "save":
        return "the file was written by the other cell, and that one was fine"
    if answer == "load":
        return "which word did the cell print just before the traceback?"
    if answer != "forward":
        return f'{answer!r} is none of "save", "load" and "forward"'
    return None


@exercise
def works_in_1_0_12(answer: bool) -> str | None:
    """Whether the file of 1.0.3 runs in 1.0.12."""
    if not isinstance(answer, bool):
        return f"{answer!r} is neither True nor False"
    if not answer:
        return "did the cell really run under 1.0.12? Let it print timm.__version__"
    return None
