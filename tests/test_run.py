"""`python -m helpers run` on small notebooks: the real command, papermill, and kernels."""

import contextlib
import os
import re
import subprocess

import nbformat
import pytest

from tiny_lessons import COMMAND, notebook, run

pytestmark = pytest.mark.xdist_group("run")

posix = pytest.mark.skipif(os.name != "posix", reason="pipes and signals are others there")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    picture = (
        "from IPython.display import HTML\n"
        'HTML(\'<img src="data:image/png;base64,AAAA" alt="a grey square">\')'
    )
    notebook(folder, "01_fine", "size = 3\nname = 'a'", picture, "print(size, name)", solution=[2])
    notebook(folder, "02_failing", "size = 3", "1 / 0", "print('never')")
    notebook(folder, "03_plain", "rate = 0.5", "print(rate)")
    notebook(folder, "05_mistyped", "size = 3", "%%tim 1.0.3\n1")
    notebook(folder, "04_dying", "import os, signal", "os.kill(os.getpid(), signal.SIGTERM)", "1")
    return folder


@pytest.fixture(scope="module")
def all_run(project):
    return run(project)


def executed(project, name):
    return nbformat.read(project / "build" / "lessons" / f"{name}.ipynb", 4)


def test_a_failing_lesson_is_named_with_its_cell_and_error_and_the_others_still_run(all_run):
    assert all_run.returncode == 1
    assert re.search(r"02_failing.*In \[2\]: ZeroDivisionError: division by zero", all_run.stdout)
    assert re.search(r"01_fine .*3.?/.?3", all_run.stdout) and "03_plain" in all_run.stdout
    assert all_run.stdout.count("passed") >= 2


def test_a_kernel_that_dies_fails_its_lesson_at_its_cell(project, all_run):
    assert re.search(r"04_dying: In \[2\]: DeadKernelError: the kernel died", all_run.stdout)
    (died,) = [cell for cell in executed(project, "04_dying").cells if cell.get("outputs")]
    assert "os.kill" in died.source


def test_a_magic_that_is_off_is_told_too(all_run):
    assert re.search(r"05_mistyped: In \[2\]: UsageError: .*%%tim", all_run.stdout)


def test_nothing_but_the_lessons_is_told(all_run):
    said = all_run.stdout + all_run.stderr
    for clutter in ("encryption", "Warning", "Executing", "Input Notebook", "Traceback", "it/s"):
        assert clutter not in said


def test_notebooks_and_pages_are_kept_also_of_the_one_that_failed(project, all_run):
    for name in ("01_fine", "02_failing", "03_plain"):
        assert (project / "build" / "lessons" / f"{name}.html").is_file()
    assert "3 a" in executed(project, "01_fine").cells[2].outputs[0].text


def test_the_page_asks_no_other_host(project, all_run):
    page = (project / "build" / "lessons" / "01_fine.html").read_text()
    loads = re.findall(r"<(?:script|link|img|iframe|source)[^>]*?(?:src|href)=[\"']([^\"']+)", page)
    loads += re.findall(r"@import\s+[\"']?([^\"';]+)|url\([\"']?([^)\"']+)", page)
    assert loads, "at least the picture"
    assert not [load for load in loads if re.match(r"(https?:)?//", "".join(load))]
    assert "import(" not in page and "from 'http" not in page and 'from "http' not in page


def test_the_page_has_language_title_viewport_folded_solution_and_alt_text(project, all_run):
    page = (project / "build" / "lessons" / "01_fine.html").read_text()
    assert re.search(r"<html[^>]* lang=", page)
    assert re.search(r"<title>[^<]*\w", page)
    assert 'name="viewport"' in page
    assert page.count("<details") == 1 and "<summary" in page
    assert 'alt="a grey square"' in page


def test_parameters_go_to_the_lessons_that_have_them(project):
    done = run(
        project,
        "notebooks/01_fine.ipynb",
        "pla",
        "-p",
        "rate",
        "0.25",
        "-p",
        "name",
        "b",
        "--output",
        "elsewhere",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    printed = [
        nbformat.read(project / "elsewhere" / f"{name}.ipynb", 4).cells[-1].outputs[0].text
        for name in ("01_fine", "03_plain")
    ]
    assert printed == ["3 b\n", "0.25\n"]


@pytest.mark.parametrize(
    "words, says",
    [
        (["7"], ["'7'", "01_fine", "02_failing", "03_plain"]),
        (["in"], ["'in' fits several lessons: 01_fine, 02_failing, 03_plain"]),
        (["01", "-p", "rate", "1"], ["rate", "size", "name"]),
        (["01", "-p", "size", "big"], ["size", "big"]),
        (["01", "-p", "size", "1.5"], ["size", "1.5"]),
        (["01", "--jobs", "0"], ["whole number of at least 1"]),
        (["01", "-p", "size"], ["expected 2 arguments"]),
    ],
)
def test_words_that_are_off_are_refused_and_the_valid_ones_named(project, words, says):
    done = run(project, *words)
    assert done.returncode == 2
    line = done.stderr.splitlines()[-1]
    for part in says:
        assert part in line
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_written_is_one_line(project):
    (project / "file").write_text("")
    done = run(project, "01", "--output", "file/below")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "--output" in done.stderr


def test_outside_a_project_the_lessons_are_those_of_the_checkout(tmp_path):
    done = run(tmp_path, "nonsense")
    assert done.returncode == 2 and "03_reproduce_the_error" in done.stderr


@posix
def test_bars_are_drawn_on_a_terminal_only(project, all_run):
    import pty

    ours, theirs = pty.openpty()
    command = subprocess.Popen(
        [*COMMAND, "3"],
        cwd=project,
        stdout=theirs,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    drawn = b""
    with contextlib.suppress(OSError):  # how the end of a terminal reads
        while part := os.read(ours, 4096):
            drawn += part
    assert command.wait(timeout=60) == 0
    os.close(ours)
    assert b"waiting" in drawn or b"0/2" in drawn
    assert b"2/2" in drawn and b"03_plain" in drawn
    assert "\x1b" not in all_run.stdout and "0/2" not in all_run.stdout
