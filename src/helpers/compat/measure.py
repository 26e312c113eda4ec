"""Hold the findings against what old models really meet in newer releases.

    python -m helpers.compat.measure OLD NEW [OLD NEW…] [--models A,B] [--output FILE]
    python -m helpers.compat.measure --matrix build/matrix.jsonl OLD NEW [OLD NEW…]

Each model of the atlas is written whole by OLD, and used in NEW in every way until nothing more is
missing; takes minutes for each pair. With --matrix the errors are those that a file of measured
cells has: the first that each model met; which classes it holds is not told, so precision is left
out.
"""

import argparse
import re
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from helpers import releases
from helpers.compat import compare
from helpers.compat.findings import Finding
from helpers.compat.meeting import MISSING, Met, meet, write
from helpers.errors import UsageProblem
from helpers.trials import Trials

HEAD = """\
# What compat finds, and what old models meet

Every model of the atlas, written whole by the older release and used in the newer one. *Met in
forward*: attributes, by class and name, that the forward pass missed, each repaired so that the
next one came to light; *elsewhere*: when the model was printed, trained, given a new head, or asked
for intermediate features. *Gone*: names that the files ask for and the newer release has not.
*Found* counts certain findings, in brackets possible ones too. The last two columns give the
precision: the certain findings about classes that these models hold, and those of them that were
met. Made by `python -m helpers.compat.measure {pairs}`.

| old → new | models | met in forward | found | elsewhere | found | gone | found | findings | met |
|---|---|---|---|---|---|---|---|---|---|"""


@dataclass
class Row:
    """One pair: what was met, what of it was found, and the findings that nothing bore out."""

    pair: tuple[str, str]
    models: int
    forward: set[tuple[str, str]]
    elsewhere: set[tuple[str, str]]
    gone: set[str]
    findings: list[Finding]
    classes: set[str] = field(default_factory=set)
    other: list[str] = field(default_factory=list)

    def found(self, met: set[tuple[str, str]], possible: bool) -> set[tuple[str, str]]:
        """What of it is among the findings, by class and attribute."""
        kept = [each for each in self.findings if each.certain or possible]
        return met & {_key(each) for each in kept if each.kind == "missing"}

    def found_gone(self) -> set[str]:
        """A module that is gone is found with any name in it."""
        moved = {each.class_ for each in self.findings if each.kind == "moved"}
        return {
            name
            for name in self.gone
            if name in moved or any(each.startswith(f"{name}.") for each in moved)
        }

    def judged(self) -> list[Finding]:
        """The certain findings about classes that were met."""
        return [each for each in self.findings if each.certain and each.class_ in self.classes]

    def borne_out(self, finding: Finding) -> bool:
        met = self.forward | self.elsewhere
        return finding.class_ in self.gone if finding.kind == "moved" else _key(finding) in met


def _key(finding: Finding) -> tuple[str, str]:
    """As an error names it, which knows the class by its last name alone."""
    return finding.class_.rpartition(".")[2], finding.attribute


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m helpers.compat.measure")
    parser.add_argument("releases", nargs="+", metavar="OLD NEW")
    parser.add_argument("--matrix", type=Path, metavar="FILE", help="errors that were measured")
    parser.add_argument("--models", type=lambda text: text.split(","), metavar="A,B")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the table goes")
    args = parser.parse_args(argv)
    if len(args.releases) % 2:
        parser.error("name pairs of releases: OLD NEW")
    pairs = list(zip(args.releases[::2], args.releases[1::2], strict=True))
    if args.matrix:
        rows = [_from_matrix(args.matrix, *pair) for pair in pairs]
    else:
        rows = [measure(*pair, args.models) for pair in pairs]
    page = render(rows)
    if args.output:
        args.output.write_text(page, encoding="utf-8")
    else:
        print(page)
    return 0


def render(rows: list[Row]) -> str:
    """The table, and by name what was missed and what nothing bore out."""
    lines = [HEAD.format(pairs=" ".join(release for row in rows for release in row.pair))]
    details = []
    for row in rows:
        judged = row.judged()
        wrong = [each for each in judged if not row.borne_out(each)]
        numbers = [row.models]
        for met in (row.forward, row.elsewhere):
            found, more = (len(row.found(met, possible)) for possible in (False, True))
            numbers += [len(met), f"{found} ({more})" if more > found else found]
        numbers += [len(row.gone), len(row.found_gone())]
        numbers += [len(judged), len(judged) - len(wrong)] if row.classes else ["–", "–"]
        lines.append(f"| {' → '.join(row.pair)} | " + " | ".join(map(str, numbers)) + " |")
        every = row.forward | row.elsewhere
        missed = sorted(map(".".join, every - row.found(every, True)))
        missed += sorted(row.gone - row.found_gone())
        details += ["", f"## {' → '.join(row.pair)}", ""]
        details += [f"- missed: `{name}`" for name in missed]
        details += [f"- not borne out: `{each.class_}.{each.attribute}`" for each in wrong]
        details += [f"- an error of another kind: {text}" for text in sorted(set(row.other))]
    return "\n".join([*lines, *details, ""])


def measure(old: str, new: str, models: list[str] | None = None) -> Row:
    """Let models meet it, by default those of the atlas. Raises what `releases.fetch` raises."""
    from helpers.checkpoints import inspect
    from helpers.matrix.planning import known_models

    for release in (old, new):
        releases.fetch(release)
    met: list[Met] = []
    with Trials() as trials, tempfile.TemporaryDirectory(prefix="missing-aa-") as folder:
        path = str(Path(folder, "model.pt"))
        for name, size in known_models().items():
            if models and name not in models:
                continue
            if trials.under(old, write, name, path).result():
                names = [each.name for each in inspect(path).names]
                own = [each for each in names if each.startswith("timm.")]
                met.append(trials.under(new, meet, name, path, size, own).result())
                print(name, *met[-1].missing, *met[-1].gone, sep="\t", file=sys.stderr, flush=True)
    row = Row((old, new), len(met), set(), set(), set(), _findings(old, new))
    for each in met:
        row.gone |= each.gone
        row.classes |= each.classes if not each.gone else each.gone
        row.other += each.other
        for (path, attribute), stage in each.missing.items():
            kind = row.forward if stage == "forward" else row.elsewhere
            kind.add((path.rpartition(".")[2], attribute))
    row.elsewhere -= row.forward
    return row


def _findings(old: str, new: str) -> list[Finding]:
    return compare(f"timm=={old}", f"timm=={new}").findings


def _from_matrix(path: Path, old: str, new: str) -> Row:
    """The errors of whole pickles that a file of measured cells has for this pair."""
    from helpers.matrix.results import read

    cells = [
        cell
        for cell in read(path)[1].values()
        if (cell.writer, cell.reader, cell.format) == (old, new, "whole")
    ]
    if not cells:
        raise UsageProblem(f"{path} has no whole pickle written by {old} and read by {new}")
    row = Row((old, new), len(cells), set(), set(), set(), _findings(old, new))
    for outcome in (cell.outcome for cell in cells if cell.outcome.error):
        text = outcome.text
        if missing := MISSING.match(text):
            row.forward.add(missing.groups())
        elif lost := re.match(r"Can't get attribute '([\w.]+)' on <module '([\w.]+)'", text):
            row.gone.add(f"{lost[2]}.{lost[1]}")
        elif lost := re.match(r"No module named '([\w.]+)'", text):
            row.gone.add(lost[1])
        else:
            row.other.append(f"{outcome.error}: {text}")
    return row


if __name__ == "__main__":
    sys.exit(main())
