"""Each check turns down the stub and plausible wrong answers, with a hint that fits."""

import pytest

from helpers.checks import matrix as check


def readers(cells, model, writer, form="whole"):
    """The readers that give the writer's output, in the order of the cells."""
    return [
        cell.reader
        for cell in cells
        if (cell.model, cell.writer, cell.format) == (model, writer, form)
        and cell.outcome.result == "ok"
    ]


def newest_right(cells, releases, model, writer):
    return max(readers(cells, model, writer), key=releases.index, default=None)


def newest_by_loop(cells, releases, model, writer):
    newest = None
    for release in releases:
        if release in readers(cells, model, writer):
            newest = release
    return newest


def newest_last_cell(cells, releases, model, writer):
    return (readers(cells, model, writer) or [None])[-1]


def newest_as_text(cells, releases, model, writer):
    return max(readers(cells, model, writer), default=None)


def newest_up_to_the_first_failure(cells, releases, model, writer):
    fine = readers(cells, model, writer)
    last = None
    for release in releases[releases.index(writer) :]:
        if release not in fine:
            break
        last = release
    return last


def newest_of_any_model(cells, releases, model, writer):
    fine = [r for name in {c.model for c in cells} for r in readers(cells, name, writer)]
    return max(fine, key=releases.index, default=None)


def newest_of_any_writer(cells, releases, model, writer):
    fine = [r for name in {c.writer for c in cells} for r in readers(cells, model, name)]
    return max(fine, key=releases.index, default=None)


def newest_of_any_format(cells, releases, model, writer):
    fine = [r for form in {c.format for c in cells} for r in readers(cells, model, writer, form)]
    return max(fine, key=releases.index, default=None)


def newest_that_stumbles(cells, releases, model, writer):
    mine = [cell for cell in cells if (cell.model, cell.writer) == (model, writer)]
    mine = sorted(mine, key=lambda cell: releases.index(cell.reader))
    return newest_last_cell(mine, releases, model, writer)


def newest_or_a_word(cells, releases, model, writer):
    return newest_right(cells, releases, model, writer) or "none"


def noticed_right(cell):
    if cell.outcome.result == "ok":
        return "fine"
    return "silent" if cell.outcome.result == "different output" else "loud"


def noticed_by_error(cell):
    if cell.outcome.result == "ok":
        return "fine"
    return "loud" if cell.outcome.error else "silent"


def noticed_by_difference(cell):
    if cell.outcome.result == "ok":
        return "fine"
    return "silent" if cell.outcome.difference else "loud"


def noticed_two_words(cell):
    return "loud" if cell.outcome.error else "fine"


def noticed_if_large(cell):
    if cell.outcome.difference and cell.outcome.difference < 0.01:
        return "fine"
    return noticed_right(cell)


def noticed_on_forward_alone(cell):
    return "fine" if cell.outcome.where == "load" else noticed_right(cell)


def noticed_unless_the_process_ends(cell):
    return "silent" if cell.outcome.result == "died" else noticed_right(cell)


def noticed_unless_it_hangs(cell):
    return "silent" if cell.outcome.result == "hung" else noticed_right(cell)


RIGHT = [
    (check.newest_reader, newest_right),
    (check.newest_reader, newest_by_loop),
    (check.noticed, noticed_right),
]

WRONG = [
    (check.newest_reader, newest_last_cell, "any order"),
    (check.newest_reader, newest_as_text, "as text"),
    (check.newest_reader, newest_up_to_the_first_failure, "again by a later one"),
    (check.newest_reader, newest_of_any_model, "one model"),
    (check.newest_reader, newest_of_any_writer, "one writer"),
    (check.newest_reader, newest_of_any_format, "another format"),
    (check.newest_reader, newest_or_a_word, "None is right"),
    (check.newest_reader, lambda *_: "2.0", "no release of these"),
    (check.newest_reader, lambda cells, releases, *_: releases[-1], "the outcome is an error"),
    (check.newest_reader, newest_that_stumbles, "your code raised"),
    (check.noticed, noticed_by_error, "`create_model` refuses"),
    (check.noticed, noticed_by_difference, "another shape"),
    (check.noticed, noticed_two_words, "another output came"),
    (check.noticed, noticed_if_large, "a small deviation"),
    (check.noticed, lambda cell: "fine", "stops the program"),
    (check.noticed, lambda cell: "loud", "the writer's output came out"),
    (check.noticed, noticed_on_forward_alone, "so does one on load"),
    (check.noticed, noticed_unless_the_process_ends, "a process that dies"),
    (check.noticed, noticed_unless_it_hangs, "one that hangs"),
    (check.noticed, lambda cell: cell.outcome.result, "none of"),
]


@pytest.mark.parametrize("judge, answer", RIGHT)
def test_a_right_answer_is_solved(judge, answer):
    verdict = judge(answer)
    assert verdict.solved, verdict


@pytest.mark.parametrize("judge, answer, hint", WRONG)
def test_a_wrong_answer_gets_a_hint_that_fits(judge, answer, hint):
    verdict = judge(answer)
    assert verdict.status == "wrong"
    assert hint in verdict.hint


@pytest.mark.parametrize("judge", [check.newest_reader, check.noticed])
def test_a_stub_is_not_yet_solved(judge):
    assert judge(lambda *args: None).status == "open"
    assert judge(...).status == "open"
