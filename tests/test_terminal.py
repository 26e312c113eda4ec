import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pty = pytest.importorskip("pty", reason="no terminal to be had here")

ERASED = "\x1b[2K"
ESCAPE = "\x1b["
OF_TERMINALS = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM")


class Net(torch.nn.Module):
    pass


@pytest.fixture
def folder(tmp_path):
    torch.save(Net(), tmp_path / "whole.pt")
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "weights.pt")
    (tmp_path / "damaged.pt").write_bytes((tmp_path / "weights.pt").read_bytes()[:300])
    return tmp_path


def environment(**more):
    return {k: v for k, v in os.environ.items() if k not in OF_TERMINALS} | more


def on_a_terminal(folder, *words, program="missing_aa", columns=40, **more):
    """What a program shows on a terminal of its own."""
    ours, theirs = pty.openpty()
    env = environment(COLUMNS=str(columns), TERM="xterm", **more)
    child = subprocess.Popen(
        [sys.executable, "-m", program, *map(str, words)],
        cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    with open(ours, "rb", buffering=0) as terminal:
        try:
            while chunk := terminal.read(65536):
                shown += chunk
        except OSError:  # Linux: the other end is closed
            pass
    child.wait()
    return shown.decode().replace("\r\n", "\n")


def in_a_pipe(folder, *words, **more):
    done = subprocess.run(
        [sys.executable, "-m", "missing_aa", *words],
        cwd=folder, env=environment(**more), capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout + done.stderr


SAID = {"a scan": ["scan", "."], "an error": ["scan", "nothing"], "usage": ["scan", "--jsn", "."]}


@pytest.mark.parametrize("words", SAID.values(), ids=SAID)
def test_colour_is_for_terminals_and_for_who_wants_it(folder, words):
    assert ESCAPE in on_a_terminal(folder, *words)
    assert ESCAPE not in on_a_terminal(folder, *words, NO_COLOR="1")
    assert ESCAPE not in in_a_pipe(folder, *words)
    assert ESCAPE in in_a_pipe(folder, *words, FORCE_COLOR="1")
    assert ESCAPE not in in_a_pipe(folder, *words, FORCE_COLOR="1", NO_COLOR="1")


def test_what_a_program_reads_is_never_painted(folder):
    for form in ("--json", "--sarif", "--github"):
        assert ESCAPE not in in_a_pipe(folder, "scan", form, ".", FORCE_COLOR="1")


TO_COPY = ("missing-aa ", "missing_aa.", "torch.", "state_dict =", "from ", "model", "$ ", ">>> ")
COMMANDS = {
    "scan": ["scan", "."],
    "inspect": ["inspect", "whole.pt"],
    "inspect of several": ["inspect", "whole.pt", "weights.pt", "damaged.pt"],
    "check": ["check", "whole.pt"],
    "rescue": ["rescue", "whole.pt", "out.safetensors"],
    "rescue of several": ["rescue", "whole.pt", "damaged.pt", "--to", "out"],
    "explain": ["explain", "object has no attribute 'aa'"],
    "fetch": ["fetch", "--list"],
    "matrix": ["matrix", "--formats", "none"],
    "help": ["scan", "--help"],
    "a missing path": ["inspect", "nothing.pt"],
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_forty_columns_break_no_word(folder, words):
    shown = on_a_terminal(folder, *words, NO_COLOR="1", MISSING_AA_CACHE=folder / "cache")
    after_bars = shown.rpartition(ERASED)[2]
    for line in after_bars.split("\n"):
        is_copied = line.strip().startswith(TO_COPY) or line.strip().startswith("[--json |")
        assert len(line) <= 40 or is_copied or " " not in line.strip(), shown


def test_eighty_columns_break_no_word_of_a_table(folder):
    deep = folder / "some/models/of/another/library"
    deep.mkdir(parents=True)
    names = [deep / f"a_rather_long_name_of_a_checkpoint_{end}.pt" for end in ("one", "two")]
    for name in names:
        shutil.copy(folder / "whole.pt", name)
    paths = [str(name.relative_to(folder)) for name in names]
    shown = on_a_terminal(folder, "inspect", *paths, "damaged.pt", columns=80, NO_COLOR="1")
    for word in (*paths, "what it is: other", "names: needs code"):
        assert word in shown, shown
    short = on_a_terminal(folder, "inspect", "whole.pt", "weights.pt", columns=80, NO_COLOR="1")
    assert "╭" in short and "state_dict" in short, short


def test_a_row_of_an_inspection_breaks_below_its_own_text_and_never_in_a_class(folder):
    torch.save(torch.nn.Sequential(torch.nn.Linear(2, 2)), folder / "net.pt")
    lines = on_a_terminal(folder, "inspect", "net.pt", NO_COLOR="1").split("\n")
    assert " " * 14 + "torch.nn.modules.container.Sequential" in lines, lines
    at = next(at for at, line in enumerate(lines) if line.startswith("format"))
    assert lines[at : at + 2] == [
        "format        torch checkpoint (zip,",
        f"{'':14}torch 1.6 and later)",
    ]


def test_an_answer_fills_its_lines(folder):
    shown = on_a_terminal(folder, "explain", "No module named 'barnets'", NO_COLOR="1")
    lines = [line.rstrip() for line in shown.split("\n")]
    first = next(at for at, line in enumerate(lines) if line.startswith("What it is"))
    paragraph = lines[first : lines.index("", first)]
    assert len(paragraph) > 3
    for line, after in zip(paragraph, paragraph[1:], strict=False):
        assert len(line) + 1 + len(after.split()[0]) > 40, shown


def test_the_course_is_as_narrow(folder):
    notebooks = Path(__file__).resolve().parents[1] / "notebooks"
    shown = on_a_terminal(folder, "report", notebooks, program="helpers", NO_COLOR="1")
    assert "not attempted" in shown
    assert all(len(line) <= 40 or " " not in line.strip() for line in shown.split("\n")), shown


def test_a_pipe_gets_whole_lines(folder):
    lines = in_a_pipe(folder, "scan", ".", COLUMNS="40").split("\n")
    assert any("damaged.pt: " in line and line.startswith("malformed") for line in lines)
