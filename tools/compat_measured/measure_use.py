"""Hold the findings against all that old models meet in newer releases, not the first error alone.

    python -m tools.compat_measured.measure_use OLD NEW [OLD NEW…] [--models A,B] [--output FILE]

Each model of the atlas is written whole by OLD, and used in NEW in every way until nothing more is
missing; takes minutes for each pair. --results keeps what they met in a file, and takes it up.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from missing_aa import releases
from missing_aa.comparer.compare import compare
from missing_aa.comparer.findings import Finding
from missing_aa.releases.processes import Trials
from tools.compat_measured.meet import Met, meet, write

HEAD = """\
# What compat finds, and what old models meet

Every model of the atlas, written whole by the older release and used in the newer one. *Met in
forward*: attributes, by class and name, that the forward pass missed, each repaired so that the
next one came to light; *elsewhere*: when the model was printed, trained, given a new head, or asked
for intermediate features. *Gone*: names that the files ask for and the newer release has not.
*Found* counts certain findings, in brackets possible ones too. The last two columns give the
precision: the certain findings about classes that these models hold, and those of them that were
met. Made by `python -m tools.compat_measured.measure_use {pairs}`.

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
    return finding.class_, finding.attribute


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.compat_measured.measure_use")
    parser.add_argument("releases", nargs="+", metavar="OLD NEW")
    parser.add_argument("--models", type=lambda text: text.split(","), metavar="A,B")
    parser.add_argument("--results", type=Path, metavar="FILE", help="what they met, kept")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the table goes")
    args = parser.parse_args(argv)
    if len(args.releases) % 2:
        parser.error("name pairs of releases: OLD NEW")
    pairs = zip(args.releases[::2], args.releases[1::2], strict=True)
    page = render([row(*pair, _kept(args.results, *pair, args.models)) for pair in pairs])
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


def row(old: str, new: str, met: list[Met]) -> Row:
    """What models met, as one row of the table."""
    findings = compare(f"timm=={old}", f"timm=={new}").findings
    made = Row((old, new), len(met), set(), set(), set(), findings)
    for each in met:
        made.gone |= each.gone
        made.classes |= each.classes if not each.gone else each.gone
        made.other += each.other
        for key, stage in each.missing.items():
            (made.forward if stage == "forward" else made.elsewhere).add(key)
    made.elsewhere -= made.forward
    return made


def _kept(path: Path | None, old: str, new: str, models: list[str] | None) -> list[Met]:
    """What the file has for this pair; if nothing, it is measured, and put there."""
    lines = path.read_text("utf-8").splitlines() if path and path.exists() else []
    entries = [json.loads(line) for line in lines]
    if found := [Met.from_dict(each) for each in entries if each["pair"] == [old, new]]:
        return found
    found = measure(old, new, models)
    if path:
        with path.open("a", encoding="utf-8") as file:
            for met in found:
                file.write(json.dumps({"pair": [old, new], **met.as_dict()}) + "\n")
    return found


def measure(old: str, new: str, models: list[str] | None = None) -> list[Met]:
    """Let models meet it, by default those of the atlas. Raises what `releases.fetch` raises."""
    from missing_aa.matrix.models import known_models

    for release in (old, new):
        releases.fetch(release)
    sizes = known_models()
    names = [name for name in sizes if not models or name in models]
    with (
        Trials(2) as trials,
        ThreadPoolExecutor(2) as pool,
        tempfile.TemporaryDirectory(prefix="missing-aa-") as folder,
    ):

        def one(name: str) -> Met | None:
            path = Path(folder, f"{name}.pt")
            try:
                return _meet(trials.under, old, new, name, path, sizes[name])
            finally:
                path.unlink(missing_ok=True)

        return [met for met in pool.map(one, names) if met]


def _meet(under: Callable, old: str, new: str, name: str, path: Path, size: int) -> Met | None:
    """What one model met; None if the older release has none of that name."""
    from missing_aa import inspect

    if not under(old, write, name, str(path)).result():
        return None
    own = [each.name for each in inspect(path).names if each.name.startswith("timm.")]
    met = under(new, meet, name, str(path), size, own).result()
    print(name, *met.missing, *met.gone, sep="\t", file=sys.stderr, flush=True)
    return met


if __name__ == "__main__":
    sys.exit(main())
