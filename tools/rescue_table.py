"""Rescue one small architecture of every timm model file, written by several releases.

    python -m tools.rescue_table [RELEASE…] [--only WORD] [--output docs/measured/rescue.md]

Each is written whole by the release, with all its weights perturbed, together with its state_dict
and its output. Then it is rescued, compared with the state_dict bit for bit, fitted into the
installed timm, and its output there compared with the writer's. Takes tens of minutes.
"""

import argparse
import json
import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from missing_aa import releases
from missing_aa.errors import Problem
from missing_aa.releases.processes import Trials
from missing_aa.rescuer.messages import Report
from missing_aa.rescuer.rescue import rescue_to
from missing_aa.rescuer.session import Session
from missing_aa.tensors import TOLERANCE, difference, fixed_input, output_of, perturb

WRITERS = ("0.6.13", "0.9.16", "1.0.3", "1.0.15", releases.CURRENT)
SMALL = "test zepto atto femto pico nano mini tiny xxs xs xxt xt ti t n small s 035 050 10 14 18"
RESCUED = "rescued.safetensors"
TRIED = 4
"""How many models of a file, by the size that their names speak of, have their weights counted."""


HEAD = """\
# What rescue brings home

One small architecture of every timm model file, written whole by each release with all its weights
perturbed. *Bit for bit*: what rescue gives is the state_dict that the release saved, in names,
order, types and bits. *Fits*: timm {timm} loads all of it strictly, through its own filter and
under its own present names (`--format timm`). *Same output*: there, as the writer's, within a
relative tolerance of {tolerance:g}. Made by
`python -m tools.rescue_table --output docs/measured/rescue.md`.

| writer | architectures | bit for bit | fits | same output |
|---|---|---|---|---|"""


@dataclass
class Result:
    """What became of one architecture; a text says why not."""

    name: str
    written: str = ""
    rescued: str = ""
    fitted: str = ""
    output: str = ""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.rescue_table")
    parser.add_argument("releases", nargs="*", default=WRITERS, metavar="RELEASE")
    parser.add_argument("--only", default="", metavar="WORD", help="architectures with it in them")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the table goes")
    args = parser.parse_args(argv)
    os.nice(10)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # a release each; the work is in processes
        found = pool.map(lambda release: survey(release, args.only), args.releases)
        results = dict(zip(args.releases, found, strict=True))
    table = render(results)
    if args.output:
        args.output.write_text(table)
    else:
        print(table)
    return 0


def render(results: dict[str, list[Result]]) -> str:
    """The page: a line for each release, and every failure by name."""
    import timm

    lines = [HEAD.format(timm=timm.__version__, tolerance=TOLERANCE)]
    failures = []
    for release, found in results.items():
        written = [result for result in found if not result.written]
        rescued = [result for result in written if not result.rescued]
        fitted = [result for result in rescued if not result.fitted]
        equal = [result for result in fitted if not result.output]
        numbers = (len(part) for part in (written, rescued, fitted, equal))
        lines.append(f"| {release} | " + " | ".join(map(str, numbers)) + " |")
        failures += ["", f"## {release}", ""]
        failures += [f"- {line}" for result in found if (line := _failure(result))] or ["None."]
    return "\n".join([*lines, *failures, ""])


def _failure(result: Result) -> str:
    for stage in ("written", "rescued", "fitted", "output"):
        if reason := getattr(result, stage):
            stage = {"output": "another output", "fitted": "does not fit"}.get(
                stage, f"not {stage}"
            )
            return f"`{result.name}`: {stage}: {reason}"
    return ""


def survey(release: str, only: str = "") -> list[Result]:
    """Rescue what one release writes. Raises ReleaseProblem if it cannot be had."""
    releases.fetch(release)
    results = []
    with Trials(1) as trials, Session() as session:
        for name in trials.under(release, _choose, only).result():
            with tempfile.TemporaryDirectory(prefix="missing-aa-") as folder:
                result = Result(name)
                _follow(result, release, Path(folder), trials, session)
            results.append(result)
            print(release, *vars(result).values(), sep="\t", file=sys.stderr, flush=True)
    return results


def _follow(result: Result, release: str, folder: Path, trials: Trials, session: Session) -> None:
    """Take one architecture as far as it goes."""
    result.written = _reason(trials.under(release, _write, result.name, str(folder)))
    if result.written:
        return
    try:
        report = rescue_to(folder / "model.pt", folder / RESCUED, session=session)
    except Problem as problem:
        result.rescued = f"{type(problem).__name__}: {problem}"
        return
    result.rescued = _compare(folder / RESCUED, folder / "state_dict.pt")
    run = trials.submit(_fit, report, result.name, str(folder))
    result.fitted = _reason(run)
    result.output = "" if result.fitted else run.result()


def _reason(run) -> str:
    """The error that a run in another process met; "" if none."""
    try:
        run.result()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".split("\n")[0]
        return reason if len(reason) <= 200 else reason[:200].rpartition(" ")[0] + " …"
    return ""


def _compare(rescued: Path, saved: Path) -> str:
    """What is not as the release saved it: names, order, types, bits; "" if nothing."""
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file

    from missing_aa.tensors import identical

    found, wanted = load_file(rescued), torch.load(saved, weights_only=True)
    with safe_open(rescued, "pt") as file:
        order = json.loads(file.metadata()["order"])
    if order != list(wanted) or found.keys() != wanted.keys():
        return "other names, or in another order"
    for name, value in wanted.items():
        if found[name].dtype != value.dtype or not identical(found[name], value):
            return f"{name} differs"
    return ""


# What follows runs in processes of its own, each under one release.


def _choose(only: str) -> list[str]:
    """Of every model file the smallest of a few architectures whose names speak of a small size."""
    import timm

    modules = getattr(timm, "list_modules", None) or timm.models.registry.list_modules
    chosen = []
    for module in modules():
        names = sorted(timm.list_models(module=module), key=size_by_name)[:TRIED]
        sizes = {name: parameters(name) for name in names}
        if names and only in (smallest := min(sizes, key=sizes.get)):
            chosen.append(smallest)
    return chosen


def parameters(name: str) -> int:
    """How many numbers an architecture learns, in the timm that is seen."""
    import timm
    import torch

    try:
        with torch.device("meta"):
            model = timm.create_model(name)
    except Exception:  # some models work out numbers while they are made
        model = timm.create_model(name)
    return sum(weight.numel() for weight in model.parameters())


def size_by_name(name: str) -> tuple:
    """A key that sorts architectures by the size that their names speak of."""
    parts = set(re.split(r"[_.]|(?<=[a-z])(?=\d)", name))
    place = next((at for at, word in enumerate(SMALL.split()) if word in parts), len(SMALL))
    return place, [int(number) for number in re.findall(r"\d+", name)], name


def _write(name: str, folder: str) -> None:
    import timm
    import torch

    torch.manual_seed(0)
    model = perturb(timm.create_model(name))
    torch.save(model, f"{folder}/model.pt")
    torch.save(model.state_dict(), f"{folder}/state_dict.pt")
    size = model.default_cfg["input_size"]
    torch.save({"size": size, "output": _answer(model, size)}, f"{folder}/output.pt")


def _answer(model, size):
    channels, _, width = size
    return output_of(model.eval().float(), fixed_input(width, channels))


def _fit(report: Report, name: str, folder: str) -> str:
    """Load it in the installed timm; how its output differs from the writer's, "" if not at all."""
    import timm
    import torch
    from safetensors.torch import load_file

    from missing_aa.rescuer import fit_timm

    torch.set_num_threads(1)  # as the writer: some models make much of another order of sums
    fit_timm.write(load_file(f"{folder}/{RESCUED}"), report, name, Path(folder, "timm"))
    model = timm.create_model(f"local-dir:{folder}/timm", pretrained=True)
    wanted = torch.load(f"{folder}/output.pt", weights_only=True)
    off = difference(_answer(model, wanted["size"]), wanted["output"])
    return "" if off <= TOLERANCE else f"off by {off:.1%}"


if __name__ == "__main__":
    sys.exit(main())
