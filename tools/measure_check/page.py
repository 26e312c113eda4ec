"""docs/measured/check.md: what `check` foretold, and what happened."""

import re
from collections.abc import Callable, Iterable

from tools.measure_check.libraries import SIDES, ways
from tools.measure_check.pairs import Pair
from tools.measure_check.timm_pairs import ERAS, READERS

HEAD = """\
# What check foretells, and what happens

`missing-aa check` on whole files that real releases wrote, against what real releases then met when
they loaded each file and ran an evaluating forward pass. A pair is a file and a reader. Made by
`python -m tools.measure_check`.

*Fails*: an error while the file is loaded, in `eval()` or in `forward`. *Foretold*: failing pairs
with a finding. *False*: running pairs with one. *First right*: of the failing pairs with a finding,
those whose first finding is the error that came, its class and its whole text. *Not followed*: of
the pairs without a certain finding, those of which `check` says that something was not followed, or
that too little was walked to tell. *Certain* counts certain findings alone, *with possible* all.

## timm

{files} files, as many of each era of the writer, and {readers} readers for each: five that fail and
five that run, where the [atlas](../reference/matrix.md) has so many, which has measured what they
meet; else more of the others. So the shares of the table are not those of the atlas, where
{share} of such pairs fail. The files were written anew. They were drawn after the code was frozen:
by the hash of the commit that froze it, {commit}, as a number.
"""

TABLE = """\
| {first} | pairs | fail | run | foretold, certain | false | first right | foretold, with possible | false | first right | not followed |
|---|---|---|---|---|---|---|---|---|---|---|
"""  # noqa: E501

TRIVIAL = """\
Beside it, two that look at no code, on the same pairs:

| | foretold | false |
|---|---|---|
"""

WRONG = """
Where the certain findings or the first of them were wrong:

| pairs | what came | the first certain finding |
|---|---|---|
"""

OTHERS = """\
## Other libraries

Each release writes whole models with fresh weights, each newer one reads them; of ultralytics, in
whose pairs of that kind nothing fails, each older one as well. Every release is
installed from its own wheels, in a venv of its own, and asked by `check --python`; torchvision
0.29.1 is that of this project. The torch is one and the same for all releases of a library, but for
torchvision's, which is tied to it: so its table shows torch's own changes too. These pairs were not
drawn; all that were run are here, and what stands in no table was not measured.
"""


LOOKED_AT = {
    "segmentation_models_pytorch": """\
At first the findings for readers of 0.6.0 were only possible, for a base of `huggingface_hub` has
an `__init_subclass__`: of the 176 that fail 153 had a certain finding, and none of the 54 that run.
`check` was changed then, and asked again.
""",
    "torchvision": """\
At first `vit_b_32` was called failing, one of the 86 that run: `check` took what it did not know of
a tensor for a method. It was changed then, and asked again.
""",
    "transformers": """\
The table is no blind measure. At first, of the 22 pairs of 4.30.2 → 4.40.2, 4.41.0 and 4.48.0 that
fail 7 had a certain finding and 13 any; none of the 44 that run had one. `check` was changed twice
(decorators that change a text, `os.path`, names that lazy packages tell type checkers; names that a
module's top puts on a class, imports of optional packages, names that a class maps), and asked
again. What 4.40.2 and 4.41.0 wrote was put to 4.48.0 after that only: the 46 pairs are blind.
4.57.6 was asked later still: at first, of the 86 of its pairs that fail, 19 had a certain finding
and 82 any; of the 5 that run none had a certain one. `check` was changed then (a `__getattribute__`
that maps names, decorators that give back what they got, what an object lacks in a plain call), and
asked again.
""",
    "ultralytics": """\
None of these pairs was looked at while `check` was made. Asked again later, it called 10 of the 78
that fail only possible, for the sake of arguments that `forward` hands on, and was changed. A newer
release read all that an older one wrote; what fails was written by a newer release than its reader.
""",
}
"""What of a library's pairs was looked at while `check` was made, and what came of it."""

SINCE = """
The code of `check` was changed after that, for what other libraries showed, and timm was not
measured again: the figures are those of that commit.
"""


def page(
    commit: str, of_timm: list[Pair], of_others: list[Pair], since: bool = False, before: str = ""
) -> str:
    """The page; `commit` is the one that froze the code, which was changed `since` or not.

    A library of which no pairs are kept has its table of the page as it was `before`.
    """
    files = {(pair.writer, pair.model) for pair in of_timm}
    text = HEAD.format(files=len(files), readers=READERS, commit=f"`{commit}`", share=_in_atlas())
    text += SINCE if since else ""
    text += "\n" + _table("era of the writer", of_timm, list(ERAS), lambda pair: pair.group)
    distinct = {pair.met for pair in of_timm if pair.met}
    text += f"\nThe failing pairs met {len(distinct)} different errors.\n\n"
    text += TRIVIAL + _trivial(of_timm) + _wrong(of_timm) + "\n" + OTHERS
    for library in SIDES:
        those = [pair for pair in of_others if pair.group == library]
        if those:
            text += f"\n### {library}\n\n{_library(library, those)}"
            text += "\n" + LOOKED_AT[library] if library in LOOKED_AT else ""
        elif old := re.search(rf"\n### {library}\n.*?(?=\n### |\nNot measured:|\Z)", before, re.S):
            text += old[0]
    missing = [library for library in SIDES if f"\n### {library}\n" not in text]
    return text + (f"\nNot measured: {', '.join(missing)}.\n" if missing else "")


def _in_atlas() -> str:
    from missing_aa.matrix import atlas
    from missing_aa.matrix.cells import ERROR

    whole = [cell for cell in atlas.load().cells if cell.format == "whole"]
    return _share(sum(cell.outcome.result == ERROR for cell in whole), len(whole))


def _table(
    first: str, pairs: list[Pair], groups: Iterable[str], group_of: Callable[[Pair], str]
) -> str:
    rows = [(each, [pair for pair in pairs if group_of(pair) == each]) for each in groups]
    rows = [(name, those) for name, those in rows if those]
    rows.append(("**all**", pairs))
    return TABLE.format(first=first) + "".join(
        f"| {name} | {_row(those)} |\n" for name, those in rows
    )


def _row(pairs: list[Pair]) -> str:
    fail = [pair for pair in pairs if pair.met]
    run = [pair for pair in pairs if not pair.met]
    cells = [len(pairs), len(fail), len(run)]
    for findings in (lambda pair: pair.certain, lambda pair: pair.found):
        foretold = [pair for pair in fail if findings(pair)]
        right = [pair for pair in foretold if findings(pair)[0] == pair.met]
        false = sum(bool(findings(pair)) for pair in run)
        cells += [_of(len(foretold), len(fail)), false, _of(len(right), len(foretold))]
    unsure = [pair for pair in pairs if not pair.certain]
    cells.append(_of(sum(bool(pair.notes) for pair in unsure), len(unsure)))
    return " | ".join(map(str, cells))


def _trivial(pairs: list[Pair]) -> str:
    rules: dict[str, Callable[[Pair], bool]] = {
        "always fails": lambda pair: True,
        "fails if the version differs": lambda pair: pair.writer != pair.reader,
    }
    lines = []
    for name, rule in rules.items():
        foretold = [rule(pair) for pair in pairs if pair.met]
        false = [rule(pair) for pair in pairs if not pair.met]
        counts = _of(sum(foretold), len(foretold)), _of(sum(false), len(false))
        lines.append(f"| {name} | {counts[0]} | {counts[1]} |\n")
    return "".join(lines)


def _wrong(pairs: list[Pair]) -> str:
    """The pairs on which the certain findings, or the first of them, were wrong."""
    alike: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        said = pair.certain[0] if pair.certain else None
        if said != pair.met:
            key = _cell(pair.met or "it runs"), _cell(said or "nothing certain")
            alike.setdefault(key, []).append(pair)
    lines = []
    for (came, said), those in alike.items():
        first = f"{len(those)}, as `{those[0].model}`, {those[0].writer} → {those[0].reader}"
        lines.append(f"| {first} | {came} | {said} |\n")
    return WRONG + "".join(lines) if lines else ""


def _library(library: str, pairs: list[Pair]) -> str:
    names = [f"{writer.version} → {reader.version}" for writer, reader in ways(library)]
    text = _table("writer → reader", pairs, names, lambda pair: f"{pair.writer} → {pair.reader}")
    return text + _wrong(pairs)


def _cell(text: str) -> str:
    return f"`{text[:150]}`".replace("|", "\\|")


def _of(part: int, whole: int) -> str:
    return f"{part} of {whole}" if whole else "–"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}".replace("%", " %")
