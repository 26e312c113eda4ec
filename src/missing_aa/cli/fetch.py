"""missing-aa fetch: bring timm releases into the cache, list them, take them away."""

import argparse


def add(commands) -> None:
    command = commands.add_parser(
        "fetch",
        help="bring the timm releases that the lessons use into the cache",
        description="Bring timm releases into the cache; without RELEASE, those of the lessons.",
    )
    command.add_argument("releases", nargs="*", metavar="RELEASE")
    what = command.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="show which releases are there")
    what.add_argument("--remove", action="store_true", help="take them (or all) away")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from missing_aa import releases
    from missing_aa.cli import output

    for release in args.releases:
        releases.check_known(release)
    if args.list:
        there = [r for r in releases.cached() if not args.releases or r in args.releases]
        output.print_text(f"{releases.cache_folder()}: {', '.join(there) or 'no release'}")
        return 0
    if args.remove:
        for release in args.releases or releases.cached():
            output.print_text(
                f"timm {release}: {'removed' if releases.remove(release) else 'was not there'}"
            )
        return 0
    failed = 0
    for release in args.releases or releases.COURSE:
        was_there = release in releases.cached()
        wrong = releases.damage_of(release) if was_there else ""
        try:
            folder = releases.fetch(release)
            done = f"mended ({wrong})" if wrong else "was there" if was_there else "fetched"
            output.print_text(f"timm {release}: {done}, {folder}")
        except releases.ReleaseProblem as problem:
            output.complain("missing-aa fetch", problem)
            failed = 1
    return failed
