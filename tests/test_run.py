"""`missing-aa run` on small notebooks: the real command, papermill, and kernels."""

import os
import re
import signal
import subprocess
import sys

import nbformat
import psutil
import pytest

pytestmark = pytest.mark.xdist_group("run")

COMMAND = [sys.executable, "-m", "helpers.cli"]


def notebook(folder, name, *cells, solution=()):
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
    book.metadata["missing_aa"] = {"memory_mb": 200}
    (folder / "notebooks").mkdir(exist_ok=True)
    nbformat.write(book, folder / "notebooks" / f"{name}.ipynb")


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
    return folder


def run(project, *words):
    return subprocess.run([*COMMAND, "run", *words], capture_output=True, text=True, cwd=project)


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
    done = run(project, "01", "3", "-p", "rate", "0.25", "-p", "name", "b", "--output", "elsewhere")
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


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent another way there")
def test_ctrl_c_leaves_no_kernel_behind(tmp_path):
    notebook(
        tmp_path,
        "01_blocking",
        "size = 1",
        "%load_ext helpers.magics",
        "%%timm 1.0.3\nprint('ready')",
        "open('begun', 'w').close()\nimport threading\nthreading.Event().wait()",
    )
    os.mkfifo(tmp_path / "notebooks" / "begun")
    command = subprocess.Popen([*COMMAND, "run"], cwd=tmp_path, stdout=subprocess.DEVNULL)
    with open(tmp_path / "notebooks" / "begun"):  # opens when the lesson opens its end
        below = psutil.Process(command.pid).children(recursive=True)
    kernels = [process for process in below if "ipykernel_launcher" in process.cmdline()]
    assert len(kernels) == 2, "the lesson's own, and that of timm 1.0.3"
    command.send_signal(signal.SIGINT)
    try:
        assert command.wait(timeout=60) == 130
    finally:
        command.kill()
    _, alive = psutil.wait_procs(below, timeout=30)
    assert not alive
