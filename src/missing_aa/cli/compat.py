"""missing-aa compat: what in a new version of a library breaks old whole-model pickles."""

import argparse


def add(commands) -> None:
    from missing_aa.cli.options import add_limits

    command = commands.add_parser(
        "compat",
        help="say what in a new version of a library breaks old whole-model pickles",
        description="Compare two versions of a package's source, without importing it, and say "
        "what breaks for objects that OLD pickled and NEW uses: attributes that they lack, classes "
        "that are not where they were, states that no longer fit. Each is a folder, a wheel, a "
        "source archive, or a release of any package, as timm==1.0.3. Exit code 1 means findings.",
    )
    command.add_argument("old", metavar="OLD")
    command.add_argument("new", metavar="NEW")
    command.add_argument("--package", metavar="NAME", help="which of several packages in them")
    command.add_argument(
        "--possible",
        action="store_true",
        help="also what only methods that nothing here calls would meet, or what comes after "
        "another finding",
    )
    command.add_argument(
        "--modules-only",
        action="store_true",
        help="leave out what is no torch.nn.Module: datasets, trainers, configurations",
    )
    add_limits(command, ("seconds",))
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the findings as JSON")
    form.add_argument(
        "--github", action="store_true", help="print them as annotations for GitHub Actions"
    )
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from missing_aa.cli.options import limits
    from missing_aa.cli.output import print_text
    from missing_aa.cli.progress import counting
    from missing_aa.cli.render import compat
    from missing_aa.comparer.compare import compare
    from missing_aa.errors import LimitReached

    with counting() as tick:
        comparison = compare(
            args.old, args.new, args.package, args.modules_only, limits(args), tick
        )
    compat.warn(comparison)
    chosen = [each for each in comparison.findings if each.certain or args.possible]
    exit_code = LimitReached.exit_code if comparison.not_done else int(bool(chosen))
    if args.json:
        print(compat.as_json(comparison, exit_code))
    elif args.github:
        print(*compat.annotations(comparison, chosen), sep="\n")
    else:
        print_text("\n".join(compat.lines(comparison, chosen)))
    return exit_code
