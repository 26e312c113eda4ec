"""What a check answers, and the decorator that makes a check out of a function."""

import functools
import html
from collections.abc import Callable
from dataclasses import dataclass

OPEN = "not yet solved: replace the `...` by your answer and run the cell again"


NO_RETURN = (
    "your function returned None; a function gives back what stands behind `return`, and "
    "None where there is no `return`"
)


@dataclass(frozen=True)
class Verdict:
    """The result of one exercise: solved when there is no hint left to give."""

    exercise: str
    status: str  # "solved", "wrong" or "open"
    hint: str = ""

    @property
    def solved(self) -> bool:
        return self.status == "solved"

    def __str__(self) -> str:
        name = self.exercise.replace("_", " ")
        return {
            "solved": f"✓ {name}: correct",
            "open": f"○ {name}: {self.hint}",
            "wrong": f"✗ {name}: not yet: {self.hint}",
        }[self.status]

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        colour = {"solved": "#0072b2", "open": "#767676", "wrong": "#d55e00"}[self.status]
        style = f"border-left: 4px solid {colour}; padding: 0.3em 0.8em; margin: 0.3em 0"
        box = f'<div role="status" style="{style}">{html.escape(str(self))}</div>'
        record = {"exercise": self.exercise, "status": self.status}
        return {"text/plain": str(self), "text/html": box}, {"missing_aa": record}


class NotYet(Exception):
    """Nothing was handed in."""


class Nothing(NotYet):
    """None was handed in: by a stub, or by a function that forgot its `return`."""


def given(value: object) -> object:
    """The value, if there is one. Raises NotYet for the `...` or None that a stub leaves."""
    if value is None:
        raise Nothing
    if value is ...:
        raise NotYet
    return value


def is_stub(answer: object) -> bool:
    """Whether a function is as the lesson left it: its body is `...` and nothing else."""
    code = getattr(answer, "__code__", None)
    return code is None or code.co_code == _stub.__code__.co_code


def _stub(): ...


def exercise(check: Callable[..., str | None]) -> Callable[..., Verdict]:
    """Make a check out of a function that takes an answer and returns a hint, or None if right.

    An answer that is missing is `open`. One whose code raises, or returns None, is `wrong`.
    """

    @functools.wraps(check)
    def judge(*answer) -> Verdict:
        try:
            for part in answer:
                given(part)
            hint = check(*answer)
        except NotYet as missing:
            if not isinstance(missing, Nothing) or all(map(is_stub, answer)):
                return Verdict(check.__name__, "open", OPEN)
            hint = NO_RETURN
        except Exception as error:
            hint = f"your code raised {type(error).__name__}: {error}"
        return Verdict(check.__name__, "wrong" if hint else "solved", hint or "")

    return judge
