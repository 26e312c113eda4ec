"""The lesson that stands alone: its pictures are those drawn now, and it needs only torch."""

import ast
import base64
import io
import re
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from PIL import Image
from tools import ten_minutes_pictures

from helpers.runner import catalogue

NOTEBOOK = ten_minutes_pictures.NOTEBOOK
IMAGE = re.compile(r"!\[([^\]]*)\]\(attachment:(\w+\.png)\)")


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(NOTEBOOK, 4)


def texts(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def attached(notebook):
    """File name -> text alternative and PNG of each picture that a text shows."""
    return {
        name: (alt.replace(r"\_", "_"), cell.attachments[name]["image/png"])
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for alt, name in IMAGE.findall(cell.source)
    }


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")).astype(int)


def test_its_pictures_are_those_that_are_drawn_from_its_objects_now(notebook):
    there, drawn = attached(notebook), ten_minutes_pictures.draw(notebook)
    assert there.keys() == drawn.keys() == {"pickle_story.png", "staircase.png"}
    for name, (alt, png) in drawn.items():
        old, new = pixels(there[name][1]), pixels(png)
        assert there[name][0] == alt and old.shape == new.shape
        assert np.abs(old - new).mean() < 1, name  # letters may be smoothed a little otherwise


def test_a_picture_is_small_enough_to_be_carried_in_the_file(notebook):
    for name, (alt, png) in attached(notebook).items():
        assert len(base64.b64decode(png)) <= 60_000, name
        assert len(alt.split()) > 20


def test_the_command_leaves_the_notebook_as_it_is_when_nothing_has_changed(notebook):
    again = nbformat.read(NOTEBOOK, 4)
    ten_minutes_pictures.attach(again, attached(notebook))
    assert nbformat.writes(again) + "\n" == NOTEBOOK.read_text(encoding="utf-8")


def test_it_is_read_in_ten_minutes(notebook):
    words = sum(len(IMAGE.sub("", text).split()) for text in texts(notebook))
    assert words <= 650 and len(notebook.cells) <= 16
    assert "*About 10 minutes." in texts(notebook)[0] and notebook.metadata.missing_aa.minutes == 10
    assert "\n".join(texts(notebook)).count("**Predict.**") >= 3


def test_every_question_has_one_answer_and_says_what_the_others_mistake(notebook):
    questions = re.findall(r"\*\*[^*]+\?\*\*((?:\s*<details>.*</details>)+)", texts(notebook)[-1])
    assert len(questions) >= 3
    for answers in questions:
        said = re.findall(r"</summary>(Yes|No)\b", answers)
        assert said.count("Yes") == 1 and len(said) == answers.count("<details>") >= 3


def test_the_file_holds_no_outputs_and_no_leftovers(notebook):
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None
        assert cell.metadata.keys() <= {"tags", "jupyter"}


def test_it_imports_torch_and_the_standard_library(notebook):
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            found.add(node.module.partition(".")[0])
    assert found - sys.stdlib_module_names == {"torch"}


ALONE = """
import importlib.metadata as metadata
import json, re, sys

def needed(name, seen):
    if name in seen:
        return
    seen.add(name)
    try:
        wanted = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return
    for line in wanted:
        if "extra ==" not in line:
            needed(re.match(r"[\\w.-]+", line)[0].lower().replace("_", "-"), seen)

allowed = set()
needed("torch", allowed), needed("ipython", allowed)
owners = metadata.packages_distributions()

class Only:
    \"\"\"Nothing can be imported but torch, IPython, and what these two ask for.\"\"\"
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        theirs = {owner.lower().replace("_", "-") for owner in owners.get(top, [])}
        ours = top in ("helpers", "missing_aa", "tools")
        if ours or (theirs and not theirs & allowed):
            raise ModuleNotFoundError(f"No module named {top!r}", name=top)

sys.meta_path.insert(0, Only())
for name in ("helpers", "missing_aa", "timm", "matplotlib"):
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    sys.exit(f"{name} can be imported: this shows nothing")

from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        shell.run_cell("".join(cell["source"])).raise_error()
"""


@pytest.mark.long
def test_its_cells_run_with_torch_ipython_and_the_standard_library_only(tmp_path):
    command = [sys.executable, "-c", ALONE, NOTEBOOK]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "AttributeError: 'Block' object has no attribute 'aa'" in done.stdout
    assert done.stdout.count("equal: True") == 2
    assert list(tmp_path.iterdir()) == [], "it leaves nothing behind"


def test_it_is_run_with_the_numbered_lessons_and_by_its_name():
    lessons = catalogue.lessons(NOTEBOOK.parents[1])
    assert [lesson.name for lesson in lessons].index("ten_minutes") == len(lessons) - 1
    (alone,) = catalogue.choose(lessons, ["ten_minutes"])
    assert alone.path == NOTEBOOK
    assert alone not in catalogue.choose(lessons, ["3"])
