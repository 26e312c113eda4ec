"""Each check turns down the stub and plausible wrong answers, with a hint that fits."""

import pytest

from helpers.checks import matrix as check
from helpers.checks.matrix import FINE


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


def newest_without_an_error(cells, releases, model, writer):
    fine = {c.reader for c in cells if c.key[:2] == (model, writer) and c.outcome.error is None}
    return next((release for release in reversed(releases) if release in fine), None)


def newest_that_stumbles(cells, releases, model, writer):
    mine = [cell for cell in cells if (cell.model, cell.writer) == (model, writer)]
    mine = sorted(mine, key=lambda cell: releases.index(cell.reader))
    return newest_last_cell(mine, releases, model, writer)


def newest_or_a_word(cells, releases, model, writer):
    return newest_right(cells, releases, model, writer) or "none"


def loud(outcome):
    return outcome.result not in ("ok", "different output")


def silent(outcome):
    return outcome.result == "different output"


def silenced_by(before=loud, after=silent, name=lambda key: key[:3], first="state_dict"):
    """An answer to the second exercise, right unless told otherwise."""

    def answer(cells):
        met = {cell.key: cell.outcome for cell in cells}
        second = "rescued" if first == "state_dict" else "state_dict"
        return {
            name(key)
            for key, outcome in met.items()
            if key[3] == first and before(outcome) and after(met[*key[:3], second])
        }

    return answer


def silenced_in_order(cells):
    plain, found = {}, set()
    for cell in cells:
        if cell.format == "state_dict":
            plain[cell.key[:3]] = cell.outcome
        elif cell.format == "rescued" and silent(cell.outcome):
            found |= {cell.key[:3]} if loud(plain.get(cell.key[:3], FINE)) else set()
    return found


def silenced_or_not_there(cells):
    keys = {cell.key[:3] for cell in cells if cell.format == "rescued"}
    return silenced_by()(cells) | {key for key in keys if key[0] == "other"}


RIGHT = [
    (check.newest_reader, newest_right),
    (check.newest_reader, newest_by_loop),
    (check.silenced, silenced_by()),
]

WRONG = [
    (check.newest_reader, newest_last_cell, "any order"),
    (check.newest_reader, newest_as_text, "as text"),
    (check.newest_reader, newest_without_an_error, "where the outcome is another output"),
    (check.newest_reader, newest_up_to_the_first_failure, "again by a later one"),
    (check.newest_reader, newest_of_any_model, "one model"),
    (check.newest_reader, newest_of_any_writer, "one writer"),
    (check.newest_reader, newest_of_any_format, "another format"),
    (check.newest_reader, newest_or_a_word, "None is right"),
    (check.newest_reader, lambda *_: "2.0", "no release of these"),
    (check.newest_reader, lambda cells, releases, *_: releases[-1], "the outcome is an error"),
    (check.newest_reader, newest_that_stumbles, "your code raised"),
    (check.silenced, silenced_by(before=lambda met: met.error), "`create_model` refuses"),
    (check.silenced, silenced_by(after=lambda met: met.difference), "another shape"),
    (check.silenced, silenced_by(before=lambda met: met.result != "ok"), "nothing was loud"),
    (check.silenced, silenced_by(before=lambda met: True), "nothing was loud"),
    (check.silenced, silenced_by(after=lambda met: not loud(met)), "are fine there"),
    (check.silenced, silenced_by(after=lambda met: True), "are fine there"),
    (check.silenced, silenced_by(before=lambda met: met.result == "error"), "refuses: loud"),
    (check.silenced, silenced_by(first="rescued"), "is missing"),
    (check.silenced, silenced_by(name=lambda key: key[0]), "no triple"),
    (check.silenced, lambda cells: sorted(silenced_by()(cells)), "a set is asked"),
    (check.silenced, silenced_in_order, "is missing"),
    (check.silenced, silenced_or_not_there, "another model"),
    (check.silenced, lambda cells: set(), "is missing"),
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


@pytest.mark.parametrize("judge", [check.newest_reader, check.silenced])
def test_a_stub_is_not_yet_solved(judge):
    assert judge(lambda *args: None).status == "open"
    assert judge(...).status == "open"
