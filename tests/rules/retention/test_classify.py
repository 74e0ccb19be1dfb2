"""Retention keys from the CRM's categories and the outcome (RET-12, RET-14)."""

from datetime import date

import pytest

from rules.policy.policy import Policy
from rules.retention.classify import Classifier, Facts
from tests.rules.builders import (
    CRM_KEYS,
    OUTCOMES,
    POLICY,
    UNTIL_25,
    a_dossier,
    a_fiche,
    a_policy,
    codes,
    decided,
    shipped_policy,
)

ON = date(2026, 1, 1)


def derived(key: str, outcome: str | None, policy: Policy = POLICY) -> tuple[str | None, str | None]:
    line = Classifier(policy).derive(key, outcome)
    return line.key, line.flag


@pytest.mark.parametrize("key", CRM_KEYS)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_shipped_schedule_derives_the_keys_of_the_rules(key: str, outcome: str | None) -> None:
    assert derived(key, outcome, shipped_policy())[0] == derived(key, outcome)[0]


@pytest.mark.parametrize("outcome", ["100000099", "something"])
def test_an_unknown_outcome_counts_as_empty(outcome: str) -> None:
    for key in CRM_KEYS:
        assert derived(key, outcome) == derived(key, None)


def test_a_solved_disappearance_called_unexplained_is_to_be_reclassified() -> None:
    assert derived("unexplained_disappearance", "returned") == ("missing_unexplained", "RECLASSIFY")
    assert derived("unexplained_disappearance", None) == ("missing_unexplained", None)


def test_an_outcome_that_the_schedule_forgot_is_unconfigured() -> None:
    policy = a_policy(derive={"runaway": [{"key": "missing_runaway", "outcomes": ["returned"]}]})
    assert derived("runaway", "located", policy) == (None, None)
    assert derived("runaway", None, policy) == (None, None)


def test_a_category_of_the_crm_answers_for_itself_only_as_an_enabled_row_of_dossiers() -> None:
    assert derived("preventive", None) == (None, None)
    assert derived("preventive", None, a_policy({"preventive": UNTIL_25})) == ("preventive", None)
    assert derived("preventive", None, a_policy({"preventive": {**UNTIL_25, "enabled": False}})) == (None, None)
    assert derived("recording", None) == (None, None)


def test_a_row_with_a_term_that_disposes_of_nothing_is_unconfigured() -> None:
    policy = a_policy({"preventive": {**UNTIL_25, "disposition": "retain"}})
    assert derived("preventive", None, policy) == (None, None)


def test_categories_of_dossier_and_fiches_count_together_each_once() -> None:
    fiches = [a_fiche("grooming", "sexting", communicated_on=ON), a_fiche("runaway", "preventive", communicated_on=ON)]
    decision = decided(a_dossier(*fiches, categories=("sex_tourism", "grooming")), ON)
    assert codes(decision.categories) == ["exploitation_ict", "exploitation_organised", "missing_runaway", "preventive"]


@pytest.mark.parametrize(
    ("keys", "is_missing", "is_six_month"),
    [
        (("social_card",), False, True),
        (("social_card", "e_safety"), False, True),
        (("social_card",), True, False),
        (("social_card", "preventive"), False, False),
        (("social_card", "runaway"), False, False),
        ((), True, False),
    ],
)
def test_a_six_month_unit_has_six_month_categories_and_no_other(keys: tuple[str, ...], is_missing: bool, is_six_month: bool) -> None:
    assert Classifier(POLICY).classify(Facts(keys, is_missing, None, False)).is_six_month is is_six_month
