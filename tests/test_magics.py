"""The two magics, in a real IPython shell and with real kernels of real releases."""

import os
import signal

import psutil
import pytest

from helpers import kernels
from lesson_shell import COLOUR, Lesson

pytestmark = pytest.mark.xdist_group("magics")  # the tests of one process share their kernels

VERSION = "from importlib.metadata import version\n"


@pytest.fixture(scope="module")
def lesson():
    return Lesson()


def message(error):
    """An error as the learner meets it: the lines that IPython shows."""
    return COLOUR.sub("", "\n".join(error._render_traceback_()))


def test_a_cell_sees_its_release_and_keeps_its_state(lesson):
    assert lesson.run(f"%%timm 1.0.3\n{VERSION}seen = version('timm'); print(seen)") is None
    assert lesson.text == "1.0.3\n"
    assert lesson.run(f"%%timm 1.0.11\n{VERSION}print(version('timm'))") is None
    assert lesson.text == "1.0.11\n"
    assert lesson.run("%%timm 1.0.3\nprint(seen)") is None
    assert lesson.text == "1.0.3\n"


def test_kernels_started_ahead_are_the_ones_that_the_cells_meet(lesson):
    assert lesson.run("ahead = '0.6.13'\n%timm {ahead} 1.0.11") is None
    assert lesson.run("%%timm 0.6.13\nimport sys; print('timm' in sys.modules)") is None
    assert lesson.text == "True\n"
    assert lesson.run("%%timm 1.0.11\nprint('timm' in globals())") is None
    assert lesson.text == "False\n"


def test_variables_in_the_line_and_plain_values_both_ways(lesson):
    assert lesson.run("release = '1.0.3'\nsizes = [1, 2.5, {'a': None, 'b': 'ü'}]") is None
    assert lesson.run("%%timm {release} --in sizes --out doubled\ndoubled = sizes * 2") is None
    assert lesson["doubled"] == lesson["sizes"] * 2


def test_values_and_rich_output_arrive_as_if_the_cell_had_run_here(lesson):
    cell = "from IPython.display import HTML, display\ndisplay(HTML('<b>bold</b>'))\n6 * 7"
    assert lesson.run(f"%%timm 1.0.3\n{cell}") is None
    first, second = lesson.shown
    assert first.data["text/html"] == "<b>bold</b>"
    assert second.data["text/plain"] == "42"


def test_an_error_shows_its_own_traceback_and_stops_the_lesson(lesson):
    error = lesson.run("%%timm 1.0.3\nx = 1\nx / 0")
    assert type(error).__name__ == "ZeroDivisionError"
    assert str(error) == "division by zero"
    assert "x / " in message(error) and "helpers" not in message(error)


def test_a_promised_error_is_shown_and_the_lesson_goes_on(lesson):
    cell = "%%timm 1.0.3 --raises ZeroDivisionError --match '^division by'\n1 / 0"
    assert lesson.run(cell) is None
    assert lesson.lines[-1] == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize("magic", ["%%timm 1.0.3 --raises", "%%expect"])
@pytest.mark.parametrize(
    "words, body, came",
    [
        ("ValueError", "1 + 1", "nothing was raised"),
        ("ValueError", "1 / 0", "ZeroDivisionError: division by zero"),
        ("ZeroDivisionError --match 'by one'", "1 / 0", "ZeroDivisionError: division by zero"),
        ("ValueError", "def broken(:", "SyntaxError"),
    ],
)
def test_a_broken_promise_fails_the_cell_and_says_what_came(lesson, magic, words, body, came):
    error = lesson.run(f"{magic} {words}\n{body}")
    assert type(error).__name__ == "PromiseBroken"
    assert "promised " + words.split()[0] in str(error) and came in str(error)


def test_expect_runs_in_the_lesson_itself_and_keeps_its_variables(lesson):
    assert lesson.run("%%expect KeyError --match missing\nhere = 1\n{}['missing']") is None
    assert lesson.lines[-1] == "KeyError: 'missing'"
    assert lesson["here"] == 1


BOTH = pytest.mark.parametrize("magic", ["%%timm 1.0.3 --may-raise", "%%expect --may-raise"])
CHECK = "from helpers.magics import expect_error\n"


@BOTH
def test_a_cell_that_may_raise_shows_what_comes_and_is_checked_once(lesson, magic):
    assert lesson.run(f"{magic}\n1 / 0") is None
    assert lesson.lines[-1] == "ZeroDivisionError: division by zero"
    assert lesson.run(f"{CHECK}expect_error('ZeroDivisionError', 'by zero')") is None
    error = lesson.run(f"{CHECK}expect_error('ZeroDivisionError', 'by zero')")
    assert "no cell with --may-raise has run since" in message(error)
    assert "Run All Above Selected Cell" in message(error)


@BOTH
@pytest.mark.parametrize(
    "body, wanted, came",
    [
        ("1 + 1", "'ZeroDivisionError'", "nothing was raised"),
        ("1 / 0", "'ValueError'", "ZeroDivisionError: division by zero"),
        ("1 / 0", "'ZeroDivisionError', 'by one'", "ZeroDivisionError: division by zero"),
        ("def broken(:", "'ZeroDivisionError'", "SyntaxError"),
    ],
)
def test_a_check_turns_down_another_end(lesson, magic, body, wanted, came):
    assert lesson.run(f"{magic}\n{body}") is None
    error = lesson.run(f"{CHECK}expect_error({wanted})")
    assert type(error).__name__ == "PromiseBroken" and came in message(error)


def test_a_cell_that_did_not_come_to_run_leaves_nothing_to_check(lesson):
    assert lesson.run("%%expect --may-raise\n1 / 0") is None
    assert "--in names" in message(lesson.run("%%timm 1.0.3 --may-raise --in nowhere\n1"))
    assert "no cell with --may-raise" in message(lesson.run(f"{CHECK}expect_error('X')"))


@pytest.mark.parametrize("magic", ["%%timm 1.0.3 --raises", "%%expect"])
def test_a_name_that_a_restart_took_away_is_said_to_be_that(lesson, magic):
    error = lesson.run(f"{magic} ValueError\nforgotten")
    assert "name 'forgotten' is not defined" in message(error)
    assert "Run All Above Selected Cell" in message(error)


def test_expect_leaves_later_errors_as_they_are(lesson):
    assert lesson.run("%%expect KeyError\n{}[1]") is None
    assert isinstance(lesson.run("{}[1]"), KeyError)


@pytest.mark.parametrize(
    "line, says",
    [
        ("%%timm 9.9.9", ["no timm release '9.9.9'", "nearest are"]),
        ("%%timm", ["usage: %%timm RELEASE"]),
        ("%%timm 1.0.3 --rases X", ["--rases", "usage: %%timm RELEASE"]),
        ("%%timm {nowhere}", ["no variable 'nowhere'", "Run All Above Selected Cell"]),
        ("%%timm 1.0.3 --match x", ["--match goes with --raises"]),
        ("%%timm 1.0.3 --raises X --match '('", ["no regular expression"]),
        ("%%timm 1.0.3 --match 'x", ["No closing quotation"]),
        ("%%timm 1.0.3 --in nowhere", ["--in names 'nowhere'", "Run All Above Selected Cell"]),
        ("%%timm 1.0.3 --in get_ipython", ["'get_ipython'", "method", "in the folder `work`"]),
        ("%%timm 1.0.3 --out nowhere", ["no 'nowhere' in the kernel of timm 1.0.3"]),
        ("%%timm 1.0.3 --out q", ["'q' is or holds tuple"]),
        ("%timm", ["usage: %timm RELEASE"]),
        ("%timm 1.0.3 9.9.9", ["no timm release '9.9.9'"]),
        ("%%timm 1.0.3 --raises X --may-raise", ["--may-raise goes without --raises"]),
        ("%%timm 1.0.3 --may-raise --match x", ["--match goes with --raises"]),
        ("%%expect", ["usage: %%expect TYPE"]),
        ("%%expect X --may-raise", ["or --may-raise alone"]),
        ("%%expect --may-raise --match x", ["or --may-raise alone"]),
    ],
)
def test_bad_words_get_one_line(lesson, line, says):
    error = lesson.run(f"{line}\nq = (1, 2)" if line.startswith("%%") else line)
    assert message(error).count("\n") == 0
    for part in says:
        assert part in message(error)


@pytest.mark.parametrize("value", ["{1: 2}", "float", "[1, {2}]", "__import__('numpy').float64(1)"])
def test_what_json_would_change_or_cannot_carry_is_named(lesson, value):
    assert lesson.run(f"odd = {value}") is None
    error = lesson.run("%%timm 1.0.3 --in odd\n1")
    assert "'odd' is or holds" in message(error)


def test_a_release_that_is_not_cached_is_one_line(lesson, tmp_path, monkeypatch):
    monkeypatch.setenv("MISSING_AA_CACHE", str(tmp_path))
    error = lesson.run("%%timm 0.5.4\n1")
    assert message(error).count("\n") == 0
    assert "missing-aa fetch 0.5.4" in message(error)


def test_a_kernel_that_dies_is_one_line_and_the_next_cell_starts_afresh(lesson):
    error = lesson.run("%%timm 1.0.12\nstate = 1\nimport os\nos._exit(3)")
    assert message(error).count("\n") == 0
    assert "the kernel of timm 1.0.12 died" in message(error)
    assert lesson.run("%%timm 1.0.12\nprint('state' in globals())") is None
    assert lesson.text == "False\n"


def block_until_stopped(kernel, code=""):
    """Run a cell that never ends, and press the stop button once it has begun."""
    with pytest.raises(KeyboardInterrupt):
        kernel.run(
            f"{code}\nprint('begun', flush=True)\nimport threading\nthreading.Event().wait()",
            lambda kind, content: signal.raise_signal(signal.SIGINT) if kind == "stream" else None,
        )


def test_the_stop_button_stops_the_cell_and_keeps_the_state():
    kernel = kernels.ReleaseKernel("1.0.3")
    block_until_stopped(kernel, "state = 'kept'")
    kernel.run("seen = state", lambda kind, content: None)
    assert kernel.get(["seen"]) == {"seen": "kept"}
    kernel.shutdown()
    assert not kernel.alive


def test_a_cell_that_will_not_stop_is_killed(monkeypatch):
    monkeypatch.setattr(kernels, "PATIENCE", 0.1)
    kernel = kernels.ReleaseKernel("1.0.3")
    block_until_stopped(kernel, "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)")
    assert not kernel.alive


@pytest.mark.skipif(os.name != "posix", reason="processes are killed another way there")
def test_a_lesson_that_is_killed_takes_its_kernels_along(tmp_path):
    import subprocess
    import sys

    program = (
        "from helpers.kernels import ReleaseKernel\nk = ReleaseKernel('1.0.3')\n"
        "k.run('import os; print(os.getpid())', lambda kind, content: "
        "print(content['text'], flush=True) if kind == 'stream' else None)\ninput()"
    )
    lesson = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    kernel = psutil.Process(int(lesson.stdout.readline()))
    lesson.kill()
    lesson.wait()
    _, alive = psutil.wait_procs([kernel], timeout=30)
    assert not alive
