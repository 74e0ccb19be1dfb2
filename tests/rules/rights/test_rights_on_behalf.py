"""Who acts for a child, and what is told then (RGT-04 to RGT-09, RGT-13, R-095 to R-098, R-159)."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model.requests import Mandate, RequesterKind, Right
from rules.policy.loader import load_policy
from rules.rights.entitlement import ItemScope, entitlement, item_scope
from rules.rights.facts import FileFacts, UnitKey
from tests.rules.rights_builders import (
    BORN_FOURTEEN,
    BORN_NINE,
    DAY,
    ELSE,
    FINN,
    LOTTE,
    RECEIVED,
    A,
    B,
    C,
    asked_for_finn,
    role,
    told,
)

FAMILY = (role(LOTTE, "parent"), role(FINN, "child"))


def test_rgt05_a_parent_with_authority_acts_for_a_child_of_nine() -> None:
    answer = told(asked_for_finn(mandate=Mandate.SHOWN), *FAMILY)
    assert (answer.answer, answer.scope, answer.for_child, dict(answer.own)) == ("package", "on_behalf", (A,), {})
    assert item_scope(answer, A) is ItemScope.WHOLE


def test_r095_without_the_agreement_of_a_child_of_fourteen_nothing_is_told() -> None:
    for mandate in (Mandate.SHOWN, None):
        answer = told(asked_for_finn(mandate=mandate, child_born_on=BORN_FOURTEEN), *FAMILY)
        assert (answer.answer, answer.blocks) == ("dpo_review", ("RGT-05",))


@pytest.mark.parametrize("consent", [{"child_agrees": True}, {"overrides": frozenset({"RGT-05"})}])
def test_rgt05_the_agreement_or_a_decision_of_two_opens_it(consent: dict[str, Any]) -> None:
    answer = told(asked_for_finn(mandate=Mandate.SHOWN, child_born_on=BORN_FOURTEEN, **consent), *FAMILY)
    assert (answer.answer, answer.for_child, answer.blocks) == ("package", (A,), ())


@pytest.mark.parametrize(("born_on", "answer"), [(date(2014, 5, 8), "dpo_review"), (date(2014, 5, 9), "package")])
def test_rgt05_the_age_on_the_day_of_receipt_counts(born_on: date, answer: str) -> None:
    assert told(asked_for_finn(mandate=Mandate.SHOWN, child_born_on=born_on), *FAMILY).answer == answer


def test_rgt05_the_age_is_configurable() -> None:
    question = asked_for_finn(mandate=Mandate.SHOWN, child_born_on=BORN_FOURTEEN)
    files = {A: FileFacts(("grooming",), frozenset({FINN}))}
    assert entitlement(question, FAMILY, files, maturity_age=16).answer == "package"


def test_rgt05_an_unknown_birth_date_is_a_doubt() -> None:
    answer = told(asked_for_finn(mandate=Mandate.SHOWN, child_born_on=None), *FAMILY)
    assert (answer.answer, answer.blocks) == ("dpo_review", ("RGT-05",))


@pytest.mark.parametrize("category", ["runaway", "international_abduction", "third_party_abduction", "national_parental_abduction"])
def test_r096_running_away_and_abduction_limit_what_is_told(category: str) -> None:
    """R-096, RGT-09."""
    answer = told(asked_for_finn(mandate=Mandate.SHOWN), *FAMILY, categories={A: (category, "grooming")})
    assert (answer.answer, answer.scope, answer.limited) == ("package", "on_behalf_limited", frozenset({A}))


@pytest.mark.parametrize("categories", [(), ("100000099",), ("undefined_disappearance",), ("unexplained_disappearance",), ("preventive",)])
def test_rgt09_what_may_be_running_away_is_limited_too(categories: tuple[str, ...]) -> None:
    assert told(asked_for_finn(mandate=Mandate.SHOWN), *FAMILY, categories={A: categories}).limited == {A}


@pytest.mark.parametrize("category", ["grooming", "sextortion", "e_safety", "unaccompanied_minor", "civil_party"])
def test_rgt09_other_files_are_not_limited(category: str) -> None:
    assert told(asked_for_finn(mandate=Mandate.SHOWN), *FAMILY, categories={A: (category,)}).scope == "on_behalf"


@pytest.mark.parametrize(("category", "limited"), [("pesten", set()), ("doorverwezen", {A}), ("grooming", {A})])
def test_rgt09_an_organisation_says_of_its_own_categories_which_may_lead_to_the_child(category: str, limited: set[UnitKey]) -> None:
    """What its schedule does not say it of, or does not know, is limited."""
    path = Path(__file__).parents[2] / "data" / "second-policy.yaml"
    harmless = load_policy(path.read_text(encoding="utf-8"), source=path.name).harmless
    files = {A: FileFacts((category,), frozenset({FINN}))}
    assert entitlement(asked_for_finn(mandate=Mandate.SHOWN), FAMILY, files, harmless=harmless).limited == limited


def test_r097_a_child_that_becomes_an_adult_ends_the_mandate() -> None:
    """R-097: received on 2026-05-08 for a child born on 2008-05-10; nothing overrides it."""
    question: dict[str, Any] = {}
    for facts in ({}, {"child_agrees": True}, {"overrides": frozenset({"RGT-05"})}):
        question = {"mandate": Mandate.SHOWN, "child_born_on": date(2008, 5, 10), **facts}
        answer = told(asked_for_finn(day=date(2026, 5, 20), **question), *FAMILY)
        assert (answer.answer, answer.blocks, answer.for_child) == ("package", ("MANDATE_LAPSED",), ())
    last = told(asked_for_finn(day=date(2026, 5, 9), **question), *FAMILY)
    assert (last.blocks, last.for_child) == ((), (A,))


@pytest.mark.parametrize(
    ("born_by", "scope", "blocks"),
    [
        (date(2008, 4, 30), "own", ()),  # an adult for certain when the request came
        (date(2008, 5, 15), "on_behalf", ("MANDATE_LAPSED",)),  # for certain since
        (date(2008, 12, 31), "on_behalf", ("RGT-05",)),  # perhaps
    ],
)
def test_rgt07_nobody_acts_for_an_adult_of_whom_no_day_of_birth_is_known(born_by: date, scope: str, blocks: tuple[str, ...]) -> None:
    """RET-09, DAT-06: of a year, a month or a stated age the latest day that it allows."""
    question = asked_for_finn(mandate=Mandate.SHOWN, child_born_on=None, child_born_by=born_by, child_agrees=True)
    answer = told(question, *FAMILY)
    assert (answer.scope, answer.blocks) == (scope, blocks)
    agreed = told(msgspec.structs.replace(question, overrides=frozenset({"RGT-05"})), *FAMILY)
    assert agreed.for_child == ((A,) if blocks == ("RGT-05",) else ())


def test_rgt07_for_who_was_an_adult_at_receipt_there_is_no_mandate() -> None:
    answer = told(asked_for_finn(mandate=Mandate.SHOWN, child_born_on=date(2008, 5, 8), received_on=RECEIVED), *FAMILY)
    assert (answer.answer, answer.scope, dict(answer.own), answer.for_child) == ("package", "own", {A: ("parent",)}, ())


@pytest.mark.parametrize("mandate", [Mandate.NOT_SHOWN, None])
def test_r098_without_proven_authority_only_own_data(mandate: Mandate | None) -> None:
    """R-098, RGT-08; who is in the child's file as a parent is told so (RF-07)."""
    answer = told(asked_for_finn(mandate=mandate), *FAMILY)
    assert (answer.answer, answer.scope, dict(answer.own), answer.for_child) == ("package", "own", {A: ("parent",)}, ())
    assert item_scope(answer, A) is ItemScope.OWN
    assert (answer.remarks, answer.refusal) == (("RF-07",), "")


@pytest.mark.parametrize("born_by", [None, RECEIVED, date(2008, 5, 8)])
def test_rgt04_a_known_conflict_ends_the_presumption_without_a_word_of_it(born_by: date | None) -> None:
    """RGT-08: also of who is an adult by now, or is said to be."""
    shown = role(LOTTE, "parent", has_authority=True)
    answer = told(asked_for_finn(mandate=Mandate.CONTESTED, child_born_by=born_by), shown, role(FINN, "child"))
    assert (answer.scope, dict(answer.own), answer.remarks) == ("own", {A: ("parent",)}, ())


@pytest.mark.parametrize("name", ["parent", "guardian"])
@pytest.mark.parametrize(
    ("until", "scope"), [(None, "on_behalf"), (DAY + timedelta(days=1), "on_behalf"), (DAY, "on_behalf"), (DAY - timedelta(days=1), "own")]
)
def test_rgt08_evidence_counts_to_its_last_day(name: str, until: date | None, scope: str) -> None:
    evidence = role(LOTTE, name, has_authority=True, authority_until=until)
    assert told(asked_for_finn(), evidence, role(FINN, "child")).scope == scope


def test_idv04_authority_that_has_ended_prevails_over_a_mandate_that_was_shown() -> None:
    ended = role(LOTTE, "parent", has_authority=True, authority_until=DAY - timedelta(days=1))
    assert told(asked_for_finn(mandate=Mandate.SHOWN), ended, role(FINN, "child")).scope == "own"
    renewed = role(LOTTE, "parent", has_authority=True, authority_until=DAY)
    assert told(asked_for_finn(mandate=Mandate.SHOWN), ended, renewed, role(FINN, "child")).scope == "on_behalf"


def test_rgt08_what_the_dpo_did_not_see_shown_no_evidence_replaces() -> None:
    evidence = role(LOTTE, "parent", has_authority=True)
    assert told(asked_for_finn(mandate=Mandate.NOT_SHOWN), evidence, role(FINN, "child")).scope == "own"


def test_evidence_in_the_file_of_another_child_proves_nothing() -> None:
    evidence = role(LOTTE, "parent", B, has_authority=True)
    assert told(asked_for_finn(), evidence, role(ELSE, "child", B), role(FINN, "child")).scope == "own"


@pytest.mark.parametrize("kind", [RequesterKind.GUARDIAN, RequesterKind.UNKNOWN])
def test_r159_a_guardian_with_evidence_is_a_holder_of_parental_authority(kind: RequesterKind) -> None:
    guardian = role(LOTTE, "guardian", has_authority=True)
    question = asked_for_finn(kind=kind, child_born_on=date(2016, 1, 1))
    answer = told(question, guardian, role(FINN, "child"), categories={A: ("unaccompanied_minor",)})
    assert (answer.answer, answer.scope, answer.for_child) == ("package", "on_behalf", (A,))


def test_idv04_an_institution_or_lawyer_acts_with_a_mandate_that_was_shown() -> None:
    answer = told(asked_for_finn(mandate=Mandate.SHOWN, requester=frozenset()), role(FINN, "child"))
    assert (answer.scope, answer.for_child) == ("on_behalf", (A,))


def test_rgt13_for_a_dead_child_a_relative_is_told_own_data() -> None:
    answer = told(asked_for_finn(mandate=Mandate.SHOWN, deceased=True), *FAMILY)
    assert (answer.answer, answer.scope, dict(answer.own), answer.remarks) == ("package", "own", {A: ("parent",)}, ())


@pytest.mark.parametrize(
    "facts",
    [
        {"mandate": Mandate.NOT_SHOWN},
        {"mandate": Mandate.CONTESTED},
        {"child": frozenset()},
        {"deceased": True},
        {"child_born_on": date(2000, 1, 1)},
    ],
)
@pytest.mark.parametrize(
    ("own", "rule"),
    [
        ({"requester_born_on": BORN_NINE}, "RGT-05"),
        ({"requester_born_by": BORN_NINE}, "RGT-05"),
        ({"requester_deceased": True}, "RGT-13"),
        ({"requester_born_on": date(1975, 1, 1)}, ""),
    ],
)
def test_who_may_not_act_for_a_child_is_looked_at_as_anybody_who_asks_for_own_data(
    facts: dict[str, Any], own: dict[str, Any], rule: str
) -> None:
    answer = told(asked_for_finn(**facts, **own), *FAMILY)
    assert (answer.answer, answer.scope, answer.blocks) == ("dpo_review" if rule else "package", "own", (rule,) if rule else ())
    overridden = told(asked_for_finn(**facts, **own, overrides=frozenset({rule})), *FAMILY)
    assert (overridden.answer, dict(overridden.own)) == ("package", {A: ("parent",)})


def test_rf07_is_never_how_somebody_learns_that_a_child_is_known() -> None:
    """6.4: a stranger hears the same whether the child is known or not; so does a donor."""
    for has_relations in (False, True):
        question: dict[str, Any] = {"mandate": Mandate.NOT_SHOWN, "has_relations": has_relations, "requester": frozenset({LOTTE})}
        known = told(asked_for_finn(**question), role(FINN, "child"), role(LOTTE, "witness", C))
        unknown = told(asked_for_finn(**question, child=frozenset()), role(LOTTE, "witness", C))
        assert known == unknown
    stranger: dict[str, Any] = {"mandate": Mandate.NOT_SHOWN, "requester": frozenset[str]()}
    assert told(asked_for_finn(**stranger), role(FINN, "child")) == told(asked_for_finn(**stranger, child=frozenset()))
    assert told(asked_for_finn(**stranger), role(FINN, "child")).answer == "neutral"


@pytest.mark.parametrize("mandate", [Mandate.NOT_SHOWN, None])
def test_a_stranger_is_told_nothing_of_a_child_of_fourteen_either(mandate: Mandate | None) -> None:
    """The DPO is asked to decide about the agreement of the child only for who may be its parent (RGT-05,
    SUS-04)."""
    answer = told(asked_for_finn(mandate=mandate, child_born_on=BORN_FOURTEEN, requester=frozenset()), role(FINN, "child"))
    assert (answer.answer, answer.blocks) == ("neutral", ())


def test_a_witness_in_the_file_of_the_child_is_not_told_that_the_mandate_failed() -> None:
    answer = told(asked_for_finn(mandate=Mandate.NOT_SHOWN), role(LOTTE, "witness"), role(FINN, "child"))
    assert (answer.remarks, dict(answer.own)) == ((), {A: ("witness",)})


def test_a_contact_confirmed_as_both_is_the_child() -> None:
    """Else the data of the child would go out as the requester's own."""
    question = asked_for_finn(requester=frozenset({LOTTE, FINN}), mandate=Mandate.NOT_SHOWN)
    assert dict(told(question, *FAMILY).own) == {A: ("parent",)}


def test_the_relations_of_the_parent_are_not_those_of_the_child() -> None:
    assert told(asked_for_finn(mandate=Mandate.SHOWN, has_relations=True), *FAMILY).relations is False
    assert told(asked_for_finn(mandate=Mandate.SHOWN, child_has_relations=True), *FAMILY).relations is True


def test_a_right_that_does_not_reach_the_file_does_not_reach_it_for_a_child_either() -> None:
    answer = told(asked_for_finn(Right.PORTABILITY, mandate=Mandate.SHOWN), *FAMILY)
    assert (answer.refusal, answer.for_child) == ("RF-04", ())
    runaway = told(asked_for_finn(Right.PORTABILITY, mandate=Mandate.SHOWN), *FAMILY, categories={A: ("runaway",)})
    assert runaway == answer


@pytest.mark.parametrize("right", [Right.RECTIFICATION, Right.ERASURE, Right.RESTRICTION, Right.OBJECTION])
def test_the_other_rights_are_exercised_for_a_child_as_access_is(right: Right) -> None:
    for facts in ({"mandate": Mandate.SHOWN}, {"mandate": Mandate.NOT_SHOWN}, {"mandate": Mandate.SHOWN, "child_born_on": BORN_FOURTEEN}):
        assert told(asked_for_finn(right, **facts), *FAMILY) == told(asked_for_finn(**facts), *FAMILY)


@given(st.dates(date(2000, 1, 1), date(2026, 5, 1)), st.sampled_from([None, *Mandate]), st.booleans(), st.booleans())
def test_nothing_of_a_child_is_told_without_authority_and_agreement(
    born_on: date, mandate: Mandate | None, agrees: bool, has_authority: bool
) -> None:
    """RGT-05, RGT-07, RGT-08: for every age."""
    parent = role(LOTTE, "parent", has_authority=has_authority)
    answer = told(asked_for_finn(mandate=mandate, child_agrees=agrees, child_born_on=born_on), parent, role(FINN, "child"))
    if answer.answer == "package" and answer.for_child:
        assert mandate is Mandate.SHOWN or (mandate is None and has_authority)
        assert born_on > date(2008, 5, 20), "still a minor on the day"
        assert agrees or born_on > date(2014, 5, 8)
    assert told(asked_for_finn(mandate=Mandate.SHOWN, child_born_on=BORN_NINE), *FAMILY).for_child == (A,)
