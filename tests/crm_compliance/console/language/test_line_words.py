"""A line of a plan in words, column by column."""

import pytest

from crm_compliance.console.language.codes import words_of
from crm_compliance.console.language.line_words import line_words
from crm_compliance.reports.plan.lines_file import CODED
from rules.model.languages import UiLanguage
from tests.jobs.plans.lines.storing import a_disposal, a_line


@pytest.mark.parametrize("language", ["en", "nl", "fr"])
def test_every_column_of_codes_has_words(language: UiLanguage) -> None:
    said, word = line_words(language, lambda key: f"category {key}"), words_of(language)
    due = a_disposal(id="d1", flags=("REVIEW_DUE",), categories=("one", "two"), retention_end="2026-02-28")
    assert all(said(due, column) for column in CODED)
    assert said(due, "categories") == "category one; category two"
    assert said(due, "reason") == word("reason", due.reason) != due.reason
    assert said(due, "outcome") == word("outcome", "dispose")
    assert said(due, "flags") == word("flag", "REVIEW_DUE")
    assert said(a_line(id="k1"), "disposition") == ""


def test_a_unit_without_an_end_has_none_that_has_passed() -> None:
    gone = a_disposal(id="d1", reason="EXPIRED", retention_end=None)
    assert line_words("en", str)(gone, "reason") == "Nothing that stays refers to it any more."
