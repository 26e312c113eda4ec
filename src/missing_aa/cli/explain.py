"""missing-aa explain: say what an error means, or what the releases make of a checkpoint."""

import argparse
import os
import re
import stat
import sys

from missing_aa.errors import CheckpointError, UsageProblem


def add(commands) -> None:
    from missing_aa.cli.options import add_limits

    command = commands.add_parser(
        "explain",
        help="say what an error means, of whichever library, and the ways out",
        description="Say what an error means, of whichever library, and what leads out of it; for "
        "timm also which releases meet it, from the atlas of measured releases. Nothing is run, "
        "and torch is not needed. Exit code 1 means that the atlas has not met it.",
    )
    command.add_argument(
        "what",
        nargs="+",
        metavar="ERROR",
        help="the text of an error, or a whole traceback; - for one on stdin; a file with one; "
        "a checkpoint; or the name of a model",
    )
    command.add_argument("--json", action="store_true", help="print the answer as JSON")
    limits = command.add_argument_group("limits that a checkpoint may not pass")
    add_limits(limits, ("pickle_bytes", "opcodes", "objects", "depth"))
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import json

    from missing_aa.cli.output import print_text
    from missing_aa.cli.terminal import width
    from missing_aa.explainer.answers import ATLAS, WIDTH

    of, found = _explain(args)
    code = 0 if found.kind == ATLAS else 1
    if args.json:
        print_text(
            json.dumps({"schema": 1, "of": of, **found.as_dict(), "exit_code": code}, indent=2)
        )
    else:
        print_text("\n".join(found.lines(min(WIDTH, width(sys.stdout) or WIDTH))))
    return code


def _explain(args: argparse.Namespace):
    """What was asked for ("error", "checkpoint" or "model"), and the answer."""
    from missing_aa.cli.options import limits
    from missing_aa.explainer import ledger, pasted
    from missing_aa.explainer.explain import explain_text

    what = " ".join(args.what)
    if what == "-":
        return "error", explain_text(pasted.decode(_stdin()))
    if len(args.what) == 1 and os.path.exists(what):
        raw = _text_in(what)
        if raw is not None:
            return "error", explain_text(pasted.decode(raw))
        # So that the commands of the answer take it for no option.
        return "checkpoint", _explain_file(f"./{what}" if what[0] == "-" else what, limits(args))
    if what in ledger.load().models:
        from missing_aa.explainer.checkpoint import of_architecture

        return "model", of_architecture(what)
    if near := _models_like(what, ledger.load().models):
        raise _no_model(what, near)
    if _is_name_of_a_file(what):
        raise UsageProblem(f"there is no file {what}")
    answer = explain_text(what)
    if not answer.ways and _is_a_name(what):
        raise _no_model(what, _models_like(what, ledger.load().models, 0.4))
    return "error", answer


def _no_model(what: str, near: list[str]) -> UsageProblem:
    nearest = f"; the nearest are {', '.join(near)}" if near else ""
    return UsageProblem(
        f"{what} is no model of the atlas{nearest}. Of a file of it, missing-aa check MODEL.pt "
        "says more"
    )


def _explain_file(path: str, granted):
    from missing_aa.explainer.checkpoint import explain_file

    try:
        return explain_file(path, granted)
    except CheckpointError as problem:
        problem.args = (f"{path}: {problem}", *problem.args[1:])
        raise


def _stdin() -> bytes:
    from missing_aa.explainer import pasted

    if sys.stdin is None:  # it was closed
        return b""
    if sys.stdin.isatty():
        print("Paste the error, then press Ctrl-D on a line of its own:", file=sys.stderr)
    return pasted.read_text(sys.stdin.buffer)


def _text_in(path: str) -> bytes | None:
    """What a text file or a pipe holds; None for a checkpoint."""
    from missing_aa.containers.formats import HEAD, is_named_pickle
    from missing_aa.explainer import pasted

    kind = os.stat(path).st_mode
    if stat.S_ISDIR(kind):
        raise UsageProblem(f"{path} is a folder: name the checkpoint in it")
    if stat.S_ISFIFO(kind) and not path.startswith(("/dev/", "/proc/")):  # may have no writer
        raise UsageProblem(f"{path} is a pipe; send what comes through it to: missing-aa explain -")
    if not stat.S_ISREG(kind) and not stat.S_ISFIFO(kind):
        raise UsageProblem(f"{path} is neither a file nor a pipe")
    try:
        with open(path, "rb") as file:
            if stat.S_ISREG(kind):
                if is_named_pickle(path) or not pasted.is_some(file.read(HEAD)):
                    return None
                file.seek(0)
            return pasted.read_text(file)
    except OSError as error:
        raise UsageProblem(f"{path}: cannot be read: {error.strerror or error}") from error


def _is_name_of_a_file(what: str) -> bool:
    from missing_aa.containers.formats import PICKLES

    named = what.lower().endswith((*PICKLES, ".txt", ".log")) or os.sep in what
    return len(what.split()) == 1 and named


def _is_a_name(what: str) -> bool:
    """Whether it is one word as models are called, perhaps with the tag of its weights."""
    return bool(re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)?", what))


def _models_like(what: str, models, like: float = 0.7) -> list[str]:
    """The models of the atlas that one word comes near to; no error is written like that."""
    import difflib

    return difflib.get_close_matches(what, models, 4, like) if _is_a_name(what) else []
