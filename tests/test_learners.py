"""What learners on one server take: JupyterLab is real, the lessons are tiny."""

import psutil
import pytest
from tools import server_memory

import tiny_lessons
from missing_aa.errors import Problem

pytestmark = pytest.mark.long  # a server, with learners in it

HOLD = "held = bytearray(300 * 2**20)"  # written to, so that the memory is really taken


@pytest.fixture
def lessons(tmp_path):
    tiny_lessons.notebook(tmp_path, "01_holds", "size = 3", HOLD)
    tiny_lessons.notebook(tmp_path, "02_fails", "size = 3", "1 / 0")
    return tmp_path / "notebooks"


def test_each_learner_takes_what_their_lesson_holds(lessons):
    before = set(psutil.Process().children(recursive=True))
    one, two = (server_memory.measure(lessons / "01_holds.ipynb", count) for count in (1, 2))
    assert one["most"] >= one["end"] > 300
    assert two["end"] > one["end"] + 250, "what each holds is their own"
    assert two["unshared"] > two["end"], "what they share counts once"
    assert set(psutil.Process().children(recursive=True)) <= before


def test_a_lesson_that_fails_is_no_measurement(lessons):
    with pytest.raises(Problem, match="02_fails: division by zero"):
        server_memory.measure(lessons / "02_fails.ipynb", 1)
