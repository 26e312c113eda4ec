"""Values that may travel between the kernels of a lesson: plain ones, that JSON carries exactly."""

import json

from missing_aa.errors import UsageProblem

ADVICE = (
    "only numbers, strings, booleans, None, and lists and dictionaries of them travel between "
    "kernels; save tensors to a file in the folder `work`"
)


def dump(name: str, value: object) -> str:
    """JSON text of a plain value. Raises UsageProblem, which names the value, for any other."""
    _check(name, value)
    return json.dumps(value)


def _check(name: str, value: object) -> None:
    # Exact types: JSON would turn a tuple into a list, and a numpy number into an error, unasked.
    if type(value) is list:
        for item in value:
            _check(name, item)
    elif type(value) is dict and all(type(key) is str for key in value):
        for item in value.values():
            _check(name, item)
    elif value is not None and type(value) not in (bool, int, float, str):
        what = "a dictionary with keys that are not strings" if type(value) is dict else ""
        raise UsageProblem(f"{name!r} is or holds {what or type(value).__name__}: {ADVICE}")
