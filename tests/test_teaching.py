"""The teacher's pages agree with the lessons: sections, minutes, exercises, objectives."""

import json
import re
from pathlib import Path

import pytest
from tools import lesson_minutes

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "teaching"
LESSONS = {path.name[:2]: path for path in sorted(ROOT.glob("notebooks/[0-9][0-9]_*.ipynb"))}
OUTSIDE = ("Check yourself", "Key points")
"""Sections that a learner reads alone; a plan gives them no time."""
PLANS = {"90 minutes": 90, "Half a day": 240, "One day": 480}

each_lesson = pytest.mark.parametrize("number", LESSONS)
each_plan = pytest.mark.parametrize("plan", PLANS)


def page(name):
    return (PAGES / name).read_text(encoding="utf-8")


def lesson(number):
    return json.loads(LESSONS[number].read_text(encoding="utf-8"))


def texts(number, kind):
    return ["".join(c["source"]) for c in lesson(number)["cells"] if c["cell_type"] == kind]


def minutes(number):
    return lesson(number)["metadata"]["missing_aa"]["minutes"]


def times(number):
    """Section -> its minutes on the teacher's page; with a plus if it goes further."""
    return {name: row[0] for name, row in lesson_minutes.timetable(number).items()}


def sections(number):
    """Section -> whether it is core."""
    found = re.findall(r"^## (.+?)( · further)?$", "\n".join(texts(number, "markdown")), re.M)
    return {name: not further for name, further in found if name not in OUTSIDE}


def checks(number):
    return set(re.findall(r"^check\.(\w+)\(", "\n".join(texts(number, "code")), re.M))


def part(text, name):
    """What stands below a heading, up to the next one of its level."""
    return text.split(f"\n## {name}\n")[1].split("\n## ")[0]


def rows(text):
    """The rows of the first table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def planned(plan):
    """At, minutes, what and lesson of each row of a plan; times in minutes, below 0 before it."""
    for at, length, what, number in rows(part(page("plans.md"), plan)):
        hours, rest = at.removeprefix("−").split(":")
        sign = -1 if at.startswith("−") else 1
        yield sign * (int(hours) * 60 + int(rest)), int(length), what, number


@each_lesson
def test_every_lesson_has_a_page_with_its_title_and_a_link_to_it(number):
    text = page(f"lesson_{number}.md")
    (title,) = re.findall(r"^# (\d\d · .+)$", texts(number, "markdown")[0], re.M)
    assert text.partition("\n")[0].endswith(title)
    assert f"](../../notebooks/{LESSONS[number].name})" in text


def test_no_page_is_of_a_lesson_that_is_not_there():
    assert {path.stem[-2:] for path in PAGES.glob("lesson_*.md")} == LESSONS.keys()


@each_lesson
def test_the_sections_of_a_page_are_the_lessons_and_their_minutes_add_up(number):
    timed = times(number)
    assert list(timed) == list(sections(number))
    core = {name: not length.startswith("+") for name, length in timed.items()}
    assert core == sections(number)


@each_lesson
def test_the_minutes_of_a_lesson_and_of_its_sections_are_reckoned_by_the_printed_rule(number):
    reckoned = lesson_minutes.reckon(number)
    assert minutes(number) == lesson_minutes.lesson_minutes(reckoned), "of the lesson"
    needed = {s.name: lesson_minutes.whole(s.minutes()) for s in reckoned}
    assert {name: int(length) for name, length in times(number).items()} == {
        name: needed[name] for name in times(number)
    }


@each_lesson
def test_every_exercise_has_minutes_on_its_teachers_page_in_its_own_section(number):
    for section in lesson_minutes.reckon(number):
        here = ""
        if section.name in sections(number):
            heading = section.name + ("" if section.core else " · further")
            here = part("\n".join(["", *texts(number, "markdown")]), heading)
        found = {int(exercise) for exercise in re.findall(r"^### Exercise (\d):", here, re.M)}
        assert section.exercises.keys() == found, section.name


def test_the_rule_is_printed_once_and_is_the_one_that_reckons():
    printed = re.findall(r"\d+", part(page("index.md"), "How the minutes are reckoned"))
    rule = {lesson_minutes.WORDS, lesson_minutes.LINES, lesson_minutes.ROUNDED}
    assert rule <= set(map(int, printed))


def test_a_lesson_is_reckoned_by_what_is_read_and_not_by_what_is_folded(tmp_path):
    def code(source, *tags):
        return {"cell_type": "code", "metadata": {"tags": tags}, "source": source}

    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# T\n" + "word " * 398},
        {"cell_type": "markdown", "metadata": {}, "source": "## One\n**Predict.**"},
        code("a = 1\n\nb = 2\nplots.show(*figure())"),
        code("x\n" * 50, "setup"),
        code("answer = ...\ncheck.it(answer)"),
        {"cell_type": "markdown", "metadata": {}, "source": "## Two · further\n### Exercise 1: it"},
    ]
    path = tmp_path / "lesson.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    opening, one, two = (section for section, _ in lesson_minutes.walk(path))
    assert (opening.words, opening.minutes()) == (400, 2.0)
    assert (one.name, one.words, one.lines, one.pictures, one.predictions) == ("One", 1, 3, 1, 1)
    assert one.minutes() == pytest.approx(1 / 200 + 0.3 + 2)
    one.run, one.exercises = 60, {1: 5, 2: 7}
    assert one.minutes(without=(2,)) == pytest.approx(1 / 200 + 0.3 + 2 + 1 + 5)
    assert (two.core, two.words) == (False, 0)
    assert lesson_minutes.lesson_minutes([opening, one, two]) == 20


@each_lesson
def test_wrong_answers_are_foreseen_for_every_exercise_and_no_other(number):
    table = rows(part(page(f"lesson_{number}.md"), "Wrong answers"))
    named = {found[1] for answer, *_ in table if (found := re.match(r"`(\w+)`:", answer))}
    assert named == checks(number)
    assert all(len(row) == 3 and all(row) for row in table) and len(table) >= 5


@each_lesson
def test_what_a_page_sets_in_italics_as_a_section_is_one(number):
    text = page(f"lesson_{number}.md")
    for name in re.findall(
        r"(?<!\*)\*(?!\*)([A-Z][^*\n]+)\*(?!\*)", part(text, "Ask") + part(text, "When late")
    ):
        assert any(section.startswith(name) for section in sections(number)), name


@each_plan
def test_a_plans_minutes_add_up(plan):
    (begin, *_), (starts, *_), *_ = planned(plan)
    now = begin
    for at, length, what, _ in planned(plan):
        assert at == now, what
        now += length
    assert now == PLANS[plan]
    assert begin < 0 and starts == 0, "nobody has time to install later"


def sums(plan):
    """(lesson, section) -> its minutes in a plan, with its exercises, and what its rows say."""
    taken, section = {}, ""
    for _, length, what, number in planned(plan):
        if number and not what.startswith(("[", "Exercise ")):
            section = what.partition(". ")[0]
        if number and not what.startswith("["):
            total, said = taken.get((number, section), (0, ""))
            taken[number, section] = total + length, f"{said}\n{what}"
    return taken


@each_plan
def test_a_plan_takes_sections_that_are_there_in_the_time_they_need(plan):
    for (number, section), (length, said) in sums(plan).items():
        if not re.search(r"\bOnly\b", said):
            assert length >= needed(number, section, said), said


def needed(number, section, said, votes=False):
    """The minutes of a section by the rule, without what a row says that it leaves out."""
    (found,) = [one for one in lesson_minutes.reckon(number) if one.name == section]
    without = [int(exercise) for exercise in re.findall(r"[Ww]ithout exercise (\d)", said)]
    return lesson_minutes.whole(found.minutes(without) + votes * found.predictions)


def test_the_ninety_minutes_are_reckoned_step_by_step_with_a_minute_more_for_each_vote():
    for (number, section), (length, said) in sums("90 minutes").items():
        assert length == needed(number, section, said, votes=True), said
    opened = [(n, what) for _, n, what, _ in planned("90 minutes") if what.startswith("Next")]
    for (length, what), number in zip(opened, ("03", "04"), strict=True):
        assert f"open {number}" in what
        assert length == 2 + needed(number, "Opening", "")


def test_the_lessons_of_the_day_are_there_in_full():
    for _, length, what, number in planned("One day"):
        if number:
            title = texts(number, "markdown")[0].splitlines()[0].partition(" · ")[2]
            assert what == f"[{title}](lesson_{number}.md)" and length == minutes(number)


def test_the_day_has_every_lesson_but_two_and_the_half_day_and_the_ninety_minutes_the_heart():
    taken = {plan: list(dict.fromkeys(row[3] for row in planned(plan) if row[3])) for plan in PLANS}
    assert taken["One day"] == [number for number in LESSONS if number not in ("02", "07")]
    assert taken["90 minutes"] == ["03", "04"]
    assert set(taken["90 minutes"]) < set(taken["Half a day"])


@each_plan
def test_there_is_time_to_go_from_one_lesson_to_the_next(plan):
    """But for the first, and for lessons that are slides only."""
    opened, came = {"00"}, ""
    for _, _, what, number in planned(plan):
        if number and number not in opened and "slides" not in what:
            assert came.startswith("Next lesson"), what
            opened.add(number)
        came = what


def test_an_exercise_that_a_plan_names_is_in_its_section():
    for plan in PLANS:
        for (number, section), (_, said) in sums(plan).items():
            here = part("\n".join(texts(number, "markdown")), section)
            for wanted in re.findall(r"[Ee]xercise \d(?:: [^.\n]+)?", said):
                assert f"### {wanted[0].upper()}{wanted[1:]}" in here, wanted


def paths():
    """The path of half an hour, as lesson 00 and README have it: (lesson, sections, minutes)."""
    for text in ("\n".join(texts("00", "markdown")), (ROOT / "README.md").read_text("utf-8")):
        table = rows(text.split("**Half an hour?**")[1].split("\n\n")[1])
        yield [(re.search(r"\d\d", lesson)[0], names, int(took)) for lesson, names, took in table]


def test_the_path_of_half_an_hour_is_the_same_everywhere_and_its_minutes_are_the_sections():
    first, second = paths()
    assert first == second
    for number, names, took in first:
        timed = times(number)
        assert took == sum(int(timed[name.strip("* ")]) for name in names.split(";"))
    assert sum(took for *_, took in first) <= 30


def questions():
    pieces = re.split(r"^## Question (\d)\n", page("questions.md"), flags=re.M)[1:]
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


@each_lesson
def test_what_is_said_aloud_is_foreseen_for_a_section_of_the_lesson(number):
    for answer, *_ in rows(part(page(f"lesson_{number}.md"), "Wrong answers")):
        if not answer.startswith("`"):
            on = re.match(r"\*(.+?)\*: \"", answer)
            assert on and any(name.startswith(on[1]) for name in sections(number)), answer


def test_six_questions_each_with_one_answer_and_what_the_others_show():
    assert list(questions()) == list("123456")
    right = []
    for text in questions().values():
        choices = re.findall(r"^- ([A-E])\. ", text, re.M)
        assert choices == list("ABCDE") and "- E. I do not know." in text
        (answer,) = re.findall(r"^\*\*Answer: ([A-D])\.\*\*", text, re.M)
        shown = re.findall(r"^- ([A-D]) shows: ", text, re.M)
        assert sorted([*shown, answer]) == list("ABCD")
        right.append(answer)
    assert len(set(right)) == 4, "no letter can be guessed"


def test_every_question_is_tied_to_an_objective_of_its_lesson():
    table = dict(row[:2] for row in rows(part(page("questions.md"), "Counting")))
    for number, text in questions().items():
        lesson_number, objective = re.search(
            r"\*\* Lesson (\d\d): \*(.+?)\*\.", " ".join(text.split())
        ).groups()
        opening = texts(lesson_number, "markdown")[0].replace("**", "")
        assert f"- {objective}" in opening
        assert table[number] == lesson_number


def test_the_form_asks_the_same_and_gives_nothing_away():
    form = page("questions_form.md")
    for number, text in questions().items():
        asked = text.partition("**Answer")[0].replace("\n- ", "\n- ☐ ").strip()
        assert part(form, f"Question {number}").strip() == asked
    assert "Answer" not in form and "shows" not in form


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.md")), ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target
