import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

import missing_aa.__main__
from missing_aa.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parents[1]
unix = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")

HEAVY = ["torch", "timm", "matplotlib", "rich", "papermill", "numpy", "psutil", "jupyter_client"]


@pytest.mark.parametrize("module", ["helpers", "missing_aa.cli", "missing_aa.releases"])
def test_importing_loads_nothing_heavy(module):
    program = f"import sys, {module}; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_help_needs_nothing_heavy_either():
    program = (
        "import sys, missing_aa.cli\n"
        "try:\n    missing_aa.cli.main(['--help'])\nexcept SystemExit: pass\n"
        f"sys.exit(any(m in sys.modules for m in {HEAVY}))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 0


def test_version_names_the_package_torch_and_timm(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    for package in ("missing-aa", "torch", "timm"):
        assert f"{package} {version(package)}" in out


@pytest.mark.parametrize("words", [["nonsense"], ["--verison"], ["fetch", "--list", "--remove"]])
def test_words_that_are_off_are_usage(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "usage: missing-aa" in capsys.readouterr().err


def test_without_words_the_help_is_shown(capsys):
    assert main([]) == 0
    assert "rescue" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, usage", [("help", "usage: missing-aa "), ("help scan", "usage: missing-aa scan")]
)
def test_help_is_a_word_too(words, usage, capsys):
    with pytest.raises(SystemExit) as end:
        main(words.split())
    assert end.value.code == 0 and capsys.readouterr().out.startswith(usage)


def test_who_stops_it_before_there_is_a_command_sees_no_traceback(monkeypatch, capsys):
    def stop():
        raise KeyboardInterrupt

    monkeypatch.setattr(missing_aa.__main__, "leave_out_the_current_folder", stop)
    assert missing_aa.__main__.main() == 130
    assert capsys.readouterr().err == "missing-aa: stopped\n"


NEAR = {
    "resque a.pt b.safetensors": ("usage: missing-aa ", "did you mean rescue?"),
    "rescue --forc a.pt b.safetensors": ("usage: missing-aa rescue", "did you mean --force?"),
    "scan --jsn .": ("usage: missing-aa scan", "did you mean --json?"),
    "version": ("usage: missing-aa ", "did you mean --version?"),
    "Scan .": ("usage: missing-aa ", "did you mean scan?"),
    "--verson": ("usage: missing-aa ", "did you mean --version?"),
}


@pytest.mark.parametrize("words", NEAR)
def test_a_word_that_is_nearly_right_is_not_guessed_but_named(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words.split())
    error = capsys.readouterr().err
    assert end.value.code == 2 and all(part in error for part in NEAR[words]), error


def test_a_word_that_is_like_nothing_is_not_guessed_at(capsys):
    with pytest.raises(SystemExit):
        main(["m.pt"])
    assert "did you mean" not in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_each_help_has_an_example_and_names_its_page(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    out = capsys.readouterr().out
    assert f"  missing-aa {command}" in out.partition("examples:")[2]
    page = out.rpartition("reference: ")[2].strip()
    assert (ROOT / page).is_file()


def finding(tmp_path, count=1):
    for number in range(count):
        torch.save(torch.nn.Linear(1, 1), tmp_path / f"{number}.pt")
    return [sys.executable, "-m", "missing_aa", "scan", str(tmp_path)]


@unix
def test_a_reader_that_leaves_changes_nothing_of_the_exit_code(tmp_path):
    scan = subprocess.Popen(finding(tmp_path, 3), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    scan.stdout.close()  # before a line is written
    assert (scan.wait(), scan.stderr.read()) == (1, b"")


@unix
def test_output_that_cannot_be_written_is_said_and_no_finding(tmp_path):
    with open("/dev/full", "w") as full:
        done = subprocess.run(finding(tmp_path), stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 74
    assert done.stderr.count("\n") == 1 and "cannot be written: No space left" in done.stderr


@unix
@pytest.mark.parametrize("words", ["--help", "--version", "scan --help", "scan ."])
@pytest.mark.parametrize("where", [">/dev/full", ">&-"])
def test_help_that_cannot_be_written_is_no_success(tmp_path, words, where):
    command = f"'{sys.executable}' -m missing_aa {words} {where}"
    done = subprocess.run(command, shell=True, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 74
    assert done.stderr.count("\n") == 1 and "cannot be written" in done.stderr


def test_a_fault_of_the_tool_is_one_line_and_no_finding(monkeypatch, capsys):
    from missing_aa.scanner import scan

    monkeypatch.setattr(scan.Scan, "run", lambda *_: 1 / 0)
    assert main(["scan", "."]) == 70
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "ZeroDivisionError" in error and "--traceback" in error
    with pytest.raises(ZeroDivisionError):
        main(["scan", ".", "--traceback"])


@pytest.mark.parametrize("words", ["inspect", "check", "scan", "explain", "rescue --to out"])
def test_a_path_that_is_not_there_is_usage_for_every_command(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*words.split(), "nowhere.pt"]) == 2
    printed = capsys.readouterr()
    assert "nowhere.pt" in printed.out + printed.err


@pytest.mark.parametrize("words", ["inspect", "check", "scan", "explain", "rescue --to out"])
@pytest.mark.parametrize("path", ["nowhere.pt", "file.pt/inside.pt", "", "-"])
def test_a_path_that_is_none_is_usage_with_json_where_json_is_asked_for(
    words, path, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    torch.save(torch.zeros(1), "file.pt")
    monkeypatch.setattr("sys.stdin", None)
    try:
        code = main([*words.split(), "--json", path])
    except SystemExit as end:  # of argparse, which says usage
        assert (path, end.code) == ("", 2)
        return
    answer = json.loads(capsys.readouterr().out)
    (of_one,) = answer.get("files", [answer])
    assert code == 2 and of_one["error"]["message"]


@unix
@pytest.mark.parametrize("words", ["inspect", "check", "explain", "rescue --to out"])
def test_what_is_no_regular_file_is_usage(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    os.mkfifo("pipe")
    for path in ("folder", "pipe"):
        assert main([*words.split(), path]) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and printed.err.count("\n") == 1 and path in printed.err


def test_json_says_that_there_is_no_answer_where_a_finding_has_the_same_exit_code(
    tmp_path, monkeypatch, capsys
):
    from missing_aa.releases import ReleaseProblem

    torch.save(torch.nn.Linear(1, 1), tmp_path / "whole.pt")

    def unreachable(*_):
        raise ReleaseProblem("no network")

    monkeypatch.setattr("missing_aa.checker.check.environment", unreachable)
    assert main(["check", "--json", str(tmp_path / "whole.pt")]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["message"] == "no network"


def test_an_unknown_release_is_one_line_and_usage(capsys):
    assert main(["fetch", "9.9.9"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "9.9.9" in error and "nearest" in error


def test_the_installed_command_is_the_same():
    command = [sys.executable.replace("python", "missing-aa"), "--version"]
    if not sys.executable.endswith("python"):
        pytest.skip("the interpreter has another name here")
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("missing-aa ")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that fails is Linux's")
@pytest.mark.parametrize("command", ["inspect", "check", "explain", "rescue"])
def test_a_file_that_fails_while_it_is_read_is_no_damaged_one(capsys, tmp_path, command):
    target = [str(tmp_path / "out.safetensors")] * (command == "rescue")
    assert main([command, "/proc/self/mem", *target]) == 2
    assert "/proc/self/mem: cannot be read: Input/output error" in capsys.readouterr().err
