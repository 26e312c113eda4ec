"""docs/measured/compat.md: what compat finds of the errors that the atlas saw."""

from collections import Counter
from collections.abc import Iterable

from missing_aa.comparer.findings import Finding
from tools.compat_measured.against_atlas import BEHIND, MET, NOT_HELD, NOT_MET, Error, Seen

HEAD = """\
# What compat finds of the errors that the matrix saw

`missing-aa compat` on each two consecutive releases of the [atlas](../reference/matrix.md), against
what whole pickles of the older met in the newer. Made by `python -m tools.compat_measured.measure`.

**Errors** are those of the cells: an attribute that a class lacks, by class and attribute, however
many models met it; a class or module that is gone. A model that meets one shows nothing of what
lies behind it. **Found**: by a certain finding.

**Findings** are the certain ones. *Met*: the matrix saw just that. *Not met*: a model holds the
class and its forward pass came to its end. The others it cannot judge. *Behind*: each model that
holds the class stopped at another error. *Not held*: none of the {models} models holds it.
Precision is met / (met + not met). The matrix runs a forward pass for evaluation and nothing else:
what is read in training, or for intermediate features, counts as not met.
"""

TABLE = """\
| old → new | models | attributes | found | names | found | findings | met | not met | behind | not held |
|---|---|---|---|---|---|---|---|---|---|---|
"""  # noqa: E501

GROUPS = """\
Apart from each other: what was looked at while compat was written, and what was not. Looked at were
1.0.3 → 1.0.11, 1.0.12 and 1.0.31, 0.9.16 → 1.0.31, and 0.6.13 → 1.0.31, where every file fails at
a name, so that it showed names alone. In the first run, before the others were looked at, 46 of
their 48 errors were found; one of the two misses led to a change since, and is found now. *Of
another kind* are errors that compat does not look for, such as a call of what is None now.

| | errors | found | recall | of another kind | recall with these |
|---|---|---|---|---|---|
{recall}
| | findings met | not met | precision | behind | not held |
|---|---|---|---|---|---|
{precision}"""
UNSEEN, SEEN = "not looked at", "looked at"


def page(rows: list[Seen]) -> str:
    """All of it, in Markdown."""
    models = {model for row in rows for model in row.held}
    groups = {
        part: "".join(of(name, rows) for name in (UNSEEN, SEEN))
        for part, of in (("recall", _recall), ("precision", _precision))
    }
    table = TABLE + "".join(map(_line, rows))
    named = "".join(["## By name\n\n", *_names(rows)])
    return "\n".join([HEAD.format(models=len(models)), table, GROUPS.format(**groups), named])


def _line(row: Seen) -> str:
    errors = [_of(row.errors, kind) for kind in ("missing", "moved")]
    found = [sum(error.is_found(_certain(row)) for error in those) for those in errors]
    said = Counter(map(row.verdict, _certain(row)))
    numbers = [row.models, len(errors[0]), found[0], len(errors[1]), found[1]]
    numbers += [said.total(), said[MET], said[NOT_MET], said[BEHIND], said[NOT_HELD]]
    return f"| {' → '.join(row.pair)} | {' | '.join(map(str, numbers))} |\n"


def _recall(name: str, rows: list[Seen]) -> str:
    errors, found, other = 0, 0, 0
    for row in rows:
        those = [error for error in row.errors if _is_in(name, row, error.kind)]
        errors += len(those)
        found += sum(error.is_found(_certain(row)) for error in those)
        other += len(row.other) * _is_in(name, row, "missing")
    numbers = [errors, found, _ratio(found, errors), other, _ratio(found, errors + other)]
    return f"| {name} | {' | '.join(map(str, numbers))} |\n"


def _precision(name: str, rows: list[Seen]) -> str:
    said = Counter(
        row.verdict(each) for row in rows for each in _certain(row) if _is_in(name, row, each.kind)
    )
    numbers = [said[MET], said[NOT_MET], _ratio(said[MET], said[MET] + said[NOT_MET])]
    numbers += [said[BEHIND], said[NOT_HELD]]
    return f"| {name} | {' | '.join(map(str, numbers))} |\n"


def _is_in(name: str, row: Seen, kind: str) -> bool:
    return row.was_looked_at(kind) == (name == SEEN)


def _ratio(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "–"


def _certain(row: Seen) -> list[Finding]:
    return [each for each in row.findings if each.certain]


def _of(errors: Iterable[Error], kind: str) -> list[Error]:
    return [error for error in errors if error.kind == kind]


def _names(rows: list[Seen]) -> list[str]:
    """What was missed, what was not met, and what the matrix saw of another kind."""
    lines = []
    for row in rows:
        said = [
            f"error not found: `{error}`{_possible(error, row)}"
            for error in sorted(row.errors, key=str)
            if not error.is_found(_certain(row))
        ]
        said += [f"an error that compat does not look for: `{text}`" for text in sorted(row.other)]
        said += [
            f"finding not met: `{each.class_}.{each.attribute}`"
            for each in _certain(row)
            if row.verdict(each) == NOT_MET
        ]
        lines += [f"- {' → '.join(row.pair)}: {each}\n" for each in said]
    return lines


def _possible(error: Error, row: Seen) -> str:
    return " (among the possible findings)" if error.is_found(row.findings) else ""
