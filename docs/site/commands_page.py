"""The page of the commands: what argparse knows of each, so that it cannot differ from `--help`."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from as_markdown import plain
from missing_aa.cli import COMMANDS, parser

HEAD = """# The commands

```{include} README.md
:start-after: "## The command"
:end-before: "`make bench`"
```

What follows is what `missing-aa COMMAND --help` prints.
"""
USUAL = ("positional arguments", "options")


def write(folder: Path) -> None:
    """Write the page."""
    # argparse has no public way to what a parser was told.
    (choices,) = [action.choices for action in parser()._actions if action.dest == "command"]
    parts = [HEAD, *(part for name in COMMANDS for part in _command(choices[name]))]
    (folder / "commands.md").write_text("\n".join(parts), encoding="utf-8")


def _command(command: argparse.ArgumentParser) -> Iterator[str]:
    command.color = False  # newer Pythons colour a terminal's help
    yield f"## `{command.prog}`\n\n{plain(command.description)}\n"
    yield f"```text\n{command.format_usage()}```\n"
    formatter = command._get_formatter()
    for group in command._action_groups:
        actions = [one for one in group._group_actions if one.help and one.dest != "help"]
        if actions and group.title not in USUAL:
            yield f"*{group.title[0].upper()}{group.title[1:]}:*\n"
        for action in actions:
            said = plain(formatter._expand_help(action))
            yield f"`{formatter._format_action_invocation(action)}`\n: {said}\n"
