"""Texts that name no error of these kinds: damaged files, devices, another output."""

import re

from missing_aa.explainer.answers import NEAR, OTHER, Answer, from_cases
from missing_aa.explainer.cases import Ledger, is_upgrade
from missing_aa.explainer.errors import ATTRIBUTE
from missing_aa.explainer.errors import OTHER as WORDS
from missing_aa.explainer.kinds import missing_attribute
from missing_aa.explainer.known_breaks import (
    TEXTS,
)
from missing_aa.explainer.pasted import squeeze
from missing_aa.explainer.remedies import ADVICE, Way
from missing_aa.explainer.traceback import said

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


def by_pattern(text: str) -> Answer | None:
    """The answer to a text that names none of these errors, and is known by its words.

    A line of source is no word of an error: what it reads with says little of what went wrong.
    """
    text = said(text)
    for pattern, what, advice in TEXTS:
        for found in list(re.finditer(pattern, text))[-1:]:
            ways = tuple(Way(ADVICE, one) for one in advice)
            end = (text + "\n").index("\n", found.start())
            line = text[text.rfind("\n", 0, found.start()) + 1 : end].strip()[:300]
            return Answer(OTHER, line, what, ways=ways, known_by="the words of the error")
    return None
