"""What was executed is taken as it is, unless a run would give something else."""

import os
import sys
import time

import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook, writes

import tiny_lessons
from helpers.runner import catalogue
from helpers.runner.freshness import refresh, stale

SOURCE = "1 + 1"
PASSED = {"exception": None, "parameters": {}}


@pytest.fixture
def course(tmp_path):
    """A lesson, and beside it what was executed of it after its package was last changed."""
    for number, name in enumerate(["package/tool.py", "notebooks/03_it.ipynb"]):
        path = tmp_path / name
        path.parent.mkdir()
        lesson = new_notebook(cells=[new_code_cell(SOURCE, id="sum")], metadata={"missing_aa": {}})
        path.write_text(writes(lesson))
        os.utime(path, (number, number))
    (tmp_path / "done").mkdir()
    return tmp_path


def write(course, record=PASSED, source=SOURCE):
    cells = [new_code_cell("injected", id="another"), new_code_cell(source, id="sum")]
    notebook = new_notebook(cells=cells, metadata={"papermill": record})
    (course / "done/03_it.ipynb").write_text(writes(notebook))


def names(course):
    return stale(catalogue.lessons(course), course / "done", course / "package")


def test_a_lesson_is_executed_once(course):
    assert names(course) == ["03_it"]
    write(course)
    assert names(course) == []


@pytest.mark.parametrize(
    "record", [{}, PASSED | {"exception": True}, PASSED | {"parameters": {"seed": 1}}]
)
def test_one_without_an_end_a_failed_one_and_one_with_other_parameters_are_not_it(course, record):
    write(course, record)
    assert names(course) == ["03_it"]


def test_a_lesson_that_was_changed_since_is_executed_again(course):
    write(course, source="1 + 2")
    assert names(course) == ["03_it"]


def test_a_package_that_was_changed_since_executes_it_again(course):
    write(course)
    later = (course / "done/03_it.ipynb").stat().st_mtime + 1
    os.utime(course / "package/tool.py", (later, later))
    assert names(course) == ["03_it"]


def test_python_may_compile_the_package_meanwhile(course):
    write(course)
    compiled = course / "package/__pycache__/tool.pyc"
    compiled.parent.mkdir()
    compiled.touch()
    later = (course / "done/03_it.ipynb").stat().st_mtime + 1
    for path in (compiled, compiled.parent, course / "package"):
        os.utime(path, (later, later))
    assert names(course) == []


def test_what_is_built_from_lessons_executes_those_that_it_lacks_and_no_other(tmp_path):
    tiny_lessons.notebook(tmp_path, "01_passes", "size = 3", "print(size)")
    lessons, done = catalogue.lessons(tmp_path), tmp_path / "done"
    assert refresh(lessons, done) == 0
    executed = (done / "01_passes.ipynb").stat().st_mtime_ns
    assert stale(lessons, done) == [] and refresh(lessons, done) == 0
    assert (done / "01_passes.ipynb").stat().st_mtime_ns == executed


@pytest.mark.skipif(os.name == "nt", reason="needs what only Unix has")
def test_who_ends_a_build_ends_the_run_that_it_waits_for(tmp_path):
    tiny_lessons.notebook(tmp_path, "01_sleeps", "size = 3", "import time; time.sleep(600)")
    program = (
        "import sys; from pathlib import Path; from helpers.runner import catalogue, freshness\n"
        "folder = Path(sys.argv[1])\n"
        "sys.exit(freshness.refresh(catalogue.lessons(folder), folder / 'done'))"
    )
    building = psutil.Popen([sys.executable, "-c", program, tmp_path])
    until = time.monotonic() + 60
    while not (run := building.children()) and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(3)
    building.terminate()
    assert building.wait(60) == 143
    assert psutil.wait_procs(run, 30)[1] == []


def test_a_lesson_that_fails_ends_it(tmp_path):
    tiny_lessons.notebook(tmp_path, "02_fails", "size = 3", "1 / 0")
    assert refresh(catalogue.lessons(tmp_path), tmp_path / "done") == 1
