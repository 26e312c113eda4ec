"""python -m helpers kit: one archive that sets a machine up without a network."""

import argparse
from pathlib import Path


def add(commands) -> None:
    from helpers.kit.targets import names

    command = commands.add_parser(
        "kit",
        help="make the archive that sets laptops up without a network",
        description="Make one archive that sets a machine up without a network: the packages for "
        "one kind of machine, the releases of timm, the lessons, and the site if it is built. "
        "Unpacked there, its file `install` does the rest.",
    )
    command.add_argument(
        "--platform",
        metavar="NAME",
        help=f"what kind of machine it is for, by default this one: {names()}",
    )
    command.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="X.Y",
        help="for this Python (the one that runs); may be repeated",
    )
    command.add_argument(
        "--torch-index",
        metavar="URL",
        help="take torch from this index (for Linux PyTorch's own of CPU builds); `none` for "
        "the usual one, which on Linux brings CUDA's libraries, 3 GB",
    )
    command.add_argument("--output", type=Path, metavar="DIR", help="where it goes (build)")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import time

    from helpers.runner import catalogue
    from missing_aa import home
    from missing_aa.cli.output import print_text
    from missing_aa.errors import Problem

    try:
        from helpers.kit import make, targets, wheels
    except ModuleNotFoundError as missing:
        raise Problem(
            f"{missing.name} is not installed; making a kit needs: {home.install('course')}"
        ) from missing

    begun = time.monotonic()
    root = catalogue.root()
    platform = targets.choose_platform(args.platform)
    pythons = targets.choose_pythons(args.python)
    index = args.torch_index or (wheels.CPU_INDEX if platform.linux else "none")
    index = None if index == "none" else index
    archive = make.make(root, platform, pythons, index, args.output or root / "build")
    for note in make.notes(root):
        print_text(f"note: {note}")
    size = archive.stat().st_size
    print_text(f"{archive}: {size / 1e6:,.0f} MB, {time.monotonic() - begun:.0f} s")
    if size > 2**32:
        print_text("note: a stick formatted as FAT32 holds no file above 4.3 GB; exFAT does")
    print_text(
        "On each laptop: unpack it, and in its folder: python3 install (Windows: py .\\install)"
    )
    return 0
