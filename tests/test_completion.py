"""What `--print-completion` prints, used by the shells themselves, those of them that are here."""

import shutil
import subprocess
import sys

import pytest

from missing_aa.cli import COMMANDS, main
from missing_aa.cli.completion import SHELLS

# What bash does at a press of the tab key: it calls the function with the words so far.
IN_BASH = """
source "$1"; shift
name=$(complete -p missing-aa | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
COMP_WORDS=(missing-aa "$@"); COMP_CWORD=$#; COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}
"$name" missing-aa "${@: -1}" "${COMP_WORDS[$#-1]}" 2>/dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def printed(tmp_path, capsys):
    """Writes the script for a shell, as a person does."""
    pytest.importorskip("shtab")

    def write(shell):
        with pytest.raises(SystemExit) as left:
            main(["--print-completion", shell])
        assert left.value.code == 0
        path = tmp_path / f"completion.{shell}"
        path.write_text(capsys.readouterr().out)
        return path

    return write


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@pytest.mark.parametrize(
    "words, offered",
    [
        ([""], list(COMMANDS)),
        (["--vers"], ["--version"]),
        (["scan", "--fail"], ["--fail-on"]),
        (["scan", "--json", "old"], ["old one.pt"]),
        (["inspect", "old one.pt", "mod"], ["model.pt"]),
        (["rescue", "model.pt", "--to", ""], ["folder"]),
        (["rescue", "--format", ""], ["safetensors", "timm"]),
        (["fetch", "1.0.3", "1.0.3"], ["1.0.3", "1.0.30", "1.0.31"]),
        (["--print-completion", ""], list(SHELLS)),
    ],
)
def test_bash_offers_commands_options_files_folders_and_releases(printed, tmp_path, words, offered):
    here = tmp_path / "here"
    (here / "folder").mkdir(parents=True)
    for name in ("model.pt", "old one.pt"):
        (here / name).write_text("")
    command = ["bash", "--norc", "-c", IN_BASH, "bash", printed("bash"), *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=here)
    assert sorted(done.stdout.splitlines()) == sorted(offered), done.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_reads_its_script_and_every_command_is_in_it(printed, shell):
    path = printed(shell)
    assert all(name in path.read_text() for name in COMMANDS)
    if shutil.which(shell):
        assert subprocess.run([shell, "-n", path]).returncode == 0


def test_a_shell_that_is_not_known_is_usage(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--print-completion", "fsh"])
    assert left.value.code == 2
    assert "did you mean fish?" in capsys.readouterr().err


def test_without_shtab_a_line_says_how_to_have_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    with pytest.raises(SystemExit) as left:
        main(["--print-completion", "bash"])
    said = capsys.readouterr()
    assert left.value.code == 1 and said.out == ""
    assert said.err.startswith("missing-aa: --print-completion needs shtab: pip install")
    assert "'shtab>=" in said.err and said.err.count("\n") == 1
