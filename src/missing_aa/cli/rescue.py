"""missing-aa rescue: get the weights out of checkpoints, without running anything they hold."""

import argparse
from typing import TYPE_CHECKING

from missing_aa.errors import CheckpointError, Problem, UsageProblem

if TYPE_CHECKING:
    from pathlib import Path  # whose import takes a tenth of the time of a help


def add(commands) -> None:
    from missing_aa.cli.options import add_limits

    command = commands.add_parser(
        "rescue",
        help="get the weights out of a checkpoint without running it",
        usage="missing-aa rescue [options] SOURCE TARGET.safetensors\n"
        "       missing-aa rescue [options] SOURCE… --to FOLDER",
        description="Write the weights of a checkpoint as safetensors, bit for bit and under the "
        "writer's names. The file is read in a process of its own, none of its code runs, and "
        "neither torch nor timm nor its classes need be installed. --format timm and --verify-with "
        "need torch and timm.",
    )
    command.add_argument("files", nargs="+", metavar="SOURCE", type=_path)
    command.add_argument("--to", type=_path, metavar="FOLDER", help="write a file for each SOURCE")
    command.add_argument(
        "--root", metavar="NAME", help="which of several models in the file, or which part of one"
    )
    command.add_argument("--force", action="store_true", help="replace a target that is there")
    command.add_argument(
        "--format",
        choices=("safetensors", "timm"),
        default="safetensors",
        help="timm: a folder that timm.create_model('local-dir:FOLDER', pretrained=True) loads",
    )
    command.add_argument(
        "--architecture", metavar="NAME", help="timm's name of the model, for --format timm"
    )
    command.add_argument(
        "--num-classes", metavar="N", type=int, help="of the model, where the file does not say"
    )
    command.add_argument(
        "--model-arg",
        metavar="NAME=VALUE",
        type=_model_arg,
        action="append",
        default=[],
        help="what else timm.create_model has to be given, for --format timm; may be repeated",
    )
    command.add_argument(
        "--verify-with",
        metavar="RELEASE",
        help="also load the file under that timm release and compare; this runs its code",
    )
    command.add_argument("--trust", action="store_true", help="let --verify-with run the file")
    command.add_argument(
        "--even-if-dangerous",
        action="store_true",
        help="write the weights of a file that asks for dangerous names too; it is not run",
    )
    command.add_argument("--json", action="store_true", help="print the reports as JSON")
    add_limits(command.add_argument_group("limits that a file may not pass"))
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import gc
    import signal
    import sys

    from missing_aa.cli import output
    from missing_aa.cli.progress import bar_for
    from missing_aa.cli.render import rescue
    from missing_aa.rescuer import extract  # noqa: F401, before a child is forked, which needs it
    from missing_aa.rescuer.session import Session

    _check_trust(args)
    if args.format != "timm" and (args.num_classes is not None or args.model_arg):
        raise UsageProblem("--num-classes and --model-arg go with --format timm")
    gc.freeze()  # what is imported stays: a child need not look through it
    pairs = _pairs(args)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that it ends in order then, too
    outcomes = []
    with Session() as session:
        session.start()
        with bar_for([source for source, _ in pairs]) as bar:
            for source, target in pairs:
                with bar.file(source) as wrote:
                    outcomes.append(_rescue(args, source, target, session, wrote))
    if args.json:
        print(rescue.as_json(outcomes))
    elif len(outcomes) == 1:
        rescue.print_outcome(outcomes[0])
    else:
        rescue.table(output.console(), outcomes)
    return max(outcome.exit_code for outcome in outcomes)


def _rescue(args: argparse.Namespace, source: "Path", target: "Path", session, wrote):
    """Rescue one file; a problem becomes its outcome, so that the rest goes on."""
    from missing_aa import disk
    from missing_aa.cli.options import limits
    from missing_aa.cli.render.rescue import Outcome
    from missing_aa.rescuer import rescue

    outcome = Outcome(source, target)
    common = {"session": session, "even_if_dangerous": args.even_if_dangerous}
    try:
        if args.format == "timm":
            fit_timm = _fit_timm()
            with disk.partial(source, target, args.force, disk.FOLDER) as folder:
                found = rescue.rescue(source, args.root, limits(args), **common)
                outcome.fit = fit_timm.write(
                    found.state_dict,
                    found.report,
                    args.architecture,
                    folder,
                    args.num_classes,
                    dict(args.model_arg),
                )
            outcome.report = found.report
        else:
            outcome.report = rescue.rescue_to(
                source, target, args.root, args.force, limits(args), wrote=wrote, **common
            )
        if args.verify_with:
            from missing_aa.rescuer import verify

            outcome.verdict = verify.verify(source, target, outcome.report, args.verify_with)
    except Problem as problem:
        outcome.problem = problem
    return outcome


def _path(word: str) -> "Path":
    from pathlib import Path

    from missing_aa.cli.options import path

    return Path(path(word))


def _model_arg(word: str) -> tuple[str, object]:
    """NAME=VALUE: a Python number, tuple, string, True, False or None; other text as it is."""
    import ast

    name, equals, text = word.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"write NAME=VALUE, not {word!r}")
    try:
        return name, ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return name, text


def _fit_timm():
    """The module that makes timm's folders; it needs torch, and the rest of this does not."""
    from missing_aa.rescuer.messages import needs_timm

    try:
        from missing_aa.rescuer import fit_timm
    except ModuleNotFoundError as error:
        raise CheckpointError(needs_timm()) from error
    fit_timm.installed_timm()
    return fit_timm


def _check_trust(args: argparse.Namespace) -> None:
    if args.even_if_dangerous and (args.verify_with or args.trust):
        raise UsageProblem(
            "--even-if-dangerous does not go with --verify-with and --trust, which load the file "
            "for real: a dangerous file is not loaded"
        )
    if not args.verify_with:
        return
    from missing_aa import releases

    releases.locate(args.verify_with)
    if not args.trust:
        raise UsageProblem(
            "--verify-with loads the file for real, which runs whatever it holds; "
            "say --trust if you trust where it comes from"
        )


def _pairs(args: argparse.Namespace) -> list[tuple["Path", "Path"]]:
    """Each source with its target; two sources of one name get targets of two names."""
    from pathlib import Path

    from missing_aa.text import clean, shell_path

    if Path("-") in args.files:
        raise UsageProblem("what comes through a pipe cannot be rescued; save it to a file first")
    suffix = ".safetensors" if args.format == "safetensors" else ""
    if args.to is None:
        if len(args.files) == 1 and args.files[0].exists():
            name = shell_path(str(args.files[0].with_suffix(suffix or "")))
            raise UsageProblem(f"name the target too: SOURCE TARGET, as {name}, or --to FOLDER")
        if len(args.files) != 2:
            raise UsageProblem("name SOURCE and TARGET, or many files and --to FOLDER")
        source, target = args.files
        if suffix and target.suffix != suffix:
            name = shell_path(f"{target.stem}{suffix}")
            raise UsageProblem(f"the target is safetensors: name it like {name}")
        return [(source, target)]
    try:
        args.to.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        name = clean(str(args.to))
        raise UsageProblem(f"cannot make the folder {name}: {error.strerror}") from error
    pairs, taken = [], set()
    for source in args.files:
        number, name = 1, source.stem
        while name.casefold() in taken:  # some file systems know no capitals
            number += 1
            name = f"{source.stem}-{number}"
        taken.add(name.casefold())
        pairs.append((source, args.to / f"{name}{suffix}"))
    return pairs
