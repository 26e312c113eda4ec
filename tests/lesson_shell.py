"""A lesson as the tests play it: a real IPython shell with the magics, and what a cell showed."""

import os
import re

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Lesson:
    """A shell with the magics loaded, and what its last cell showed."""

    def __init__(self):
        self.shell = InteractiveShell.instance()
        before = dict(os.environ)
        self.run("%load_ext helpers.magics")
        os.environ.clear()  # what a lesson's kernel needs, other tests must not get
        os.environ.update(before)

    def run(self, cell, number=None):
        """Run a cell, as `In [number]` if given; returns the error that it ended with, if any."""
        if number is not None:
            self.shell.execution_count = number
        with capture_output() as captured:
            result = self.shell.run_cell(cell, store_history=number is not None)
        self.text = COLOUR.sub("", captured.stdout)
        self.shown = captured.outputs
        return result.error_before_exec or result.error_in_exec

    def __getitem__(self, name):
        return self.shell.user_ns[name]

    @property
    def lines(self):
        """The lines of the one thing that the last cell displayed."""
        (shown,) = self.shown
        return shown.data["text/plain"].split("\n")

    @property
    def page(self):
        """The HTML of the one thing that the last cell displayed."""
        (shown,) = self.shown
        return shown.data["text/html"]
