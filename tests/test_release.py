from pathlib import Path

import pytest
from tools.release import main, problems

from missing_aa import __version__

CHANGELOG = """\
# Changelog

## [Unreleased]

## [1.2.0] - 2026-11-27

- New.

## [1.1.0] - 2026-01-01
"""
CITATION = "title: x\nversion: 1.2.0\n"


def test_a_tag_that_fits_has_no_problem():
    assert problems("v1.2.0", "1.2.0", CHANGELOG, CITATION) == []


OFF = {
    "another tag": (("v1.2.1", "1.2.0", CHANGELOG, CITATION), "v1.2.1"),
    "a tag without v": (("1.2.0", "1.2.0", CHANGELOG, CITATION), "v1.2.0"),
    "no entry yet": (("v1.3.0", "1.3.0", CHANGELOG, "version: 1.3.0\n"), "1.2.0, not 1.3.0"),
    "no entry at all": (("v1.2.0", "1.2.0", "## [Unreleased]\n", CITATION), "none, not 1.2.0"),
    "no date": (("v1.2.0", "1.2.0", "## [1.2.0]\n", CITATION), "YYYY-MM-DD"),
    "an entry still open": (
        ("v1.2.0", "1.2.0", CHANGELOG.replace("sed]\n", "sed]\n\n- More.\n"), CITATION),
        "Unreleased",
    ),
    "another citation": (("v1.2.0", "1.2.0", CHANGELOG, "version: 1.1.0\n"), "CITATION.cff"),
}


@pytest.mark.parametrize("given, said", OFF.values(), ids=OFF)
def test_what_does_not_fit_is_said(given, said):
    (problem,) = problems(*given)
    assert said in problem


def test_this_checkout_is_read(capsys):
    assert main(["v0.0.0"]) == 1
    assert f"v{__version__}" in capsys.readouterr().out
    assert main([]) == 2


def test_the_hook_is_pinned_to_the_version_to_come():
    page = Path(__file__).parents[1] / "docs/reference/scan.md"
    assert f"rev: v{__version__}" in page.read_text(encoding="utf-8")
