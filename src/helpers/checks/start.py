"""Checks of the first exercises: who asked for `aa`, and what other releases make of the file."""

from helpers.checks.verdict import exercise, given

RIGHT = {"0.6.13": "load", "1.0.12": "runs", "1.0.31": "runs"}
"""Release -> what becomes there of a file of 1.0.3: it runs, or the step at which it fails."""


@exercise
def who_asked(answer: str) -> str | None:
    """The method of timm in whose frame the missing attribute was asked for."""
    if not isinstance(answer, str):
        return f"a text in quotes is asked for, and this is a {type(answer).__name__}"
    name = answer.strip().partition("(")[0]
    if name == "ConvNormAct.forward":
        return None
    if "load" in name:
        return '"loaded" was printed: the error came after that'
    if ".py" in name:
        return 'that is a file; the function stands beside it, behind "in"'
    if "__init__" in name:
        return "__init__ is in no frame of the traceback: it did not run"
    if "__" in name or name.startswith(("torch", "Module.")):
        return "that is torch's, and only says the sentence; who of timm had asked?"
    if name in ("ConvNormAct", "forward"):
        return "half of it: the class and the method, with a dot between them"
    if name.endswith(".forward") or "forward_" in name:
        return "that one handed the image on; which frame of timm is the last one?"
    return f"{answer!r} is no function of timm in the traceback"


@exercise
def outcomes(answer: dict[str, str]) -> str | None:
    """What becomes of the file of 1.0.3 in other releases: runs, or fails at load or forward."""
    for release, outcome in answer.items():
        if given(outcome) not in ("runs", "load", "forward"):
            return f'{release}: {outcome!r} is none of "runs", "load" and "forward"'
    if missing := RIGHT.keys() - answer.keys():
        return f"there is no answer for {', '.join(sorted(missing))}"
    for release, right in RIGHT.items():
        if right == "load" and answer[release] == "forward":
            return f'{release}: was "loaded" printed before the error?'
        if answer[release] != right:
            return f"{release}: did the cell run under it? Look at the first line that it prints"
    return None
