"""Codes in words, by kind."""

from itertools import combinations

import pytest

from crm_compliance.console.language.codes import WORDS, words_of
from crm_compliance.console.language.history_codes import OF_HISTORY
from crm_compliance.console.language.request_codes import KINDS as OF_REQUESTS
from crm_compliance.console.language.review_codes import KINDS as OF_REVIEWS
from crm_compliance.console.language.step_codes import OF_STEPS
from rules.model.languages import UiLanguage

GROUPS = {"history": OF_HISTORY, "requests": OF_REQUESTS, "reviews": OF_REVIEWS, "steps": OF_STEPS}


@pytest.mark.parametrize(("one", "other"), list(combinations(GROUPS, 2)))
def test_no_kind_of_code_is_in_two_groups(one: str, other: str) -> None:
    """The later one would take the words of the first away, and its codes would be shown as they are."""
    assert not GROUPS[one].keys() & GROUPS[other].keys()


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_has_its_words(group: str) -> None:
    said = words_of("en")
    for kind, words in GROUPS[group].items():
        assert WORDS[kind] is words
        assert all(said(kind, code) == text for code, text in words.items())


@pytest.mark.parametrize(("language", "noun"), [("nl", "deze taak "), ("fr", "cette tâche ")])
def test_what_is_not_well_with_a_job_is_said_of_a_noun(language: UiLanguage, noun: str) -> None:
    """It stands behind the name of any job: "Verzoeken: ze eindigde" is no Dutch."""
    assert all(words_of(language)("health", code).startswith(noun) for code in ("LATE", "FAILED"))
