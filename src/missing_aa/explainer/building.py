"""From the cases of an error to its answer."""

from helpers.explain.answers import GENERAL, Answer
from helpers.explain.changes import PLACES, changed, is_upgrade
from helpers.explain.errors import Error
from helpers.explain.ledger import Case, Ledger
from helpers.explain.ways import at_newest, everyone, ways
from helpers.explain.windows import again, windows

UNKNOWN = (
    "nothing that was measured. If it came from a file that holds a whole model, that file is tied "
    "to the code that wrote it, and these ways lead out whatever the error is."
)


def from_cases(
    kind: str,
    error: Error,
    cases: list[Case],
    ledger: Ledger,
    files: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    what: str = "",
) -> Answer:
    """The answer that these cases give."""
    places = dict.fromkeys(case.where for case in cases)
    models = dict.fromkeys(case.model for case in sorted(cases, key=lambda one: -len(one.readers)))
    return Answer(
        kind,
        str(error),
        what or changed(error, is_upgrade(cases), files),
        "; or ".join(PLACES[place] for place in places),
        tuple(windows(cases, ledger.releases)),
        sum(len(case.readers) for case in cases),
        tuple(models),
        again(cases, ledger),
        tuple(ways(error, cases, ledger)),
        notes + silent(cases, ledger),
    )


def silent(cases: list[Case], ledger: Ledger) -> tuple[str, ...]:
    """A word on models whose weights load and give another output."""
    found = ledger.silent("rescued", at_newest(cases, ledger))
    if not found:
        return ()
    worst = ", ".join(
        f"{model} ({difference:.1%})" if difference else f"{model} (another shape)"
        for model, difference in sorted(found.items(), key=lambda item: -(item[1] or 9))[:3]
    )
    return (
        f"the weights of {len(found)} of these models load in {ledger.releases[ledger.newest]} "
        f"without an error and give another output: {worst}. Compare outputs before you rely on "
        "them.",
    )


def general(error: str, ledger: Ledger, what: str = UNKNOWN) -> Answer:
    """The way out of whatever a checkpoint from another release brings."""
    return Answer(GENERAL, error, what, ways=tuple(everyone(ledger)))
