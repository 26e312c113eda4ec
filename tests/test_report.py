"""What `report` reads out of saved notebooks about their exercises, and what must not fool it."""

import json
import os
import subprocess
import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, writes

from helpers.__main__ import main
from helpers.checks import pickles, start
from helpers.checks.verdict import Verdict

HEAD = "# 42 · A lesson\n\n**Why?**"
FIRST, SECOND = "who_asked", "outcomes"


def shown(verdict: Verdict):
    """The output that Jupyter saves of a verdict."""
    data, metadata = InteractiveShell.instance().display_formatter.format(verdict)
    return new_output("execute_result", data=data, metadata=metadata, execution_count=1)


RIGHT, WRONG, LEFT = (
    shown(start.who_asked(answer)) for answer in ("ConvNormAct.forward", "load", ...)
)
OTHER_RIGHT = shown(start.outcomes(start.RIGHT))


def exercise(number, name, *outputs, solution_output=RIGHT):
    """Heading, stub with these outputs, and the solution, which has been run."""
    solution = new_code_cell(f"check.{name}('…')", outputs=[solution_output])
    solution.metadata.tags = ["solution", "hide-input"]
    stub = new_code_cell(f"answer = ...\n\ncheck.{name}(answer)", outputs=list(outputs))
    return [new_markdown_cell(f"### Exercise {number}: the {name}\n\nDo it."), stub, solution]


def lesson(*cells, head=HEAD, metadata=None):
    return new_notebook(
        cells=[new_markdown_cell(head), *cells],
        metadata={"missing_aa": {"minutes": 40}} if metadata is None else metadata,
    )


def save(path, notebook):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(writes(notebook), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Outside the project, in a folder of its own."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def ask(capsys):
    """Exit code and answer of `report --json`."""

    def run(*paths):
        code = main(["report", "--json", *map(str, paths)])
        return code, json.loads(capsys.readouterr().out)

    return run


def states(sheet):
    return {one["name"]: one["status"] for one in sheet["exercises"]}


def test_solved_wrong_and_left_are_told_apart_and_the_hint_is_there(tmp_path, ask):
    path = save(
        tmp_path / "a.ipynb",
        lesson(
            *exercise(1, FIRST, WRONG),
            *exercise(2, SECOND, OTHER_RIGHT),
            *exercise(
                3, "same_output", shown(pickles.same_output(...)), solution_output=OTHER_RIGHT
            ),
        ),
    )
    code, said = ask(path)
    assert code == said["exit_code"] == 1 and said["schema"] == 1
    (sheet,) = said["notebooks"]
    assert states(sheet) == {FIRST: "wrong", SECOND: "solved", "same_output": "open"}
    assert (sheet["number"], sheet["title"]) == ("42", "A lesson")
    assert (sheet["solved"], sheet["of"]) == (1, 3)
    first, second, _ = sheet["exercises"]
    assert first["hint"] == '"loaded" was printed: the error came after that'
    assert first["title"] == "1: the who_asked" and second["hint"] == ""


def test_all_solved_is_exit_code_0(tmp_path, ask):
    path = save(tmp_path / "a.ipynb", lesson(*exercise(1, FIRST, RIGHT)))
    assert ask(path)[0] == 0


def test_a_solution_that_was_run_is_not_the_learners(tmp_path, ask):
    path = save(tmp_path / "a.ipynb", lesson(*exercise(1, FIRST, LEFT)))
    code, said = ask(path)
    assert code == 1 and states(said["notebooks"][0]) == {FIRST: "open"}


@pytest.mark.parametrize("outputs", [[], [new_output("stream", text="✓ who asked: correct")]])
def test_no_record_is_no_attempt(tmp_path, ask, outputs):
    path = save(tmp_path / "a.ipynb", lesson(*exercise(1, FIRST, *outputs)))
    assert states(ask(path)[1]["notebooks"][0]) == {FIRST: "open"}


def test_the_solution_copied_into_the_stub_counts(tmp_path, ask):
    cells = exercise(1, FIRST, RIGHT)
    cells[1].source = cells[2].source
    assert ask(save(tmp_path / "a.ipynb", lesson(*cells)))[0] == 0


def test_a_cell_of_the_learners_own_counts_and_later_trials_do_no_harm(tmp_path, ask):
    own = new_code_cell("check.who_asked('ConvNormAct.forward')", outputs=[RIGHT])
    later = new_code_cell("check.who_asked('load')", outputs=[WRONG])
    path = save(tmp_path / "a.ipynb", lesson(*exercise(1, FIRST, LEFT), own, later))
    assert ask(path)[0] == 0


def test_of_one_cell_the_last_check_counts(tmp_path, ask):
    path = save(tmp_path / "a.ipynb", lesson(*exercise(1, FIRST, RIGHT, WRONG)))
    assert states(ask(path)[1]["notebooks"][0]) == {FIRST: "wrong"}


def test_code_that_ended_before_its_check_is_an_attempt(tmp_path, ask):
    error = new_output("error", ename="NameError", evalue="name 'x' is not defined", traceback=[])
    path = save(tmp_path / "a.ipynb", lesson(*exercise(1, FIRST, error)))
    (one,) = ask(path)[1]["notebooks"][0]["exercises"]
    assert one["status"] == "wrong" and "NameError: name 'x' is not defined" in one["hint"]


def test_a_lesson_without_any_exercise_is_not_complete(tmp_path, ask):
    code, said = ask(save(tmp_path / "a.ipynb", lesson()))
    assert code == 1 and said["notebooks"][0]["remark"] == "there is no exercise in it"


@pytest.mark.parametrize(
    "notebook",
    [
        lesson(*exercise(1, FIRST, RIGHT), metadata={}),
        lesson(*exercise(1, FIRST, RIGHT), head="# My own project"),
    ],
)
def test_a_notebook_of_another_project_is_passed_over(tmp_path, ask, notebook):
    save(tmp_path / "in" / "good.ipynb", lesson(*exercise(1, FIRST, RIGHT)))
    other = save(tmp_path / "in" / "other.ipynb", notebook)
    code, said = ask(tmp_path / "in")
    assert code == 0 and len(said["notebooks"]) == 1
    assert said["passed_over"] == [{"path": str(other), "reason": "not a lesson of this course"}]
    assert ask(other)[0] == 1, "and alone it is nothing to be content with"


@pytest.mark.parametrize(
    "text, code",
    [
        ("{", 4),
        ("", 4),
        ("[" * 100_000, 4),
        ("[]", 4),
        ('{"cells": 3, "metadata": {"missing_aa": {}}}', 4),
        ("\ud800".encode("utf-16", "surrogatepass"), 4),
        ('{"cells": [1, {"cell_type": []}], "metadata": []}', 1),
    ],
)
def test_what_is_no_notebook_is_told_and_the_rest_is_read(tmp_path, ask, text, code):
    save(tmp_path / "in" / "good.ipynb", lesson(*exercise(1, FIRST, RIGHT)))
    broken = tmp_path / "in" / "broken.ipynb"
    broken.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert ask(broken)[0] == code
    found, said = ask(tmp_path / "in")
    assert found == (4 if code == 4 else 0)
    assert len(said["notebooks"]) == len(said["passed_over"]) == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"outputs": "x"},
        {"outputs": [3, {"metadata": 3}, {"metadata": {"missing_aa": 3}}]},
        {"outputs": [{"metadata": {"missing_aa": {"exercise": 3, "status": "solved"}}}]},
        {"outputs": [{"metadata": {"missing_aa": {"exercise": FIRST, "status": "done"}}}]},
        {"outputs": [{"metadata": {"missing_aa": {"exercise": FIRST, "status": ["solved"]}}}]},
        {"metadata": 3, "source": [3, "check.who_asked(1)"]},
    ],
)
def test_odd_cells_are_nothing(tmp_path, ask, odd):
    notebook = json.loads(writes(lesson(*exercise(1, FIRST, LEFT))))
    notebook["cells"][2].update(odd)
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(notebook))
    assert states(ask(path)[1]["notebooks"][0])[FIRST] == "open"


def test_names_out_of_a_file_are_cleaned(tmp_path, capsys):
    evil = "\x1b[2J[link=http://x]"
    output = new_output(
        "display_data",
        data={"text/plain": f"✗ {evil}: not yet: {evil}"},
        metadata={"missing_aa": {"exercise": evil, "status": "wrong"}},
    )
    head = f"# 42 · {evil}"
    cells = [new_markdown_cell(f"### Exercise 1: {evil}"), new_code_cell("1", outputs=[output])]
    path = save(tmp_path / "a.ipynb", lesson(*cells, head=head))
    for words in ([], ["--json"], ["--summary"]):
        main(["report", str(path), *words])
        said = capsys.readouterr()
        assert "\x1b" not in said.out + said.err and said.out


def test_several_learners_a_table_each_and_who_has_what(tmp_path, capsys):
    done = lesson(*exercise(1, FIRST, RIGHT))
    save(tmp_path / "in" / "anna" / "42_a.ipynb", done)
    save(tmp_path / "in" / "anna" / ".ipynb_checkpoints" / "42_a-checkpoint.ipynb", done)
    save(tmp_path / "in" / "ben.ipynb", lesson(*exercise(1, FIRST, WRONG)))
    (tmp_path / "in" / "._ben.ipynb").write_bytes(b"\0")
    (tmp_path / "in" / "notes.txt").write_text("x")
    assert main(["report", str(tmp_path / "in")]) == 1
    said = capsys.readouterr().out
    assert said.count("of 1 solved") == 2
    assert "1 of 2 have every exercise solved" in said
    rows = {
        line.split("│")[1].strip(): line.split("│")[2:6]
        for line in said.splitlines()
        if "│" in line
    }
    assert [cell.strip() for cell in rows[os.path.join("anna", "42_a.ipynb")]] == [
        "42",
        "1",
        "",
        "",
    ]
    assert [cell.strip() for cell in rows["ben.ipynb"]] == ["42", "", "1", ""]
    assert "Passed over" not in said
    main(["report", "--summary", str(tmp_path / "in")])
    assert "of 1 solved" not in capsys.readouterr().out


def project(folder, *names):
    """A project whose one lesson has these exercises."""
    cells = [cell for n, name in enumerate(names) for cell in exercise(n, name)]
    save(folder / "notebooks" / "42_a.ipynb", lesson(*cells))


def test_in_the_project_an_exercise_that_was_taken_out_is_missed(tmp_path, ask, monkeypatch):
    project(tmp_path, FIRST, SECOND)
    monkeypatch.chdir(tmp_path)
    path = save(tmp_path / "in" / "a.ipynb", lesson(*exercise(1, FIRST, RIGHT)))
    code, said = ask(path)
    (sheet,) = said["notebooks"]
    assert code == 1 and states(sheet) == {FIRST: "solved", SECOND: "absent"}
    assert "another version" in sheet["remark"]


def test_a_lesson_of_an_older_version_is_told_by_its_own_exercises(tmp_path, ask, monkeypatch):
    project(tmp_path, FIRST)
    monkeypatch.chdir(tmp_path)
    older = lesson(*exercise(1, FIRST, RIGHT), *exercise(2, "gone", LEFT))
    code, said = ask(save(tmp_path / "in" / "a.ipynb", older))
    (sheet,) = said["notebooks"]
    assert code == 1 and states(sheet) == {FIRST: "solved", "gone": "open"}
    assert "another version" in sheet["remark"]
    unknown = lesson(*exercise(1, FIRST, RIGHT), head="# 43 · Gone")
    code, said = ask(save(tmp_path / "in" / "b.ipynb", unknown))
    assert code == 0 and "no lesson of this number" in said["notebooks"][0]["remark"]


def test_a_lesson_that_was_split_is_read_by_its_exercises(tmp_path, ask, monkeypatch):
    project(tmp_path, FIRST)
    save(tmp_path / "notebooks" / "43_b.ipynb", lesson(*exercise(1, SECOND), head="# 43 · Later"))
    monkeypatch.chdir(tmp_path)
    former = lesson(*exercise(1, SECOND, OTHER_RIGHT))
    code, said = ask(save(tmp_path / "in" / "a.ipynb", former))
    (sheet,) = said["notebooks"]
    assert code == 0 and states(sheet) == {SECOND: "solved"}
    assert "its exercises are in 43" in sheet["remark"]


def test_without_a_path_it_is_about_the_projects_own_lessons(tmp_path, ask, monkeypatch):
    project(tmp_path, FIRST)
    monkeypatch.chdir(tmp_path / "notebooks")
    code, said = ask()
    assert code == 1 and [sheet["number"] for sheet in said["notebooks"]] == ["42"]


def test_a_path_that_is_not_there_is_usage(tmp_path, capsys):
    assert main(["report", str(tmp_path / "nowhere")]) == 2
    assert "there is no" in capsys.readouterr().err


def test_a_folder_without_a_lesson_is_said(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    assert main(["report", str(tmp_path / "in")]) == 1
    assert "no lesson of this course" in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path, ask):
    os.mkfifo(tmp_path / "a.ipynb")
    code, said = ask(tmp_path / "a.ipynb")
    assert code == 1 and said["passed_over"][0]["reason"] == "neither a file nor a folder"


def test_reading_needs_the_standard_library_only():
    program = (
        "import sys\nfrom helpers.report import collect\ncollect.collect(['.'])\n"
        "print([m for m in ('rich', 'nbformat', 'torch', 'IPython') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_a_file_beyond_all_measure_is_not_read(tmp_path, ask, monkeypatch):
    monkeypatch.setattr("helpers.report.collect.LARGEST", 100)
    code, said = ask(save(tmp_path / "a.ipynb", lesson(*exercise(1, FIRST, RIGHT))))
    assert code == 6 and "larger than" in said["passed_over"][0]["reason"]


@pytest.mark.long
def test_what_jupyterlab_saves_is_what_is_read(tmp_path, ask):
    import jupyterlab_browser as lab

    if lab.CHROMIUM is None:
        pytest.skip("no Chromium or Chrome on this machine")
    cells = [new_code_cell("from helpers.checks import start as check"), *exercise(1, FIRST)]
    cells[2].source = "check.who_asked('load')"
    cells[3].source, cells[3].outputs = "check.who_asked('ConvNormAct.forward')", []
    notebook = lesson(*cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    path = save(tmp_path / "work" / "a.ipynb", notebook)
    with lab.server(path.parent, tmp_path) as address, lab.browser() as page:
        opened = lab.Lab(page, address, path)
        opened.menu("Run", "Run All Cells$")
        lab.expect(page.locator("[role=status]", has_text="who asked")).to_have_count(
            2, timeout=lab.MINUTES
        )
        opened.saved()
    code, said = ask(path)
    (one,) = said["notebooks"][0]["exercises"]
    assert code == 1 and one["status"] == "wrong" and one["hint"].startswith('"loaded" was printed')
