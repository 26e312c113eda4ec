"""Options that several subcommands share."""

import argparse
import math
import re

from missing_aa.limits import DEFAULT, SWITCHES, Limits

UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
HELP = {
    "pickle_bytes": "length of the pickle program",
    "opcodes": "steps of the pickle program",
    "names": "different names that it asks for",
    "objects": "objects walked",
    "depth": "how deep they nest",
    "tensor_bytes": "what all tensors take (eight times the file, at least 1G)",
    "seconds": "wall clock",
}


def add_limits(parser, names: tuple[str, ...] = tuple(SWITCHES)) -> None:
    """Declare the switches that raise these limits; `limits` reads them."""
    for name in names:
        default = getattr(DEFAULT, name)
        parser.add_argument(
            SWITCHES[name],
            dest=name,
            type=as_seconds if name == "seconds" else _amount,
            default=default,
            metavar="N",
            help=HELP[name] if default is None else f"{HELP[name]} ({_short(default)})",
        )


def limits(args: argparse.Namespace) -> Limits:
    """The limits as the person set them."""
    return Limits(**{name: getattr(args, name) for name in SWITCHES if hasattr(args, name)})


def path(text: str) -> str:
    """The name of a file or a folder, for argparse: `"$UNSET"` is none, and not the folder here."""
    if not text:
        raise argparse.ArgumentTypeError("takes a path, and this one is empty")
    return text


def count(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("takes a whole number of at least 1")
    return int(text)


def _amount(text: str) -> int:
    found = re.fullmatch(r"(\d{1,18})([KMGT]?)", text.upper())
    if not found:
        raise argparse.ArgumentTypeError("takes a whole number; K, M, G or T may follow")
    return int(found[1]) * UNITS[found[2]]


def as_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < 10**9:
        raise argparse.ArgumentTypeError("takes a number of seconds above 0")
    return seconds


def _short(amount: float) -> str:
    for unit in "TGM":
        if amount % UNITS[unit] == 0:
            return f"{amount // UNITS[unit]:g}{unit}"
    return f"{amount:,.0f}"
