"""The lessons, run by papermill as a learner gets them, and what a reader would feel is missing."""

import ast
import functools
import html
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted(Path(__file__).parents[1].glob("notebooks/[0-9][0-9]_*.ipynb"))
PARAMETERS = {"model_name", "writer", "reader", "fixed", "current", "seed", "image_size"}
ANSI = re.compile(r"\x1b\[[0-9;]*m")
PROMISE = r"%%(timm .+--raises|expect [A-Z])"  # of an error, in a cell's first line

each_lesson = pytest.mark.parametrize(
    "path",
    # The tests of one lesson go to one process: there it is executed once.
    [
        pytest.param(path, id=path.stem, marks=pytest.mark.xdist_group(path.stem))
        for path in NOTEBOOKS
    ],
)


def run(*words):
    """The real command, into a folder of its own; returns the process and the folder."""
    output = Path(tempfile.mkdtemp(prefix="missing-aa-test-"))
    command = [sys.executable, "-m", "helpers", "run", *words, "--output", output]
    done = subprocess.run(command, capture_output=True, text=True, cwd=NOTEBOOKS[0].parents[1])
    return done, output


@functools.cache
def executed(path):
    """An executed lesson and its page. Fails the test, with what was said, if it fails."""
    done, output = run(path.stem[:2])
    assert done.returncode == 0, done.stdout + done.stderr
    return nbformat.read(output / path.name, 4), (output / f"{path.stem}.html").read_text()


def read(path):
    return nbformat.read(path, 4)


def tags(cell):
    return cell.metadata.get("tags", [])


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def texts(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def printed(notebook):
    """Everything that the cells printed, without colours."""
    streams = [output.text for output in outputs(notebook) if output.output_type == "stream"]
    return ANSI.sub("", "".join(streams))


def tracebacks(notebook):
    """Of each error that was to come its cell, its text, and its HTML."""
    return [
        (cell, output.data["text/plain"], output.data["text/html"])
        for cell in code_cells(notebook)
        for output in cell.outputs
        if 'class="traceback"' in output.get("data", {}).get("text/html", "")
    ]


def verdicts(cell):
    records = [o.metadata.get("missing_aa") for o in cell.outputs if "metadata" in o]
    return [record["status"] for record in records if record]


def test_the_lessons_are_there():
    assert [path.stem[:2] for path in NOTEBOOKS] == [f"{n:02}" for n in range(len(NOTEBOOKS))]
    assert len(NOTEBOOKS) >= 6


@each_lesson
def test_a_lesson_opens_with_its_question_minutes_and_objectives(path):
    notebook = read(path)
    opening = notebook.cells[0].source
    assert opening.startswith(f"# {path.stem[:2]} · ")
    assert "?**" in opening, "a question in bold"
    assert f"*About {notebook.metadata.missing_aa.minutes} minutes." in opening
    objectives = re.findall(r"^- \*\*[a-z]", opening, re.MULTILINE)
    assert 3 <= len(objectives) <= 4, "three or four objectives that begin with a verb"


@each_lesson
def test_a_lesson_has_one_parameters_cell_with_the_usual_names(path):
    (cell,) = [cell for cell in code_cells(read(path)) if "parameters" in tags(cell)]
    scope = {}
    exec(cell.source, scope)
    names = scope.keys() - {"__builtins__"}
    assert names <= PARAMETERS
    body = "".join(c.source for c in code_cells(read(path)) if c is not cell)
    unused = {
        name for name in names if not re.search(rf"\b{name}\b", body.replace(cell.source, ""))
    }
    assert not unused


@each_lesson
def test_headings_are_in_order_and_key_points_come_last(path):
    lines = [line for text in texts(read(path)) for line in text.splitlines()]
    headings = [line for line in lines if re.match(r"#+ ", line)]
    levels = [len(line.split()[0]) for line in headings]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(deeper - level <= 1 for level, deeper in zip(levels, levels[1:], strict=False))
    sections = [line for line in headings if line.startswith("## ")]
    assert sections[-1] == "## Key points"
    assert not [line for line in sections if "· core" in line], "only *further* is marked"


@each_lesson
def test_every_exercise_has_a_stub_a_check_and_a_folded_solution(path):
    notebook = read(path)
    exercises = sum(text.count("### Exercise ") for text in texts(notebook))
    solutions = [cell for cell in code_cells(notebook) if "solution" in tags(cell)]
    stubs = [
        cell
        for cell in code_cells(notebook)
        if "check." in cell.source and "solution" not in tags(cell) and "..." in cell.source
    ]
    assert exercises == len(solutions) == len(stubs) >= 2
    for cell in solutions:
        assert cell.metadata.jupyter.source_hidden and "hide-input" in tags(cell)
        assert cell.source.splitlines()[-1].startswith("check.")


@each_lesson
def test_a_folded_solution_begins_with_a_line_that_gives_nothing_away(path):
    """JupyterLab shows the first line of a folded cell: it is the same for each."""
    same = "# One way to solve it. Try yours first: the check says what is wrong."
    for cell in code_cells(read(path)):
        if "solution" in tags(cell):
            assert cell.source.splitlines()[0] == same


def names(cells, kind):
    """What these cells define (ast.Store) or use (ast.Load), but for lines of magics."""
    found = set()
    for cell in cells:
        lines = [line for line in cell.source.splitlines() if not re.match(r"\s*[%!]", line)]
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, ast.Name) and isinstance(node.ctx, kind):
                found.add(node.id)
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and kind is ast.Store:
                found.add(node.name)
            if isinstance(node, ast.arg) and kind is ast.Store:
                found.add(node.arg)
    return found


@each_lesson
def test_who_solved_an_exercise_alone_is_told_where_the_folded_solution_is_needed(path):
    cells = [cell for cell in read(path).cells if not cell.source.startswith("%%")]
    solutions = [cell for cell in cells if "solution" in tags(cell)]
    others = [cell for cell in cells if cell.cell_type == "code" and cell not in solutions]
    only_there = names(solutions, ast.Store) - names(others, ast.Store)
    told = ""
    for cell in cells:
        if cell.cell_type == "markdown":
            told += cell.source
        elif cell not in solutions:
            needed = names([cell], ast.Load) & only_there
            assert all(f"`{name}`" in told for name in needed), needed


@each_lesson
def test_the_file_holds_no_outputs_and_no_leftovers(path):
    notebook = read(path)
    nbformat.validate(notebook)
    for cell in code_cells(notebook):
        assert cell.outputs == [] and cell.execution_count is None
    for cell in notebook.cells:
        assert cell.metadata.keys() <= {"tags", "jupyter"}
    assert notebook.metadata.keys() == {"kernelspec", "language_info", "missing_aa"}
    assert notebook.metadata.kernelspec.name == "python3"


@each_lesson
def test_the_file_is_as_jupyterlab_saves_it(path):
    """Line by line, so that a change of one line shows as one."""
    assert path.read_text(encoding="utf-8") == nbformat.writes(read(path)) + "\n"


@each_lesson
def test_text_needs_no_mathjax_and_links_lead_somewhere(path):
    for text in texts(read(path)):
        assert not re.search(r"\$[^$\n]+\$", text.replace("`$", "").replace("$`", ""))
        for target in re.findall(r"\]\(([\w./]+\.ipynb)\)", text):
            known = (path.parent / target).exists() or int(target[:2]) >= len(NOTEBOOKS)
            assert known, f"{target} is no lesson"


@each_lesson
def test_nothing_is_downloaded_and_nothing_needs_a_gpu(path):
    code = "\n".join(cell.source for cell in code_cells(read(path)))
    code = code.replace('return_value="cuda:7"', "")  # a mark in a file
    code = re.sub(r"git clone --quiet https://github\.com/\S+ missing-aa", "", code)  # on Colab
    assert not re.search(r"cuda|pretrained=True|requests|urllib|hf_hub|https?://", code)


@each_lesson
def test_run_unchanged_stubs_are_open_and_solutions_correct(path):
    notebook, _ = executed(path)
    for cell in code_cells(notebook):
        if "check." in cell.source.split("\n")[-1]:
            status = "solved" if "solution" in tags(cell) else "open"
            assert verdicts(cell) == [status], cell.source


@each_lesson
def test_no_warning_reaches_the_learner(path):
    notebook, _ = executed(path)
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.get("name") != "stderr", (cell.source, output.text)
    taught = "FutureWarning: scaling.gain"  # lesson 09 shows its own library's
    assert "Warning" not in printed(notebook).replace(taught, "")


@each_lesson
def test_every_picture_has_a_text_alternative_in_the_notebook_and_the_page(path):
    notebook, page = executed(path)
    pictures = [o.data for o in outputs(notebook) if "image/png" in o.get("data", {})]
    for data in pictures:
        alternative = re.search(r'alt="([^"]+)"', data["text/html"])[1]
        assert len(alternative.split()) >= 5
        assert html.unescape(alternative) in html.unescape(page)
    assert page.count("<img ") == page.count("alt=") >= len(pictures)


@each_lesson
def test_what_is_folded_in_the_file_is_folded_in_the_page(path):
    notebook, page = executed(path)
    tagged = Counter(tag for cell in code_cells(notebook) for tag in tags(cell))
    silent = [c for c in code_cells(notebook) if "predict" in tags(c) and not c.outputs]
    folds = Counter(re.findall("<summary>(.+?)</summary>", page))
    assert folds["Solution"] == tagged["solution"]
    assert folds["Check"] == tagged["check"]
    assert folds["Set-up"] == tagged["setup"] == 1
    assert folds["Predict first, then look"] == tagged["predict"] - len(silent)
    assert folds["The whole traceback"] <= len(tracebacks(notebook))


@each_lesson
def test_set_up_and_checks_are_folded_and_the_former_says_what_to_do_after_a_restart(path):
    cells = code_cells(read(path))
    for cell in cells:
        if {"setup", "check"} & set(tags(cell)):
            assert cell.metadata.jupyter.source_hidden and "hide-input" in tags(cell)
        assert ("%load_ext" in cell.source) == ("setup" in tags(cell))
        if "setup" in tags(cell):
            assert "Run All Above Selected Cell" in cell.source.splitlines()[0]


@each_lesson
def test_the_output_behind_a_prediction_is_folded_on_pages(path):
    cells = read(path).cells
    for before, cell in zip(cells, cells[1:], strict=False):
        if before.cell_type == "markdown" and cell.cell_type == "code":
            foretold = "**Predict" in before.source and "solution" not in tags(cell)
            assert ("predict" in tags(cell)) == foretold, cell.source


@each_lesson
def test_a_traceback_is_of_the_cell_below_which_it_stands(path):
    notebook, _ = executed(path)
    promised = [cell for cell in code_cells(notebook) if re.match(PROMISE, cell.source)]
    shown = tracebacks(notebook)
    assert {cell.id for cell in promised} <= {cell.id for cell, *_ in shown}
    for cell, text, page in shown:
        if numbers := re.findall(r"Cell In ?\[(\d+)\]", text):
            assert int(numbers[0]) == cell.execution_count, text
        assert not re.search(r"(?m)^File (/|~|\w:)", html.unescape(re.sub("<.+?>", "", page))), text


@pytest.mark.xdist_group("03_reproduce_the_error")
def test_lesson_03_shows_the_real_error_from_the_real_release():
    (path,) = [path for path in NOTEBOOKS if path.stem.startswith("03")]
    text = "\n".join(text for _, text, _ in tracebacks(executed(path)[0]))
    assert "AttributeError: 'ConvNormAct' object has no attribute 'aa'" in text
    where = r"timm 1\.0\.11/layers/conv_bn_act\.py:\d+, in ConvNormAct\.forward"
    assert re.search(where, text)


@pytest.mark.xdist_group("05_getattr_patch")
def test_lesson_05_has_its_errors_on_one_screen():
    (path,) = [path for path in NOTEBOOKS if path.stem.startswith("05")]
    shown = [text for _, text, _ in tracebacks(executed(path)[0])]
    assert len(shown) == 2
    assert sum(len(text.splitlines()) for text in shown) <= 45


def test_lesson_03_fails_with_a_reader_in_which_the_promised_error_does_not_come():
    done, _ = run("03", "-p", "reader", "1.0.12")
    assert done.returncode == 1
    assert "promised AttributeError" in done.stdout + done.stderr


def test_a_model_that_cannot_tell_the_story_is_refused_at_once():
    done, output = run("05", "-p", "model_name", "mobilevit_xxs")
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "mobilevit_xxs written by 1.0.3 meets another error in 1.0.31" in said
    notebook = nbformat.read(output / "05_getattr_patch.ipynb", 4)
    assert not printed(notebook), "refused before anything was shown"


@pytest.mark.xdist_group("06_rescue_a_checkpoint")
def test_lesson_06_leaves_its_mark_only_where_the_file_was_allowed_to_run():
    (path,) = [path for path in NOTEBOOKS if path.stem.startswith("06")]
    marks = re.findall(r"the mark is there: (True|False)", printed(executed(path)[0]))
    # Loaded whole; with eval allowed; with stand-ins; by rescue, twice.
    assert marks == ["True", "True", "False", "False"]


@pytest.mark.long
@pytest.mark.parametrize("model_name", ["efficientnet_b0", "mobilenetv3_large_100"])
def test_other_files_that_fail_today_are_rescued_too(model_name):
    done, _ = run("06", "-p", "model_name", model_name)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.xdist_group("07_version_matrix")
def test_lesson_07_measures_what_the_atlas_says():
    (path,) = [path for path in NOTEBOOKS if path.stem.startswith("07")]
    text = printed(executed(path)[0])
    assert "36 of 85 fail:\n 21 × 'ConvNormAct' object has no attribute 'aa'" in text
    assert "2 × 'ConvBnAct' object has no attribute 'aa'" in text
    assert "75 of your cells are in the atlas, and 75 came out the same" in text
    assert "Counter({'poolformer_s12': 96})" in text


def test_lesson_07_says_of_another_library_what_was_measured():
    (path,) = [path for path in NOTEBOOKS if path.stem.startswith("07")]
    page = path.parents[1] / "docs" / "measured" / "segmentation_models.md"
    rows = [line.split(" | ")[2:] for line in page.read_text().splitlines() if "| `" in line]
    loads = sum("fails on load" not in whole for whole, _ in rows)
    runs = sum("fails" not in whole for whole, _ in rows)
    same = sum(rescued.startswith("same output") for _, rescued in rows)
    text = "\n".join(texts(read(path)))
    assert f"| whole | {loads} of {len(rows)} | {runs} of {len(rows)} |" in text
    assert f"| rescued, loaded strictly | {same} of {len(rows)} | {same} of {len(rows)} |" in text


def test_a_model_that_no_release_has_is_named_with_its_neighbours():
    done, _ = run("07", "-p", "model_name", "regnetx_003")
    assert done.returncode == 1
    assert "no model 'regnetx_003' runs in any of" in done.stdout + done.stderr
    assert "regnetx_002" in done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.parametrize("model_name", ["vit_tiny_patch16_224", "fasternet_t0", "resnet50"])
def test_lesson_07_measures_any_model(model_name):
    # One without a ConvNormAct, one that the oldest releases lack, one that the atlas lacks.
    done, _ = run("07", "-p", "model_name", model_name)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.parametrize("number", ["03", "04", "05"])
@pytest.mark.parametrize("model_name", ["rexnet_100", "darknet17"])
def test_the_story_can_be_told_with_other_models(number, model_name):
    done, _ = run(number, "-p", "model_name", model_name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_measured_memory_stands_in_every_lesson():
    for path in NOTEBOOKS:
        assert json.loads(path.read_text())["metadata"]["missing_aa"]["memory_mb"] > 100
