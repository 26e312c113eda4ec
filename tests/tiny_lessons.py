"""Small lessons for the tests of the runner, and the command that runs them."""

import os
import subprocess
import sys

import nbformat

from missing_aa.releases import warm

COMMAND = [sys.executable, "-m", "helpers", "run"]


def notebook(folder, name, *cells, solution=(), memory_mb=200):
    """Write a lesson: code cells, the first of them tagged `parameters`."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.cells[0].metadata["tags"] = ["parameters"]
    for index in solution:
        book.cells[index].metadata["tags"] = ["solution", "hide-input"]
        book.cells[index].metadata["jupyter"] = {"source_hidden": True}
    book.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    book.metadata["missing_aa"] = {"memory_mb": memory_mb}
    (folder / "notebooks").mkdir(exist_ok=True)
    nbformat.write(book, folder / "notebooks" / f"{name}.ipynb")


def run(project, *words, **places):
    """Run them, with plain kernels: to load torch for forked ones would be most of the work."""
    return subprocess.run(
        [*COMMAND, *words],
        capture_output=True,
        text=True,
        cwd=project,
        env={warm.SWITCH: "0"} | os.environ | places,
        timeout=120,
    )
