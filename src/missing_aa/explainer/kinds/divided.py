"""Tensors that were divided among processes: all of one size in one dimension, by one factor."""

from missing_aa.explainer.advice import advise
from missing_aa.explainer.answers import Answer
from missing_aa.explainer.errors import Error


def factor(error: Error) -> int:
    """How many times larger the file's tensors are than the model's (negative: smaller); else 0."""
    if error.missing or error.unexpected or len(error.shapes) < 2:
        return 0
    found = {_factor(ours, theirs) for _, ours, theirs in error.shapes}
    matrices = any("," in ours for _, ours, _ in error.shapes)
    return found.pop() if len(found) == 1 and matrices else 0


def _factor(ours: str, theirs: str) -> int:
    """The whole factor of the one dimension in which two shapes differ; 0 if there is none."""
    sizes = [[int(size) for size in one.split(",") if size] for one in (ours, theirs)]
    if len(sizes[0]) != len(sizes[1]):
        return 0
    other = [(one, two) for one, two in zip(*sizes, strict=True) if one != two]
    if len(other) != 1 or 0 in other[0]:
        return 0
    small, large = sorted(other[0])
    if large % small:
        return 0
    return large // small if other[0][0] == large else -(large // small)


def answer(error: Error, times: int) -> Answer:
    """The answer where one factor explains every shape."""
    name, ours, theirs = error.shapes[0]
    size = "smaller" if times < 0 else "larger"
    cut, whole = ("file", "model") if times < 0 else ("model", "file")
    return advise(
        error,
        f"each of these tensors differs in one dimension alone, and all by one factor: they are "
        f"{abs(times)} times {size} in the file ({name}: [{ours}] in the file, [{theirs}] in the "
        "model). So look tensors that were divided among processes (tensor parallelism): as a rule "
        f"the {cut} is a part, cut for {abs(times)} times as many processes as the {whole}. Then "
        "no version is the cause.",
        "Run it with as many processes as the file was cut for (the number of its parts says how "
        "many), or convert it with the script for that of the project that wrote it.",
        "If nothing was divided: make the model with the writer's settings; one of them differs by "
        "that factor.",
        known_by="the shapes in the text",
    )
