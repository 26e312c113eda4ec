"""How the lessons show an error of a real release, and what stands one click below."""

import html
import re
import sys
from pathlib import Path

import pytest

from lesson_shell import COLOUR, Lesson
from missing_aa import releases

pytestmark = pytest.mark.xdist_group("magics")  # the tests of one process share their kernels

TORCH_LINE = re.compile(r" +… (\d+) frames? of torch")


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """A shell in which the story of the course has just happened."""
    lesson = Lesson()
    folder = tmp_path_factory.mktemp("story")
    assert lesson.run(f"work = {str(folder)!r}") is None
    save = "import torch\nfrom timm.layers import ConvNormAct\n"
    save += "torch.save(torch.nn.Sequential(ConvNormAct(3, 8)), f'{work}/block.pt')"
    assert lesson.run(f"%%timm 1.0.3 --in work\n{save}") is None
    load = "import torch\nmodel = torch.load(f'{work}/block.pt', weights_only=False)"
    assert lesson.run(f"%%timm 1.0.11 --in work\n{load}") is None
    return lesson


@pytest.fixture
def story(lesson):
    """What the cell in which the error comes showed."""
    cell = "x = torch.zeros(1, 3, 8, 8)\nmodel(x)"
    assert lesson.run(f"%%timm 1.0.11 --raises AttributeError\n{cell}", number=41) is None
    return lesson


@pytest.fixture
def mode(lesson):
    """A function that sets IPython's mode; the first one comes back."""
    yield lambda name: lesson.run(f"%xmode {name}")
    lesson.run("%xmode Context")


def whole(page):
    """The text below the click."""
    return html.unescape(
        re.search(r"<details><summary>.+?</summary><pre>(.+)</pre>", page, re.S)[1]
    )


def test_an_error_is_the_learners_line_the_librarys_and_the_message(story):
    head, *lines = story.lines
    assert re.fullmatch("AttributeError +Traceback .most recent call last.", head)
    assert lines[:2] == ["Cell In[41], line 2", "----> 2 model(x)"]
    assert TORCH_LINE.fullmatch(lines[2])
    where = r"File timm 1\.0\.11/layers/conv_bn_act\.py:\d+, in ConvNormAct\.forward\(self, x\)"
    assert re.fullmatch(where, lines[3])
    assert re.fullmatch(r"-+> \d+ if self\.aa is not None:", lines[4])
    assert lines[5] == "      … 1 frame of torch"
    assert lines[6:] == ["AttributeError: 'ConvNormAct' object has no attribute 'aa'"]


def test_the_whole_traceback_is_one_click_below(story):
    text = whole(story.page)
    folded = sum(int(number) for number in TORCH_LINE.findall("\n".join(story.lines)))
    assert text.count("File torch/nn/modules/") == folded > 4
    assert text.count("File timm 1.0.11/layers/") == 1
    assert text.endswith("\nAttributeError: 'ConvNormAct' object has no attribute 'aa'")


def test_no_page_shows_where_it_was_built(story):
    homes = [Path.home(), Path(sys.prefix), releases.cached() and releases.locate("1.0.11")]
    assert not [home for home in homes if str(home) in story.page + "\n".join(story.lines)]
    assert "~" not in story.page


def test_an_error_that_nobody_awaited_is_shown_alike(lesson):
    error = lesson.run("%%timm 1.0.11\nmodel(torch.zeros(1, 3, 8, 8))", number=43)
    assert type(error).__name__ == "AttributeError"
    lines = lesson.text.split("\n")
    assert lines[1:3] == ["Cell In[43], line 1", "----> 1 model(torch.zeros(1, 3, 8, 8))"]
    assert sum(bool(TORCH_LINE.fullmatch(line)) for line in lines) == 2 and len(lines) < 10
    assert "File torch/nn/modules/module.py" in whole(lesson.page)


def test_so_is_one_in_the_lesson_itself(lesson):
    lesson.run("import torch\nnet = torch.nn.Sequential(torch.nn.Linear(2, 2))")
    error = lesson.run("wrong = torch.zeros(3)\nnet(wrong)", number=45)
    assert type(error).__name__ == "RuntimeError"
    lines = lesson.text.rstrip("\n").split("\n")
    assert lines[1:3] == ["Cell In[45], line 2", "----> 2 net(wrong)"]
    assert TORCH_LINE.fullmatch(lines[3]) and lines[4].startswith("RuntimeError: ")
    assert "File torch/nn/modules/linear.py" in whole(lesson.page)


def test_a_cell_has_one_number_wherever_its_error_comes_from(lesson):
    for cell in ("%%timm 1.0.3 --may-raise\n1 / 0", "%%expect --may-raise\n1 / 0"):
        lesson.run(cell, number=51)
        assert lesson.lines[1:3] == ["Cell In[51], line 1", "----> 1 1 / 0"]
    lesson.run("1 / 0", number=52)
    assert "Cell In[52], line 1" in lesson.text
    lesson.run("%%expect --may-raise\ndef broken():\n    return 1 / 0\nbroken()", number=53)
    lesson.run("broken()", number=54)
    assert (
        "Cell In[54], line 1" in lesson.text and "Cell In[53], line 2, in broken()" in lesson.text
    )


def test_without_a_library_there_is_nothing_below(lesson):
    lesson.run("%%expect KeyError\n{}[1]")
    assert "<details>" not in lesson.page
    lesson.run("{}[1]")
    assert lesson.shown == []


@pytest.mark.parametrize("magic", ["", "%%timm 1.0.11\n"])
def test_a_name_that_is_not_there_comes_with_what_to_do(lesson, magic):
    assert isinstance(lesson.run(f"{magic}forgotten + 1"), Exception)
    assert lesson.text.rstrip().endswith("NameError: name 'forgotten' is not defined")
    assert "<code>forgotten</code>" in lesson.page and "Run All Above Selected Cell" in lesson.page


def test_a_text_of_many_lines_is_there_in_full(lesson):
    lesson.run("%%timm 1.0.11 --raises UnpicklingError\ntorch.load(f'{work}/block.pt')")
    text = "\n".join(lesson.lines)
    assert "Unsupported global: GLOBAL torch.nn.modules.container.Sequential" in text
    assert html.escape("types accepted by default with weights_only") in lesson.page


def test_markup_in_a_message_stays_text(lesson):
    lesson.run("%%expect ValueError\nraise ValueError('<script>alert(1)</script>')")
    assert "<script>" not in lesson.page and "&lt;script&gt;" in lesson.page


def test_what_led_to_an_error_is_shown_too(lesson):
    cell = "try:\n    {}['a']\nexcept KeyError as error:\n    raise ValueError('b') from error"
    lesson.run(f"%%expect ValueError\n{cell}")
    text = "\n".join(lesson.lines)
    assert text.index("KeyError: 'a'") < text.index("direct cause") < text.index("ValueError: b")


@pytest.fixture
def shallow():
    """A recursion ends sooner: IPython looks each of its frames up twice."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit // 3)
    yield
    sys.setrecursionlimit(limit)


def test_a_recursion_through_torch_does_not_fill_the_page(lesson, shallow):
    module = "class Loop(torch.nn.Module):\n    def forward(self, x):\n        return self(x)\n"
    lesson.run(f"%%expect RecursionError\nimport torch\n{module}Loop()(torch.zeros(1))")
    assert len(lesson.lines) < 20
    assert "return self(x)" in "\n".join(lesson.lines)


def test_a_syntax_error_is_shown_as_ipython_does(lesson):
    for magic in ("%%expect", "%%timm 1.0.3 --raises"):
        lesson.run(f"{magic} SyntaxError\ndef broken(:", number=61)
        assert "Cell In[61], line 1" in lesson.lines[0]
        assert lesson.lines[-1].startswith("SyntaxError: ")
        assert f"<strong>{html.escape(lesson.lines[-1])}</strong>" in lesson.page


@pytest.mark.parametrize("name, lines", [("Minimal", 1), ("Plain", 6)])
def test_another_mode_of_ipython_is_left_alone(lesson, mode, name, lines):
    lesson.run("import torch\nnet = torch.nn.Linear(2, 2)")
    mode(name)
    lesson.run("net(torch.zeros(3))")
    shown = COLOUR.sub("", lesson.text).strip().split("\n")
    assert len(shown) >= lines and shown[-1].startswith("RuntimeError: ")
    assert not any(TORCH_LINE.search(line) for line in shown) and lesson.shown == []
