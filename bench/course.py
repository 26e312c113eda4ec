"""The course against its floor: the same kernels, only importing what the lessons import."""

import ast
import re
import tempfile
import time
from pathlib import Path

import nbformat
import papermill
from IPython.core.inputtransformer2 import TransformerManager

from bench import few
from helpers.runner import catalogue
from helpers.runner.memory import PeakMemory

TRAINING = "compare("
"""What the cell that trains calls; it computes, and has a limit of its own in lesson 02."""


def imports_only(source: str) -> str:
    """What a cell imports and loads, and where; nothing of what it does."""
    head = [line for line in source.splitlines() if line.startswith("%load_ext")]
    if found := re.match(r"%%timm (\S+)", source):
        head = [f"%%timm {found[1]}"]
    body = re.sub(r"\A%%.*\n", "", source)
    tree = ast.parse(TransformerManager().transform_cell(body))  # lines with % and ! are IPython's
    kept = [
        ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    if head and head[0].startswith("%%"):
        return "\n".join([*head, *(kept or ["pass"])])
    values = [ast.unparse(node) for node in tree.body if is_plain_assignment(node)]
    return "\n".join([*head, *kept, *values])


def is_plain_assignment(node: ast.stmt) -> bool:
    """Whether it gives a name a value written out, such as a release that a later line names."""
    if not isinstance(node, ast.Assign) or isinstance(node.targets[0], ast.Attribute):
        return False
    try:
        ast.literal_eval(node.value)
    except ValueError:
        return False
    return True


def seconds(notebook, folder: Path) -> float:
    """Wall time of a notebook under papermill, the cell that trains aside."""
    source, target = folder / "in.ipynb", folder / "out.ipynb"
    nbformat.write(notebook, source)
    begun = time.perf_counter()
    done = papermill.execute_notebook(source, target, progress_bar=False, cwd=folder)
    whole = time.perf_counter() - begun
    training = [cell for cell in done.cells if TRAINING in cell.source]
    return whole - sum(cell.metadata.papermill.duration or 0 for cell in training)


def main() -> None:
    total = floor = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for lesson in catalogue.lessons(catalogue.root())[: few(99)]:
            notebook = nbformat.read(lesson.path, 4)
            with PeakMemory() as peak:
                took = seconds(notebook, folder)
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    cell.source = imports_only(cell.source)
            least = seconds(notebook, folder)
            print(
                f"{lesson.name}: {took:.1f} s, floor {least:.1f} s, {peak.mb} MB at its peak",
                flush=True,
            )
            total, floor = total + took, floor + least
    print(f"course / floor: {total / floor:.2f} (target: at most 1.5)")
