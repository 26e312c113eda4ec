"""Texts that name no error of these kinds: damaged files, other formats, another output."""

import re

from missing_aa.explainer.advice import advise
from missing_aa.explainer.answers import NEAR, Answer, from_cases
from missing_aa.explainer.cases import Ledger, is_upgrade
from missing_aa.explainer.errors import ATTRIBUTE, Error, line_at
from missing_aa.explainer.errors import NEAR as REACH
from missing_aa.explainer.errors import OTHER as WORDS
from missing_aa.explainer.kinds import missing_attribute
from missing_aa.explainer.known_files import Known
from missing_aa.explainer.known_texts import TEXTS
from missing_aa.explainer.pasted import squeeze
from missing_aa.explainer.traceback import frames, innermost, said

SHORT = 600
"""Characters up to which a text is taken for a sentence about an error."""
TELLING = 15
"""Characters, without white space, from which the words of an error are told from others."""


def by_words(text: str, ledger: Ledger) -> Answer | None:
    """The nearest to a text that names no error in the words of Python or torch."""
    squeezed = squeeze(text)
    for error, cases in ledger.errors.items():
        words = squeeze(error.name.partition(":")[2]) if error.kind == WORDS else ""
        if len(words) >= TELLING and words in squeezed:
            what = (
                "the atlas has met these words, as below. They are general ones, and can have "
                "other causes."
            )
            return from_cases(NEAR, error, cases, ledger, what)
    if len(text) > SHORT or not re.search(r"attribut|missing|lack", text, re.I):
        return None
    named_words = set(re.findall(r"\w+", text))
    named = [
        (error, cases)
        for error, cases in ledger.errors.items()
        if error.kind == ATTRIBUTE and {error.class_, error.name} <= named_words
    ]
    if not named:
        return None
    error, cases = max(named, key=lambda item: len(item[0].class_))
    what = missing_attribute.changed(error, is_upgrade(cases))
    return from_cases(NEAR, error, cases, ledger, what)


def by_pattern(text: str, texts: tuple[Known, ...] = TEXTS) -> Answer | None:
    """The answer to a text that is known by its words, to one that names no other error.

    The name of a frame and a line of source are no words of an error: they say little of it.
    """
    said_there = said(text)
    failed = innermost(frames(text))
    for known in texts:
        if known.frame and not (failed and re.search(known.frame, f"{failed.path}\n{failed.code}")):
            continue
        if known.unless and re.search(known.unless, text):
            continue
        if not all(re.search(one, text) for one in known.beside):
            continue
        pattern = known.pattern.replace(" ", r"\s+")  # lines are broken where they are long
        for found in list(re.finditer(pattern, said_there))[-1:]:
            error = Error(WORDS, name=_lines_of(said_there, found))
            return advise(error, known.what, *known.ways, known_by="the words of the error")
    return None


def _lines_of(text: str, found: re.Match) -> str:
    """The line, or the lines, in which an error is said."""
    head = line_at(text, found.start())
    if "\n" not in found[0].strip():
        return head if found[0] in head else f"… {found[0]}"
    return " ".join((head + " " + text[text.index("\n", found.start()) : found.end()]).split())[
        :REACH
    ]
