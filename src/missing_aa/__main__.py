"""`python -m missing_aa`, and the command `missing-aa`."""

import sys


def leave_out_the_current_folder() -> None:
    """Take what is relative, empty or the current folder from where Python looks for modules.

    Nothing that lies beside a file to be read may be imported, by this process or one that it
    starts; so this comes before every other import. The place of this package stays.
    """
    os = sys.modules["os"]  # Python itself has imported it
    try:
        here = os.getcwd()
    except FileNotFoundError:  # the folder is gone
        here = ""
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

    def kept(entries: list[str]) -> list[str]:
        whole = [own if os.path.abspath(entry) == own else entry for entry in entries]
        return [e for e in whole if e == own or (os.path.isabs(e) and os.path.abspath(e) != here)]

    sys.path[:] = kept(sys.path)
    os.environ["PYTHONSAFEPATH"] = "1"
    if "PYTHONPATH" in os.environ:
        entries = os.environ["PYTHONPATH"].split(os.pathsep)
        os.environ["PYTHONPATH"] = os.pathsep.join(kept(entries))


def main() -> int:
    """Run the command line; returns the exit code."""
    try:
        leave_out_the_current_folder()
        from missing_aa.cli import main as command

        return command()
    except KeyboardInterrupt:  # before a command was there to say so
        if sys.stderr is not None:
            print("missing-aa: stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
